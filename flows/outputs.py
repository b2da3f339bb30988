"""What a finished run left in its output folder, read back for the terminal."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipeline_lib.evaluation.summary import Counts


@dataclass(frozen=True)
class Outputs:
    """Counts, scores and the record of one run."""

    counts: Counts
    scores: pl.DataFrame
    figures: dict[str, Any]

    def abstentions(self) -> list[tuple[object, ...]]:
        """(language, reason, mentions)."""
        return [(*key, number) for key, number in self.counts.abstentions.items()]

    def rejects(self) -> list[tuple[object, ...]]:
        """(stage, code, count)."""
        return [(*key, number) for key, number in self.counts.rejects.items()]

    def carried_sentence(self) -> str:
        """How many lines went with the mentions, and how many did not."""
        carried, stayed = sum(self.counts.carried.values()), sum(self.counts.stayed.values())
        return f"{carried} attributes, notes, relations and the like; {stayed} stayed behind, why: carried_lines.parquet"

    def warning_sentence(self) -> str:
        """How much was taken although it is irregular."""
        warnings = self.counts.warnings
        return f"{sum(warnings.values())} places of {len(warnings)} kinds, all taken; where: warnings.parquet"

    def support_sentence(self) -> str | None:
        """How many mentions of an outside tagger were evidence; None where none was given."""
        return f"{self.figures['support']} mentions of a tagger were evidence" if "support" in self.figures else None

    def model_sentence(self) -> str:
        """Where the model came from."""
        run, model = self.figures["run"], self.figures["model"]
        return f"fitted on this corpus, use it again with --model {run}" if run == model else f"taken from {model}"


def read_outputs(out: Path, counts: Counts) -> Outputs:
    """The outputs below ``out``; ``figures`` is what ``--json`` prints."""
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    figures = {
        "run": record["run"],
        "model": record["model"],
        "out": str(out),
        **{key: value for key, value in asdict(counts).items() if key not in ("abstentions", "stayed", "rejects")},
        "abstentions": [{"target_lang": lang, "reason": reason, "mentions": n} for (lang, reason), n in counts.abstentions.items()],
        "stayed": [{"target_lang": lang, "reason": reason, "lines": n} for (lang, reason), n in counts.stayed.items()],
        "rejects": [{"stage": stage, "code": code, "count": n} for (stage, code), n in counts.rejects.items()],
        "scores": scores,
    }
    if "support" in record:
        figures["support"] = record["support"]["mentions"]
    return Outputs(counts, pl.DataFrame(scores), figures)
