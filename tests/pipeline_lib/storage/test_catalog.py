import time
from pathlib import Path

import pytest

from pipeline_lib.storage.catalog import Catalog, address_of, read_catalog
from pipeline_lib.storage.leases import Lease, Pace
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store
from tests.pipeline_lib.storage.toy_store import age, age_all, beats, both, record_run, student


def catalog(store: Store) -> Catalog:
    return read_catalog(store, time.time())


def test_every_artifact_is_found_with_the_bytes_of_all_its_files(anywhere: Store) -> None:
    table, pair, folder = beats(anywhere, "a", shard="es-en/source/s0"), both(anywhere, "b"), student(anywhere, "c")
    found = catalog(anywhere).artifacts
    assert sorted(artifact.key for artifact in found.values()) == sorted(ref.key for ref in (table, *pair, folder))
    assert all(artifact.exists for artifact in found.values())
    assert sum(artifact.bytes for artifact in found.values()) == sum(file.bytes for file in anywhere.files())
    artifact = found[address_of(table.key)]
    assert (artifact.contract, artifact.shard, artifact.fingerprint) == ("beats", "es-en/source/s0", table.fingerprint)
    assert [part.key for part in found[folder.key].parts] == [folder.record_key, f"{folder.key}/config.json", f"{folder.key}/weights.bin"]


def test_runs_are_listed_by_when_their_records_were_written_the_last_one_first(here: Store) -> None:
    refs = [beats(here, name) for name in "abc"]
    for number, ref in enumerate(refs):
        record_run(here, f"run-{number}", [ref], [ref])
    age(here, "runs/run-2.json", 60)
    age(here, "runs/run-0.json", 30)
    assert [run.id for run in catalog(here).runs] == ["run-1", "run-0", "run-2"]


def test_a_run_uses_what_it_names_and_shares_some_of_it(anywhere: Store) -> None:
    text, first, second, model = beats(anywhere, "a"), beats(anywhere, "b"), beats(anywhere, "c"), student(anywhere, "d")
    record_run(anywhere, "run-1", [first], [text, first], taught=model)
    record_run(anywhere, "run-2", [second], [text, second], model="run-1", taught=model)
    found = catalog(anywhere)
    one, two = found.run("run-1"), found.run("run-2")
    assert {artifact.key for artifact in found.of(one)} == {text.key, first.key, model.key}
    assert (one.model, two.model) == ("run-1", "run-1")
    assert found.own_bytes(one) == found.artifacts[address_of(first.key)].bytes
    assert found.own_bytes(two) == found.artifacts[address_of(second.key)].bytes


def test_a_run_of_an_earlier_release_uses_all_that_its_results_and_model_were_made_from(anywhere: Store) -> None:
    text = beats(anywhere, "a")
    pair = both(anywhere, text.fingerprint)
    model, result, other = student(anywhere, pair[0].fingerprint), beats(anywhere, text.fingerprint, reg=1), beats(anywhere, "b")
    record_run(anywhere, "run-1", [result], None, taught=model)
    found = catalog(anywhere)
    used = {artifact.key for artifact in found.of(found.run("run-1"))}
    assert used == {ref.key for ref in (text, *pair, model, result)} and other.key not in used


def test_the_runs_that_fitted_the_collections_models_are_known(here: Store) -> None:
    record_run(here, "run-1", [], [])
    here.write_record("collections/abc-model.json", {"run": "run-1"})
    here.write_record("collections/abc.json", {"run": "run-2", "model": "run-1"})
    here.write_record("collections/def-model.json", {"ran": "run-3"})
    assert catalog(here).current == {"run-1"}


def test_what_broke_off_is_left_over_once_it_is_old(here: Store) -> None:
    bytes_only, record_only, folder, whole = beats(here, "a"), beats(here, "b"), student(here, "c"), beats(here, "d")
    for key in (bytes_only.record_key, record_only.key, folder.record_key):
        here.remove(key)
    here.write_record("orders/123.json", {})
    temporary = Path(here.root) / "beats/es/.publishing-x1"
    temporary.parent.mkdir(exist_ok=True)
    temporary.write_bytes(b"half")
    assert catalog(here).leftovers(180) == []
    age_all(here, 200)
    left = {file.key for file in catalog(here).leftovers(180)}
    files = {f"{folder.key}/weights.bin", f"{folder.key}/config.json"}
    assert left == {bytes_only.key, record_only.record_key, "orders/123.json", "beats/es/.publishing-x1", *files}
    assert whole.key not in left and catalog(here).leftovers(300) == []


def test_leases_are_listed_and_are_no_artifacts(here: Store) -> None:
    held = Lease(here, "run-1", "run", Pace())
    assert [file.key for file in catalog(here).leases] == [held.key]
    assert catalog(here).artifacts == {} and catalog(here).runs == ()


def test_what_is_none_of_ours_is_not_listed(here: Store) -> None:
    for name in ("notes.json", "photos/2026/summer.json", "photos/2026/0123456789abcdef.parquet", "runs/old/run-1.json"):
        here.write_record(name, {})
    age_all(here, 999)
    found = catalog(here)
    assert (found.artifacts, found.runs, found.leftovers(1)) == ({}, (), [])


@pytest.mark.parametrize("record", ["{", "[]", "{}", '{"run": "run-1", "models": 3, "artifacts": []}', '{"models": {}, "artifacts": [3]}'])
def test_a_runs_record_that_is_none_is_named_and_stops_everything(record: str, here: Store) -> None:
    record_run(here, "run-1", [], [])
    (Path(here.root) / "runs/run-1.json").write_text(record, encoding="utf-8")
    with pytest.raises(StoreError, match=r"runs/run-1\.json is not the record of a run: remove it, or run again"):
        catalog(here)


def test_a_run_whose_record_goes_while_the_store_is_listed_is_no_run(here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record_run(here, "run-1", [], [])
    monkeypatch.setattr(Store, "read_record", lambda store, key: None)
    assert catalog(here).runs == ()


def test_where_nothing_is_stored_there_is_no_catalog(anywhere: Store) -> None:
    with pytest.raises(StoreError, match="nothing is stored there"):
        catalog(anywhere)


def test_an_artifact_is_found_by_its_key_or_fingerprint_and_a_run_by_its_id(here: Store) -> None:
    table, folder = beats(here, "a"), student(here, "b")
    record_run(here, "run-1", [table], [table])
    found = catalog(here)
    for name in (table.key, address_of(table.key), table.fingerprint):
        assert found.fingerprint(name) == table.fingerprint
    assert found.fingerprint(folder.key) == folder.fingerprint
    with pytest.raises(StoreError, match="no such run or artifact: ffff"):
        found.fingerprint("ffff")
    with pytest.raises(StoreError, match="no such run: run-2"):
        found.run("run-2")


def test_the_progress_of_a_run_at_work_is_no_leftover_however_old_it_is(here: Store) -> None:
    held = Lease(here, "corpus es-en", "run", Pace())
    here.write_record(f"progress/{held.id}.json", {})
    age(here, f"progress/{held.id}.json", 999)
    assert catalog(here).progress.keys() == {held.id} and catalog(here).leftovers(180) == []
    age(here, held.key, 999)
    assert [file.key for file in catalog(here).leftovers(180)] == [f"progress/{held.id}.json"]
