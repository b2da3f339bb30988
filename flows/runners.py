"""Where a run's shards are worked on: threads or processes of this machine, or the workers of a Dask cluster."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from prefect.context import FlowRunContext

from flows.config import RunConfig
from flows.memory import MemoryBound, affordable, in_bytes
from flows.processes import ProcessTaskRunner
from flows.settings import ConfigError

MANY_PAIRS = 2000  # document pairs from which the seconds that processes take to start are soon won back
GPU = {"GPU": 1}  # what a stage that wants a GPU asks of Dask; one such stage at a time on a worker that has one


@contextmanager
def shards_on(config: RunConfig) -> Iterator[None]:
    """Tasks that the running flow submits inside go to the runner that the configuration names. Raises ``ConfigError``."""
    context = FlowRunContext.get()
    if context is None:
        raise RuntimeError("there is no flow run whose tasks could be sent anywhere")
    # Prefect fixes a flow's runner where the flow is defined; ours is a parameter of the run.
    with _runner(config) as runner, context.model_copy(update={"task_runner": runner}):
        yield


def hire(config: RunConfig, pairs: int) -> None:
    """Within ``shards_on``: from now on processes do the work, if the configuration or so many document pairs ask for them.

    Transformers are read once and hold a device, which processes would each do anew: with those the threads stay unless told otherwise.
    """
    runner = getattr(FlowRunContext.get(), "task_runner", None)
    large = config.task_runner == "auto" and config.teachers.kind == "fitted" and config.workers > 1 and pairs >= MANY_PAIRS
    if isinstance(runner, ProcessTaskRunner) and (large or config.task_runner == "processes"):
        runner.hire()


def wanting_gpu(config: RunConfig):  # type: ignore[no-untyped-def]  # dask is untyped and may be absent
    """Tasks submitted inside run where Dask has a GPU to give; without Dask they run anywhere."""
    if config.task_runner != "dask":
        return nullcontext()
    import dask

    return dask.annotate(resources=GPU)  # type: ignore[attr-defined]


def _runner(config: RunConfig) -> Any:
    """The task runner, not started; Any: Dask's is untyped."""
    if config.task_runner != "dask":
        return ProcessTaskRunner(affordable(config.workers, config.memory), MemoryBound(in_bytes(config.memory)))
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError:
        raise ConfigError("task_runner=dask needs Dask: install spanferry[dask]") from None
    if config.dask_address:
        return DaskTaskRunner(address=config.dask_address)
    own = {"n_workers": config.workers, "threads_per_worker": 1, "resources": GPU, "dashboard_address": None, "host": "127.0.0.1"}
    return DaskTaskRunner(cluster_kwargs=own)
