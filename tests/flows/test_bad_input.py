"""Bad input ends as a reject row or one clear line, and the other documents are projected all the same."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli import app
from pipeline_lib.corpus.samples import documents, write_sample
from tests.flows.tiny import run, small_corpus

SENTENCE = "El paciente presenta fiebre alta y tos seca. Se realiza radiografía de tórax sin hallazgos. "
MORE = "Niega otros antecedentes familiares o personales. Se decide alta con control ambulatorio en dos semanas. "
TRANSLATED = "The patient has high fever and dry cough. Chest X-ray is performed without findings. "


def write(corpus: Path, name: str, es: str | bytes, en: str | bytes | None, ann: str | bytes = "T1\tSYMPTOM 21 27\tfiebre\n") -> None:
    for lang, ending, content in (("es", "txt", es), ("es", "ann", ann), ("en", "txt", en)):
        if content is not None:
            (corpus / lang / f"{name}.{ending}").write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Projections and rejects of a run over six good documents and one of every bad kind."""
    root = tmp_path_factory.mktemp("bad")
    corpus = small_corpus(root / "corpus")
    write(corpus, "not-utf8", b"Fiebre \xff alta", "High fever", "T1\tSYMPTOM 0 6\tFiebre\n")
    write(corpus, "target-not-utf8", SENTENCE, b"High \xfe fever")
    write(corpus, "ann-not-utf8", SENTENCE, TRANSLATED, b"T1\tSYMPTOM 21 27\tfi\xe9bre\n")
    write(corpus, "bad-line", SENTENCE, TRANSLATED, "T1 SYMPTOM 21 27 fiebre\nT2\tSYMPTOM 35 43\ttos seca\n")
    write(corpus, "mismatch", SENTENCE, TRANSLATED, "T1\tSYMPTOM 22 28\tfiebre\nT2\tSYMPTOM 35 43\ttos seca\nT3\tSYMPTOM 9000 9009\ttos\n")
    write(corpus, "empty", " \n", TRANSLATED, "")
    write(corpus, "one-token", "Fiebre", "Fever", "T1\tSYMPTOM 0 6\tFiebre\n")
    write(corpus, "one-token-source", "Fiebre", TRANSLATED * 40, "T1\tSYMPTOM 0 6\tFiebre\n")
    write(corpus, "long", SENTENCE * 220, TRANSLATED * 220)
    write(corpus, "half", SENTENCE + MORE, TRANSLATED)
    write(corpus, "twice", SENTENCE, TRANSLATED + MORE)
    write(corpus, "no-target", SENTENCE, None)
    (corpus / "en" / "no-source.txt").write_text(TRANSLATED, encoding="utf-8")
    (corpus / "es" / "unreadable.txt").mkdir()
    (corpus / "en" / "unreadable.txt").write_text(TRANSLATED, encoding="utf-8")
    run(corpus, root)
    return pl.read_parquet(root / "out" / "projections.parquet"), pl.read_parquet(root / "out" / "rejects.parquet")


@pytest.mark.parametrize(
    ("document", "lang", "line", "code"),
    [
        ("not-utf8", "es", None, "not_utf8"),
        ("target-not-utf8", "en", None, "not_utf8"),
        ("ann-not-utf8", "es", None, "not_utf8"),
        ("bad-line", "es", 1, "bad_line"),
        ("mismatch", "es", 1, "surface_mismatch"),
        ("mismatch", "es", 3, "span_out_of_text"),
        ("empty", "es", None, "empty_document"),
        ("no-target", "en", None, "no_counterpart"),
        ("no-source", "en", None, "no_counterpart"),
        ("unreadable", "es", None, "unreadable"),
    ],
)
def test_it_ends_as_a_reject_row(outcome: tuple[pl.DataFrame, pl.DataFrame], document: str, lang: str, line: int | None, code: str) -> None:
    rejects = outcome[1].filter((pl.col("document") == document) & (pl.col("lang") == lang) & pl.col("line").eq_missing(pl.lit(line)))
    assert rejects["code"].to_list() == [code]
    assert all(rejects["file"].str.contains(document)) and all(rejects["rule"].str.len_chars() > 10)


