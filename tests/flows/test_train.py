import pytest

from pipeline_lib.storage.artifact import ArtifactRef
from tests.flows.parts import Parts

LANGS = ("en", "cz")


def units(parts: Parts, lang: str, shard: int) -> dict[str, int]:
    """Units of each document."""
    rows = parts.store.read(parts.corpus.texts[lang, shard].units, ["document", "starts"]).to_pylist()
    return {row["document"]: len(row["starts"]) for row in rows}


@pytest.mark.parametrize(("part", "contract"), [("teachers", "teachers"), ("edges", "edge_statistics"), ("students", "student")])
def test_each_pair_learns_its_own(parts: Parts, part: str, contract: str) -> None:
    refs: dict[str, ArtifactRef] = getattr(parts, part)
    assert {lang: (ref.contract, ref.shard) for lang, ref in refs.items()} == {lang: (contract, f"es-{lang}") for lang in LANGS}
    assert refs["en"].sha256 != refs["cz"].sha256


def test_the_segments_of_every_document_are_paired_with_those_of_its_own_translation(parts: Parts) -> None:
    assert list(parts.segments) == parts.corpus.cells
    for (lang, shard), ref in parts.segments.items():
        assert (ref.contract, ref.shard) == ("segment_pairs", parts.corpus.pair_shard((lang, shard)))
        rows = parts.store.read(ref).to_pylist()
        assert {row["document"]: row["source_ends"][-1] for row in rows} == units(parts, "es", shard)
        assert {row["document"]: row["target_ends"][-1] for row in rows} == units(parts, lang, shard)


def test_there_are_posteriors_beside_every_plan(parts: Parts) -> None:
    assert list(parts.targets.posteriors) == parts.corpus.cells
    for cell, ref in parts.targets.posteriors.items():
        assert (ref.contract, ref.shard) == ("posteriors", parts.corpus.pair_shard(cell))
        columns = ["document", "source_lang", "target_lang"]
        assert parts.store.read(ref, columns).to_pylist() == parts.store.read(parts.targets.plans[cell], columns).to_pylist()


def test_there_is_a_plan_for_every_document_between_its_own_texts(parts: Parts) -> None:
    assert list(parts.targets.plans) == parts.corpus.cells
    for (lang, shard), ref in parts.targets.plans.items():
        assert (ref.contract, ref.shard) == ("transport_plans", parts.corpus.pair_shard((lang, shard)))
        rows = parts.store.read(ref, ["document", "source_lang", "target_lang", "rows", "columns"]).to_pylist()
        assert {row["document"]: row["rows"] for row in rows} == units(parts, "es", shard)
        assert {row["document"]: row["columns"] for row in rows} == units(parts, lang, shard)
        assert {(row["source_lang"], row["target_lang"]) for row in rows} == {("es", lang)}


def test_the_embeddings_kept_are_those_of_the_target_texts(parts: Parts) -> None:
    for (lang, shard), ref in parts.targets.embeddings.items():
        assert ref.shard == f"es-{lang}/target/000{shard}-of-0002"
        assert set(parts.store.read(ref, ["lang"])["lang"].to_pylist()) == {lang}


def test_models_hold_the_five_of_the_same_pair(parts: Parts) -> None:
    assert list(parts.models) == list(LANGS)
    for lang, model in parts.models.items():
        assert (model.teachers, model.edges, model.student) == (parts.teachers[lang], parts.edges[lang], parts.students[lang])
        assert (model.corpus_edges, model.memory) == (parts.counted[lang].edges, parts.counted[lang].memory)


def test_the_stages_follow_each_other_with_all_their_shards(parts: Parts) -> None:
    shards = {stage.stage: stage.built for stage in parts.watch.stages[3:10]}
    assert shards == {"segments": 4, "fit": 2, "edges": 2, "embed": 8, "cost": 4, "sharpen": 4, "distill": 2}
    assert list(shards) == ["segments", "fit", "edges", "embed", "cost", "sharpen", "distill"]
