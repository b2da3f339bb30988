import polars as pl
import pytest

from flows.corpus import Cell
from tasks.project import Projected
from tests.flows.parts import Parts


def rows(parts: Parts, made: dict[Cell, Projected]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(parts.store.read(shard.projections)) for shard in made.values()])


@pytest.mark.parametrize("aligner", ["projected", "by_student"])
def test_every_source_mention_has_a_row_in_every_language(parts: Parts, aligner: str) -> None:
    found = rows(parts, getattr(parts, aligner))
    mentions = sum(ref.rows for ref in parts.corpus.mentions())
    assert list(getattr(parts, aligner)) == parts.corpus.cells
    assert found["target_lang"].value_counts(sort=True).rows() in (
        [("en", mentions), ("cz", mentions)],
        [("cz", mentions), ("en", mentions)],
    )
    assert found.select("document", "target_lang", "mention").is_unique().all()
    assert found["reason"].null_count() > 0.5 * found.height


def test_every_mention_has_candidates_in_every_language(parts: Parts) -> None:
    assert list(parts.candidates) == parts.corpus.cells
    for (lang, shard), ref in parts.candidates.items():
        assert (ref.contract, ref.shard) == ("candidates", parts.corpus.pair_shard((lang, shard)))
        mentions = parts.store.read(parts.corpus.rows["es", shard].mentions, ["document", "mention"]).to_pylist()
        found = pl.DataFrame(parts.store.read(ref))
        assert set(found.select("document", "mention").iter_rows()) == {(row["document"], row["mention"]) for row in mentions}
        assert set(found["target_lang"]) == {lang}
        assert (found["first"].list.len() > 0).mean() > 0.9


def test_each_pair_counts_its_own_candidates_of_all_shards(parts: Parts) -> None:
    assert list(parts.counted) == ["en", "cz"]
    for lang, counted in parts.counted.items():
        assert (counted.edges.contract, counted.edges.shard) == ("corpus_edges", f"es-{lang}")
        assert (counted.memory.contract, counted.memory.shard) == ("memory", f"es-{lang}")
        met = {key for shard in parts.corpus.shards for key in parts.store.read(parts.candidates[lang, shard])["source_key"].to_pylist()}
        remembered = set(parts.store.read(counted.memory)["source_key"].to_pylist())
        assert remembered <= met and len(remembered) > 0.8 * len(met)
    assert parts.counted["en"].memory.sha256 != parts.counted["cz"].memory.sha256


def test_the_target_aligner_reads_the_sharpened_plans(parts: Parts) -> None:
    for (lang, _), made in parts.projected.items():
        assert set(parts.store.read(made.projections)["aligner"].to_pylist()) == {parts.teachers[lang].fingerprint}
    assert "align" not in [stage.stage for stage in parts.watch.stages]


def test_the_student_aligner_reads_the_students_own_alignments(parts: Parts) -> None:
    assert [(stage.stage, stage.built) for stage in parts.student_watch.stages] == [("align", 4), ("candidates", 4), ("project", 4)]
    for (lang, _), made in parts.by_student.items():
        assert set(parts.store.read(made.projections)["aligner"].to_pylist()) == {parts.students[lang].fingerprint}


def test_each_language_is_scored_against_its_own_gold(parts: Parts) -> None:
    assert list(parts.scores) == ["en", "cz"]
    for lang, scored in parts.scores.items():
        pooled = pl.DataFrame(parts.store.read(scored.main)).row(
            by_predicate=(pl.col("label") == "*") & (pl.col("metric") == "strict"), named=True
        )
        gold = sum(len(path.read_text("utf-8").splitlines()) for path in (parts.folder / "corpus" / lang).glob("*.ann"))
        assert (pooled["target_lang"], pooled["gold"]) == (lang, gold)
        assert pooled["f1"] > 0.3


def test_nothing_is_projected_before_the_whole_corpus_is_counted_nor_scored_before_all_is_projected(parts: Parts) -> None:
    stages = [(stage.stage, stage.built) for stage in parts.watch.stages if stage.stage != "export"]
    assert stages[-5:] == [("candidates", 4), ("consistency", 2), ("project", 4), ("match", 4), ("score", 2)]