def test_nothing_else_is_rejected(outcome: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    assert outcome[1].height == 10


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("one-token", ["Fever"]),
        ("long", ["fever"]),
        ("half", ["fever"]),
        ("twice", ["fever"]),
        ("bad-line", ["cough"]),
        ("mismatch", ["cough"]),
    ],
)
def test_what_is_left_of_it_is_projected(outcome: tuple[pl.DataFrame, pl.DataFrame], document: str, expected: list[str]) -> None:
    surfaces = outcome[0].filter(pl.col("document") == document)["surface"].to_list()
    assert len(surfaces) == len(expected)
    assert all(word in surface for word, surface in zip(expected, surfaces, strict=True))


def test_a_mention_without_a_target_text_abstains_with_that_reason(outcome: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    rows = outcome[0].filter(pl.col("document").is_in(["no-target", "target-not-utf8"]))
    assert rows["reason"].to_list() == ["no_target_document"] * 2


def test_one_token_against_a_long_text_ends_in_a_row(outcome: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    assert outcome[0].filter(pl.col("document") == "one-token-source").height == 1


def test_the_good_documents_are_projected(outcome: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    good = outcome[0].filter(pl.col("document").is_in(documents()[:6]))
    assert good["reason"].null_count() > 0.9 * good.height


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert "Traceback" not in result.output
    return result.exit_code, " ".join(result.output.split())


def run_arguments(corpus: Path, root: Path, profile: str = "embedded", targets: str = "en") -> list[str]:
    return [
        "run",
        profile,
        "--corpus",
        str(corpus),
        "--targets",
        targets,
        "--store",
        str(root / "store"),
        "--out",
        str(root / "out"),
        "--quiet",
    ]


def test_an_unknown_profile_is_named_with_the_known_ones(tmp_path: Path) -> None:
    code, said = call(*run_arguments(small_corpus(tmp_path / "corpus"), tmp_path, profile="emedded"))
    assert code == 2 and "no profile 'emedded'" in said and "embedded" in said


def test_an_unknown_setting_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    code, said = call(*run_arguments(small_corpus(tmp_path / "corpus"), tmp_path), "--set", "sharpen.rge=0.1")
    assert code == 2 and "unknown setting sharpen.rge; the nearest known one is sharpen.reg" in said


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    code, said = call(*run_arguments(tmp_path / "nowhere", tmp_path))
    assert code == 4 and "no such folder" in said and "nowhere" in said


def test_a_language_without_documents_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    code, said = call(*run_arguments(small_corpus(tmp_path / "corpus"), tmp_path, targets="en,it"))
    assert code == 4 and "no documents in language it" in said and "en, es" in said


def test_no_document_in_common_is_said(tmp_path: Path, prefect_server: None) -> None:
    write_sample(tmp_path / "corpus", languages=("es",), documents=documents()[:2])
    write_sample(tmp_path / "corpus", languages=("en",), documents=documents()[2:4])
    code, said = call(*run_arguments(tmp_path / "corpus", tmp_path))
    assert code == 4 and "no document has a text in both es and en" in said


def test_an_output_folder_that_is_not_ours_is_left_alone(tmp_path: Path, prefect_server: None) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("mine", encoding="utf-8")
    code, said = call(*run_arguments(small_corpus(tmp_path / "corpus"), tmp_path))
    assert code == 5 and "choose another --out" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.doc"]


def test_an_unknown_model_is_said(tmp_path: Path, prefect_server: None) -> None:
    code, said = call(*run_arguments(small_corpus(tmp_path / "corpus"), tmp_path), "--model", "run-nothing")
    assert code == 5 and "no run run-nothing" in said
