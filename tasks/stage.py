"""What every stage's task has in common: how Prefect runs it, and how an artifact is addressed."""

from collections.abc import Iterable
from typing import Any, TypeVar, cast

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.utilities.annotations import quote

from pipeline_lib.storage.artifact import ArtifactRef

Given = TypeVar("Given")


def _input_or_output_failed(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Only a flaky disk or network is worth a second try: bad input stays bad."""
    return isinstance(state.result(raise_on_failure=False), OSError)


# The store's fingerprints decide what is reused, and its artifacts are the results: Prefect caches and persists nothing.
# Half a minute of waiting, on top of what the S3 client does by itself, outlives a store that starts again; the jitter keeps shards that
# failed together from coming back together.
STAGE: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 4,
    "retry_delay_seconds": [2, 4, 8, 16],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": _input_or_output_failed,
}


def as_it_is(given: Given) -> Given:
    """A task's argument that Prefect does not search for futures, which takes it seconds where there are thousands of references."""
    return cast(Given, quote(given))


def shard_name(lang: str, shard: int, shards: int) -> str:
    """The shard's folder in the store, such as ``es/0003-of-0064`` or ``es-en/0003-of-0064``."""
    return f"{lang}/{shard:04d}-of-{shards:04d}"


def fingerprints(*refs: ArtifactRef | Iterable[ArtifactRef]) -> list[str]:
    """Fingerprints of the given references, in order."""
    return [ref.fingerprint for group in refs for ref in ([group] if isinstance(group, ArtifactRef) else group)]
