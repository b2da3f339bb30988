"""The run's configuration: code defaults, then a profile, then ``--set key=value``; an unknown key is an error."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, Field

from flows.alerts import AlertConfig
from flows.settings import ConfigError, configured
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.distill import DistillConfig
from pipeline_lib.alignment.fitted import FitConfig
from pipeline_lib.alignment.segments import SegmentConfig
from pipeline_lib.alignment.sinkhorn import SharpenConfig
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import ShardConfig
from pipeline_lib.encoding.model_files import ModelSource, locate
from pipeline_lib.encoding.pieces import UnitsConfig
from pipeline_lib.encoding.tuned import TuneConfig
from pipeline_lib.encoding.vectors import EncodeConfig
from pipeline_lib.encoding.views import ViewsConfig
from pipeline_lib.evaluation.resample import ResampleConfig
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.consistency import ConsistencyConfig
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.edges import EdgeConfig
from pipeline_lib.supervision.mcai import McaiConfig
from pipeline_lib.supervision.rerank import RerankConfig

WHERE_AND_WHEN: dict[str, Any] = {
    **dict.fromkeys(("workers", "task_runner", "dask_address", "memory", "gpu_pool", "refit", "alerts"), True),
    "encode": {"device": True, "tokens": True},
}


class TeachersConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Who says which units translate each other: teachers fitted on the run's own texts, or three transformers (paper)."""

    kind: Literal["fitted", "transformers"] = Field("fitted", description="fitted on the run's texts, or transformers (a model each)")
    sentence: ModelSource = ModelSource()
    phrase: ModelSource = ModelSource()
    token: ModelSource = ModelSource()


class RunConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """All settings of a run, stage by stage. Those that decide what comes out are saved beside it."""

    profile: str = "embedded"
    aligner: Literal["target", "student"] = Field(
        "target", description="what projects: the sharpened teachers' plan, or the student (paper)"
    )
    workers: int = Field(2, ge=1, description="shards worked on at a time; with Dask, processes of the run's own cluster")
    task_runner: Literal["auto", "threads", "processes", "dask"] = Field(
        "auto",
        description="threads or processes (auto: processes for thousands of pairs, not with transformers), or Dask (its extra)",
    )
    dask_address: str = Field("", description="scheduler of a running Dask cluster, such as tcp://host:8786; empty: one of the run's own")
    memory: str = Field(
        "", pattern=r"^(\d+(\.\d+)?[MG]B)?$", description="most memory of all processes of the run together, such as 6GB; empty: no bound"
    )
    gpu_pool: str = Field("", description="work pool whose workers embed, distill and align; empty: the run does it itself")
    refit: str = Field(
        "always",
        pattern=r"^(always|never|grown:\d+%)$",
        description="whether a run without a model fits one: always, never if the collection has one, or when it has grown by so much",
    )
    corpus: CorpusConfig = CorpusConfig()
    shards: ShardConfig = ShardConfig()
    units: UnitsConfig = UnitsConfig()
    segments: SegmentConfig = SegmentConfig()
    teachers: TeachersConfig = TeachersConfig()
    encode: EncodeConfig = EncodeConfig()
    views: ViewsConfig = ViewsConfig()
    fit: FitConfig = FitConfig()
    edges: EdgeConfig = EdgeConfig()
    cost: CostConfig = CostConfig()
    sharpen: SharpenConfig = SharpenConfig()
    distill: DistillConfig = DistillConfig()
    tune: TuneConfig = TuneConfig()
    mcai: McaiConfig = McaiConfig()
    align: AlignConfig = AlignConfig()
    candidates: CandidateConfig = CandidateConfig()
    consistency: ConsistencyConfig = ConsistencyConfig()
    rerank: RerankConfig = RerankConfig()
    decode: DecodeConfig = DecodeConfig()
    score: ResampleConfig = ResampleConfig()
    alerts: AlertConfig = AlertConfig()

    @property
    def tokenizer(self) -> tuple[ModelSource, str]:
        """Whose pieces are the units where the grid is of pieces, and the setting that says so."""
        return _first(("units.tokenizer", self.units.tokenizer), ("teachers.sentence", self.teachers.sentence))

    @property
    def start(self) -> tuple[ModelSource, str]:
        """The encoder that the student of transformer teachers starts from, and the setting that says so."""
        return _first(("tune.start", self.tune.start), ("teachers.sentence", self.teachers.sentence))

    def check_models(self) -> None:
        """Whether every transformer that a run needs is named; no disk and no network is asked. Raises ``EncoderError``."""
        teachers = {f"teachers.{role}": getattr(self.teachers, role) for role in self.views.weights}
        needed = {setting: source for source, setting in (self.tokenizer, self.start)} | teachers
        for setting, source in needed.items() if self.teachers.kind == "transformers" else ():
            if not source.model:
                locate(source, setting)

    def deciding(self) -> dict[str, Any]:
        """The settings that decide what comes out, without those that say where and when it is worked out."""
        return self.model_dump(mode="json", exclude=WHERE_AND_WHEN)

    def toml(self) -> str:
        """The deciding settings as TOML, keys in the order of the code."""
        return tomli_w.dumps(self.deciding())


def load_config(profile: str, settings: Sequence[str] = ()) -> RunConfig:
    """The configuration of ``profile`` with ``settings`` on top: ``a.b=value``, TOML or a bare word. Raises ``ConfigError``."""
    for setting in settings:
        if setting.partition("=")[0].strip() == "profile":
            raise ConfigError("unknown setting profile: a run's profile is its first argument")
    return configured(RunConfig, {**_read_profile(profile), "profile": profile}, settings)


def profiles() -> list[str]:
    """Names of the profiles that ship."""
    return sorted(
        path.name.removesuffix(".toml") for path in files("deployments").joinpath("profiles").iterdir() if path.name.endswith(".toml")
    )


def _read_profile(profile: str) -> dict[str, Any]:
    if profile not in profiles():
        raise ConfigError(f"no profile {profile!r}; there are: {', '.join(profiles())}")
    return tomllib.loads(files("deployments").joinpath("profiles", f"{profile}.toml").read_text(encoding="utf-8"))


def _first(*settings: tuple[str, ModelSource]) -> tuple[ModelSource, str]:
    """The first source that names a model; of none the last, whose setting is then missed."""
    named = [(source, key) for key, source in settings if source.model]
    return named[0] if named else (settings[-1][1], settings[-1][0])
