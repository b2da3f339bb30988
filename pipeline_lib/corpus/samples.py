"""The bundled sample corpus: 24 invented cases, written out in the plain layout for a first run without any data."""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from pipeline_lib.corpus import brat, sample
from pipeline_lib.corpus.marks import parse_marks
from pipeline_lib.corpus.text import slices

Part = Literal["train", "test"]

LANGUAGES = ("es", "en", "it", "nl", "sv", "ro", "cz")
MANIFEST = "manifest.tsv"

_PARTS: dict[str, Part] = {"train": "train", "test": "test"}


def documents() -> list[str]:
    """The sample's documents, sorted."""
    return sorted(_parts())


def part(document: str) -> Part:
    """The part a document belongs to, as the manifest says. Raises ``ValueError`` for an unknown document."""
    try:
        return _parts()[document]
    except KeyError:
        raise ValueError(f"no document {document!r} in the sample") from None


def marked(document: str, lang: str) -> str:
    """The marked text of one document, without its final newline. Raises ``ValueError`` if the sample lacks it."""
    part(document)
    if lang not in LANGUAGES:
        raise ValueError(f"no language {lang!r} in the sample; it has: {', '.join(LANGUAGES)}")
    return _read(_folder() / "marked" / lang / f"{document}.txt").removesuffix("\n")


def write_sample(folder: Path, languages: Sequence[str] = LANGUAGES, documents: Sequence[str] | None = None) -> None:
    """Write the plain layout, ``{folder}/{lang}/{document}.txt`` and ``.ann``, and the whole manifest beside it.

    ``documents`` is all of them by default. Files of the same name are overwritten, others left alone; the bytes are
    the same everywhere. Raises ``ValueError`` for an unknown language or document, before anything is written.
    """
    chosen = _parts() if documents is None else documents
    contents = {(lang, document): marked(document, lang) for lang in languages for document in chosen}
    for (lang, document), content in contents.items():
        text, annotations = standoff(content)
        target = folder / lang
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{document}.txt").write_bytes(text.encode("utf-8"))
        (target / f"{document}.ann").write_bytes(annotations.encode("utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_bytes((_folder() / MANIFEST).read_bytes())


def standoff(content: str) -> tuple[str, str]:
    """The plain text of a marked one and its ``.ann``: T1, T2, ... in reading order, the longest first on ties."""
    text, mentions = parse_marks(content)
    annotations = brat.format_file(
        brat.Mention(
            id=f"T{number}",
            label=mention.label,
            starts=mention.starts,
            ends=mention.ends,
            surface=slices(text, mention.starts, mention.ends),
            line=number,
            terminator="\n",
            raw=None,
        )
        for number, mention in enumerate(mentions, start=1)
    )
    return text, annotations


@cache
def _parts() -> dict[str, Part]:
    rows = csv.DictReader(_read(_folder() / MANIFEST).splitlines(), delimiter="\t")
    return {row["document"]: _PARTS[row["part"]] for row in rows}


def _folder() -> Traversable:
    return files(sample)


def _read(file: Traversable) -> str:
    # Not read_text: it would translate line ends.
    return file.read_bytes().decode("utf-8")
