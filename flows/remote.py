"""Stages that want a GPU: worked on by this run, or ordered from the workers of a pool that have one.

An order lists calls; it lies in the store, and the flow that fills it is told only where. What that builds is found by fingerprint, so the
run then makes the same calls itself and finds all of it built: results never travel, and without a worker nothing else has to change.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from prefect import Task, flow, get_client
from prefect.client.schemas.objects import WorkerStatus
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.futures import wait
from prefect.logging import get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import TypeAdapter

from flows.config import RunConfig
from flows.runners import wanting_gpu
from flows.watch import Watch
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.distill import DistillConfig
from pipeline_lib.alignment.features import Side
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.tuned import TuneConfig
from pipeline_lib.encoding.vectors import EncodeConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import digest
from pipeline_lib.storage.leases import lease
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store
from tasks.align import align, has_aligned
from tasks.distill import distill_student, has_distilled
from tasks.embed import embed, has_embedded
from tasks.encode import encode, has_encoded
from tasks.texts import Texts
from tasks.tune import Pair, has_tuned, tune_student

Key = TypeVar("Key", bound=Hashable)
DEPLOYMENT = "gpu"  # each stage's flow is deployed under this name


class OrderError(RuntimeError):
    """A stage that was ordered from a GPU worker did not end well."""


@dataclass(frozen=True)
class Embedding:
    """One call of ``embed``."""

    texts: Texts
    teachers: ArtifactRef
    side: Side


@dataclass(frozen=True)
class Distillation:
    """One call of ``distill_student``."""

    source: list[Texts]
    target: list[Texts]
    segments: list[ArtifactRef]
    plans: list[ArtifactRef]
    teachers: ArtifactRef
    cost: CostConfig
    align: AlignConfig
    config: DistillConfig


@dataclass(frozen=True)
class Alignment:
    """One call of ``align``."""

    shard: str
    source: Texts
    target: Texts
    segments: ArtifactRef
    student: ArtifactRef
    config: AlignConfig


@dataclass(frozen=True)
class GpuStage:
    """A task, how its calls travel as JSON, whether the store holds what a call would build, and the flow that fills orders of it."""

    task: Task[..., Any]
    calls: TypeAdapter[Any]
    is_built: Callable[..., bool]
    flow: str


@dataclass(frozen=True)
class Encoding:
    """One call of ``encode``."""

    texts: Texts
    encoder: ArtifactRef
    source: ModelSource
    config: EncodeConfig


@dataclass(frozen=True)
class Tuning:
    """One call of ``tune_student``."""

    shard: str
    source: list[Texts]
    pairs: list[Pair]
    start: ArtifactRef
    align: AlignConfig
    encode: EncodeConfig
    config: TuneConfig


EMBED = GpuStage(embed, TypeAdapter(list[Embedding]), has_embedded, "spanferry-embed")
DISTILL = GpuStage(distill_student, TypeAdapter(list[Distillation]), has_distilled, "spanferry-distill")
ALIGN = GpuStage(align, TypeAdapter(list[Alignment]), has_aligned, "spanferry-align")
ENCODE = GpuStage(encode, TypeAdapter(list[Encoding]), has_encoded, "spanferry-encode")
TUNE = GpuStage(tune_student, TypeAdapter(list[Tuning]), has_tuned, "spanferry-tune")

# One call after the other: they share the device.
FILLING: dict[str, Any] = {"persist_result": False, "task_runner": ThreadPoolTaskRunner(max_workers=1)}


@flow(name=EMBED.flow, flow_run_name="embed order {order}", **FILLING)
def embed_on_gpu(store: str, order: str) -> int:
    """Embed what the order lists; returns how many calls that were."""
    return _fill(EMBED, store, order)


@flow(name=DISTILL.flow, flow_run_name="distill order {order}", **FILLING)
def distill_on_gpu(store: str, order: str) -> int:
    """Train the students that the order lists; returns how many."""
    return _fill(DISTILL, store, order)


@flow(name=ALIGN.flow, flow_run_name="align order {order}", **FILLING)
def align_on_gpu(store: str, order: str) -> int:
    """Align what the order lists; returns how many calls that were."""
    return _fill(ALIGN, store, order)


@flow(name=ENCODE.flow, flow_run_name="encode order {order}", **FILLING)
def encode_on_gpu(store: str, order: str) -> int:
    """Encode what the order lists; returns how many calls that were."""
    return _fill(ENCODE, store, order)


@flow(name=TUNE.flow, flow_run_name="tune order {order}", **FILLING)
def tune_on_gpu(store: str, order: str) -> int:
    """Train the transformer students that the order lists; returns how many."""
    return _fill(TUNE, store, order)


def run_stage(stage: GpuStage, name: str, store: str, calls: Mapping[Key, Any], config: RunConfig, watch: Watch) -> dict[Key, Any]:
    """All calls of a stage, by a GPU worker if there is one. Their results by key."""
    if config.gpu_pool:
        missing = [call for call in calls.values() if not stage.is_built(store, **vars(call))]
        if missing and _has_worker(config.gpu_pool):
            _order(stage, store, missing)
    with wanting_gpu(config):
        futures = {key: stage.task.submit(store, **vars(call)) for key, call in calls.items()}
    return watch.stage(name, futures)


def _has_worker(pool: str) -> bool:
    """Whether somebody would take the order; if nobody would, this run does not wait for it."""
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(pool)  # which says that there is none, where reading its workers is a plain 404
            online = any(worker.status == WorkerStatus.ONLINE for worker in client.read_workers_for_work_pool(pool))
        except ObjectNotFound:
            online = False
    if not online:
        get_run_logger().warning("no worker of pool %s is online: this run does its work itself", pool)
    return online


def _order(stage: GpuStage, store: str, calls: Sequence[Any]) -> None:
    """Have the calls worked on by the pool, once for all of them. Raises ``OrderError``."""
    listed = stage.calls.dump_python(list(calls), mode="json")
    order = digest(json.dumps(listed, sort_keys=True))
    Store(store).write_record(_key(order), {"calls": listed})
    ordered: Any = run_deployment(f"{stage.flow}/{DEPLOYMENT}", parameters={"store": store, "order": order}, poll_interval=2)
    if ordered.state is None or not ordered.state.is_completed():
        raise OrderError(f"{stage.flow} on the GPU pool did not complete: see its run {ordered.name}")


def _fill(stage: GpuStage, store: str, order: str) -> int:
    """Make the order's calls. Raises the first failure when all have ended, and ``StoreError`` without an order."""
    record = Store(store).read_record(_key(order)) if order.isalnum() else None
    if record is None:
        raise StoreError(f"{store}: there is no order {order}")
    with lease(Store(store), f"order {order}", "run"):  # its own: an order may outlive the run that gave it
        futures = [stage.task.submit(store, **vars(call)) for call in stage.calls.validate_python(record["calls"])]
        wait(futures)
    for future in futures:
        future.result()
    return len(futures)


def _key(order: str) -> str:
    return f"orders/{order}.json"
