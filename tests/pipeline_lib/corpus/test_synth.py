from collections import Counter
from statistics import mean, median

import pytest

from pipeline_lib.corpus import brat, samples
from pipeline_lib.corpus.synth import (
    LONGEST,
    MEDIAN,
    SHORTEST,
    SOURCE,
    TARGETS,
    Segment,
    compose,
    draw,
    length_at,
    sample_segments,
    segments_of,
)
from pipeline_lib.corpus.text import slices

LANGUAGES = (SOURCE, *TARGETS)
SEGMENTS = sample_segments()


def marked(document: str) -> dict[str, str]:
    return {lang: samples.marked(document, lang) for lang in LANGUAGES}


def drawn(number: int, seed: int = 1) -> list[Segment]:
    return draw(seed, number, SEGMENTS)


def length(segments: list[Segment]) -> int:
    return len(compose(segments, SOURCE).text)


@pytest.fixture(scope="module")
def lengths() -> list[int]:
    """Characters of 20,000 documents of the source, ascending."""
    return sorted(sum(len(segment.source.text) + 1 for segment in drawn(number)) - 1 for number in range(1, 20_001))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_gold_of_every_language_slices_to_its_surface(lang: str) -> None:
    for number in range(1, 41):
        made = compose(drawn(number), lang)
        mentions = brat.parse(made.annotations).mentions
        assert [mention.surface for mention in mentions] == [slices(made.text, mention.starts, mention.ends) for mention in mentions]
        assert brat.format_file(mentions) == made.annotations
        assert len(mentions) == made.mentions > 0


@pytest.mark.parametrize("document", samples.documents())
def test_the_segments_of_a_sample_document_make_it_up_again(document: str) -> None:
    segments = list(segments_of(document, marked(document)))
    for lang in LANGUAGES:
        made, (text, annotations) = compose(segments, lang), samples.standoff(samples.marked(document, lang))
        assert made.text == text
        fields = [Counter(line.split("\t", 1)[1] for line in ann.splitlines()) for ann in (made.annotations, annotations)]
        assert fields[0] == fields[1]
    assert compose(segments, SOURCE).annotations == samples.standoff(samples.marked(document, SOURCE))[1]


def test_every_line_of_the_sample_is_a_segment_and_parallel_in_all_languages() -> None:
    for lang in LANGUAGES:
        lines = [line for document in samples.documents() for line in samples.standoff(samples.marked(document, lang))[0].split("\n")]
        assert [segment.sides[lang].text for segment in SEGMENTS] == lines
    assert len(SEGMENTS) == 48


def test_a_documents_mentions_are_those_of_its_segments() -> None:
    for lang in LANGUAGES:
        segments = drawn(7)
        found = brat.parse(compose(segments, lang).annotations).mentions
        expected = [(mention.label, mention.surface) for segment in segments for mention in segment.sides[lang].mentions]
        assert [(mention.label, mention.surface) for mention in found] == expected


def test_ids_count_up_in_the_source_and_name_the_same_mention_in_its_translations() -> None:
    segments = list(
        segments_of(
            "d",
            {
                "es": "<s1>Tos</s1> y <d2>asma</d2>.\nUna <p3>TC</p3> y <d4>sepsis</d4>.",
                "en": "<d2>Asthma</d2> with <s1>cough</s1>.\nThen <d4>sepsis</d4>.",
            },
        )
    )
    assert compose(segments[::-1], "es").annotations == "T1\tPROCEDURE 4 6\tTC\nT2\tDISEASE 9 15\tsepsis\n" + (
        "T3\tSYMPTOM 17 20\tTos\nT4\tDISEASE 23 27\tasma\n"
    )
    assert compose(segments[::-1], "en").annotations == "T2\tDISEASE 5 11\tsepsis\nT3\tSYMPTOM 25 30\tcough\nT4\tDISEASE 13 19\tAsthma\n"


@pytest.mark.parametrize(
    ("marks", "texts"),
    [
        pytest.param({"es": "a\nb\nc", "en": "d\ne\nf"}, ["a", "b", "c"], id="no mention: every line"),
        pytest.param({"es": "a <s1>b\nc</s1> d\ne", "en": "<s1>f</s1>\ng\nh"}, ["a b\nc d", "e"], id="a mention of the source goes on"),
        pytest.param({"es": "<s1>a</s1>\nb\nc", "en": "d\ne\n<s1>f</s1>"}, ["a\nb\nc"], id="a translation moves a mention"),
        pytest.param({"es": "a\n<s1>b</s1>\nc", "en": "d\n<s1>e</s1>\nf <s1>g</s1>"}, ["a", "b\nc"], id="a translation breaks one in two"),
    ],
)
def test_no_mention_is_cut_by_a_border_of_segments(marks: dict[str, str], texts: list[str]) -> None:
    segments = list(segments_of("d", marks))
    assert [segment.source.text for segment in segments] == texts
    assert compose(segments, "en").text == samples.standoff(marks["en"])[0]


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ({"es": "a\nb", "en": "c"}, "d: the languages differ in their number of lines"),
        ({"es": "a\n<s1>b</s1>", "en": "c\n<s1>d</s1> <s2>e</s2>"}, "d: 1 mentions of en are none of the source"),
    ],
)
def test_lines_that_are_not_parallel_are_refused_without_their_text(marks: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        list(segments_of("d", marks))


def test_a_document_depends_on_seed_and_number_alone() -> None:
    """These segments were drawn once: another Python or another order of drawing must not draw others."""
    places = {id(segment): place for place, segment in enumerate(SEGMENTS)}
    found = [[places[id(segment)] for segment in drawn(number, seed)] for seed, number in ((1, 1), (1, 2), (2, 1))]
    assert found == [[45, 15, 27, 25, 42, 16], [16, 24], [5, 44, 22]]


def test_no_segment_is_twice_in_a_document_and_none_is_favoured() -> None:
    documents = [[id(segment) for segment in drawn(number)] for number in range(1, 4001)]
    assert all(len(set(document)) == len(document) > 0 for document in documents)
    uses = Counter(segment for document in documents for segment in document)
    assert len(uses) == len(SEGMENTS)
    assert max(uses.values()) < 1.3 * min(uses.values())


def test_the_drawn_lengths_are_log_normal_and_clipped() -> None:
    assert [length_at(quantile) for quantile in (0.0, 0.5, 1.0)] == [SHORTEST, MEDIAN, LONGEST]
    assert length_at(0.8413447) == pytest.approx(MEDIAN * 2.718281828**0.55, abs=1)
    found = [length_at(step / 1000) for step in range(1001)]
    assert found == sorted(found)


def test_documents_are_as_long_as_was_drawn(lengths: list[int]) -> None:
    assert median(lengths) == pytest.approx(MEDIAN, rel=0.02)
    assert mean(lengths) == pytest.approx(2500, rel=0.03)
    for quantile in (0.1, 0.25, 0.75, 0.9, 0.99):
        assert lengths[int(quantile * len(lengths))] == pytest.approx(length_at(quantile), rel=0.04)
    # Whole segments, of which the shortest is the shortest document.
    assert min(len(segment.source.text) for segment in SEGMENTS) == lengths[0] <= SHORTEST
    assert 15_000 < lengths[-1] <= LONGEST


def test_the_length_of_a_text_is_what_the_draw_counted() -> None:
    longest = max(range(1, 2001), key=lambda number: len(drawn(number)))
    assert length(drawn(longest)) == sum(len(segment.source.text) + 1 for segment in drawn(longest)) - 1
