import json
import random
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import pytest

from pipeline_lib.submission.findings import RULES
from pipeline_lib.submission.finished import SubmissionError
from pipeline_lib.submission.texts import texts_of_corpus, texts_of_run
from pipeline_lib.submission.validate import validate
from tests.pipeline_lib.corpus.trees import corpus
from tests.pipeline_lib.submission.runs import multiclin_docs, plain, write_run

HEADER = b"filename\tlabel\tstart_span\tend_span\ttext\n"
GOOD = HEADER + b"a\tX\t0\t2\tNo\n"
CONFIG = json.dumps({"languages": ["en", "cz"], "entities": ["disease"]}).encode()

Files = dict[str, bytes]


def zip_of(path: Path, files: Files) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A corpus of one document in three languages."""
    return corpus(tmp_path / "corpus", {f"{lang}/a.txt": b"No fever" for lang in ("es", "en", "cz")})


def found(path: Path, root: Path) -> list[tuple[str, str]]:
    return [(finding.code, finding.file) for finding in validate(path, texts_of_corpus(root)).findings]


def test_a_good_submission_is_valid(tmp_path: Path, root: Path) -> None:
    files = {"config.json": CONFIG, "README.md": b"", "EN/disease/run.tsv": GOOD, "CZ/disease/other.tsv": HEADER}
    report = validate(zip_of(tmp_path / "z.zip", files), texts_of_corpus(root))
    assert (report.valid, report.findings, report.not_checked) == (True, [], [])
    assert report.tables == {"CZ/disease/other.tsv": 0, "EN/disease/run.tsv": 1}


BROKEN: list[tuple[str, str, Callable[[Files], Files]]] = [
    ("missing_file", "CZ/disease/run.tsv", lambda files: {k: v for k, v in files.items() if not k.startswith("CZ")}),
    ("second_table", "EN/disease/run2.tsv", lambda files: files | {"EN/disease/run2.tsv": HEADER}),
    ("unexpected_file", "notes.txt", lambda files: files | {"notes.txt": b""}),
    ("unexpected_file", "EN/run.tsv", lambda files: files | {"EN/run.tsv": GOOD}),
    ("unexpected_file", "EN/drug/run.tsv", lambda files: files | {"EN/drug/run.tsv": b"no table"}),
    ("unexpected_file", "en/disease/run.tsv", lambda files: files | {"en/disease/run.tsv": GOOD}),
    ("unexpected_file", "IT/disease/run.tsv", lambda files: files | {"IT/disease/run.tsv": GOOD}),
    ("unsafe_name", "../EN/disease/run.tsv", lambda files: files | {"../EN/disease/run.tsv": GOOD}),
    ("unreadable", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": HEADER + b"\xff\n"}),
    ("unreadable", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": b""}),
    ("unreadable", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": GOOD + b'a\tX\t0\t2\t"' + b"x" * 200_000}),
    ("missing_column", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": GOOD.replace(b"label", b"kind")}),
    ("not_an_integer", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": GOOD.replace(b"\t2\t", b"\ttwo\t")}),
    ("end_not_after_start", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": GOOD.replace(b"\t2\t", b"\t0\t")}),
    ("duplicate_row", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": GOOD + b"a\tX\t0\t2\tNo\n"}),
    ("unknown_document", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": GOOD.replace(b"\na\t", b"\nb\t")}),
    ("offset_outside_text", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": GOOD.replace(b"\t2\t", b"\t9\t")}),
    ("text_differs", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": GOOD.replace(b"No", b"no")}),
    ("reads_as_missing", "EN/disease/run.tsv", lambda files: files | {"EN/disease/run.tsv": GOOD.replace(b"X", b"nan")}),
]


@pytest.mark.parametrize(("code", "file", "break_it"), BROKEN)
def test_each_rule_is_told_alone(code: str, file: str, break_it: Callable[[Files], Files], tmp_path: Path, root: Path) -> None:
    files = {"config.json": CONFIG, "EN/disease/run.tsv": GOOD, "CZ/disease/run.tsv": GOOD}
    report = validate(zip_of(tmp_path / "z.zip", break_it(files)), texts_of_corpus(root))
    assert [(finding.code, finding.file, finding.rule.startswith(RULES[code])) for finding in report.findings] == [(code, file, True)]
    assert not report.valid
    assert report.counts() == [("error", code, RULES[code], 1)]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 but no more", b"filename\tlabel\n"])
def test_a_file_that_is_no_zip_is_a_finding(content: bytes, tmp_path: Path, root: Path) -> None:
    (tmp_path / "z.zip").write_bytes(content)
    assert found(tmp_path / "z.zip", root) == [("not_a_zip", "z.zip")]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="no such file"):
        validate(tmp_path / "z.zip")
    with pytest.raises(SubmissionError, match="is a folder and no ZIP"):
        validate(tmp_path)


def test_every_table_of_a_place_but_the_first_is_told_and_read_all_the_same(tmp_path: Path, root: Path) -> None:
    files = {"EN/disease/b.tsv": GOOD, "EN/disease/a.tsv": GOOD, "EN/disease/c.tsv": GOOD.replace(b"No", b"no"), "CZ/disease/a.tsv": GOOD}
    report = validate(zip_of(tmp_path / "z.zip", files), texts_of_corpus(root))
    assert [(finding.code, finding.file) for finding in report.findings] == [
        ("second_table", "EN/disease/b.tsv"), ("second_table", "EN/disease/c.tsv"), ("text_differs", "EN/disease/c.tsv"),
    ]  # fmt: skip
    assert len(report.tables) == 4


def test_a_damaged_or_encrypted_table_is_unreadable(tmp_path: Path, root: Path) -> None:
    path = zip_of(tmp_path / "z.zip", {"EN/disease/run.tsv": GOOD})
    whole = path.read_bytes()
    start = whole.index(b"run.tsv") + len(b"run.tsv")
    path.write_bytes(whole[:start] + bytes(byte ^ 0xFF for byte in whole[start : start + 8]) + whole[start + 8 :])
    assert found(path, root) == [("unreadable", "EN/disease/run.tsv")]
    directory = whole.index(b"PK\x01\x02")
    path.write_bytes(whole[:6] + b"\x01" + whole[7 : directory + 8] + b"\x01" + whole[directory + 9 :])
    assert found(path, root) == [("unreadable", "EN/disease/run.tsv")]


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """``whole`` with a few bytes flipped or deleted, or cut off; half of it in the directory, where the names and offsets are."""
    start = chance.choice([0, whole.index(b"PK\x01\x02")])
    kind = chance.choice(["flip", "flip", "delete", "cut"])
    data = bytearray(whole)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(min(start, len(data)), len(data) + 1)
        if kind == "flip":
            data[place : place + 1] = bytes(chance.choice([0, 1, 255, chance.randrange(256)]) for _ in data[place : place + 1])
        else:
            del data[place : place + (chance.randint(1, 20) if kind == "delete" else len(data))]
    return bytes(data)


@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
def test_a_damaged_zip_is_reported_and_never_a_traceback(method: int, tmp_path: Path, root: Path) -> None:
    files = {"config.json": CONFIG, "EN/disease/run.tsv": GOOD, "CZ/disease/run.tsv": GOOD, "README.md": b"as it is"}
    path, texts, chance = tmp_path / "z.zip", texts_of_corpus(root), random.Random(method)
    with ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    whole = path.read_bytes()
    told = set()
    for _ in range(200):
        path.write_bytes(damaged(whole, chance))
        told |= {finding.code for finding in validate(path, texts).findings}
    assert told >= {"not_a_zip", "unreadable", "unexpected_file", "missing_file"}


BEYOND = b"\x01\0\x08\0" + b"\xff" * 8
"""Extra field of a member: it starts 2 ** 64 - 1 bytes into the file."""


@pytest.mark.parametrize(
    ("entry", "field", "value", "expected"),
    [
        (b"PK\x01\x02", 28, b"\0\0\0\0\x1e\0", [("unsafe_name", ""), ("missing_file", "{LANG}/{entity}/run.tsv")]),
        (b"PK\x01\x02", 42, b"\xff\xff\xff\xff", [("unreadable", "EN/disease/run.tsv")]),
        (b"PK\x01\x02", 10, b"\x63\0", [("unreadable", "EN/disease/run.tsv")]),
        (b"PK\x05\x06", 16, b"\xff\xff", [("unreadable", "EN/disease/run.tsv")]),
        (b"PK\x05\x06", 12, b"\xff\xff", [("not_a_zip", "z.zip")]),
    ],
    ids=["no name", "starts beyond the end", "unknown compression", "starts before the file", "directory before the file"],
)
def test_a_directory_that_lies_is_told(
    entry: bytes, field: int, value: bytes, expected: list[tuple[str, str]], tmp_path: Path, root: Path
) -> None:
    info = ZipInfo("EN/disease/run.tsv")
    info.extra = BEYOND
    with ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(info, GOOD)
    whole = (tmp_path / "z.zip").read_bytes()
    start = whole.index(entry) + field
    (tmp_path / "z.zip").write_bytes(whole[:start] + value + whole[start + len(value) :])
    assert found(tmp_path / "z.zip", root) == expected


@pytest.mark.parametrize("config", [b"no json", b"[]", b"\xff", b"[" * 100_000])
def test_a_config_that_cannot_be_read_is_told(config: bytes, tmp_path: Path, root: Path) -> None:
    files = {"config.json": config, "EN/disease/run.tsv": GOOD}
    assert found(zip_of(tmp_path / "z.zip", files), root) == [("unreadable", "config.json")]


@pytest.mark.parametrize("config", [{}, {"languages": "en", "entities": ["x"]}, {"languages": [1], "entities": ["x"]}])
def test_a_config_of_others_promises_nothing(config: dict[str, object], tmp_path: Path, root: Path) -> None:
    files = {"config.json": json.dumps(config).encode(), "EN/disease/run.tsv": GOOD}
    assert found(zip_of(tmp_path / "z.zip", files), root) == []


def test_an_empty_zip_lacks_its_tables(tmp_path: Path, root: Path) -> None:
    path = zip_of(tmp_path / "z.zip", {"README.md": b""})
    assert found(path, root) == [("missing_file", "{LANG}/{entity}/run.tsv")]
    assert [finding.code for finding in validate(path).findings] == ["missing_file"]


def test_without_texts_what_was_not_checked_is_said(tmp_path: Path) -> None:
    files = {"EN/disease/run.tsv": HEADER + b"nobody\tX\t0\t9\twrong\n"}
    report = validate(zip_of(tmp_path / "a.zip", files))
    assert (report.valid, report.not_checked) == (True, ["documents, offsets and texts", "whether a language or entity is missing"])
    report = validate(zip_of(tmp_path / "b.zip", files | {"config.json": CONFIG}))
    assert (report.valid, report.not_checked) == (False, ["documents, offsets and texts"])
    assert [finding.code for finding in report.findings] == ["missing_file"]


def test_the_layout_of_the_run_says_which_tables_there_should_be(tmp_path: Path) -> None:
    docs = [doc for doc in multiclin_docs() if doc.lang in ("en", "cz")]
    texts = texts_of_run(write_run(tmp_path / "run", docs))
    findings = validate(zip_of(tmp_path / "z.zip", {"EN/disease/run.tsv": HEADER, "EN/drug/run.tsv": HEADER}), texts).findings
    assert sorted((finding.code, finding.file) for finding in findings) == [
        *(("missing_file", f"{lang}/{entity}/run.tsv") for lang, entity in [("CZ", "disease"), ("CZ", "procedure"), ("CZ", "symptom")]),
        ("missing_file", "EN/procedure/run.tsv"), ("missing_file", "EN/symptom/run.tsv"), ("unexpected_file", "EN/drug/run.tsv"),
    ]  # fmt: skip


def test_a_document_of_another_entity_is_unknown(tmp_path: Path) -> None:
    texts = texts_of_run(write_run(tmp_path / "run", [doc for doc in multiclin_docs() if doc.lang == "en"]))
    row = b"MultiClinNER-en-test-symptom-9000\tSYMPTOM\t0\t2\ten\n"
    files = {f"EN/{entity}/run.tsv": HEADER + row for entity in ("disease", "procedure", "symptom")}
    report = validate(zip_of(tmp_path / "z.zip", files), texts)
    assert [(finding.code, finding.file) for finding in report.findings] == [
        ("unknown_document", "EN/disease/run.tsv"), ("unknown_document", "EN/procedure/run.tsv"),
    ]  # fmt: skip


def test_a_run_that_was_changed_since_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [plain("en", "a", "|No| fever")])
    (run / "en" / "a.txt").write_text("NO fever", encoding="utf-8")
    with pytest.raises(SubmissionError, match="not as the run wrote it"):
        validate(zip_of(tmp_path / "z.zip", {"EN/disease/run.tsv": GOOD}), texts_of_run(run))


def test_warnings_leave_a_submission_valid(tmp_path: Path, root: Path) -> None:
    corpus(root, {"en/7.txt": b"null"})
    report = validate(zip_of(tmp_path / "z.zip", {"EN/disease/run.tsv": HEADER + b"7\tX\t0\t4\tnull\n"}), texts_of_corpus(root))
    assert report.valid
    assert {(finding.code, finding.level) for finding in report.findings} == {
        ("reads_as_missing", "warning"),
        ("reads_as_number", "warning"),
    }


def test_a_bom_before_the_header_is_read_over_as_pandas_does(tmp_path: Path, root: Path) -> None:
    assert found(zip_of(tmp_path / "z.zip", {"EN/disease/run.tsv": b"\xef\xbb\xbf" + GOOD}), root) == []
