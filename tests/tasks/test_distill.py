from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from data_contracts import TRAINING_LOG
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.student import load_student
from tasks.distill import LOG, Distilled, distill_student
from tests.tasks.chain import DISTILL, STUDENT, Chain, assert_kept, assert_repaired, assert_reused, copy_of, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> Distilled:
    arguments = {
        "root": chain.root,
        "source": chain.whole("es"),
        "target": chain.whole("en"),
        "segments": list(chain.segments.values()),
        "plans": list(chain.plans.values()),
        "teachers": chain.teachers,
        "cost": CostConfig(),
        "align": AlignConfig(),
        "config": DISTILL,
    }
    return distill_student.fn(**{**arguments, **changes})


def test_the_student_is_a_folder_in_hugging_face_layout(chain: Chain) -> None:
    assert (chain.distilled.main.contract, chain.distilled.main.shard) == ("student", "es-en")
    with chain.store.local(chain.distilled.main) as folder:
        assert {"config.json", "model.safetensors", "vocabulary.source.txt", "vocabulary.target.txt", LOG} <= {
            path.name for path in folder.iterdir()
        }
        student = load_student(folder)
    assert student.encode(["fiebre", "alta", "zzqx"], "source").shape == (3, student.model.width)


def test_its_log_keeps_its_contract_and_starts_untrained(chain: Chain) -> None:
    assert_kept(chain, chain.distilled.log, TRAINING_LOG)
    rows = chain.store.read(chain.distilled.log).to_pylist()
    assert (rows[0]["epoch"], rows[0]["step"], rows[0]["train_loss"]) == (0, 0, None)
    assert rows[-1]["epoch"] > 0
    assert rows[-1]["step"] >= DISTILL.least_steps


def test_a_second_call_trains_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain).main, chain.distilled.main, "tasks.distill.distill")
    assert_reused(lambda: call(chain).log, chain.distilled.log, "tasks.distill.training_log")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": DISTILL.model_copy(update={"seed": 14})},
        lambda chain: {"config": DISTILL.model_copy(update={"student": STUDENT.model_copy(update={"reach": 2})})},
        lambda chain: {"cost": CostConfig(context=0.2)},
        lambda chain: {"align": AlignConfig(prior=0.3)},
        lambda chain: {"segments": [chain.segments[0], other(chain.segments[1])]},
        lambda chain: {"plans": [chain.plans[0], other(chain.plans[1])]},
        lambda chain: {"plans": [chain.plans[0]]},
        lambda chain: {"teachers": other(chain.teachers)},
        lambda chain: {"source": chain.whole("en"), "target": chain.whole("es")},
    ],
    ids=["config", "size", "cost", "use", "segments", "a plan", "a shard less", "teachers", "sides"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.distilled.main.fingerprint


def test_it_does_not_depend_on_where_or_when_its_inputs_were_made(chain: Chain) -> None:
    plans = [taken(ref) for ref in chain.plans.values()]
    assert fingerprint(lambda: call(chain, root="elsewhere", plans=plans)) == chain.distilled.main.fingerprint


@pytest.mark.parametrize("file", ["model.safetensors", "vocabulary.source.txt"])
def test_a_damaged_student_is_trained_again_to_the_last_bit(own: Chain, file: str) -> None:
    files = [path for path in (Path(own.root) / own.distilled.main.key).iterdir() if path.is_file()]
    before = {path.name: path.read_bytes() for path in files}
    torch.rand(3)  # another state of the random numbers than the first time
    assert_repaired(lambda: call(own).main, own.root, "truncated", file)
    assert {path.name: path.read_bytes() for path in files} == before


def test_two_threads_train_to_the_same_bit_each_time(chain: Chain, tmp_path: Path) -> None:
    config = DISTILL.model_copy(update={"threads": 2})
    weights = []
    for name in ("one", "other"):
        copy = copy_of(chain, tmp_path / name)
        with copy.store.local(call(copy, config=config).main) as folder:
            weights.append((folder / "model.safetensors").read_bytes())
    assert torch.get_num_threads() == 2 and weights[0] == weights[1]


def test_a_lost_log_is_read_from_the_student_without_training(own: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("tasks.distill.distill")
    assert_repaired(lambda: call(own).log, own.root, "deleted")
