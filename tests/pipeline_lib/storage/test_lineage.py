import pytest

from pipeline_lib.storage.catalog import read_catalog
from pipeline_lib.storage.lineage import Lineage, Origin
from pipeline_lib.storage.store import Store
from tests.pipeline_lib.storage.toy_store import beats, both, made_of, student


def lineage_of(store: Store) -> Lineage:
    return Lineage(store, read_catalog(store, 0).artifacts)


def test_an_artifact_is_traced_to_the_contents_it_was_made_from(anywhere: Store) -> None:
    text = beats(anywhere, "c0ffee")
    pair = both(anywhere, text.fingerprint)[0]
    model = student(anywhere, text.fingerprint, pair.fingerprint, "es")
    beats(anywhere, "elsewhere")
    traced = lineage_of(anywhere).trace([model.fingerprint])
    assert traced == {
        model.fingerprint: Origin("beats@1", {"reg": 9}, (text.fingerprint, pair.fingerprint, "es"), "c0de", {"numpy": "2"}),
        pair.fingerprint: Origin("beats@1", {"reg": 0.1}, (text.fingerprint,), "c0de", {"numpy": "2"}),
        text.fingerprint: Origin("beats@1", {"reg": 0.1}, ("c0ffee",), "c0de", {"numpy": "2"}),
    }


def test_artifacts_made_together_have_one_origin_which_is_read_once(here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = both(here, "a")
    assert one.fingerprint == other.fingerprint
    lineage = lineage_of(here)
    assert [address.split("/")[0] for address in lineage.addresses(one.fingerprint)] == ["beats", "pauses"]
    read: list[str] = []
    real = Store.read_record
    monkeypatch.setattr(Store, "read_record", lambda store, key: read.append(key) or real(store, key))
    assert lineage.trace([one.fingerprint]) == lineage.trace([one.fingerprint]) != {}
    assert len(read) == 1


def test_the_hash_of_a_content_is_no_artifact(here: Store) -> None:
    beats(here, "a")
    assert lineage_of(here).addresses("a") == [] and lineage_of(here).trace(["a"]) == {}


@pytest.mark.parametrize("record", [None, {}, {"made_of": {}}, {"made_of": None}])
def test_where_a_record_is_lost_the_trace_ends(record: dict[str, object] | None, here: Store) -> None:
    text = beats(here, "a")
    pair = both(here, text.fingerprint)
    lineage = lineage_of(here)
    for ref in pair:
        here.remove(ref.record_key)
        if record is not None:
            here.write_record(ref.record_key, record)
    assert lineage.trace([pair[0].fingerprint]) == {pair[0].fingerprint: Origin()}


def test_one_record_of_several_is_enough(here: Store) -> None:
    one, _ = both(here, "a")
    lineage = lineage_of(here)
    here.remove(one.record_key)
    assert lineage.trace([one.fingerprint])[one.fingerprint].inputs == made_of("a").inputs
