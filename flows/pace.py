"""How far a stage is, in words: the same in the terminal, in Prefect and in ``spanferry status``."""

from pipeline_lib.progress.stage_time import StageTime


def sentence(stage: StageTime) -> str:
    """Shards, documents, pace, time left, rejects: as in "12 of 64 shards: 11 built, 1 reused; 5,640 documents, 31.2 a second"."""
    failed = f", {stage.failed} failed" if stage.failed else ""
    shards = f"{stage.ended} of {stage.shards} shards: {stage.built} built, {stage.reused} reused{failed}"
    said = [f"{stage.documents:,} documents"] if stage.documents else []
    if stage.rate is not None:
        said.append(f"{pace(stage)} a second")
    if stage.left:
        said.append(f"{duration(stage.left)} left")
    if stage.rejects:
        said.append(f"{stage.rejects:,} rejects")
    return f"{shards}; {', '.join(said)}" if said else shards


def pace(stage: StageTime) -> str:
    """Documents per second, three digits or more; nothing while unknown."""
    rate = stage.rate
    if rate is None:
        return ""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"


def duration(seconds: float) -> str:
    """As people say it: 8.3 s, 45 s, 4 min, 2 h 10 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def amount(stage: StageTime) -> str:
    """Documents, or shards of a stage that counts none: done, and of how many while it is at work."""
    done, total, unit = (stage.documents, stage.total, "") if stage.documents or stage.total else (stage.ended, stage.shards, " shards")
    return f"{done:,}{unit}" if stage.ended == stage.shards else f"{done:,}/{total:,}{unit}"
