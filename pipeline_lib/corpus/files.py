"""What a layout finds: the texts of a corpus, and the files that cannot be one; and which names may become paths and keys."""

import os
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

RULES = {
    "unsafe_name": "a document's name is at most 200 bytes of UTF-8, starts with no dot or hyphen, "
    "and holds no '..', control character, separator or colon",
    "outside_corpus": "a file lies within the corpus folder, symlinks followed",
    "missing_text": "annotations have their text",
    "unreadable": "a file is a regular file that can be read",
    "not_utf8": "a file is UTF-8",
    "empty_document": "a document has at least one character that is not white space",
    "name_off_pattern": "a text of a MultiClin folder is named like its folder, with a number behind",
    "ambiguous_annotations": "a folder has one TSV of annotations",
    "upper_case_suffix": "a text ends in .txt, its annotations in .ann, in lower case",
    "unknown_annotations": "annotations are an .ann or a .tsv",
    "same_document": "a document has one text in a language",
}

_LONGEST_NAME = 200
_PIECE = 1 << 18  # bytes of a file that are read at a time; a file object would cost more than a small file does
_UNSAFE_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}  # control, surrogate (an undecodable byte of a file name), line breaks


class CorpusError(ValueError):
    """The folder is not a corpus, or lacks something that was asked for."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """One text of the corpus; ``file`` and ``annotations`` are relative to ``root``, `/` separated.

    Attributes:
        document: id, the same in every language.
        annotations: its ``.ann``, or a TSV of many documents; None where there is none.
        split, entity: where the layout tells them.
        own_name: what TSV files and submissions call it in this language, where that is not its id.
    """

    root: Path
    document: str
    lang: str
    file: str
    annotations: str | None = None
    split: str | None = None
    entity: str | None = None
    own_name: str | None = None

    @property
    def path(self) -> Path:
        return self.root / self.file

    @property
    def name(self) -> str:
        """What TSV files and submissions call it."""
        return self.own_name or self.document


def text_file(root: Path, row: Mapping[str, Any]) -> TextFile:
    """The file of one row of CORPUS_FILES."""
    return TextFile(root, row["document"], row["lang"], row["file"], row["annotations"], row["split"], row["entity"], row["name"])


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A row of REJECTS but for its stage. ``file`` has what is not printable escaped; ``line`` and offsets are None if unknown."""

    file: str
    document: str | None
    lang: str | None
    code: str
    rule: str
    line: int | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class FileWarning(FileProblem):
    """A row of WARNINGS but for its stage. ``count``: times it is so, ``start`` and ``end`` being of the first."""

    count: int = 1


@dataclass
class Discovery:
    """What lies in the corpus, in the order it was found."""

    files: list[TextFile] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)

    def reject(self, code: str, file: str, lang: str | None, document: str | None = None) -> None:
        self.problems.append(file_problem(code, file, lang, document))

    def ordered(self) -> "Discovery":
        """The same by (document, language) and by file; of two texts of one document and language the first stays."""
        kept: dict[tuple[str, str], TextFile] = {}
        for file in sorted(self.files, key=lambda file: (file.document, file.lang, file.file)):
            if kept.setdefault((file.document, file.lang), file) is not file:
                self.reject("same_document", file.file, file.lang, file.document)
        return Discovery(list(kept.values()), sorted(self.problems, key=lambda problem: problem.file))


def file_problem(code: str, file: str, lang: str | None, document: str | None = None) -> FileProblem:
    return FileProblem(printable(file), document, lang, code, RULES[code])


def problem_row(stage: str, problem: FileProblem) -> dict[str, object]:
    """A row of REJECTS, or of WARNINGS."""
    return {"stage": stage, **asdict(problem)}


def is_safe(name: str) -> bool:
    """Whether a document or language of this name can become a folder, a key and a cell of a TSV anywhere."""
    return (
        name != ""
        and name[0] not in ".-"
        and ".." not in name
        and not any(separator in name for separator in "/\\:")
        and not _has(name, _UNSAFE_CATEGORIES)
        and len(name.encode("utf-8")) <= _LONGEST_NAME
    )


