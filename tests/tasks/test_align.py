from collections.abc import Callable
from dataclasses import replace

import pytest

from data_contracts import ALIGNMENTS
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.align import align, align_encoded
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken
from tests.tasks.transformers import Made


def call(chain: Chain, **changes: object) -> ArtifactRef:
    arguments = {
        "root": chain.root,
        "shard": chain.alignments[1].shard,
        "source": chain.texts["es", 1],
        "target": chain.texts["en", 1],
        "segments": chain.segments[1],
        "student": chain.distilled.main,
        "config": AlignConfig(),
    }
    return align.fn(**{**arguments, **changes})


def test_alignments_keep_their_contract(chain: Chain) -> None:
    for ref in chain.alignments.values():
        assert_kept(chain, ref, ALIGNMENTS)


def test_rows_are_source_units_and_columns_target_units(chain: Chain) -> None:
    source, target = chain.texts["es", 0].read(chain.store), chain.texts["en", 0].read(chain.store)
    rows = chain.store.read(chain.alignments[0], ["document", "source_lang", "target_lang", "rows", "columns"]).to_pylist()
    assert {row["document"] for row in rows} == set(source)
    for row in rows:
        assert (row["source_lang"], row["target_lang"]) == ("es", "en")
        assert (row["rows"], row["columns"]) == (len(source[row["document"]].starts), len(target[row["document"]].starts))


def test_documents_that_one_side_lacks_are_not_aligned(own: Chain) -> None:
    assert call(own, target=own.texts["en", 0]).rows == 0


def test_a_second_call_aligns_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain), chain.alignments[1], "tasks.align.align_tables")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": AlignConfig(student_plan="cosine")},
        lambda chain: {"student": other(chain.distilled.main)},
        lambda chain: {"source": replace(chain.texts["es", 1], units=other(chain.texts["es", 1].units))},
        lambda chain: {"target": replace(chain.texts["en", 1], documents=other(chain.texts["en", 1].documents))},
    ],
    ids=["config", "student", "source", "target"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.alignments[1].fingerprint


def test_it_does_not_depend_on_where_or_when_its_inputs_were_made(chain: Chain) -> None:
    changes = {"root": "elsewhere", "shard": "another/place", "student": taken(chain.distilled.main)}
    assert fingerprint(lambda: call(chain, **changes)) == chain.alignments[1].fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own), own.root, damage)


def test_from_vectors_it_makes_the_alignment_of_the_same_texts(made: Made, chain: Chain) -> None:
    config = AlignConfig(student_plan="cosine")
    source, target = (made.vectors["sentence", lang, 0] for lang in ("es", "en"))
    ref = align_encoded.fn(made.root, chain.alignments[0].shard, source, target, chain.segments[0], config)
    table = made.store.read(ref)
    ALIGNMENTS.check(table)
    ours, theirs = (chain.texts[lang, 0].read(chain.store) for lang in ("es", "en"))
    for row in table.select(["document", "source_lang", "target_lang", "rows", "columns"]).to_pylist():
        assert (row["source_lang"], row["target_lang"]) == ("es", "en")
        assert (row["rows"], row["columns"]) == (len(ours[row["document"]].starts), len(theirs[row["document"]].starts))
    assert table["document"].to_pylist() == list(ours)
    assert align_encoded.fn(made.root, chain.alignments[0].shard, source, target, chain.segments[0], config).reused
    changed = fingerprint(lambda: align_encoded.fn(made.root, ref.shard, source, target, chain.segments[0], AlignConfig()))
    assert changed != ref.fingerprint
