import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts import UNITS, Contract, ContractError, Rule, column
from pipeline_lib.storage.artifact import ArtifactRef, ref_as_json
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store

BEATS = Contract(
    name="beats",
    version=4,
    doc="Heart beats.",
    schema=pa.schema([column("document", pa.string(), "document id"), column("rate", pa.int32(), "beats a minute")]),
    key=("document",),
    rules=(Rule("alive", "rates are positive", pl.col("rate") > 0),),
)
SPANS = Contract("spans", 2, "Spans.", pa.schema([column("offsets", pa.list_(pa.int32()), "offsets")]), key=())
MADE_OF = Ingredients("beats@4", {"reg": 0.1}, ("a",), "c0de", {"numpy": "2"})
OTHER = Ingredients("beats@4", {"reg": 0.2}, ("a",), "c0de", {"numpy": "2"})


def beats(**rates: int) -> pa.Table:
    return BEATS.table([{"document": document, "rate": rate} for document, rate in rates.items()])


class Maker:
    """Makes the same parts every time and counts how often it was asked."""

    def __init__(self, *parts: pa.Table) -> None:
        self.parts, self.calls = parts, 0

    def __call__(self) -> Iterator[pa.Table]:
        self.calls += 1
        yield from self.parts


def nothing() -> Iterator[pa.Table]:
    raise AssertionError("built again")


