"""Where an encoder comes from: a folder in Hugging Face layout or the hub, weights from safetensors only, no code from either."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, model_validator

from pipeline_lib.storage.fingerprint import digest
from pipeline_lib.storage.place import sha256

# What is read of a model: never a pickle, never Python.
WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")
TEXTS = frozenset(
    {
        "config.json",
        "model.safetensors.index.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.txt",
        "vocab.json",
        "merges.txt",
        "sentencepiece.bpe.model",
        "spiece.model",
        "README.md",
    }
)
ORIGIN = "origin.json"
LAYOUT = "config.json, model.safetensors (or model-0000k-of-0000n.safetensors with their index) and a fast tokenizer (tokenizer.json)"


class EncoderError(ValueError):
    """An encoder that cannot be had or read. Names the setting, the model and the rule."""


class ModelSource(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """An encoder: which, and what of it is taken. In a setting the model alone may stand for it."""

    model: str = Field("", description="folder in Hugging Face layout, or id on the hub; required where it is empty")
    revision: str = Field("main", description="commit, tag or branch of a hub id; the commit that was found is recorded")
    hidden_state: int = Field(0, ge=0, description="hidden state that is taken, 1 the first layer's; 0: the last")
    window: int = Field(0, ge=0, description="tokens a pass at most; 0: as many as the model allows")
    overlap: int = Field(128, ge=0, description="pieces that neighbouring windows of a long text share")

    @model_validator(mode="before")
    @classmethod
    def _model_alone(cls, value: Any) -> Any:
        return {"model": value} if isinstance(value, str) else value


@dataclass(frozen=True)
class Origin:
    """What is known of a model: where it came from, the commit (empty for a folder), its licence as its card states it, its size."""

    model: str
    revision: str
    licence: str
    bytes: int


def locate(source: ModelSource, setting: str, weights: bool = True, download: bool = True) -> tuple[Path, Origin]:
    """The folder that holds a model, or its tokenizer alone, and its origin; ``setting`` is the key a user would change.

    Without ``download`` no network is asked: of the hub only what was fetched before. Raises ``EncoderError``.
    """
    if not source.model:
        raise EncoderError(f"setting {setting} is required: {_accepted()}")
    folder = Path(source.model)
    commit = ""
    if not folder.is_dir():
        folder, commit = _from_hub(source, setting, download)
    files = model_files(folder)
    missing = [kind for kind, found in _needed(files, weights).items() if not found]
    if missing:
        raise EncoderError(f"setting {setting}: {source.model} has no {' and no '.join(missing)}; {_accepted()}")
    return folder, Origin(source.model, commit, _licence(folder), sum((folder / name).stat().st_size for name in files))


def model_files(folder: Path, weights: bool = True) -> list[str]:
    """The names of those files of a model's folder that are read, sorted."""
    names = (path.name for path in folder.iterdir() if path.is_file())
    return sorted(name for name in names if name in TEXTS or (weights and WEIGHTS.fullmatch(name)))


def model_hash(folder: Path, weights: bool = True) -> str:
    """One hash of all that is read of a model."""
    return digest(json.dumps({name: sha256(folder / name) for name in model_files(folder, weights)}))


def copy_model(folder: Path, into: Path, origin: Origin, weights: bool = True) -> None:
    """Copy what is read of a model, and write down where it came from."""
    for name in model_files(folder, weights):
        shutil.copyfile(folder / name, into / name)
    (into / ORIGIN).write_text(json.dumps(asdict(origin), indent=1), encoding="utf-8", newline="\n")


def read_origin(folder: Path) -> Origin:
    """What ``copy_model`` wrote down."""
    return Origin(**json.loads((folder / ORIGIN).read_text(encoding="utf-8")))


def _from_hub(source: ModelSource, setting: str, download: bool) -> tuple[Path, str]:
    # Imported here: most runs ask no hub, and its client takes a second.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    patterns = [*TEXTS, "model.safetensors", "model-*-of-*.safetensors"]
    try:
        folder = Path(snapshot_download(source.model, revision=source.revision, allow_patterns=patterns, local_files_only=not download))
    except HFValidationError:
        raise EncoderError(f"setting {setting}: {source.model} is neither a folder nor an id of the hub; {_accepted()}") from None
    except (HfHubHTTPError, OSError) as error:
        if not download:
            raise EncoderError(f"setting {setting}: {source.model} is not on this machine, and nothing is downloaded here") from None
        reason = type(error).__name__
        raise EncoderError(
            f"setting {setting}: {source.model} is no folder here, and the hub does not give it at revision {source.revision} ({reason}); "
            f"{_accepted()}"
        ) from None
    return folder, folder.name


def _needed(files: Sequence[str], weights: bool) -> dict[str, bool]:
    return {
        "config.json": "config.json" in files,
        "weights in safetensors": not weights or any(WEIGHTS.fullmatch(name) for name in files),
        "tokenizer.json": "tokenizer.json" in files,
    }


def _accepted() -> str:
    return f"it takes an id on the Hugging Face hub or a folder with {LAYOUT}"


def _licence(folder: Path) -> str:
    """The licence in the head of the model's card; "unknown" without one."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    head = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    stated = re.search(r"^license:\s*(\S+)", head[1], re.MULTILINE) if head else None
    return stated[1] if stated else "unknown"
