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
from pipeline_lib.evaluation.resample import ResampleConfig
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.consistency import ConsistencyConfig
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.edges import EdgeConfig
from pipeline_lib.supervision.mcai import McaiConfig
from pipeline_lib.supervision.rerank import RerankConfig


class RunConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """All settings of a run, stage by stage. The resolved one is saved beside the run's outputs."""

    profile: str = "embedded"
    aligner: Literal["target", "student"] = Field(
        "target", description="what projects: the sharpened teachers' plan, or the student (paper)"
    )
    workers: int = Field(2, ge=1, description="shards worked on at a time")
    corpus: CorpusConfig = CorpusConfig()
    shards: ShardConfig = ShardConfig()
    segments: SegmentConfig = SegmentConfig()
    fit: FitConfig = FitConfig()
    edges: EdgeConfig = EdgeConfig()
    cost: CostConfig = CostConfig()
    sharpen: SharpenConfig = SharpenConfig()
    distill: DistillConfig = DistillConfig()
    mcai: McaiConfig = McaiConfig()
    align: AlignConfig = AlignConfig()
    candidates: CandidateConfig = CandidateConfig()
    consistency: ConsistencyConfig = ConsistencyConfig()
    rerank: RerankConfig = RerankConfig()
    decode: DecodeConfig = DecodeConfig()
    score: ResampleConfig = ResampleConfig()
    alerts: AlertConfig = AlertConfig()

    def toml(self) -> str:
        """The configuration as TOML, keys in the order of the code."""
        return tomli_w.dumps(self.model_dump(mode="json"))


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
