import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest

from data_contracts.corpus import ANNOTATION_LINES, MENTIONS
from pipeline_lib.corpus import brat, samples
from pipeline_lib.corpus.documents import read_document
from pipeline_lib.corpus.layouts import discover
from pipeline_lib.corpus.marks import LABELS, MarkedMention, parse_marks
from pipeline_lib.corpus.samples import LANGUAGES, documents, part, write_sample
from pipeline_lib.corpus.standoff_rows import from_rows
from pipeline_lib.corpus.text import slices

TARGETS = [lang for lang in LANGUAGES if lang != "es"]
FILES = [pytest.param(lang, document, id=f"{lang}-{document}") for lang in LANGUAGES for document in documents()]
MARK = re.compile(r"</?[dsp][0-9]+>")
DOSE = re.compile(r"[0-9] ?(?:mg|g)\b")
DECIMAL = re.compile(r"[0-9]+([.,])[0-9]{1,2}(?![0-9])")  # three digits after the sign are thousands
OPENING_QUOTES = '«“”„\u2018"'  # Swedish opens with ”; U+2018 is Dutch


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@cache
def read(lang: str, document: str) -> tuple[str, dict[str, MarkedMention]]:
    text, mentions = parse_marks(samples.marked(document, lang))
    return text, {mention.name: mention for mention in mentions}


def text_of(lang: str, document: str) -> str:
    return read(lang, document)[0]


def mentions_of(lang: str, document: str) -> list[MarkedMention]:
    return list(read(lang, document)[1].values())


def names(lang: str, document: str) -> set[str]:
    return set(read(lang, document)[1])


def surfaces(lang: str, document: str) -> dict[str, str]:
    text, mentions = read(lang, document)
    return {name: slices(text, mention.starts, mention.ends) for name, mention in mentions.items()}


def somewhere(holds: Callable[[str, str], bool], lang: str) -> bool:
    return any(holds(lang, document) for document in documents())


def in_every_language(holds: Callable[[str, str], bool]) -> bool:
    return all(somewhere(holds, lang) for lang in LANGUAGES)


def in_spanish_and_three_translations(holds: Callable[[str, str], bool]) -> bool:
    return any(holds("es", document) and sum(holds(lang, document) for lang in TARGETS) >= 3 for document in documents())


def in_one_document(holds: Callable[[str, str], bool], languages: int) -> bool:
    return any(sum(holds(lang, document) for lang in TARGETS) >= languages for document in documents())


def is_reordered(lang: str, document: str) -> bool:
    here, spanish = ([mention.name for mention in mentions_of(code, document)] for code in (lang, "es"))
    return here != [name for name in spanish if name in here]


def drops_a_mention(lang: str, document: str) -> bool:
    return names(lang, document) < names("es", document)


def repeats_a_surface(lang: str, document: str) -> bool:
    return max(Counter(surfaces(lang, document).values()).values()) > 1


def holds_a_nested_mention(lang: str, document: str) -> bool:
    single = [(mention.starts[0], mention.ends[0]) for mention in mentions_of(lang, document) if len(mention.starts) == 1]
    return any(outer != inner and outer[0] <= inner[0] and inner[1] <= outer[1] for outer in single for inner in single)


def holds_a_discontinuous_mention(lang: str, document: str) -> bool:
    return any(len(mention.starts) > 1 for mention in mentions_of(lang, document))


def holds_an_abbreviation(lang: str, document: str) -> bool:
    return any(re.search(r"\b[A-Z]{2,}\b", surface) for surface in surfaces(lang, document).values())


def holds_a_dose(lang: str, document: str) -> bool:
    return DOSE.search(text_of(lang, document)) is not None


def starts_a_mention_in_quotes(lang: str, document: str) -> bool:
    text = text_of(lang, document)
    return any(text[mention.starts[0] - 1] in OPENING_QUOTES for mention in mentions_of(lang, document) if mention.starts[0])


def holds_a_mention_in_parentheses(lang: str, document: str) -> bool:
    return any(f"({surface})" in text_of(lang, document) for surface in surfaces(lang, document).values())


