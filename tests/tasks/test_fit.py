from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline_lib.storage.artifact import ArtifactRef
from tasks.fit import fit, read_teachers, read_vocabulary
from tasks.texts import read_all
from tests.tasks.chain import DAMAGES, FIT, Chain, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> ArtifactRef:
    arguments = {
        "root": chain.root,
        "pair": "es-en",
        "source": chain.whole("es"),
        "target": chain.whole("en"),
        "segments": list(chain.segments.values()),
        "config": FIT,
    }
    return fit.fn(**{**arguments, **changes})


def test_the_teachers_know_every_unit_of_both_languages(chain: Chain) -> None:
    with read_teachers(chain.store, chain.teachers) as teachers:
        for lang, vocabulary in (("es", teachers.source), ("en", teachers.target)):
            met = {kind for text in read_all(chain.store, chain.whole(lang)).values() for kind in text.types}
            assert set(vocabulary.types) == met
        assert teachers.sentence_source.shape == (len(teachers.source.types), FIT.dimensions)
        assert teachers.lexical.shape == (len(teachers.source.types), len(teachers.target.types))


def test_the_artifact_is_a_folder_of_arrays_under_the_pair(chain: Chain) -> None:
    assert (chain.teachers.contract, chain.teachers.shard) == ("teachers", "es-en")
    with chain.store.local(chain.teachers) as folder:
        assert {path.suffix for path in folder.iterdir()} == {".safetensors"}


def test_a_second_call_fits_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain), chain.teachers, "tasks.fit.fit_teachers")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": FIT.model_copy(update={"window": 4})},
        lambda chain: {"source": [replace(chain.texts["es", 0], units=other(chain.texts["es", 0].units)), chain.texts["es", 1]]},
        lambda chain: {"target": [chain.texts["en", 0], replace(chain.texts["en", 1], documents=other(chain.texts["en", 1].documents))]},
        lambda chain: {"source": chain.whole("es")[:1], "target": chain.whole("en")[:1]},
        lambda chain: {"source": chain.whole("en"), "target": chain.whole("es")},
        lambda chain: {"segments": [chain.segments[0], other(chain.segments[1])]},
        lambda chain: {"segments": [chain.segments[0]]},
    ],
    ids=["config", "source units", "target texts", "a shard less", "sides", "segments", "segments of a shard less"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.teachers.fingerprint


def test_it_does_not_depend_on_where_or_when_its_inputs_were_made(chain: Chain) -> None:
    source = [replace(texts, units=taken(texts.units)) for texts in chain.whole("es")]
    segments = [taken(ref) for ref in chain.segments.values()]
    assert fingerprint(lambda: call(chain, root="elsewhere", source=source, segments=segments)) == chain.teachers.fingerprint


def test_only_documents_with_aligned_segments_teach(own: Chain) -> None:
    first = {"source": own.whole("es")[:1], "target": own.whole("en")[:1], "segments": [own.segments[0]]}
    vocabulary = read_vocabulary(own.store, call(own, **first), "source")
    met = {kind for text in own.texts["es", 0].read(own.store).values() for kind in text.types}
    assert set(vocabulary.types) == met < set(read_vocabulary(own.store, own.teachers, "source").types)


@DAMAGES
def test_damaged_teachers_are_fitted_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own), own.root, damage, "sentence_source.safetensors")
