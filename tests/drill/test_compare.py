import os
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

from data_contracts import Contract, column
from drill.compare import Snapshot, built_twice, count_records, different, finished_shards, hashes, outputs, snapshot, written
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.store import Store

BEATS = Contract("beats", 1, "Beats.", pa.schema([column("rate", pa.int32(), "beats a minute")]), key=())
STEPS = Contract("steps", 1, "Steps.", pa.schema([column("rate", pa.int32(), "steps a minute")]), key=())
MADE_OF = Ingredients("beats@1", {}, (), "c0de", {})
SHARD = f"s0/{MADE_OF.fingerprint}.json"


def write_model(folder: Path) -> None:
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "weights.bin").write_bytes(b"\0\1\2")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store of the product: one shard with two tables, a model, records of a run and of its collection."""
    store = Store(str(tmp_path / "store"))
    store.tables([BEATS, STEPS], "s0", MADE_OF, lambda: [(BEATS.table([{"rate": 60}]), STEPS.table([{"rate": 100}]))])
    store.folder("model", "all", MADE_OF, write_model)
    store.write_record("runs/r1.json", {"run": "r1"})
    store.write_record("collections/c1.json", {"run": "r1"})
    return tmp_path / "store"


def look(root: Path) -> Snapshot:
    return snapshot(fsspec.filesystem("file"), str(root))


def artifact(root: Path, pattern: str) -> Path:
    return next(root.glob(pattern))


def age(path: Path) -> None:
    os.utime(path, (1, 1))


def test_artifacts_are_told_from_other_records_and_from_their_own_files(root: Path) -> None:
    found = look(root)
    assert sorted(key.split("/")[0] for key in found.records) == ["beats", "model", "steps"]
    assert count_records(fsspec.filesystem("file"), str(root)) == 3
    assert count_records(fsspec.filesystem("file"), str(root / "nothing")) == 0
    assert found.unsound() == []


@pytest.mark.parametrize("pattern", ["beats/s0/*.parquet", "model/all/*/weights.bin", "model/all/*/config.json"])
@pytest.mark.parametrize("how", ["deleted", "truncated", "flipped"])
def test_a_record_that_promises_other_bytes_is_unsound(how: str, pattern: str, root: Path) -> None:
    path = artifact(root, pattern)
    content = path.read_bytes()
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if how == "truncated" else content[:-1] + bytes([content[-1] ^ 1]))
    assert [key.split("/")[0] for key in look(root).unsound()] == [pattern.split("/")[0]]


@pytest.mark.parametrize("record", [b"", b"[]", b"{}", b'{"files": {}, "sha256": "0"}', b'{"files": {"config.json": "0"}}'])
def test_a_record_that_is_none_is_unsound(record: bytes, root: Path) -> None:
    artifact(root, "model/all/*.json").write_bytes(record)
    assert [key.split("/")[0] for key in look(root).unsound()] == ["model"]


def test_a_shard_that_is_written_again_counts_once(root: Path) -> None:
    for path in root.glob("*/s0/*.json"):
        age(path)
    before = look(root)
    for path in root.glob("*/s0/*.json"):
        path.touch()
    after = look(root)
    assert len(written(before, after)) == 2 and built_twice(after, before, after) == [SHARD]
    assert built_twice(after, after, after) == []


def test_a_shard_that_lacks_one_of_its_tables_was_not_finished(root: Path) -> None:
    whole = look(root)
    artifact(root, "steps/s0/*.json").unlink()
    before = look(root)
    assert SHARD in finished_shards(whole, whole) and SHARD not in finished_shards(whole, before)
    assert built_twice(whole, before, whole) == []


def test_the_lease_of_a_killed_run_is_no_difference(root: Path) -> None:
    before = look(root)
    Store(str(root)).write_record("leases/run-00ff.json", {"name": "corpus"})
    Store(str(root)).write_record("progress/run-00ff.json", {"name": "corpus"})
    assert look(root) == before and count_records(fsspec.filesystem("file"), str(root)) == 3


def test_what_differs_is_named_whichever_side_lacks_it(root: Path) -> None:
    whole = hashes(look(root))
    assert different(whole, whole) == []
    changed = {**whole, "runs/r1.json": "0", "new": "1"}
    del changed["collections/c1.json"]
    assert different(changed, whole) == ["collections/c1.json", "new", "runs/r1.json"]


def test_a_shared_store_holds_what_either_run_makes_and_all_of_it() -> None:
    one, other = {"a": "1", "both": "1"}, {"b": "2", "both": "2"}
    assert different({"a": "1", "b": "2", "both": "2"}, one, other) == []
    assert different({"a": "1", "both": "3"}, one, other) == ["b", "both"]


def test_outputs_are_compared_without_the_report_which_holds_times(tmp_path: Path) -> None:
    for name in ("run.json", "report.html", "en/run.tsv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert sorted(outputs(tmp_path)) == ["en/run.tsv", "run.json"]
