"""When a run is worse than the last one of its collection. Rules only; what is told is told by ``flows/events.py``."""

from dataclasses import dataclass

from pydantic import BaseModel, Field

from data_contracts.evaluation import ALL_LABELS
from flows.collection import LastRun, Numbers


class AlertConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How much worse than the collection's last run a run may be before Prefect hears of it."""

    char_drop: float = Field(0.01, ge=0, le=1, description="fall of a language's character F1, all labels pooled")
    rejects_rise: float = Field(
        0.2, ge=0, description="rise of rejects per document, or of abstentions per mention, as a share of the last run's"
    )
    fewest: int = Field(5, ge=1, description="a rise by fewer rejects or abstentions than this is chance")


@dataclass(frozen=True)
class Change:
    """A figure of the last run and of this one; F1, or how many there are per document or mention."""

    last: float
    now: float


def quality_drops(last: LastRun, now: LastRun, config: AlertConfig) -> dict[str, Change]:
    """Languages whose pooled character F1 fell by more than allowed. A language that only one of the runs could score is none."""
    before, after = _pooled(last), _pooled(now)
    both = {lang: Change(before[lang], after[lang]) for lang in sorted(before.keys() & after.keys())}
    return {lang: change for lang, change in both.items() if round(change.last - change.now, 4) > config.char_drop}


def rejects_rises(last: LastRun, now: LastRun, config: AlertConfig) -> dict[str, Change]:
    """``rejects`` per document and ``abstentions`` per mention and target language, where they rose by more than allowed.

    Rates, so that a corpus that grows is no worse for it.
    """
    pairs = {
        "rejects": ((_sum(last.rejects), last.documents), (_sum(now.rejects), now.documents)),
        "abstentions": ((_sum(last.abstentions), _wanted(last)), (_sum(now.abstentions), _wanted(now))),
    }
    return {name: Change(*(round(number / max(of, 1), 4) for number, of in pair)) for name, pair in pairs.items() if _rose(*pair, config)}


def _rose(last: tuple[int, int], now: tuple[int, int], config: AlertConfig) -> bool:
    expected = last[0] / max(last[1], 1) * max(now[1], 1)
    more = now[0] - expected
    return more >= config.fewest and more > config.rejects_rise * expected


def _pooled(run: LastRun) -> dict[str, float]:
    return {lang: labels[ALL_LABELS].char for lang, labels in run.scores.items() if ALL_LABELS in labels}


def _wanted(run: LastRun) -> int:
    return run.mentions * len(run.targets)


def _sum(numbers: Numbers) -> int:
    return sum(sum(inner.values()) for inner in numbers.values())
