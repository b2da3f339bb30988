"""The plain layout, ``{corpus}/{lang}/{document}.txt`` with ``{document}.ann`` beside it or one TSV a language; and any other tree."""

import os
from dataclasses import replace
from pathlib import Path

from pipeline_lib.corpus.files import (
    CorpusError,
    Discovery,
    TextFile,
    entries,
    is_file,
    is_inside,
    is_safe,
    is_utf8,
    list_folder,
    printable,
    refuse_folder,
)


def plain_languages(root: Path) -> list[str]:
    """Folders that hold a ``.txt``, sorted."""
    return [folder.name for folder in entries(root) if is_safe(folder.name) and folder.is_dir() and _holds(folder, ".txt")]


def holds_standoff(root: Path, lang: str) -> bool:
    """Whether a language's folder holds an ``.ann``."""
    return _holds(root / lang, ".ann")


def discover_plain(root: Path, lang: str) -> Discovery:
    """The texts of one language, each with the ``.ann`` beside it."""
    return _discover_beside(root, root / lang, lang)


def discover_tabular(root: Path, lang: str, table: str | None) -> Discovery:
    """The texts of one language, all annotated by one TSV, or by none."""
    found = Discovery()
    texts = list_folder(root, root / lang).accept(".txt", lang, found)
    found.files = [TextFile(root, document, lang, file, table) for document, file in texts.items()]
    return found


def find_table(root: Path, lang: str, named: str | None) -> str | None:
    """The TSV of a language, relative to ``root``: the one ``named``, else ``{lang}.tsv`` or the only ``*_{lang}.tsv`` or ``*-{lang}.tsv``.

    Raises:
        CorpusError: there is no such file within the corpus, or there are several.
    """
    if named is not None:
        if not is_file(root / named) or not is_inside(root, root / named):
            raise CorpusError(f"corpus.annotations of {lang}: no file {printable(named)} in the corpus")
        return Path(named).as_posix()
    tables = [path for path in entries(root) if path.suffix == ".tsv" and is_utf8(path.name)]
    names = [path.name for path in tables if path.is_file() and is_inside(root, path)]
    if f"{lang}.tsv" in names:
        return f"{lang}.tsv"
    fitting = [name for name in names if name.endswith((f"_{lang}.tsv", f"-{lang}.tsv"))]
    if len(fitting) > 1:
        raise CorpusError(f"{len(fitting)} TSV files of {lang} in the corpus: name one with corpus.annotations.{lang}")
    return fitting[0] if fitting else None


def discover_tree(root: Path) -> Discovery:
    """Every text of any tree, language unknown, with the ``.ann`` beside it: for ``check``, which needs no translations."""
    found = Discovery()
    for folder, inner, _ in os.walk(root, onerror=refuse_folder):
        inner.sort()
        part = _discover_beside(root, Path(folder), "")
        found.files += [replace(file, document=file.file.removesuffix(".txt")) for file in part.files]
        found.problems += part.problems
    return found.ordered()


def _discover_beside(root: Path, folder: Path, lang: str) -> Discovery:
    """The texts of a folder, each with the ``.ann`` beside it."""
    found, listed = Discovery(), list_folder(root, folder)
    texts, annotations = (listed.accept(suffix, lang or None, found) for suffix in (".txt", ".ann"))
    named = {name.removesuffix(".txt") for name in listed.names if name.endswith(".txt")}
    found.files = [TextFile(root, document, lang, file, annotations.get(document)) for document, file in texts.items()]
    for document in annotations.keys() - named:
        found.reject("missing_text", annotations[document], lang or None, document)
    return found


def _holds(folder: Path, suffix: str) -> bool:
    """Whether a file there ends so. Stops at the first: a language may have tens of thousands."""
    try:
        with os.scandir(folder) as found:
            return any(entry.name.endswith(suffix) for entry in found)
    except OSError as error:
        refuse_folder(error)
        raise