@pytest.fixture(params=["folder", "memory", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "bucket":
        return str(request.getfixturevalue("bucket"))
    return str(tmp_path / "store") if request.param == "folder" else f"memory://{uuid4().hex}/prefix"


@pytest.fixture
def store(root: str) -> Store:
    return Store(root)


def files(root: str) -> dict[str, bytes]:
    """What lies below the root, by path relative to it."""
    filesystem, path = fsspec.url_to_fs(root)
    base = path.rstrip("/") + "/"
    return {name.removeprefix(base): filesystem.cat_file(name) for name in filesystem.find(path)}


def write(root: str, name: str, content: bytes | None) -> None:
    """Put other bytes in a file's place, or remove it."""
    filesystem, path = fsspec.url_to_fs(root)
    if content is None:
        filesystem.rm_file(f"{path.rstrip('/')}/{name}")
    else:
        filesystem.pipe_file(f"{path.rstrip('/')}/{name}", content)


def test_a_table_is_built_once_and_found_ever_after(root: str) -> None:
    make = Maker(beats(d1=60, d2=70))
    built = Store(root).table(BEATS, "s0", MADE_OF, make)
    found = Store(root).table(BEATS, "s0", MADE_OF, nothing)
    assert make.calls == 1 and (built.reused, found.reused) == (False, True)
    assert ref_as_json(built) == ref_as_json(found)
    assert (found.contract, found.shard, found.fingerprint, found.rows, found.documents) == ("beats", "s0", MADE_OF.fingerprint, 2, 2)
    assert Store(root).read(found).equals(beats(d1=60, d2=70))


def test_another_shard_or_fingerprint_is_another_artifact(store: Store, root: str) -> None:
    refs = [store.table(BEATS, shard, made_of, Maker(beats(d1=60))) for shard, made_of in (("s0", MADE_OF), ("s1", MADE_OF), ("s0", OTHER))]
    assert not any(ref.reused for ref in refs)
    assert set(files(root)) == {name for ref in refs for name in (ref.key, ref.key.replace(".parquet", ".json"))}


def test_two_builds_write_the_same_bytes(store: Store, tmp_path: Path) -> None:
    other = Store(str(tmp_path / "other"))
    assert store.table(BEATS, "s0", MADE_OF, Maker(beats(d1=60))).sha256 == other.table(BEATS, "s0", MADE_OF, Maker(beats(d1=60))).sha256


def damaged(content: bytes) -> dict[str, bytes | None]:
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    return {"deleted": None, "empty": b"", "truncated": content[:-1], "grown": content + b"\0", "flipped": bytes(flipped)}


@pytest.mark.parametrize("how", ["deleted", "empty", "truncated", "grown", "flipped"])
def test_a_damaged_table_is_built_again(how: str, store: Store, root: str) -> None:
    make = Maker(beats(d1=60, d2=70))
    ref = store.table(BEATS, "s0", MADE_OF, make)
    sound = files(root)
    write(root, ref.key, damaged(sound[ref.key])[how])
    assert store.find("beats", "s0", MADE_OF.fingerprint, ".parquet") is None
    again = store.table(BEATS, "s0", MADE_OF, make)
    assert make.calls == 2 and (again.reused, again.repaired) == (False, True) and files(root) == sound
    assert store.table(BEATS, "s0", MADE_OF, nothing).reused


@pytest.mark.parametrize("record", [None, b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe{", b'{"sha256": 1, "files": 3}', b'{"files": {}}'])
def test_an_artifact_without_a_sound_record_does_not_exist(record: bytes | None, store: Store, root: str) -> None:
    make = Maker(beats(d1=60))
    ref = store.table(BEATS, "s0", MADE_OF, make)
    sound = files(root)
    write(root, ref.key.replace(".parquet", ".json"), record)
    assert not store.table(BEATS, "s0", MADE_OF, make).reused and make.calls == 2
    assert files(root) == sound


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_no_flipped_bit_of_a_record_can_stop_a_run(bit: int, tmp_path: Path) -> None:
    store, root = Store(str(tmp_path)), str(tmp_path)
    ref = store.table(BEATS, "s0", MADE_OF, Maker(beats(d1=60)))
    name = ref.key.replace(".parquet", ".json")
    record = files(root)[name]
    lost = 0
    for place in range(len(record)):
        flipped = bytearray(record)
        flipped[place] ^= 1 << bit
        write(root, name, bytes(flipped))
        found = store.find("beats", "s0", MADE_OF.fingerprint, ".parquet")
        assert found is None or found.sha256 == ref.sha256
        lost += found is None
    assert lost >= 64, "a flip in the hash itself is always noticed"


def test_an_error_while_making_publishes_nothing(store: Store, root: str) -> None:
    def fail() -> Iterator[pa.Table]:
        yield beats(d1=60)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.table(BEATS, "s0", MADE_OF, fail)
    assert files(root) == {}
    assert not store.table(BEATS, "s0", MADE_OF, Maker(beats(d1=60))).reused


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([beats(d1=60), beats(d2=0)], "alive: 1 rows"),
        ([BEATS.table([{"document": "d1", "rate": 1}] * 2)], "duplicate"),
        ([BEATS.table([{"document": "d1", "rate": None}])], "rate: 1 nulls"),
        ([SPANS.table([])], "schema differs"),
    ],
)
def test_a_table_that_breaks_its_contract_is_not_published(parts: list[pa.Table], message: str, store: Store, root: str) -> None:
    with pytest.raises(ContractError, match=message):
        store.table(BEATS, "s0", MADE_OF, Maker(*parts))
    assert files(root) == {}


def test_a_failed_build_leaves_the_artifact_of_another_fingerprint_alone(store: Store, root: str) -> None:
    store.table(BEATS, "s0", OTHER, Maker(beats(d1=60)))
    before = files(root)
    with pytest.raises(ContractError):
        store.table(BEATS, "s0", MADE_OF, Maker(beats(d1=-1)))
    assert files(root) == before


def test_several_tables_are_found_together_or_built_together(store: Store, root: str) -> None:
    calls: list[int] = []

    def make() -> Iterator[tuple[pa.Table, pa.Table]]:
        calls.append(1)
        yield beats(d1=60), SPANS.table([{"offsets": [1, 2]}])
        yield beats(d2=70, d3=80), SPANS.table([])

    first = store.tables([BEATS, SPANS], "s0", MADE_OF, make)
    assert [(ref.contract, ref.rows, ref.documents, ref.reused) for ref in first] == [("beats", 3, 3, False), ("spans", 1, 0, False)]
    assert [ref.reused for ref in store.tables([BEATS, SPANS], "s0", MADE_OF, make)] == [True, True]
    write(root, first[1].key, None)
    assert [ref.reused for ref in store.tables([BEATS, SPANS], "s0", MADE_OF, make)] == [False, False] and len(calls) == 2


def test_a_part_with_a_table_too_few_publishes_nothing(store: Store, root: str) -> None:
    with pytest.raises(ValueError, match="zip"):
        store.tables([BEATS, SPANS], "s0", MADE_OF, lambda: [(beats(d1=60),)])
    assert files(root) == {}


def test_parts_become_row_groups_and_come_back_in_order(store: Store, root: str) -> None:
    parts = [beats(d3=60), beats(d1=70, d2=80), beats(d0=90)]
    ref = store.table(BEATS, "s0", MADE_OF, Maker(*parts))
    assert pq.ParquetFile(pa.BufferReader(files(root)[ref.key])).num_row_groups == 3
    assert all(one.equals(other) for one, other in zip(store.scan(ref), parts, strict=True))
    assert store.read(ref).equals(pa.concat_tables(parts))
    assert store.read(ref, columns=["rate"]).to_pydict() == {"rate": [60, 70, 80, 90]}


def test_a_table_without_parts_or_rows_keeps_its_schema(store: Store) -> None:
    for shard, parts in (("none", []), ("empty", [beats()])):
        ref = store.table(BEATS, shard, MADE_OF, Maker(*parts))
        assert (ref.rows, ref.documents) == (0, 0) and store.table(BEATS, shard, MADE_OF, nothing).reused
        BEATS.check(store.read(ref))
        assert sum(part.num_rows for part in store.scan(ref)) == 0


def test_what_was_stored_keeps_its_contract(store: Store) -> None:
    table = UNITS.table([{"document": "d1", "lang": "es", "starts": [0], "ends": [3], "breaks": [0]}])
    ref = store.table(UNITS, "s0", MADE_OF, Maker(table))
    UNITS.check(store.read(ref))
    for part in store.scan(ref):
        UNITS.check(part)


def test_the_footer_names_contract_and_fingerprint(store: Store, root: str) -> None:
    ref = store.table(BEATS, "s0", MADE_OF, Maker(beats(d1=60)))
    footer = pq.read_metadata(pa.BufferReader(files(root)[ref.key])).metadata
    assert footer[b"spanferry.contract"] == b"beats@4"
    assert footer[b"spanferry.fingerprint"] == MADE_OF.fingerprint.encode()


def test_the_record_tells_what_the_artifact_is_made_of(store: Store, root: str) -> None:
    ref = store.table(BEATS, "s0", MADE_OF, Maker(beats(d1=60)))
    record = json.loads(files(root)[ref.key.replace(".parquet", ".json")])
    assert record["made_of"] == MADE_OF.as_json() and record["sha256"] == ref.sha256


def write_model(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"\0\1\2")
    (folder / "config.json").write_text("{}", encoding="utf-8")


def contents(store: Store, ref: ArtifactRef) -> dict[str, bytes]:
    with store.local(ref) as folder:
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_is_built_once_and_lies_in_reach_as_local_files(store: Store) -> None:
    def again(folder: Path) -> None:
        raise AssertionError("built again")

    built, found = store.folder("model", "all", MADE_OF, write_model), store.folder("model", "all", MADE_OF, again)
    assert (built.reused, found.reused) == (False, True) and ref_as_json(built) == ref_as_json(found)
    assert contents(store, found) == {"weights.bin": b"\0\1\2", "config.json": b"{}"}


@pytest.mark.parametrize("file", ["weights.bin", "config.json"])
@pytest.mark.parametrize("how", ["deleted", "empty", "truncated", "grown", "flipped"])
def test_a_damaged_folder_is_built_again(how: str, file: str, store: Store, root: str) -> None:
    ref = store.folder("model", "all", MADE_OF, write_model)
    sound = files(root)
    write(root, f"{ref.key}/{file}", damaged(sound[f"{ref.key}/{file}"])[how])
    assert not store.folder("model", "all", MADE_OF, write_model).reused
    assert files(root) == sound and store.folder("model", "all", MADE_OF, write_model).reused


def test_an_error_while_making_a_folder_publishes_nothing(store: Store, root: str) -> None:
    def fail(folder: Path) -> None:
        write_model(folder)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.folder("model", "all", MADE_OF, fail)
    assert files(root) == {}


@pytest.mark.parametrize("how", ["empty", "truncated", "grown", "flipped"])
def test_damaged_bytes_are_never_read(how: str, store: Store, root: str) -> None:
    table, folder = store.table(BEATS, "s0", MADE_OF, Maker(beats(d1=60))), store.folder("model", "all", MADE_OF, write_model)
    sound = files(root)
    for name in (table.key, f"{folder.key}/weights.bin"):
        write(root, name, damaged(sound[name])[how])
    readers: list[Callable[[], object]] = [lambda: store.read(table), lambda: list(store.scan(table)), lambda: contents(store, folder)]
    for reader in readers:
        with pytest.raises(StoreError, match="is damaged: run again to rebuild it"):
            reader()


def test_what_goes_wrong_while_a_folder_is_read_is_not_the_stores_fault(store: Store) -> None:
    ref = store.folder("model", "all", MADE_OF, write_model)
    with pytest.raises(ValueError, match="of the reader"), store.local(ref):
        raise ValueError("of the reader")


@pytest.mark.parametrize("suffix", [".parquet", ""])
def test_reading_what_is_not_there_is_an_error_that_names_it(suffix: str, store: Store) -> None:
    ref = ArtifactRef("beats", "s0", "00ff", suffix, "", 0, 0)
    readers: list[Callable[[], object]] = [lambda: store.read(ref), lambda: list(store.scan(ref)), lambda: contents(store, ref)]
    for reader in readers:
        with pytest.raises(StoreError, match=f"beats/s0/00ff{suffix} is missing"):
            reader()


def test_records_are_replaced_and_missing_ones_are_none(store: Store) -> None:
    assert store.read_record("runs/r1.json") is None
    store.write_record("runs/r1.json", {"state": "begun"})
    store.write_record("runs/r1.json", {"state": "done", "name": "fiebre é"})
    assert store.read_record("runs/r1.json") == {"state": "done", "name": "fiebre é"}


def test_a_publication_that_breaks_off_leaves_neither_artifact_nor_remains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        Store(str(tmp_path)).table(BEATS, "s0", MADE_OF, Maker(beats(d1=60)))
    assert files(str(tmp_path)) == {}


def test_a_reference_travels_as_json(store: Store) -> None:
    ref = store.table(BEATS, "s0", MADE_OF, Maker(beats(d1=60)))
    value = json.loads(json.dumps(ref_as_json(ref)))
    assert "seconds" not in value and "reused" not in value
    assert ref_as_json(ArtifactRef(**value)) == ref_as_json(ref)
    assert ArtifactRef(**value).key == ref.key == f"beats/s0/{MADE_OF.fingerprint}.parquet"


def test_a_folder_of_a_bucket_is_fetched_once_a_process(bucket: str) -> None:
    store = Store(bucket)
    ref = store.folder("model", "all", MADE_OF, write_model)
    before = contents(store, ref)
    write(bucket, f"{ref.key}/weights.bin", None)
    assert contents(Store(bucket), ref) == before
