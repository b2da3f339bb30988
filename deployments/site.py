"""A site file: what a data engineer writes to have collections carried on schedule. TOML; an unknown key or bad value is an error."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from prefect.client.schemas.schedules import CronSchedule
from pydantic import BaseModel, Field, model_validator

from flows.config import RunConfig, load_config
from flows.settings import ConfigError, configured

Infrastructure = Literal["process", "docker", "kubernetes"]
CPU, GPU = "cpu", "gpu"  # the work pools


class SiteError(ConfigError):
    """A site file that cannot be read or asks for something impossible. Names the file, the key and the rule."""


class Part(BaseModel, frozen=True, extra="forbid"):
    """A table of the site file."""


class StorePart(Part):
    """The store that the site's runs share."""

    root: str = Field(description="folder, or URL such as s3://bucket/prefix")
    runs: int = Field(2, ge=1, description="runs that may work on it at once")
    endpoint: str | None = Field(None, description="of the object storage; without it AWS_ENDPOINT_URL of the worker, or AWS itself")


class GpuPart(Part):
    """The GPUs. A stage that wants one is a run of its own on the work pool ``gpu``."""

    workers: int = Field(1, ge=0, description="number of GPUs, which is the pool's limit; 0: none, and their stages run on cpu")
    devices: str = Field("0", pattern=r"^[\w:/.-]+(,[\w:/.-]+)*$", description="CUDA_VISIBLE_DEVICES, one a worker")

    @property
    def each(self) -> list[str]:
        """The device of each worker."""
        return self.devices.split(",")


class DockerPart(Part):
    """The containers that Docker workers start."""

    image: str = "spanferry:latest"
    networks: list[str] = []
    volumes: list[str] = Field([], description="such as /data/corpora:/data/corpora:ro")


class KubernetesPart(Part):
    """The jobs that Kubernetes workers start."""

    image: str = "spanferry:latest"
    namespace: str = "default"
    service_account: str | None = None
    secret: str = Field("spanferry-store", description="Secret whose keys, such as AWS_ACCESS_KEY_ID, are put into the job's environment")
    claim: str | None = Field(None, description="PersistentVolumeClaim with corpora and outputs, mounted on /data")
    gpu_node_selector: dict[str, str] = {}
    gpu_tolerations: list[dict[str, str]] = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    keep_jobs: int = Field(86400, ge=0, description="seconds that a finished job can still be looked at")


class SchedulesPart(Part):
    """When what runs, as cron lines; what has none runs by hand only."""

    whole: str | None = Field(None, description="train and project in one run")
    train: str | None = None
    project: str | None = Field(None, description="with the pinned model, or the collection's last")
    landed: str | None = Field(None, description="looks for new documents, and starts a run only if there are some")
    timezone: str = "UTC"

    def cron(self, what: str) -> CronSchedule | None:
        """The schedule of ``whole``, ``train``, ``project`` or ``landed``."""
        line = getattr(self, what)
        return None if line is None else CronSchedule(cron=line, timezone=self.timezone)

    @model_validator(mode="after")
    def _valid(self) -> Self:
        for what in ("whole", "train", "project", "landed"):
            self.cron(what)
        return self


class Collection(Part):
    """One corpus and how it is carried."""

    profile: str = "embedded"
    corpus: str
    source: str = "es"
    targets: list[str] = Field(min_length=1)
    out: str
    settings: list[str] = Field([], description="as --set takes them: sharpen.reg=0.05")
    refit: str | None = Field(None, description="never, always or grown:20%: when a scheduled run fits a new model")
    model: str | None = Field(None, description="run whose model `project` uses, its id or output folder; without it the collection's last")
    gold_train: str | None = None
    support: str | None = None
    schedules: SchedulesPart = SchedulesPart()


class Site(Part):
    """The whole file."""

    infrastructure: Infrastructure = Field("process", description="what a worker starts for a run")
    credentials: Literal["worker", "blocks"] = Field(
        "worker", description="of the store: the environment that a run finds, or Prefect's blocks spanferry-store-key and -secret"
    )
    store: StorePart
    gpu: GpuPart = GpuPart()
    docker: DockerPart = DockerPart()
    kubernetes: KubernetesPart = KubernetesPart()
    collections: dict[str, Collection] = Field(min_length=1)

    @property
    def pools(self) -> tuple[str, ...]:
        return (CPU, GPU) if self.gpu.workers else (CPU,)

    def config(self, collection: str) -> RunConfig:
        """The resolved configuration of a collection's runs. Raises ``ConfigError``."""
        chosen = self.collections[collection]
        own = [f'gpu_pool="{GPU}"'] if self.gpu.workers else []
        own += [f'refit="{chosen.refit}"'] if chosen.refit else []
        return load_config(chosen.profile, [*own, *chosen.settings])

    @model_validator(mode="after")
    def _a_gpu_a_run(self) -> Self:
        if self.infrastructure == "docker" and self.gpu.workers > 1:
            raise ValueError("gpu.workers is 1 at most with docker, whose pool cannot give each container its own GPU")
        if self.infrastructure == "process" and self.gpu.workers not in (0, len(self.gpu.each)):
            raise ValueError(f"gpu.devices names {len(self.gpu.each)} devices, and gpu.workers is {self.gpu.workers}")
        return self


def read_site(path: Path) -> Site:
    """The site of a file, its paths resolved against the file's folder. Raises ``SiteError``."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SiteError(f"{path}: cannot be read, {getattr(error, 'strerror', None) or error}") from None
    try:
        site = configured(Site, values | {"collections": _collections(values)})
        site = _resolved(site, path.resolve().parent)
        for name in site.collections:
            _named(f"collections.{name}", site.config, name)
    except ConfigError as error:
        raise SiteError(f"{path}: {error}") from None
    return site


def _collections(values: Mapping[str, Any]) -> dict[str, Collection]:
    """Each collection by itself, so that an unknown key in it finds its nearest too."""
    tables = values.get("collections", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigError("collections holds a table a collection: [collections.NAME]")
    return {name: _named(f"collections.{name}", configured, Collection, table) for name, table in tables.items()}


def _named(where: str, make: Any, *arguments: Any) -> Any:
    try:
        return make(*arguments)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _resolved(site: Site, folder: Path) -> Site:
    """Relative paths count from the site file, since a worker runs elsewhere; in a container they cannot be known."""

    def absolute(path: str | None) -> str | None:
        if path is None or "://" in path or Path(path).is_absolute():
            return path
        if site.infrastructure != "process":
            raise ConfigError(f"{path}: paths are absolute with {site.infrastructure}, as the container sees them")
        return str((folder / path).resolve())

    def pinned(model: str | None) -> str | None:
        return absolute(model) if model and (folder / model).is_dir() else model

    collections = {
        name: one.model_copy(
            update={key: absolute(getattr(one, key)) for key in ("corpus", "out", "gold_train", "support")} | {"model": pinned(one.model)}
        )
        for name, one in site.collections.items()
    }
    store = site.store.model_copy(update={"root": absolute(site.store.root)})
    return site.model_copy(update={"store": store, "collections": collections})
