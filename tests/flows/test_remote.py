import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect import flow
from prefect.states import Completed, Crashed

from flows import remote
from flows.remote import (
    ALIGN,
    DISTILL,
    EMBED,
    ENCODE,
    TUNE,
    Encoding,
    OrderError,
    Tuning,
    align_on_gpu,
    distill_on_gpu,
    embed_on_gpu,
    run_stage,
)
from flows.watch import Watch
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.tuned import TuneConfig
from pipeline_lib.encoding.vectors import EncodeConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.place import StoreError
from tasks.texts import Texts
from tasks.tune import Pair
from tests.flows.parts import CONFIG, Parts
from tests.flows.tiny import contents, quick, run, small_corpus

FLOWS = {f"{stage.flow}/gpu": filling for stage, filling in ((EMBED, embed_on_gpu), (DISTILL, distill_on_gpu), (ALIGN, align_on_gpu))}


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A pool with a worker that fills orders in this process; the names of what was ordered."""
    names: list[str] = []

    def fill(name: str, parameters: dict[str, Any], poll_interval: float) -> Any:
        names.append(name)
        FLOWS[name](**parameters)
        return SimpleNamespace(state=Completed(), name="worker")

    monkeypatch.setattr(remote, "run_deployment", fill)
    monkeypatch.setattr(remote, "_has_worker", lambda pool: pool == "gpu")
    return names


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Path:
    root = tmp_path_factory.mktemp("here")
    run(small_corpus(root / "corpus", count=4), root, config=quick("aligner=student"))
    return root


def test_what_a_gpu_worker_builds_is_what_the_run_would_have_built(here: Path, tmp_path: Path, ordered: list[str]) -> None:
    run(here / "corpus", tmp_path, config=quick("aligner=student", "gpu_pool=gpu"))
    assert ordered == ["spanferry-embed/gpu", "spanferry-distill/gpu", "spanferry-align/gpu"]
    assert contents(tmp_path / "out") == contents(here / "out")


def test_what_is_built_is_not_ordered(here: Path, ordered: list[str]) -> None:
    run(here / "corpus", here, config=quick("aligner=student", "gpu_pool=gpu"))
    assert ordered == []


def test_without_a_worker_or_pool_the_run_does_the_work_itself(here: Path, tmp_path: Path) -> None:
    counts, _ = run(here / "corpus", tmp_path, config=quick("gpu_pool=nobody"))
    assert counts.documents == 4


def test_an_order_that_fails_stops_the_run_and_says_where_to_look(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_has_worker", lambda pool: True)
    monkeypatch.setattr(remote, "run_deployment", lambda *_, **__: SimpleNamespace(state=Crashed(), name="brave-newt"))
    shutil.copytree(parts.folder / "store", tmp_path / "store")
    shutil.rmtree(tmp_path / "store" / "embeddings")
    lang, shard = parts.corpus.cells[0]
    call = remote.Embedding(parts.corpus.texts[lang, shard], parts.teachers[lang], "target")

    @flow(persist_result=False)
    def ask() -> None:
        run_stage(EMBED, "embed", str(tmp_path / "store"), {0: call}, CONFIG.model_copy(update={"gpu_pool": "gpu"}), Watch())

    with pytest.raises(OrderError, match="spanferry-embed on the GPU pool did not complete: see its run brave-newt"):
        ask()


@pytest.mark.parametrize("order", ["00ff", "../runs/run-1", ""])
def test_an_order_that_is_not_there_is_an_error(order: str, tmp_path: Path, prefect_server: None) -> None:
    with pytest.raises(StoreError, match="there is no order"):
        embed_on_gpu(str(tmp_path), order)


def test_an_order_of_transformers_travels_as_json() -> None:
    ref = ArtifactRef("units", "es/0000-of-0001", "0" * 24, ".parquet", "", 1, 1)
    texts, source = Texts(ref, ref), ModelSource(model="some/encoder", hidden_state=9)
    encoding = Encoding(texts, ref, source, EncodeConfig())
    tuning = Tuning("es-en", [texts], [Pair([texts], [ref], [ref])], ref, AlignConfig(), EncodeConfig(), TuneConfig(start=source))
    for stage, call in ((ENCODE, encoding), (TUNE, tuning)):
        listed = json.loads(json.dumps(stage.calls.dump_python([call], mode="json")))
        assert stage.calls.validate_python(listed) == [call]
