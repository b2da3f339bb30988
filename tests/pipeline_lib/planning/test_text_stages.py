"""Ingest and units on a sample."""

from data_contracts import DOCUMENTS, MENTIONS, UNITS
from pipeline_lib.planning.text_stages import by_turns, lines_of, mentions_of, time_ingest, time_units
from tests.pipeline_lib.planning.conftest import QUICK, Tried


def test_the_languages_of_a_document_stand_side_by_side(tried: Tried) -> None:
    names = list(by_turns(tried.sample))
    assert len(names) == 12
    assert [name.split("/")[0] for name in names[:3]] == ["es", "en", "it"] and len({name.split("/")[1] for name in names[:3]}) == 1


def test_ingest_makes_what_a_run_does(tried: Tried) -> None:
    found = time_ingest(tried.sample, {}, QUICK)
    assert found.rate > 0 and found.sizes[DOCUMENTS.name] > 0 and found.sizes[MENTIONS.name] > 0
    for item, (documents, mentions, _) in found.made.items():
        lang, name = item.split("/")
        assert documents["document"].to_pylist() == [name]
        assert bool(mentions.num_rows) == (lang == "es")


def test_units_are_those_of_the_sample(tried: Tried) -> None:
    found = time_units(tried.sample, None, QUICK)
    assert found.rate > 0 and set(found.sizes) == {UNITS.name}
    for item, (units,) in found.made.items():
        lang, name = item.split("/")
        assert units["starts"][0].as_py() == tried.sample.texts[lang][name].text.starts


def test_mentions_and_lines_are_tables_of_their_contracts(tried: Tried) -> None:
    found = next(iter(tried.pair.source.values()))
    MENTIONS.check(mentions_of(found))
    assert mentions_of(found).num_rows == len(found.read.mentions) and lines_of(found).num_rows == len(found.read.lines)
