from collections.abc import Callable
from dataclasses import replace

import pytest

from data_contracts import SEGMENT_PAIRS
from pipeline_lib.alignment.segments import SegmentConfig, segment_pairs
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.segments import align_segments
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> ArtifactRef:
    arguments = {
        "root": chain.root,
        "shard": chain.segments[0].shard,
        "source": chain.texts["es", 0],
        "target": chain.texts["en", 0],
        "config": SegmentConfig(),
    }
    return align_segments.fn(**{**arguments, **changes})


def test_segment_pairs_keep_their_contract(chain: Chain) -> None:
    for shard, ref in chain.segments.items():
        assert_kept(chain, ref, SEGMENT_PAIRS)
        assert ref.shard == f"es-en/000{shard}-of-0002"


def test_the_groups_of_every_document_end_where_its_texts_end(chain: Chain) -> None:
    source, target = chain.texts["es", 0].read(chain.store), chain.texts["en", 0].read(chain.store)
    table = chain.store.read(chain.segments[0])
    assert set(zip(table["source_lang"].to_pylist(), table["target_lang"].to_pylist(), strict=True)) == {("es", "en")}
    found = segment_pairs(table)
    assert list(found) == list(source)
    for document, groups in found.items():
        assert (groups.source[-1, 1], groups.target[-1, 1]) == (len(source[document].starts), len(target[document].starts))


def test_documents_that_one_side_lacks_are_left_out(own: Chain) -> None:
    assert call(own, target=own.texts["en", 1]).rows == 0


def test_a_second_call_aligns_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain), chain.segments[0], "tasks.segments.segment_pairs_table")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": SegmentConfig(skip_penalty=0.4)},
        lambda chain: {"source": replace(chain.texts["es", 0], units=other(chain.texts["es", 0].units))},
        lambda chain: {"source": replace(chain.texts["es", 0], documents=other(chain.texts["es", 0].documents))},
        lambda chain: {"target": replace(chain.texts["en", 0], units=other(chain.texts["en", 0].units))},
        lambda chain: {"source": chain.texts["en", 0], "target": chain.texts["es", 0]},
    ],
    ids=["config", "source units", "source texts", "target units", "sides"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.segments[0].fingerprint


def test_it_does_not_depend_on_where_or_when_its_inputs_were_made(chain: Chain) -> None:
    source = replace(chain.texts["es", 0], units=taken(chain.texts["es", 0].units))
    assert fingerprint(lambda: call(chain, root="elsewhere", shard="another/place", source=source)) == chain.segments[0].fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own), own.root, damage)
