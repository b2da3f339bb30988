"""What an artifact is made of, as one short hash: contract, config, inputs, code and libraries.

The code is the stage's module and every module of ours that it imports, transitively: an edited helper function rebuilds what it decides.
"""

import ast
import hashlib
import importlib.util
import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import polars as pl
import pyarrow as pa
from pydantic import BaseModel

OURS = ("data_contracts", "pipeline_lib")
# The libraries whose release can change a number or a byte that we store.
LIBRARIES = (
    "numba",
    "numpy",
    "polars",
    "pyarrow",
    "pydantic",
    "regex",
    "safetensors",
    "scikit-learn",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
)

ROWS_AT_ONCE = 10_000  # are written as text to be hashed

# CPython 3.11's parser keeps its recursion depth in a global: two threads in ast.parse fail each other.
_PARSING = Lock()


@dataclass(frozen=True)
class Ingredients:
    """All that decides an artifact's bytes. ``inputs`` are fingerprints or content hashes, in a meaningful order."""

    contract: str
    config: dict[str, object]
    inputs: tuple[str, ...]
    code: str
    libraries: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """24 hexadecimal digits of the SHA-256 of the canonical JSON of the ingredients."""
        return digest(json.dumps(self.as_json(), sort_keys=True, ensure_ascii=True))

    def as_json(self) -> dict[str, object]:
        return {
            "contract": self.contract,
            "config": self.config,
            "inputs": list(self.inputs),
            "code": self.code,
            "libraries": self.libraries,
        }


def ingredients(contract: str, module: str, config: BaseModel | None, inputs: Iterable[str]) -> Ingredients:
    """The ingredients of a stage whose science lives in ``module`` (dotted name)."""
    settings = config.model_dump(mode="json") if config is not None else {}
    return Ingredients(contract, settings, tuple(inputs), code_hash(module), library_versions())


def table_hash(table: pa.Table) -> str:
    """Hash of a table's rows, in order; neither its chunks nor the order of its columns count."""
    rows, found = pl.DataFrame(table.select(sorted(table.column_names))), hashlib.sha256()
    for part in rows.iter_slices(ROWS_AT_ONCE):
        found.update(part.write_ndjson().encode("utf-8"))
    return found.hexdigest()[:24]


def digest(text: str) -> str:
    """24 hexadecimal digits of the SHA-256 of ``text``."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]


@cache
def library_versions() -> dict[str, str]:
    # Python too: its Unicode tables decide how types are folded.
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


@cache
def code_hash(module: str) -> str:
    """Hash of the sources of ``module`` and of all modules of ours that it imports, transitively."""
    with _PARSING:
        sources = {name: _source(name) for name in sorted(_closure(module))}
    return digest(json.dumps(sources, sort_keys=True))


def _closure(module: str) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_imports(name))
    return found


@cache
def _imports(module: str) -> Sequence[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(_source(module))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            members = [f"{node.module}.{alias.name}" for alias in node.names]
            submodules = [name for name in members if name.startswith(OURS) and _path(name)]
            names += submodules if len(submodules) == len(members) else [node.module, *submodules]
    return [name for name in names if name.split(".")[0] in OURS]


@cache
def _source(module: str) -> str:
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(module)
    return path.read_text(encoding="utf-8")


def _path(module: str) -> Path | None:
    """The file of a module of ours; found by name, since Python's own search would import the packages and modules above it."""
    package, *parts = module.split(".")
    spec = importlib.util.find_spec(package)
    roots = [Path(root) for root in (spec.submodule_search_locations or ())] if spec else []
    files = [path for root in roots for path in (root.joinpath(*parts, "__init__.py"), root.joinpath(*parts).with_suffix(".py"))]
    return next((path for path in files if path.is_file()), None)
