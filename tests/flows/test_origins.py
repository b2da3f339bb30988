import time

import pytest

from flows.origins import origin_tree
from pipeline_lib.storage.catalog import read_catalog
from pipeline_lib.storage.lineage import Lineage
from pipeline_lib.storage.store import Store
from tests.flows.terminal_text import text_of
from tests.pipeline_lib.storage.toy_store import beats, student


def shown(store: Store, fingerprint: str) -> list[str]:
    catalog = read_catalog(store, time.time())
    lineage = Lineage(store, catalog.artifacts)
    return text_of(origin_tree(fingerprint, lineage.trace([fingerprint]), catalog, lineage)).splitlines()


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(str(tmp_path_factory.mktemp("store")))


def test_of_many_inputs_alike_the_first_few_are_unfolded(store: Store) -> None:
    shards = [beats(store, f"c0ffee{number}", shard=f"es/s{number}") for number in range(5)]
    lines = shown(store, student(store, *(shard.fingerprint for shard in shards)).fingerprint)
    assert [line.split()[2] for line in lines if " beats es/" in line] == ["es/s0", "es/s1", "es/s2"]
    assert lines[-1] == "└── 2 more of beats; --json lists all"


def test_an_artifact_is_unfolded_once(store: Store) -> None:
    text = beats(store, "c0ffee")
    one, other = beats(store, text.fingerprint, reg=1), beats(store, text.fingerprint, reg=2)
    lines = shown(store, student(store, one.fingerprint, other.fingerprint).fingerprint)
    assert len([line for line in lines if "content c0ffee" in line]) == 1
    assert [text.fingerprint in line and line.endswith("(unfolded above)") for line in lines].count(True) == 1


def test_equal_artifacts_of_several_shards_are_one_branch(store: Store) -> None:
    first = beats(store, "c0ffee", shard="es/s0")
    beats(store, "c0ffee", shard="es/s1")
    assert shown(store, first.fingerprint)[0].startswith(f"beats es/s0 and 1 shards more {first.fingerprint} ")


def test_what_looks_like_markup_is_shown_as_it_is(store: Store) -> None:
    assert any("content [bold]c0ffee" in line for line in shown(store, beats(store, "[bold]c0ffee").fingerprint))