def starts_with_a_mention(lang: str, document: str) -> bool:
    return any(mention.starts[0] == 0 for mention in mentions_of(lang, document))


def ends_with_a_mention(lang: str, document: str) -> bool:
    return any(mention.ends[-1] == len(text_of(lang, document)) for mention in mentions_of(lang, document))


def decimals(lang: str, document: str) -> Iterable[re.Match[str]]:
    return DECIMAL.finditer(text_of(lang, document))


@pytest.mark.parametrize(("lang", "document"), FILES)
def test_every_mention_is_the_slice_its_marks_enclose(lang: str, document: str, corpus: Path) -> None:
    marked = samples.marked(document, lang)
    text = (corpus / lang / f"{document}.txt").read_bytes().decode("utf-8")
    assert text == MARK.sub("", marked)
    expected = Counter(
        (LABELS[name[0]], " ".join(MARK.sub("", piece) for piece in re.findall(f"<{name}>(.*?)</{name}>", marked)))
        for name in set(re.findall("<([dsp][0-9]+)>", marked))
    )
    standoff = brat.check_against(brat.parse((corpus / lang / f"{document}.ann").read_bytes().decode("utf-8")), text)
    assert Counter((mention.label, mention.surface) for mention in standoff.mentions) == expected
    assert Counter((mention.label, slices(text, mention.starts, mention.ends)) for mention in standoff.mentions) == expected
    assert (standoff.others, standoff.problems) == ((), ())


@pytest.mark.parametrize(("lang", "document"), FILES)
def test_annotations_are_written_back_byte_for_byte(lang: str, document: str, corpus: Path) -> None:
    data = (corpus / lang / f"{document}.ann").read_bytes()
    standoff = brat.parse(data.decode("utf-8"))
    assert brat.write(standoff.mentions, standoff.others).encode("utf-8") == data
    assert brat.format_file(standoff.mentions).encode("utf-8") == data


@pytest.mark.parametrize("lang", LANGUAGES)
def test_annotations_survive_their_tables_byte_for_byte(lang: str, corpus: Path) -> None:
    discovery = discover(corpus, [lang])
    assert ([file.document for file in discovery.files], discovery.problems) == (documents(), [])
    found = [read_document(file, with_annotations=True) for file in discovery.files]
    assert [problem for document in found for problem in document.problems] == []
    MENTIONS.check(MENTIONS.table([row for document in found for row in document.mentions]))
    for file, document in zip(discovery.files, found, strict=True):
        mentions, lines = MENTIONS.table(document.mentions), ANNOTATION_LINES.table(document.lines)
        assert file.annotations is not None
        assert from_rows(mentions.to_pylist(), lines.to_pylist()).encode("utf-8") == (file.root / file.annotations).read_bytes()


@pytest.mark.parametrize(("lang", "document"), FILES)
def test_ids_count_up_in_order_of_first_offset_the_longest_first(lang: str, document: str, corpus: Path) -> None:
    mentions = brat.parse((corpus / lang / f"{document}.ann").read_text(encoding="utf-8")).mentions
    assert [mention.id for mention in mentions] == [f"T{number}" for number in range(1, len(mentions) + 1)]
    extents = [(mention.starts[0], -mention.ends[-1]) for mention in mentions]
    assert extents == sorted(extents)


@pytest.mark.parametrize(
    "is_present",
    [
        pytest.param(lambda: in_one_document(is_reordered, languages=3), id="three translations of a document reorder its mentions"),
        pytest.param(lambda: in_every_language(repeats_a_surface), id="a surface is a mention twice in one document"),
        pytest.param(lambda: in_one_document(drops_a_mention, languages=2), id="two translations of a document leave a mention out"),
        pytest.param(lambda: in_every_language(holds_a_nested_mention), id="a mention lies inside another"),
        pytest.param(lambda: in_every_language(holds_a_discontinuous_mention), id="a mention is discontinuous"),
        pytest.param(lambda: in_every_language(holds_an_abbreviation), id="a mention is an abbreviation in capitals"),
        pytest.param(lambda: in_every_language(holds_a_dose), id="a drug has a dose"),
        pytest.param(lambda: in_every_language(starts_a_mention_in_quotes), id="a mention starts inside quotes"),
        pytest.param(lambda: in_every_language(holds_a_mention_in_parentheses), id="a mention stands in parentheses"),
        pytest.param(lambda: in_spanish_and_three_translations(starts_with_a_mention), id="a text starts with a mention"),
        pytest.param(lambda: in_spanish_and_three_translations(ends_with_a_mention), id="a text ends with a mention, no full stop"),
    ],
)
def test_the_sample_shows_what_projection_must_survive(is_present: Callable[[], bool]) -> None:
    assert is_present()


