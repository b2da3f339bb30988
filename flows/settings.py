"""Settings by key: ``a.b=value``, checked against the configuration they are for; an unknown key is an error."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError

from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.encoding.model_files import ModelSource

Config = TypeVar("Config", bound=BaseModel)


class ConfigError(ValueError):
    """A profile or setting that does not exist or is not valid. Names the key and the rule."""


def configured(model: type[Config], values: Mapping[str, Any], settings: Sequence[str] = ()) -> Config:
    """The configuration of ``values`` with ``settings`` on top: ``a.b=value``, TOML or a bare word. Raises ``ConfigError``."""
    merged, alone = deepcopy(dict(values)), dict(_alone(model))
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            raise ConfigError(f"--set takes key=value, not {setting!r}")
        _put(merged, alone.get(key.strip(), key.strip()), _parse(value.strip()))
    known = dict(_keys(model))
    for key in _flat(merged, {key for key, is_table in known.items() if is_table}):
        if key not in known:
            nearest = get_close_matches(key, sorted(known), n=1, cutoff=0.0)
            raise ConfigError(f"unknown setting {key}; the nearest known one is {nearest[0]}")
    try:
        return model.model_validate(merged)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ConfigError(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def corpus_config(settings: Sequence[str]) -> CorpusConfig:
    """The corpus's own part of a run's settings, for commands that run nothing. Raises ``ConfigError``."""
    return configured(CorpusConfig, {}, [setting.strip().removeprefix("corpus.") for setting in settings])


def gold_aliases(settings: Sequence[str]) -> dict[str, str]:
    """``corpus.aliases`` of a run's settings, the only ones that gold is scored by. Raises ``ConfigError``."""
    config = corpus_config(settings)
    others = sorted(config.model_fields_set - {"aliases"})
    if others:
        raise ConfigError(f"setting corpus.{others[0]} changes no score; only corpus.aliases does")
    return config.aliases


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


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Every key, and whether it is a table of the user's own keys."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, get_origin(field.annotation) is dict


def _alone(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Keys of parts that one setting may stand for, and that setting's own: a model's source is the model."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            if issubclass(field.annotation, ModelSource):
                yield prefix + name, f"{prefix}{name}.model"
            yield from _alone(field.annotation, f"{prefix}{name}.")


def _flat(values: Mapping[str, Any], tables: set[str], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict) and prefix + name not in tables:
            yield from _flat(value, tables, f"{prefix}{name}.")
        else:
            yield prefix + name
