"""The sample, and how much the corpus is beside it."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.planning.sample import draw, list_corpus, measured_languages, measured_pairs, take_sample
from tests.pipeline_lib.planning.conftest import Tried

SIZES = st.dictionaries(st.text(min_size=1), st.integers(0, 10_000), min_size=1, max_size=60)


def doubled(folder: Path, into: Path) -> Path:
    """The corpus with every document twice."""
    shutil.copytree(folder, into)
    for path in [*into.rglob("case-*")]:
        shutil.copy(path, path.with_name(f"again-{path.name}"))
    return into


@given(SIZES, st.integers(1, 30), st.integers(0, 9))
def test_a_draw_is_documents_once_each_the_same_for_a_seed(sizes: dict[str, int], at_most: int, seed: int) -> None:
    drawn = draw(sizes, at_most, seed)
    assert drawn == draw(sizes, at_most, seed)
    assert len(drawn) == len(set(drawn)) == min(at_most, len(sizes)) and set(drawn) <= set(sizes)


@given(SIZES, st.integers(1, 30))
def test_every_share_of_the_lengths_is_drawn_from(sizes: dict[str, int], at_most: int) -> None:
    ordered = sorted(sizes, key=lambda name: (sizes[name], name))
    places = sorted(ordered.index(name) for name in draw(sizes, at_most))
    count = len(places)
    assert all(k * len(ordered) // count <= place < (k + 1) * len(ordered) // count for k, place in enumerate(places))


def test_two_documents_of_a_draw_are_a_longer_and_a_shorter_one() -> None:
    sizes = {f"{number:03d}": number for number in range(240)}
    first, second = (sizes[name] for name in draw(sizes)[:2])
    assert first >= 120 > second


def test_twice_the_corpus_is_twice_the_documents_the_characters_and_the_tokens(small: Path, tried: Tried, tmp_path: Path) -> None:
    listed = list_corpus(doubled(small, tmp_path / "twice"), "es", ["en", "it"], CorpusConfig())
    twice = take_sample(listed, {}, None)
    for whole, once in zip(measured_languages(listed, twice), measured_languages(tried.listed, tried.sample), strict=True):
        assert (whole.documents, whole.characters, whole.tokens) == (2 * once.documents, 2 * once.characters, 2 * once.tokens)
    for both, one in zip(measured_pairs(listed, twice), measured_pairs(tried.listed, tried.sample), strict=True):
        assert (both.documents, both.units) == (2 * one.documents, 2 * one.units)


def test_a_part_of_the_documents_tells_of_all_of_them(tried: Tried) -> None:
    exact = measured_languages(tried.listed, tried.sample)
    for about, true in zip(measured_languages(tried.listed, take_sample(tried.listed, {}, None, at_most=2)), exact, strict=True):
        assert about.documents == true.documents == 4
        assert about.tokens == pytest.approx(true.tokens, rel=0.1) and about.characters == pytest.approx(true.characters, rel=0.1)


def test_of_a_small_corpus_every_character_is_counted(small: Path, tried: Tried) -> None:
    counted = {found.lang: found.characters for found in measured_languages(tried.listed, tried.sample)}
    assert counted == {
        lang: sum(len(path.read_bytes().decode("utf-8")) for path in (small / lang).glob("*.txt")) for lang in ("es", "en", "it")
    }


def test_a_target_s_annotations_are_not_opened(tried: Tried) -> None:
    assert all(found.read.mentions for found in tried.sample.texts["es"].values())
    assert not any(found.read.mentions for lang in ("en", "it") for found in tried.sample.texts[lang].values())


def test_a_text_that_cannot_be_read_is_left_out(small: Path, tmp_path: Path) -> None:
    corpus = Path(shutil.copytree(small, tmp_path / "corpus"))
    (corpus / "en" / "case-01.txt").write_bytes(b"\xff\xfe\xff")
    sample = take_sample(list_corpus(corpus, "es", ["en"], CorpusConfig()), {}, None)
    assert "case-01" in sample.drawn["en"] and "case-01" not in sample.texts["en"] and len(sample.pairs("es", "en")) == 3


def test_languages_without_a_document_in_common_are_refused(tmp_path: Path) -> None:
    for lang, name in (("es", "a"), ("en", "b")):
        (tmp_path / lang).mkdir()
        (tmp_path / lang / f"{name}.txt").write_text("tos", encoding="utf-8")
    with pytest.raises(CorpusError, match="no document has a text in both es and en"):
        list_corpus(tmp_path, "es", ["en"], CorpusConfig())


def test_a_corpus_of_empty_texts_is_refused(tmp_path: Path) -> None:
    for lang in ("es", "en"):
        (tmp_path / lang).mkdir()
        (tmp_path / lang / "a.txt").write_text(" ", encoding="utf-8")
    with pytest.raises(CorpusError, match="of 1 documents in es and en none can be read"):
        take_sample(list_corpus(tmp_path, "es", ["en"], CorpusConfig()), {}, None)
