"""A forecast against what the tasks write, in bytes; its hours are of this machine."""

import math
import socket
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.config import RunConfig, load_config
from flows.forecast import Forecast, PlanError, forecast, require_at_most
from pipeline_lib.alignment.sinkhorn import SharpenConfig
from tests.flows.tiny import QUICK, small_corpus
from tests.tasks.chain import CORPUS, FIT, SHARDS, run_chain
from tests.tasks.transformers import ALIGN, SOURCES, TUNE, VIEWS, make

PARTS = {"fit": FIT, "shards": SHARDS, "align": ALIGN, "corpus": CORPUS, "views": VIEWS, "sharpen": SharpenConfig()}
FITTED = ["ingest", "units", "segments", "fit", "edges", "embed", "cost", "sharpen", "distill", "candidates", "consistency", "project"]


def paper(folder: Path) -> RunConfig:
    """The settings of ``make``: transformers on a grid of words."""
    config = load_config("paper", ["units.grid=words", *QUICK])
    teachers = {role: source.model_copy(update={"model": str(folder / role)}) for role, source in SOURCES.items()}
    tune = TUNE.model_copy(update={"start": teachers["sentence"]})
    return config.model_copy(update={**PARTS, "tune": tune, "teachers": config.teachers.model_copy(update=teachers)})


def bare_size(path: Path) -> int:
    return path.stat().st_size - int(pq.read_metadata(path).serialized_size)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """What the tasks of a run wrote: its folder, and bytes by kind; of a table without its file's foot, which is most of a tiny one."""
    root = tmp_path_factory.mktemp("written")
    corpus = small_corpus(root / "corpus", count=4)
    chain = run_chain(str(root / "store"), str(corpus))
    made = make(chain, str(root / "store"), root / "encoders")
    refs = {
        "unit_vectors": made.vectors.values(),
        "cost_matrices": [*chain.costs.values(), *made.costs.values()],
        "transport_plans": made.plans.values(),
    }
    sizes = {kind: sum(bare_size(root / "store" / ref.key) for ref in of_kind) for kind, of_kind in refs.items()}
    files = (root / "store" / file.key for file in made.store.files("encoders"))
    return root, {**sizes, "encoders": sum(path.stat().st_size for path in files if path.parent.name != "encoders")}


@pytest.fixture(scope="module")
def planned(written: tuple[Path, dict[str, int]]) -> Forecast:
    root, _ = written
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("the network was asked"))
        return forecast(paper(root / "encoders"), root / "corpus", "es", ["en"], 1.0)


@pytest.mark.parametrize("kind", ["unit_vectors", "cost_matrices", "transport_plans"])
def test_bytes_are_within_a_tenth_of_those_that_tasks_wrote(kind: str, planned: Forecast, written: tuple[Path, dict[str, int]]) -> None:
    bytes_ = dict(planned.estimate.bytes)
    if kind == "unit_vectors":
        bytes_[kind] *= 3 / 4  # the chain's student encodes nothing
    assert bytes_[kind] == pytest.approx(written[1][kind], rel=0.1)


def test_models_take_what_their_files_do(planned: Forecast, written: tuple[Path, dict[str, int]]) -> None:
    root, sizes = written
    start = sum(path.stat().st_size for path in (root / "encoders" / "sentence").iterdir())
    assert planned.estimate.bytes["encoders"] == pytest.approx(sizes["encoders"] + start, rel=0.02)


def test_stages_are_those_of_the_run_and_their_hours_are_positive_and_add_up(planned: Forecast) -> None:
    names = [stage.name for stage in planned.estimate.stages]
    asked = ["encode: sentence", "encode: phrase", "encode: token", "views", "encode by the student", "align"]
    assert sorted(names) == sorted([*FITTED, *asked])
    hours = [stage.hours for stage in planned.estimate.stages]
    assert min(hours) > 0 and all(map(math.isfinite, hours))
    assert planned.estimate.hours == pytest.approx(sum(hours))


def test_it_says_what_it_rests_on(planned: Forecast) -> None:
    assert (planned.profile, planned.grid, planned.workers) == ("paper", "words", 2)
    assert (planned.device, planned.precision) == ("cpu", "float32") or planned.device.startswith("cuda")
    assert set(planned.encoders) == set(SOURCES) and min(planned.encoders.values()) > 0
    assert planned.documents == 4 and planned.seconds > 0


def test_twice_the_corpus_is_twice_the_tokens_and_the_bytes(tmp_path: Path) -> None:
    once = small_corpus(tmp_path / "once", count=4)
    twice = small_corpus(tmp_path / "twice", count=4)
    for path in [*twice.rglob("case-*")]:
        path.with_name(f"again-{path.name}").write_bytes(path.read_bytes())
    config = load_config("embedded", [*QUICK, "shards.small=1"])
    one, two = (forecast(config, corpus, "es", ["en"], 0.5).estimate for corpus in (once, twice))
    assert [lang.tokens for lang in two.languages] == [2 * lang.tokens for lang in one.languages]
    for kind in ("cost_matrices", "transport_plans"):
        # A document a shard: two of the same in one file would share its dictionary, and take less than twice as much.
        assert two.bytes[kind] == pytest.approx(2 * one.bytes[kind], rel=0.05)


def test_a_student_that_projects_has_its_alignments(tmp_path: Path) -> None:
    config = load_config("embedded", [*QUICK, "aligner=student"])
    found = forecast(config, small_corpus(tmp_path, count=2), "es", ["en"], 0.5)
    assert {stage.name for stage in found.estimate.stages} == {*FITTED, "align"} and found.estimate.bytes["alignments"] > 0
    assert found.encoders == {}


def test_more_hours_than_allowed_are_one_sentence(planned: Forecast) -> None:
    require_at_most(planned, None)
    require_at_most(planned, 1e6)
    with pytest.raises(PlanError, match=r"^profile paper would take about \S+ hours on \S+( without a GPU)?, more than the 0 allowed$"):
        require_at_most(planned, 0)
