"""The MultiClin layout: folders ``{name}-{lang}-{split}-{entity}`` with ``txt``, ``ann`` and ``tsv``, wherever they lie in the tree.

A document's key is (split, entity, number): the same number is another text in each entity's folder, so they are never merged.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.corpus.files import Discovery, TextFile, list_folder, refuse_folder

_FOLDER = re.compile(r".+-(?P<lang>[A-Za-z]{2})-(?P<split>[A-Za-z0-9]+)-(?P<entity>[A-Za-z0-9]+)")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class EntityFolder:
    """One folder of texts, ``path`` below the corpus."""

    path: Path
    lang: str
    split: str
    entity: str


def find_folders(root: Path) -> list[EntityFolder]:
    """Every folder of the pattern that holds a folder ``txt``, sorted by path."""
    found = []
    for folder, inner, _ in os.walk(root, onerror=refuse_folder):
        match = _FOLDER.fullmatch(os.path.basename(folder))
        if match and "txt" in inner:
            found.append(EntityFolder(Path(folder), **match.groupdict()))
            inner.clear()
    return sorted(found, key=lambda folder: folder.path)


def discover_multiclin(root: Path, folder: EntityFolder) -> Discovery:
    """The texts of one folder; document ids are ``{split}-{entity}-{number}``. Annotations: ``ann``, else the one ``tsv``."""
    found = Discovery()
    lang, split, entity = folder.lang, folder.split, folder.entity
    texts = list_folder(root, folder.path / "txt").accept(".txt", lang, found)
    standoff = list_folder(root, folder.path / "ann").accept(".ann", lang, found) if (folder.path / "ann").is_dir() else {}
    # A release gives its annotations both ways; the TSV is only looked for where a text has no standoff.
    table = _table(root, folder, found) if texts.keys() - standoff.keys() else None
    for stem, file in texts.items():
        number = stem.removeprefix(f"{folder.path.name}-")
        if _NUMBER.fullmatch(number):
            document = f"{split}-{entity}-{number}"
            found.files.append(TextFile(root, document, lang, file, standoff.get(stem, table), split, entity, stem))
        else:
            found.reject("name_off_pattern", file, lang)
    for stem in standoff.keys() - texts.keys():
        found.reject("missing_text", standoff[stem], lang)
    return found


def _table(root: Path, folder: EntityFolder, found: Discovery) -> str | None:
    """The folder's TSV, relative to ``root``; several are rejected, one by one."""
    inner = folder.path / "tsv"
    names = sorted(list_folder(root, inner).accept(".tsv", folder.lang, found).values()) if inner.is_dir() else []
    if len(names) > 1:
        for name in names:
            found.reject("ambiguous_annotations", name, folder.lang)
        return None
    return names[0] if names else None
