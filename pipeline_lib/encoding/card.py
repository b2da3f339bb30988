"""The card of a published student: what it is, how it was trained and what it scores, as the front page of a model folder.

It speaks of the corpus in ids, counts and fingerprints alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import tomli_w
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data_contracts.evaluation import ALL_LABELS
from pipeline_lib.alignment.training import Epoch
from pipeline_lib.corpus.layouts import SPELLINGS
from pipeline_lib.encoding.model_files import Origin
from pipeline_lib.encoding.training_plot import best_epoch
from pipeline_lib.storage.fingerprint import digest
from pipeline_lib.storage.lineage import Origin as MadeOf

CARD, CURVE = "README.md", "training_curve.png"

# What the student's training depends on; the other settings say what the run made of it.
SETTINGS = ("units", "segments", "teachers", "encode", "views", "sharpen", "mcai", "align", "tune")

# Invented for the card: a sentence of the corpus may not stand in it.
EXAMPLES = {
    "es": "El tren sale mañana a las ocho.",
    "en": "The train leaves tomorrow at eight.",
    "it": "Il treno parte domani alle otto.",
    "nl": "De trein vertrekt morgen om acht uur.",
    "sv": "Tåget går i morgon klockan åtta.",
    "ro": "Trenul pleacă mâine la ora opt.",
    "cs": "Vlak odjíždí zítra v osm hodin.",
}


@dataclass(frozen=True)
class Scored:
    """The run whose scores the card shows: its table of SCORES, what projected, and the fingerprint of its corpus's manifest."""

    run: str
    aligner: str
    manifest: str
    scores: pa.Table


@dataclass(frozen=True)
class CardData:
    """What a card tells.

    Attributes:
        run: the one that trained the student; spanferry: release that writes the card; shape: the student's ``config.json``.
        source, targets: as the corpus spells them; documents: of the source; declared: documents whose gold the run could learn from.
        student: the artifact's address; manifest: fingerprint of the corpus's; made_of: the student's ingredients; inputs: addresses of
            the artifacts among them.
        encoders: by role, ``start`` is the one that the student began as; config: the run's settings.
    """

    run: str
    spanferry: str
    shape: Mapping[str, Any]
    source: str
    targets: Sequence[str]
    documents: int
    declared: int
    student: str
    manifest: str
    made_of: MadeOf
    inputs: Sequence[str]
    encoders: Mapping[str, Origin]
    config: Mapping[str, Any]
    log: Sequence[Epoch]
    scored: Scored | None


def render_card(data: CardData) -> str:
    """The card as markdown with a YAML head; the same data give the same bytes."""
    first, second = example_languages(data.source, data.targets)
    return _CARD.render(
        card=data,
        languages=[iso(lang) for lang in (data.source, *data.targets)],
        shape=described(data.shape),
        start=data.encoders["start"],
        name=public_name,
        curve=CURVE,
        best=best_epoch(data.log),
        inputs=grouped(data.inputs),
        settings=settings_toml(data.config, data.encoders.values()),
        rows=_score_rows(data.scored.scores) if data.scored else [],
        hidden_state=data.config["tune"]["start"]["hidden_state"],
        examples=(EXAMPLES[first], EXAMPLES[second]),
    )


def provenance(data: CardData) -> dict[str, Any]:
    """What the card sums up, whole: every artifact that the student was made from, its code and libraries."""
    return {
        "run": data.run,
        "spanferry": data.spanferry,
        "documents": data.documents,
        "corpus_files": data.manifest,
        "student": data.student,
        "contract": data.made_of.contract,
        "code": data.made_of.code,
        "libraries": data.made_of.libraries,
        "inputs": sorted(data.inputs),
        "encoders": {role: {**vars(origin), "model": public_name(origin)} for role, origin in sorted(data.encoders.items())},
    }


def public_name(origin: Origin) -> str:
    """An id of the hub as it is; of a folder its own name, for where it lies is nobody's business."""
    return origin.model if origin.revision else Path(origin.model).name or "a folder"


def described(shape: Mapping[str, Any]) -> str:
    """Type and size of a model, as far as its ``config.json`` tells them: families differ in what they call a thing."""
    sizes = {"layers": ("num_hidden_layers", "n_layers"), "dimensions": ("hidden_size", "dim")}
    told = [f"{shape[key]} {word}" for word, keys in sizes.items() for key in keys if key in shape]
    return ", ".join([shape["model_type"], *told])


def iso(lang: str) -> str:
    """A language as the Hugging Face hub spells it."""
    return {"cz": SPELLINGS["cz"]}.get(lang.casefold(), lang.casefold())


def example_languages(source: str, targets: Sequence[str]) -> tuple[str, str]:
    """Two languages that there is an example in, the student's own if possible."""
    known = [lang for lang in map(iso, (source, *targets)) if lang in EXAMPLES]
    first, second = list(dict.fromkeys([*known, *EXAMPLES]))[:2]
    return first, second


def grouped(addresses: Sequence[str]) -> list[tuple[str, int, str]]:
    """(contract, artifacts, fingerprint) by contract; of several artifacts the digest of their sorted fingerprints."""
    by_contract: dict[str, list[str]] = {}
    for address in sorted(addresses):
        by_contract.setdefault(address.split("/", 1)[0], []).append(address.rsplit("/", 1)[1])
    return [(name, len(all_), all_[0] if len(all_) == 1 else digest("\n".join(sorted(all_)))) for name, all_ in by_contract.items()]


def settings_toml(config: Mapping[str, Any], origins: Iterable[Origin]) -> str:
    """The settings of the training, with the encoders' public names in them."""
    names = {origin.model: public_name(origin) for origin in origins}
    return tomli_w.dumps({"aligner": config["aligner"], **{key: _renamed(config[key], names) for key in SETTINGS}})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(value, Mapping):
        return value
    changed = {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(model := changed.get("model"), str):
        changed["model"] = names.get(model, Path(model).name)
    return changed


def _score_rows(scores: pa.Table) -> list[dict[str, Any]]:
    """A row a language, all labels pooled: the strict and the char score."""
    pooled = pl.DataFrame(scores).filter(pl.col("label") == ALL_LABELS)
    return [
        {"lang": lang, **{row["metric"]: row for row in rows.to_dicts()}}
        for (lang,), rows in pooled.group_by("target_lang", maintain_order=True)
    ]


def _cell(value: object) -> str:
    """A value that breaks no row of a table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _f1(row: Mapping[str, Any]) -> str:
    return f"{row['f1']:.4f} ({row['low']:.4f} to {row['high']:.4f})"


def _quoted(value: object) -> str:
    """A YAML string, whatever it holds: ``no`` is a language, and no truth value."""
    return '"' + "".join(char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in str(value)) + '"'


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=StrictUndefined,
    autoescape=False,  # markdown
)
_ENVIRONMENT.filters |= {"cell": _cell, "quoted": _quoted, "f1": _f1}
_CARD = _ENVIRONMENT.get_template("card.md.j2")
