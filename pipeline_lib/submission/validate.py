"""Validation: a submission's ZIP looked through as its official reader would, every broken rule a row."""

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeGuard
from zipfile import ZipFile, ZipInfo

from pipeline_lib.corpus.files import printable
from pipeline_lib.submission.archive import DAMAGED, readable_members
from pipeline_lib.submission.findings import RULES, Finding
from pipeline_lib.submission.finished import SubmissionError
from pipeline_lib.submission.folder import CONFIG
from pipeline_lib.submission.table import Table
from pipeline_lib.submission.texts import Texts

_MOST_BYTES_CONFIG = 2**24

Place = tuple[str, str]
"""Folder of the language and folder of the entity: ``("EN", "disease")``."""


@dataclass(frozen=True)
class Report:
    """What validation found: rows by table, findings, and what was not looked at for want of texts or ``config.json``."""

    tables: dict[str, int]
    findings: list[Finding]
    not_checked: list[str]

    @property
    def valid(self) -> bool:
        """Whether there is no error; warnings may be."""
        return all(finding.level == "warning" for finding in self.findings)

    def counts(self) -> list[tuple[str, str, str, int]]:
        """(level, code, rule, findings), the most frequent first."""
        counted = Counter((finding.level, finding.code) for finding in self.findings)
        return [(level, code, RULES[code], number) for (level, code), number in counted.most_common()]


def validate(path: Path, texts: Texts | None = None) -> Report:
    """Look through the ZIP ``path``; without ``texts`` what needs them is left out and said to be.

    Raises:
        SubmissionError: the file cannot be opened at all, or the run that ``texts`` come from has changed.
    """
    if path.is_dir():
        raise SubmissionError(f"{path} is a folder and no ZIP: give the file itself")
    if not path.is_file():
        raise SubmissionError(f"no such file: {path}")
    try:
        file = path.open("rb")
    except OSError as error:
        raise SubmissionError(f"{path}: {error.strerror}") from error
    with file:
        try:
            archive = ZipFile(file)
        except DAMAGED:
            return Report({}, [Finding(printable(path.name), "not_a_zip")], [])
        with archive:
            return _look_through(archive, texts)


def _look_through(archive: ZipFile, texts: Texts | None) -> Report:
    members, findings = readable_members(archive)
    named, config_findings = _named_by_config(archive, members)
    places = {info.filename: place for info in members if (place := _place(info.filename))}
    expected = _expected(named, texts, set(places.values()))
    findings += config_findings
    findings += [Finding(info.filename, "unexpected_file") for info in members if not _is_expected(info.filename, places, expected)]
    missing = sorted((expected or set()) - set(places.values()))
    if not places and not missing:
        missing = [("{LANG}", "{entity}")]
    findings += [Finding(printable(f"{lang}/{entity}/run.tsv"), "missing_file") for lang, entity in missing]
    findings += [Finding(name, "second_table") for name in _second_tables(places)]
    tables: dict[str, int] = {}
    for info in members:
        place = places.get(info.filename)
        if place is not None and (expected is None or place in expected):
            found, tables[info.filename] = _read_table(archive, info, place, texts)
            findings += found
    return Report(tables, findings, _not_checked(named, texts))


def _second_tables(places: dict[str, Place]) -> list[str]:
    """The tables of each place but its first: a reader takes one, or all, and which it is nobody can tell."""
    first = {place: name for name, place in reversed(places.items())}
    return [name for name, place in places.items() if first[place] != name]


def _place(name: str) -> Place | None:
    """The folders of a table, None for other files."""
    parts = PurePosixPath(name).parts
    is_table = len(parts) == 3 and parts[0] == parts[0].upper() and name.endswith(".tsv")
    return (parts[0], parts[1]) if is_table else None


def _named_by_config(archive: ZipFile, members: list[ZipInfo]) -> tuple[set[Place] | None, list[Finding]]:
    """The tables that ``config.json`` says there are; None if there is no such file, or it does not say."""
    info = next((info for info in members if info.filename == CONFIG), None)
    if info is None:
        return None, []
    try:
        config = json.loads(archive.read(info)) if info.file_size <= _MOST_BYTES_CONFIG else None
    except DAMAGED:
        config = None
    if not isinstance(config, dict):
        return None, [Finding(CONFIG, "unreadable")]
    languages, entities = config.get("languages"), config.get("entities")
    if not _are_names(languages) or not _are_names(entities):
        return None, []
    return {(lang.upper(), entity) for lang in languages for entity in entities}, []


def _are_names(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and value != [] and all(isinstance(item, str) for item in value)


def _expected(named: set[Place] | None, texts: Texts | None, found: set[Place]) -> set[Place] | None:
    """The tables that there should be, by ``config.json`` and by the layout of the texts; None if neither says."""
    if texts is None:
        return named
    codes = {lang.upper(): lang for lang in texts.languages}
    folders = {folder for folder, _ in (named or found)} | (set(codes) if texts.complete else set())
    laid_out = {(folder, entity) for folder in sorted(folders & set(codes)) for entity in _entities(texts, codes[folder])}
    if named is None and not laid_out:
        return {place for place in found if place[0] in codes}
    return (named or set()) | laid_out


def _entities(texts: Texts, lang: str) -> set[str]:
    return {document.entity for document in texts.of(lang).values() if document.entity is not None}


def _is_expected(name: str, places: dict[str, Place], expected: set[Place] | None) -> bool:
    if name in places:
        return expected is None or places[name] in expected
    return name == CONFIG or (name.upper().startswith("README") and "/" not in name)


def _read_table(archive: ZipFile, info: ZipInfo, place: Place, texts: Texts | None) -> tuple[list[Finding], int]:
    """Findings and rows of one table."""
    folder, entity = place
    lang = next((lang for lang in texts.languages if lang.upper() == folder), None) if texts is not None else None
    documents = texts.of(lang) if texts is not None and lang is not None else None
    table = Table(info.filename, entity, documents)
    findings: list[Finding] = []
    try:
        with io.TextIOWrapper(archive.open(info), encoding="utf-8-sig", newline="") as lines:
            findings.extend(table.check(lines))
    except SubmissionError:
        raise  # of the texts, not of the ZIP
    except (*DAMAGED, csv.Error):
        findings.append(Finding(info.filename, "unreadable"))
    return findings, table.rows


def _not_checked(named: set[Place] | None, texts: Texts | None) -> list[str]:
    parts = []
    if texts is None:
        parts.append("documents, offsets and texts")
        if named is None:
            parts.append("whether a language or entity is missing")
    return parts
