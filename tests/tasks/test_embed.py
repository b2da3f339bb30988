from collections.abc import Callable
from dataclasses import replace

import pytest

from data_contracts import EMBEDDINGS
from pipeline_lib.alignment.views import typed_texts
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.embed import embed
from tasks.fit import read_vocabulary
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> ArtifactRef:
    arguments = {"root": chain.root, "texts": chain.texts["es", 0], "teachers": chain.teachers, "side": "source"}
    return embed.fn(**{**arguments, **changes})


def test_embeddings_keep_their_contract_on_both_sides(chain: Chain) -> None:
    for (lang, shard), ref in chain.embeddings.items():
        assert_kept(chain, ref, EMBEDDINGS)
        assert ref.shard == f"es-en/{'source' if lang == 'es' else 'target'}/000{shard}-of-0002"
        assert set(chain.store.read(ref)["lang"].to_pylist()) == {lang}


def test_a_fitted_text_reads_back_from_its_ids(chain: Chain) -> None:
    for lang, side in (("es", "source"), ("en", "target")):
        vocabulary = read_vocabulary(chain.store, chain.teachers, side)
        embedded = typed_texts(chain.store.read(chain.embeddings[lang, 0]))
        for document, text in chain.texts[lang, 0].read(chain.store).items():
            assert [vocabulary.types[number] for number in embedded[document].ids] == text.types
            assert embedded[document].unseen == []


def test_on_the_other_side_most_of_a_text_was_never_met(own: Chain) -> None:
    ref = call(own, side="target")
    assert "/target/" in ref.shard
    assert all(len(row["unseen"]) > 20 for row in own.store.read(ref).to_pylist())


def test_a_second_call_embeds_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain), chain.embeddings["es", 0], "tasks.embed.embeddings_table")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"side": "target"},
        lambda chain: {"teachers": other(chain.teachers)},
        lambda chain: {"texts": replace(chain.texts["es", 0], units=other(chain.texts["es", 0].units))},
        lambda chain: {"texts": chain.texts["es", 1]},
    ],
    ids=["side", "teachers", "units", "shard"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.embeddings["es", 0].fingerprint


def test_it_does_not_depend_on_where_or_when_its_inputs_were_made(chain: Chain) -> None:
    assert fingerprint(lambda: call(chain, root="elsewhere", teachers=taken(chain.teachers))) == chain.embeddings["es", 0].fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own), own.root, damage)
