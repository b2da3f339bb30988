from collections.abc import Callable

import pytest
from prefect import Task, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from prefect.states import Failed

from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.place import StoreError
from tasks.align import align
from tasks.candidates import find_candidates
from tasks.consistency import count_corpus
from tasks.cost import cost
from tasks.distill import distill_student
from tasks.edges import count_edges
from tasks.embed import embed
from tasks.export import export
from tasks.fit import fit
from tasks.ingest import ingest_shard
from tasks.project import project
from tasks.scan import scan
from tasks.score import score
from tasks.segments import align_segments
from tasks.sharpen import sharpen
from tasks.stage import STAGE, fingerprints, shard_name
from tasks.units import make_units

EVERY_TASK = [
    scan, ingest_shard, make_units, align_segments, fit, count_edges, embed, cost, sharpen, distill_student, align, find_candidates,
    count_corpus, project, score, export,
]  # fmt: skip


def ref(fingerprint: str) -> ArtifactRef:
    return ArtifactRef("units", "es/0000-of-0001", fingerprint, ".parquet", "", 0, 0)


def attempts(failure: Exception) -> int:
    """How often Prefect starts a stage whose first attempt fails with ``failure``."""
    started = []

    @task(**STAGE)
    def flaky() -> None:
        started.append(True)
        if len(started) == 1:
            raise failure

    @flow
    def run() -> None:
        flaky(return_state=True)

    run()
    return len(started)


@pytest.mark.parametrize(
    ("failure", "again"),
    [
        (OSError("disk"), True),
        (TimeoutError("network"), True),
        (ValueError("bad input"), False),
        (StoreError("artifact is missing"), False),
        (MemoryError(), False),
    ],
)
def test_only_a_flaky_disk_or_network_is_worth_a_second_try(failure: BaseException, again: bool) -> None:
    assert STAGE["retry_condition_fn"](scan, TaskRun(task_key="scan", dynamic_key="0"), Failed(data=failure)) is again


def test_prefect_tries_again_after_an_input_or_output_error(prefect_server: None) -> None:
    assert attempts(OSError("disk")) == 2


def test_prefect_does_not_try_again_after_bad_input(prefect_server: None) -> None:
    assert attempts(ValueError("bad input")) == 1


@pytest.mark.parametrize("stage", EVERY_TASK, ids=lambda stage: stage.name)
def test_prefect_neither_caches_nor_keeps_what_the_store_keeps(stage: Task[..., object]) -> None:
    assert stage.cache_policy is NO_CACHE
    assert stage.persist_result is False
    assert stage.retries == len(STAGE["retry_delay_seconds"]) == 4 and stage.retry_jitter_factor > 0
    assert stage.retry_condition_fn is STAGE["retry_condition_fn"]


def test_every_stage_has_a_name_of_its_own() -> None:
    assert len({stage.name for stage in EVERY_TASK}) == len(EVERY_TASK)


@pytest.mark.parametrize(
    ("lang", "shard", "shards", "expected"),
    [("es", 0, 1, "es/0000-of-0001"), ("es-en", 3, 64, "es-en/0003-of-0064"), ("es", 12345, 16384, "es/12345-of-16384")],
)
def test_shards_have_folders_that_sort(lang: str, shard: int, shards: int, expected: str) -> None:
    assert shard_name(lang, shard, shards) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lambda: fingerprints(ref("a"), ref("b")), ["a", "b"]),
        (lambda: fingerprints([ref("b"), ref("a")], ref("c")), ["b", "a", "c"]),
        (lambda: fingerprints(ref("c"), (ref(name) for name in "ba")), ["c", "b", "a"]),
        (lambda: fingerprints([]), []),
    ],
)
def test_fingerprints_keep_the_order_given(given: Callable[[], list[str]], expected: list[str]) -> None:
    assert given() == expected
