import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pipeline_lib.alignment.training import Schedule, Training, TrainingConfig, planned

CONFIG = TrainingConfig(epochs=3, least_steps=0, crops_a_step=2, learning_rate=0.05, patience=99)
LESSONS = [1.0, -2.0, 0.5, 3.0, -1.0]


class Killed(Exception):
    """The process is gone."""


class Diary:
    """A keeper in memory that is killed after a step."""

    def __init__(self, folder: Path, kill_at: int = -1, every: int = 1) -> None:
        self.folder, self.kill_at, self.every, self.kept = folder, kill_at, every, list[int]()

    def resume(self, read: Callable[[Path], None]) -> None:
        if self.folder.exists():
            read(self.folder)

    def keep(self, step: int, write: Callable[[Path], None]) -> None:
        if step % self.every == 0:
            self.folder.mkdir(exist_ok=True)
            write(self.folder)
            self.kept.append(step)
        if step == self.kill_at:
            raise Killed


def model() -> torch.nn.Module:
    torch.manual_seed(5)
    return torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))


def training(config: TrainingConfig = CONFIG) -> Training[float]:
    net = model()
    return Training(net, lambda lesson: (net(torch.tensor([lesson])) - 2 * lesson).square().sum(), LESSONS, [4.0, -4.0], config)


def weights(net: torch.nn.Module) -> bytes:
    return b"".join(weight.detach().numpy().tobytes() for weight in net.state_dict().values())


@pytest.fixture(params=["one-cycle", "cosine", "linear"])
def config(request: pytest.FixtureRequest) -> TrainingConfig:
    return CONFIG.model_copy(update={"schedule": request.param})


@pytest.mark.parametrize("kill_at", range(1, 9))
def test_a_training_that_was_killed_goes_on_to_the_same_bytes(kill_at: int, config: TrainingConfig, tmp_path: Path) -> None:
    whole = training(config)
    log = whole.run()
    broken = training(config)
    with pytest.raises(Killed):
        broken.run(Diary(tmp_path / "state", kill_at))
    torch.rand(7)  # whatever was drawn since must not matter
    resumed = training(config)
    diary = Diary(tmp_path / "state")
    assert resumed.run(diary) == log
    assert weights(resumed.model) == weights(whole.model)
    assert diary.kept == list(range(kill_at + 1, 10))


def test_a_training_that_wrote_itself_down_seldom_repeats_the_steps_since(tmp_path: Path) -> None:
    whole = training()
    log = whole.run()
    with pytest.raises(Killed):
        training().run(Diary(tmp_path / "state", kill_at=6, every=4))
    resumed = training()
    diary = Diary(tmp_path / "state", every=4)
    assert resumed.run(diary) == log and diary.kept == [8]
    assert weights(resumed.model) == weights(whole.model)


def test_writing_itself_down_changes_nothing(tmp_path: Path) -> None:
    plain, kept = training(), training()
    assert plain.run() == kept.run(Diary(tmp_path / "state"))
    assert weights(plain.model) == weights(kept.model)


def test_what_is_written_down_is_json_and_safetensors(tmp_path: Path) -> None:
    training().run(Diary(tmp_path / "state"))
    assert {path.suffix for path in (tmp_path / "state").iterdir()} == {".json", ".safetensors"}
    json.loads((tmp_path / "state" / "training.json").read_text())


@pytest.mark.parametrize(("schedule", "middle"), [("linear", 0.5), ("cosine", 0.5)])
def test_the_rate_warms_up_for_a_tenth_of_the_steps_and_then_falls_to_nothing(schedule: Schedule, middle: float) -> None:
    taught = training(TrainingConfig(epochs=20, least_steps=0, crops_a_step=1, learning_rate=0.1, schedule=schedule, patience=99))
    rates = []
    for _ in range(100):
        rates.append(taught.schedule.get_last_lr()[0])
        taught.optimiser.step()
        taught.schedule.step()
    assert rates[:10] == pytest.approx([0.01 * step for step in range(1, 11)])
    assert rates[55] == pytest.approx(0.1 * middle) and rates[99] < 0.002
    assert rates[10:] == sorted(rates[10:], reverse=True)


@pytest.mark.parametrize(
    ("lessons", "least", "epochs", "expected"), [(5, 0, 3, (3, 3)), (5, 10, 3, (3, 4)), (5, 10, 0, (3, 0)), (1, 7, 1, (1, 7))]
)
def test_steps_and_epochs_are_known_beforehand(lessons: int, least: int, epochs: int, expected: tuple[int, int]) -> None:
    assert planned(lessons, CONFIG.model_copy(update={"least_steps": least, "epochs": epochs})) == expected
