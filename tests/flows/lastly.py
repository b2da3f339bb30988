"""Last runs as the tests of what compares them make them."""

from typing import Any

from flows.collection import LastRun


def went(run: str = "run-0000000000aa", char: float = 0.9, **changed: Any) -> LastRun:
    """A run of 100 documents and 1000 mentions into two languages; ``char`` is the pooled F1 of ``en``."""
    f1 = {"strict": 0.8, "char": 0.9}
    facts: dict[str, Any] = {
        "run": run,
        "model": run,
        "manifest": "0" * 24,
        "corpus": "corpus",
        "source": "es",
        "targets": ("en", "it"),
        "profile": "embedded",
        "documents": 100,
        "mentions": 1000,
        "rejects": {"ingest": {"surface_mismatch": 10}},
        "abstentions": {"en": {"no_aligned_unit": 20}, "it": {"too_wide": 20}},
        "scores": {"en": {"*": {"strict": 0.8, "char": char}, "DISEASE": f1}, "it": {"*": f1}},
    }
    return LastRun.model_validate(facts | changed)
