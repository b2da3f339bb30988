"""The plain layout: ``{corpus}/{lang}/{document}.txt`` with ``{document}.ann`` beside it."""

import hashlib
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline_lib.corpus import brat
from pipeline_lib.corpus.brat import Row, Standoff
from pipeline_lib.corpus.text import BOM, NotUtf8, choose_reading, decode

RULES = {
    "unsafe_name": "a document's name is at most 200 bytes of UTF-8, starts with no dot or hyphen, "
    "and holds no '..', control character, separator or colon",
    "outside_corpus": "a file lies within the corpus folder, symlinks followed",
    "missing_text": "an .ann has its .txt beside it",
    "unreadable": "a file is a regular file that can be read",
    "not_utf8": "a file is UTF-8",
    "empty_document": "a document has at least one character that is not white space",
}

_LONGEST_NAME = 200
# The same language, as ISO 639-1 and as MultiClinCorpus spells it.
_SPELLINGS = {"cs": "cz", "cz": "cs"}
_UNSAFE_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}  # control, surrogate (an undecodable byte of a file name), line breaks


class CorpusError(ValueError):
    """The folder is not a corpus, or lacks a language that was asked for."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """One text of the corpus. ``file`` is relative to the root, `/` separated; ``ann`` is None where there is none."""

    document: str
    lang: str
    path: Path
    file: str
    ann: Path | None


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A row of REJECTS but for its stage. ``file`` has what is not printable escaped; ``line`` and offsets are None if unknown."""

    file: str
    document: str | None
    lang: str
    code: str
    rule: str
    line: int | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """What lies in the corpus: texts by (document, lang), problems by file."""

    files: list[TextFile]
    problems: list[FileProblem]


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """Rows of DOCUMENTS (None if rejected), MENTIONS and ANNOTATION_LINES, and what was not taken."""

    document: Row | None
    mentions: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)


def languages(root: Path) -> list[str]:
    """The corpus's own codes: folders that hold a ``.txt``, sorted. Raises ``CorpusError``."""
    if not root.is_dir():
        raise CorpusError(f"no such folder: {printable(str(root))}")
    found = [folder.name for folder in _entries(root) if is_safe(folder.name) and folder.is_dir() and _holds_text(folder)]
    if not found:
        raise CorpusError(f"no language in {printable(str(root))}: expected {{lang}}/{{document}}.txt")
    return found


def resolve_language(corpus: Path, code: str) -> str:
    """The corpus's own code for ``code`` (`cs` and `cz` are one language). Raises ``CorpusError``."""
    found = languages(corpus)
    for spelling in (code, _SPELLINGS.get(code)):
        if spelling in found:
            return spelling
    raise CorpusError(f"no documents in language {printable(code)}; the corpus has: {', '.join(found)}")


def discover(root: Path, langs: Sequence[str]) -> Discovery:
    """Every text and every unusable file of ``langs``; opens none. Raises ``CorpusError``."""
    codes = dict.fromkeys(resolve_language(root, code) for code in langs)
    files: list[TextFile] = []
    problems: list[FileProblem] = []
    for lang in codes:
        accepted = _accept(root, lang, problems)
        names = {path.name for path in _entries(root / lang)}
        for path in accepted.values():
            if path.suffix == ".txt":
                ann = accepted.get(f"{path.stem}.ann")
                files.append(TextFile(path.stem, lang, path, path.relative_to(root).as_posix(), ann))
            elif f"{path.stem}.txt" not in names:
                problems.append(_problem(path.relative_to(root).as_posix(), path.stem, lang, "missing_text"))
    return Discovery(
        sorted(files, key=lambda file: (file.document, file.lang)),
        sorted(problems, key=lambda problem: problem.file),
    )


def read_document(file: TextFile, with_annotations: bool) -> ReadDocument:
    """Rows of one text; the ``.ann`` is not opened unless ``with_annotations``: a target's gold stays unseen until scoring."""
    data = _read(file.path)
    if data is None:
        return _rejected(file, "unreadable")
    try:
        text = decode(data)
    except NotUtf8:
        return _rejected(file, "not_utf8")
    if not text.removeprefix(BOM).strip():
        return _rejected(file, "empty_document")
    standoff, problems = _read_annotations(file) if with_annotations else (_NOTHING, [])
    reading, text = choose_reading(text, standoff.mentions)
    standoff = brat.check_against(standoff, text)
    ann = _ann_name(file)
    return ReadDocument(
        document={
            "document": file.document,
            "lang": file.lang,
            "file": file.file,
            "text": text,
            "reading": reading,
            "sha256": hashlib.sha256(data).hexdigest(),
            "characters": len(text),
        },
        mentions=brat.mention_rows(standoff, file.document, file.lang, ann),
        lines=brat.line_rows(standoff, file.document, file.lang),
        problems=problems
        + [FileProblem(printable(ann), file.document, file.lang, found.code, found.rule, found.line) for found in standoff.problems],
    )


def is_safe(name: str) -> bool:
    """Whether a document or language of this name can become a folder, a key and a cell of a TSV anywhere."""
    return (
        name != ""
        and name[0] not in ".-"
        and ".." not in name
        and not any(character in "/\\:" or unicodedata.category(character) in _UNSAFE_CATEGORIES for character in name)
        and len(name.encode("utf-8")) <= _LONGEST_NAME
    )


def printable(name: str) -> str:
    """``name`` with what is not printable as backslash escapes."""
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode("ascii") for character in name)


_NOTHING = Standoff((), (), ())


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise CorpusError(f"cannot list folder {printable(str(folder))}: {error.strerror}") from error


def _holds_text(folder: Path) -> bool:
    return any(path.suffix == ".txt" for path in _entries(folder))


def _accept(root: Path, lang: str, problems: list[FileProblem]) -> dict[str, Path]:
    """The ``.txt`` and ``.ann`` of one language by file name; those with a bad name or target go to ``problems``."""
    accepted: dict[str, Path] = {}
    inside = Path(os.path.realpath(root))
    for path in _entries(root / lang):
        file = path.relative_to(root).as_posix()
        if path.suffix not in (".txt", ".ann"):
            continue
        if not is_safe(path.stem):
            problems.append(_problem(file, None, lang, "unsafe_name"))
        # realpath, not Path.resolve, which raises on a symlink that leads to itself.
        elif not Path(os.path.realpath(path)).is_relative_to(inside):
            problems.append(_problem(file, path.stem, lang, "outside_corpus"))
        else:
            accepted[path.name] = path
    return accepted


def _read(path: Path) -> bytes | None:
    """The file's bytes, None if it is unreadable. Only a regular file is opened: a pipe would wait for ever."""
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def _read_annotations(file: TextFile) -> tuple[Standoff, list[FileProblem]]:
    if file.ann is None:
        return _NOTHING, []
    data = _read(file.ann)
    if data is None:
        return _NOTHING, [_problem(_ann_name(file), file.document, file.lang, "unreadable")]
    try:
        return brat.parse(decode(data)), []
    except NotUtf8:
        return _NOTHING, [_problem(_ann_name(file), file.document, file.lang, "not_utf8")]


def _ann_name(file: TextFile) -> str:
    return file.file.removesuffix(".txt") + ".ann"


def _rejected(file: TextFile, code: str) -> ReadDocument:
    return ReadDocument(None, problems=[_problem(file.file, file.document, file.lang, code)])


def _problem(file: str, document: str | None, lang: str, code: str) -> FileProblem:
    return FileProblem(printable(file), document, lang, code, RULES[code])
