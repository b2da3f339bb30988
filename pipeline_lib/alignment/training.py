"""The training loop that students share: steps of some lessons each, a held-out loss an epoch, the best weights in the end.

All that the loop is at a moment can be written down and taken up again, so that a killed training goes on where it was: the same steps, in
the same order, to the same bytes.
"""

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

import torch
from pydantic import BaseModel, Field
from safetensors.torch import load_file, save_file

Lesson = TypeVar("Lesson")
Schedule = Literal["one-cycle", "cosine", "linear"]
STATE = "training.json"


class TrainingConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How a student is trained."""

    documents: int = Field(200, ge=1, description="training documents at most")
    held_out: float = Field(0.1, gt=0, lt=1, description="share of the documents kept for early stopping")
    epochs: int = Field(2, ge=0, description="passes over the documents, more for small collections (see least_steps)")
    least_steps: int = Field(20, ge=0, description="optimiser steps that a small collection is repeated for")
    patience: int = Field(2, ge=1, description="epochs without a better held-out loss before training stops")
    crop: int = Field(512, ge=8, description="source units a crop")
    crops_a_step: int = Field(2, ge=1, description="crops whose gradients are added up for one step")
    learning_rate: float = Field(1e-3, gt=0)
    schedule: Schedule = Field("one-cycle", description="of the learning rate, after a warm-up of a tenth of the steps")
    clip: float = Field(1.0, gt=0, description="largest norm of a step's gradient")
    threads: int = Field(2, ge=1, description="threads of the matrix products; part of the config because it can change the last bit")
    rounds: int = Field(4, ge=1, description="Sinkhorn iterations that training looks through")
    seed: int = 13


@dataclass(frozen=True)
class Epoch:
    """One row of TRAINING_LOG."""

    epoch: int
    step: int
    train_loss: float | None
    held_out_loss: float
    learning_rate: float
    best: bool


class Keeper(Protocol):
    """Where a training writes itself down, and finds itself again."""

    def resume(self, read: Callable[[Path], None]) -> None:
        """Have the last state read from its folder, if there is one."""

    def keep(self, step: int, write: Callable[[Path], None]) -> None:
        """After every step: have the state written to a folder if it is time."""


class Training(Generic[Lesson]):
    """One training of ``model``. ``run`` leaves the weights in it that did best on ``held_out``."""

    def __init__(
        self,
        model: torch.nn.Module,
        loss_of: Callable[[Lesson], torch.Tensor],
        train: Sequence[Lesson],
        held_out: Sequence[Lesson],
        config: TrainingConfig,
    ) -> None:
        self.model, self.loss_of, self.train, self.held_out, self.config = model, loss_of, train, held_out, config
        self.steps, self.epochs = planned(len(train), config)
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=config.learning_rate)
        self.schedule = _schedule(self.optimiser, config, self.epochs * self.steps)
        self.step = 0
        self.total = 0.0  # loss of the epoch's lessons so far
        self.log: list[Epoch] = []
        self.best: dict[str, torch.Tensor] = {}

    def run(self, keeper: Keeper | None = None) -> list[Epoch]:
        """Train to the end; the log, one row an epoch."""
        torch.manual_seed(self.config.seed)
        if keeper is not None:
            keeper.resume(self.read)
        self.model.train(False)
        if not self.log:
            self._close(None)
        while self.step < self.epochs * self.steps and not self._impatient():
            self.model.train()
            for batch in self._batches(self.step // self.steps + 1)[self.step % self.steps :]:
                self._learn(batch)
                if keeper is not None and self.step % self.steps:
                    keeper.keep(self.step, self.write)
            self.model.train(False)
            self._close(self.total / len(self.train))
            if keeper is not None:
                keeper.keep(self.step, self.write)
        self.model.load_state_dict(self.best, strict=False)
        return self.log

    def write(self, folder: Path) -> None:
        """Write down all that the training is at this moment."""
        moments = self.optimiser.state_dict()
        facts = {
            "step": self.step,
            "total": self.total,
            "log": [asdict(epoch) for epoch in self.log],
            "groups": moments["param_groups"],
            "schedule": {key: value for key, value in self.schedule.state_dict().items() if not callable(value)},
        }
        (folder / STATE).write_text(json.dumps(facts), encoding="utf-8")
        save_file(_named(self.model), folder / "weights.safetensors")
        save_file(self.best, folder / "best.safetensors")
        save_file(
            {f"{k}.{name}": value for k, kept in moments["state"].items() for name, value in kept.items()}, folder / "moments.safetensors"
        )
        save_file(_random_states(), folder / "random.safetensors")

    def read(self, folder: Path) -> None:
        """Take up what ``write`` wrote down."""
        facts = json.loads((folder / STATE).read_text(encoding="utf-8"))
        self.step, self.total, self.log = facts["step"], facts["total"], [Epoch(**row) for row in facts["log"]]
        self.model.load_state_dict(load_file(folder / "weights.safetensors"), strict=False)
        self.best = load_file(folder / "best.safetensors")
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in load_file(folder / "moments.safetensors").items():
            number, _, name = key.partition(".")
            moments.setdefault(int(number), {})[name] = value
        self.optimiser.load_state_dict({"state": moments, "param_groups": facts["groups"]})
        self.schedule.load_state_dict(facts["schedule"])
        _restore(load_file(folder / "random.safetensors"))

    def _batches(self, epoch: int) -> list[list[Lesson]]:
        """The lessons of an epoch in their order, some a step."""
        order = list(range(len(self.train)))
        for number in range(1, epoch + 1):
            random.Random(self.config.seed + number).shuffle(order)
        at_once = self.config.crops_a_step
        return [[self.train[index] for index in order[first : first + at_once]] for first in range(0, len(order), at_once)]

    def _learn(self, batch: Sequence[Lesson]) -> None:
        if self.step % self.steps == 0:
            self.total = 0.0
        self.optimiser.zero_grad()
        for lesson in batch:
            loss = self.loss_of(lesson)
            (loss / len(batch)).backward()
            self.total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1

    def _close(self, train_loss: float | None) -> None:
        """End an epoch: what the weights are worth on documents that they have not seen."""
        loss = self._held_out_loss()
        least = min((epoch.held_out_loss for epoch in self.log), default=math.inf)
        rate = float(self.schedule.get_last_lr()[0]) if self.step else 0.0
        self.log.append(Epoch(len(self.log), self.step, train_loss, loss, rate, not self.log or loss < least))
        if self.log[-1].best:
            self.best = {name: weight.clone() for name, weight in _named(self.model).items()}

    def _held_out_loss(self) -> float:
        with torch.no_grad():
            return sum(float(self.loss_of(lesson)) for lesson in self.held_out) / max(len(self.held_out), 1)

    def _impatient(self) -> bool:
        best = max(epoch.epoch for epoch in self.log if epoch.best)
        return self.log[-1].epoch - best >= self.config.patience


def planned(lessons: int, config: TrainingConfig) -> tuple[int, int]:
    """Steps an epoch, and epochs at most, that so many lessons are worth."""
    steps = math.ceil(lessons / config.crops_a_step)
    return steps, max(config.epochs, math.ceil(config.least_steps / steps)) if config.epochs else 0


def _named(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights that training changes."""
    return {name: weight.detach() for name, weight in model.named_parameters()}


def _schedule(optimiser: torch.optim.Optimizer, config: TrainingConfig, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    # At least 11: the warm-up of a tenth has no length in 10 steps, and OneCycleLR divides by it.
    total = max(steps, 11)
    if config.schedule == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=total, pct_start=0.1)
    warm = max(1, round(0.1 * total))

    def share(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        gone = min(1.0, (step - warm) / max(1, total - warm))
        return 1.0 - gone if config.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * gone))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, share)


def _random_states() -> dict[str, torch.Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states |= {f"cuda.{number}": state for number, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def _restore(states: dict[str, Any]) -> None:
    torch.set_rng_state(states.pop("cpu"))
    for name, state in states.items():
        number = int(name.removeprefix("cuda."))
        if number < torch.cuda.device_count():
            torch.cuda.set_rng_state(state, number)