def is_utf8(name: str) -> bool:
    """Whether a path can be written down: a byte of a file name that is not UTF-8 is read as half a surrogate pair, which cannot."""
    return not _has(name, {"Cs"})


def is_label(name: str) -> bool:
    """Whether a mention's label can be written in BRAT and in every table: one printable word, and not `*`, which stands for all labels."""
    return name not in ("", "*") and name.isprintable() and not any(character.isspace() for character in name)


def printable(name: str) -> str:
    """``name`` with what is not printable as backslash escapes."""
    if name.isprintable():
        return name
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode("ascii") for character in name)


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, sorted. Raises ``CorpusError``."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        refuse_folder(error)
        raise


def refuse_folder(error: OSError) -> None:
    """What ``os.walk`` calls for a folder that it cannot list, and would else pass by. Raises ``CorpusError``."""
    raise CorpusError(f"cannot list folder {printable(str(error.filename))}: {error.strerror}") from error


@dataclass(frozen=True)
class Folder:
    """One folder below ``root``, listed once: a language may have tens of thousands of files.

    Attributes:
        names: what lies in it, sorted; links: which of them are symlinks.
        above: what a name starts with relative to ``root``, such as ``en/``.
    """

    root: Path
    path: Path
    names: list[str]
    links: frozenset[str]
    above: str

    @cached_property
    def is_inside(self) -> bool:
        return is_inside(self.root, self.path)

    def holds(self, name: str) -> bool:
        """Whether the file stays below ``root`` when symlinks are followed."""
        return is_inside(self.root, self.path / name) if name in self.links else self.is_inside

    def accept(self, suffix: str, lang: str | None, found: Discovery) -> dict[str, str]:
        """The files with ``suffix``, relative to ``root``, by stem; those with a bad name or target go to ``found.problems``."""
        accepted: dict[str, str] = {}
        for name in self.names:
            # Not Path.suffix, to which `.txt` is a name without one.
            if not name.lower().endswith(suffix):
                continue
            file, stem = self.above + name, name[: -len(suffix)]
            if not is_safe(stem) or not is_utf8(file):
                found.reject("unsafe_name", file, lang)
            elif not name.endswith(suffix):
                found.reject("upper_case_suffix", file, lang, stem)
            elif not self.holds(name):
                found.reject("outside_corpus", file, lang, stem)
            else:
                accepted[stem] = file
        return accepted


def list_folder(root: Path, path: Path) -> Folder:
    """A folder below ``root``. Raises ``CorpusError``."""
    try:
        with os.scandir(path) as found:
            links = {entry.name: entry.is_symlink() for entry in found}
    except OSError as error:
        refuse_folder(error)
        raise
    above = path.relative_to(root).as_posix()
    return Folder(root, path, sorted(links), frozenset(name for name in links if links[name]), "" if above == "." else f"{above}/")


def is_inside(root: Path, path: Path) -> bool:
    """Whether ``path`` stays below ``root`` when symlinks are followed; one with a null character lies nowhere."""
    # realpath, not Path.resolve, which raises on a symlink that leads to itself.
    return "\0" not in str(path) and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def is_file(path: Path) -> bool:
    """Whether there is such a regular file. Of a name that no file can have, too long say, Path.is_file raises."""
    return os.path.isfile(path)


def read_bytes(path: Path) -> bytes | None:
    """The file's bytes, None if it is unreadable. Only a regular file is opened: a pipe would wait for ever."""
    if not is_file(path):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return b"".join(iter(lambda: os.read(descriptor, _PIECE), b""))
        finally:
            os.close(descriptor)
    except OSError:
        return None


def _has(name: str, categories: Collection[str]) -> bool:
    """Whether a character is of one of these categories, none of which is printable."""
    return not name.isprintable() and any(unicodedata.category(character) in categories for character in name)