@pytest.mark.parametrize(("lang", "document"), FILES)
def test_decimals_have_the_sign_of_the_language_and_the_value_of_the_source(lang: str, document: str) -> None:
    here, spanish = list(decimals(lang, document)), list(decimals("es", document))
    assert {found[1] for found in here} == {"." if lang == "en" else ","}
    assert sorted(found[0].replace(",", ".") for found in here) == sorted(found[0].replace(",", ".") for found in spanish)


def test_an_abbreviation_is_translated_into_the_local_one() -> None:
    assert [surfaces(lang, "case-02")["d2"] for lang in LANGUAGES] == ["EPOC", "COPD", "BPCO", "COPD", "KOL", "BPOC", "CHOPN"]


@pytest.mark.parametrize(("lang", "document"), FILES)
def test_the_mentions_of_a_translation_are_those_of_the_source_save_one_at_most(lang: str, document: str) -> None:
    assert names(lang, document) <= names("es", document)
    assert len(names("es", document) - names(lang, document)) <= 1


@pytest.mark.parametrize("document", documents())
def test_a_spanish_text_has_100_to_160_words(document: str) -> None:
    assert 100 <= len(text_of("es", document).split()) <= 160


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("chosen", ["train", "test"])
def test_either_part_has_gold_of_every_label_in_every_language(lang: str, chosen: str) -> None:
    labels = {mention.label for document in documents() if part(document) == chosen for mention in mentions_of(lang, document)}
    assert labels == {"DISEASE", "SYMPTOM", "PROCEDURE"}


def test_sixteen_documents_are_for_training_and_eight_for_testing() -> None:
    assert [part(document) for document in documents()] == ["train"] * 16 + ["test"] * 8


def test_the_manifest_names_a_specialty_for_every_document_and_at_least_fifteen_in_all(corpus: Path) -> None:
    header, *rows = (line.split("\t") for line in (corpus / "manifest.tsv").read_bytes().decode("utf-8").splitlines())
    assert header == ["document", "part", "specialty"]
    assert [(document, chosen) for document, chosen, _ in rows] == [(document, part(document)) for document in documents()]
    assert len({specialty for _, _, specialty in rows if specialty}) >= 15


def test_the_same_bytes_are_written_again_over_the_first(corpus: Path, tmp_path: Path) -> None:
    def contents(folder: Path) -> dict[str, bytes]:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    for _ in range(2):
        write_sample(tmp_path)
        assert contents(tmp_path) == contents(corpus)
    assert len(contents(corpus)) == 2 * len(FILES) + 1


def test_a_choice_of_languages_and_documents_is_all_that_is_written(tmp_path: Path) -> None:
    write_sample(tmp_path / "new", languages=["es", "cz"], documents=["case-17"])
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert written == ["new/cz/case-17.ann", "new/cz/case-17.txt", "new/es/case-17.ann", "new/es/case-17.txt", "new/manifest.tsv"]


@pytest.mark.parametrize(("languages", "chosen"), [(["es", "fr"], ["case-01"]), (["es"], ["case-01", "../case-01"])])
def test_an_unknown_language_or_document_is_refused_before_anything_is_written(
    languages: list[str], chosen: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="in the sample"):
        write_sample(tmp_path, languages, chosen)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_document_is_in_no_part() -> None:
    with pytest.raises(ValueError, match="no document 'case-99' in the sample"):
        part("case-99")
