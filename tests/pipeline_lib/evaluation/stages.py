"""Stages of a long run, made up."""

import random

from pipeline_lib.progress.stage_time import StageTime


def stage(name: str, began: float, seconds: float, shards: int, documents: int, rejects: int = 0, reused: int = 0) -> StageTime:
    """A stage whose shards, of a documents each, end at random times."""
    draw = random.Random(name)
    times = sorted(draw.uniform(0, seconds) for _ in range(shards))
    counts = [round(documents * number / shards) for number in range(1, shards + 1)]
    curve = ((0.0, 0), *zip(times, counts, strict=True)) if documents else ((0.0, 0),)
    fresh = documents * (shards - reused) // shards
    return StageTime(name, seconds, shards - reused, reused, 0, shards, shards, documents, fresh, documents, rejects, 1e9 + began, curve)


def long_run(shards: int = 5000) -> tuple[StageTime, ...]:
    """About two hours, with stages that take long and stages that take no time."""
    return (
        stage("scan", 0, 60, 1, 30000, rejects=12),
        stage("ingest", 60, 420, shards, 210000, rejects=1234),
        stage("units", 480, 300, shards, 210000),
        stage("segments", 780, 900, shards, 180000, reused=shards // 4),
        stage("embed", 1680, 300, shards, 360000),
        stage("cost", 1980, 2400, shards, 180000),
        stage("sharpen", 4380, 600, shards, 180000),
        stage("consistency", 4980, 200, 6, 0),
        stage("project", 5180, 1200, shards, 180000),
        stage("score", 6380, 3, 6, 0),
    )
