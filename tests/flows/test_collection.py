import logging
from pathlib import Path

import pytest
from prefect import flow

from data_contracts import SCORES
from flows.collection import F1, collection_id, f1_scores, last_run, nested, plain_name, remember
from pipeline_lib.storage.store import Store
from tests.flows.lastly import went


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def test_what_is_remembered_is_found_again(store: Store) -> None:
    remember(store, "0123456789ab", went())
    remember(store, "ba9876543210", went("run-0000000000bb"))
    assert last_run(store, "0123456789ab") == went()
    assert last_run(store, "ba9876543210") == went("run-0000000000bb")


def test_the_last_run_takes_the_place_of_the_one_before(store: Store) -> None:
    for run in ("run-0000000000aa", "run-0000000000bb"):
        remember(store, "0123456789ab", went(run))
    assert last_run(store, "0123456789ab") == went("run-0000000000bb")


def test_a_collection_that_was_never_run_has_no_last_run(store: Store) -> None:
    assert last_run(store, "0123456789ab") is None


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("record", ["", "{", "[]", '{"run": "run-0000000000aa"}', "\udcff"])
def test_a_damaged_record_is_as_good_as_none_and_is_named(store: Store, caplog: pytest.LogCaptureFixture, record: str) -> None:
    place = Path(store.root) / "collections" / "0123456789ab.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(record.encode("utf-8", "surrogateescape"))

    @flow(persist_result=False)
    def look() -> bool:
        return last_run(store, "0123456789ab") is None

    with caplog.at_level(logging.WARNING):
        assert look()
    assert "collections/0123456789ab.json is not the record of a run" in caplog.text


def test_a_record_of_a_later_release_may_say_more(store: Store) -> None:
    store.write_record("collections/0123456789ab.json", {**went().model_dump(mode="json"), "mood": "good"})
    assert last_run(store, "0123456789ab") == went()


def test_a_collection_is_named_by_twelve_digits_that_do_not_tell_its_folder() -> None:
    name = collection_id("/data/Smith", "es", ["en"], "embedded")
    assert len(name) == 12 and set(name) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "other",
    [
        ("/data/other", "es", ["en", "it"], "embedded"),
        ("/other/corpus", "es", ["en", "it"], "embedded"),
        ("/data/corpus", "it", ["en", "it"], "embedded"),
        ("/data/corpus", "es", ["en"], "embedded"),
        ("/data/corpus", "es", ["en", "it"], "tuned"),
    ],
)
def test_each_part_of_a_collection_tells_it_from_others(other: tuple[str, str, list[str], str]) -> None:
    assert collection_id(*other) != collection_id("/data/corpus", "es", ["en", "it"], "embedded")


def test_neither_the_order_of_languages_nor_how_the_folder_is_written_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert collection_id(f"{tmp_path}/corpus/", "es", ["it", "en"], "embedded") == collection_id("corpus", "es", ["en", "it"], "embedded")


@pytest.mark.parametrize(
    ("folder", "name"),
    [("/data/corpus-2.1/", "corpus-2.1"), ("corpus", "corpus"), ("/data/Ana García", None), ("/data/.hidden", None), ("/", None)],
)
def test_a_folder_is_named_only_where_its_name_is_a_plain_one(folder: str, name: str | None) -> None:
    assert plain_name(folder) == name


def test_counts_by_two_keys_nest() -> None:
    assert nested({("en", "a"): 1, ("en", "b"): 2, ("it", "a"): 3}) == {"en": {"a": 1, "b": 2}, "it": {"a": 3}}


def test_f1_goes_by_language_and_label() -> None:
    row = {"precision": 0.5, "recall": 0.5, "low": 0.0, "high": 1.0, "gold": 4, "predicted": 4, "documents": 1}
    strict = {**row, "target_lang": "en", "label": "*", "metric": "strict", "f1": 0.25, "matched": 1}
    char = {**row, "target_lang": "en", "label": "*", "metric": "char", "f1": 0.5, "matched": None}
    assert f1_scores(SCORES.table([strict, char])) == {"en": {"*": F1(strict=0.25, char=0.5)}}
    assert f1_scores(SCORES.table([])) == {}
