"""Tables that a listing shows as the last run left them need no look; everything else is looked up as ever."""

import fsspec
import pytest

from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.recall import recalled_tables, remember_tables
from pipeline_lib.storage.store import KNOWN, Store
from tests.pipeline_lib.storage.test_store import BEATS, MADE_OF, Maker, beats, damaged, files, nothing, write, write_model

KEY = "collections/c1-tables.json"


@pytest.fixture
def ref(bucket: str) -> ArtifactRef:
    """A table that the last run used."""
    store = Store(bucket)
    made = store.table(BEATS, "es/s0", MADE_OF, Maker(beats(d1=60, d2=70)))
    remember_tables(store, KEY, [made])
    return made


def found(root: str) -> ArtifactRef:
    return Store(root).table(BEATS, "es/s0", MADE_OF, nothing)


def test_a_table_that_is_as_it_was_is_found_without_a_request(ref: ArtifactRef, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = found(bucket)
    with recalled_tables(Store(bucket), KEY):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        fsspec.filesystem("s3").clear_instance_cache()
        known = found(bucket)
        assert Store(bucket).has("beats", "es/s0", MADE_OF)
    assert (known.key, known.sha256, known.rows, known.documents, known.reused) == (ref.key, ref.sha256, 2, 2, True)
    assert (known.md5, known.record_md5) == (looked_up.md5, looked_up.record_md5) and known.md5 and known.record_md5
    fsspec.filesystem("s3").clear_instance_cache()


@pytest.mark.parametrize("how", ["deleted", "empty", "truncated", "grown", "flipped"])
def test_a_damaged_table_is_built_again(how: str, ref: ArtifactRef, bucket: str) -> None:
    sound = files(bucket)
    write(bucket, ref.key, damaged(sound[ref.key])[how])
    with recalled_tables(Store(bucket), KEY):
        built = Store(bucket).table(BEATS, "es/s0", MADE_OF, Maker(beats(d1=60, d2=70)))
    assert built.repaired and files(bucket) == sound


@pytest.mark.parametrize("how", ["deleted", "empty", "truncated", "flipped"])
def test_a_table_without_a_sound_record_is_built_again(how: str, ref: ArtifactRef, bucket: str) -> None:
    sound = files(bucket)
    write(bucket, ref.record_key, damaged(sound[ref.record_key])[how])
    with recalled_tables(Store(bucket), KEY):
        Store(bucket).table(BEATS, "es/s0", MADE_OF, Maker(beats(d1=60, d2=70)))
    assert files(bucket) == sound


@pytest.mark.parametrize("record", [None, b"", b"{}", b"[1]", b'{"tables": [{}]}', b'{"tables": {"a": 1}}', b"\xff"])
def test_without_a_sound_record_nothing_is_known_and_everything_found(record: bytes | None, ref: ArtifactRef, bucket: str) -> None:
    write(bucket, KEY, record)
    with recalled_tables(Store(bucket), KEY):
        assert KNOWN[bucket] == {} and found(bucket).sha256 == ref.sha256


def test_what_is_read_is_hashed_as_ever(ref: ArtifactRef, bucket: str) -> None:
    with recalled_tables(Store(bucket), KEY):
        write(bucket, ref.key, damaged(files(bucket)[ref.key])["flipped"])
        with pytest.raises(Exception, match="is damaged: run again to rebuild it"):
            Store(bucket).read(found(bucket))


def test_folders_are_looked_up_and_so_is_all_of_a_store_in_a_folder(anywhere: Store) -> None:
    model, table = anywhere.folder("model", "all", MADE_OF, write_model), anywhere.table(BEATS, "es/s0", MADE_OF, Maker(beats(d1=60)))
    remember_tables(anywhere, KEY, [model, table])
    with recalled_tables(anywhere, KEY):
        assert KNOWN[anywhere.root].keys() == ({table.key} if anywhere.lists_sums else set())


def test_what_is_known_is_forgotten_afterwards(ref: ArtifactRef, bucket: str) -> None:
    with pytest.raises(ZeroDivisionError), recalled_tables(Store(bucket), KEY):
        assert ref.key in KNOWN[bucket]
        raise ZeroDivisionError
    assert KNOWN[bucket] == {}
