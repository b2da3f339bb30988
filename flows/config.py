"""The run's configuration: code defaults, then a profile, then ``--set key=value``; an unknown key is an error."""

import tomllib
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, Field, ValidationError

from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.distill import DistillConfig
from pipeline_lib.alignment.fitted import FitConfig
from pipeline_lib.alignment.sinkhorn import SharpenConfig
from pipeline_lib.corpus.ingest import ShardConfig
from pipeline_lib.evaluation.resample import ResampleConfig
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.edges import EdgeConfig


class ConfigError(ValueError):
    """A profile or setting that does not exist or is not valid. Names the key and the rule."""


class RunConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """All settings of a run, stage by stage. The resolved one is saved beside the run's outputs."""

    profile: str = "embedded"
    aligner: Literal["target", "student"] = Field(
        "target", description="what projects: the sharpened teachers' plan, or the student (paper)"
    )
    workers: int = Field(2, ge=1, description="shards worked on at a time")
    shards: ShardConfig = ShardConfig()
    fit: FitConfig = FitConfig()
    edges: EdgeConfig = EdgeConfig()
    cost: CostConfig = CostConfig()
    sharpen: SharpenConfig = SharpenConfig()
    distill: DistillConfig = DistillConfig()
    align: AlignConfig = AlignConfig()
    decode: DecodeConfig = DecodeConfig()
    score: ResampleConfig = ResampleConfig()

    def toml(self) -> str:
        """The configuration as TOML, keys in the order of the code."""
        return tomli_w.dumps(self.model_dump(mode="json"))


def load_config(profile: str, settings: Sequence[str] = ()) -> RunConfig:
    """The configuration of ``profile`` with ``settings`` on top: ``a.b=value``, TOML or a bare word. Raises ``ConfigError``."""
    values = _read_profile(profile)
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            raise ConfigError(f"--set takes key=value, not {setting!r}")
        _put(values, key.strip(), _parse(value.strip()))
    known = set(_keys(RunConfig)) - {"profile"}
    for key in _flat(values):
        if key not in known:
            nearest = get_close_matches(key, sorted(known), n=1, cutoff=0.0)
            raise ConfigError(f"unknown setting {key}; the nearest known one is {nearest[0]}")
    try:
        return RunConfig.model_validate({**values, "profile": profile})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ConfigError(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def profiles() -> list[str]:
    """Names of the profiles that ship."""
    return sorted(
        path.name.removesuffix(".toml") for path in files("deployments").joinpath("profiles").iterdir() if path.name.endswith(".toml")
    )


def _read_profile(profile: str) -> dict[str, Any]:
    if profile not in profiles():
        raise ConfigError(f"no profile {profile!r}; there are: {', '.join(profiles())}")
    return tomllib.loads(files("deployments").joinpath("profiles", f"{profile}.toml").read_text(encoding="utf-8"))


def _parse(value: str) -> Any:
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    *parents, name = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ConfigError(f"unknown setting {key}: {parent} has no parts")
    values[name] = value


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name
