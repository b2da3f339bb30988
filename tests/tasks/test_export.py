import csv
import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data_contracts import CARRIED_LINES, PROJECTIONS, REJECTS, WARNINGS
from flows.config import RunConfig, load_config
from pipeline_lib.corpus.text import slices
from pipeline_lib.evaluation.summary import Counts
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.projection.export import projected_files
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.write import write_file
from tasks.export import Outputs, RunFacts, export, export_language, export_tables
from tasks.out_folder import open_out
from tests.tasks.chain import DOCUMENTS_USED, Chain

CONFIG = load_config("embedded", ["fit.dimensions=16", "sharpen.reg=0.04"])
SCHEMA = {"filename": pl.String, "label": pl.String, "start_span": pl.Int64, "end_span": pl.Int64, "text": pl.String}


def facts() -> RunFacts:
    record: dict[str, object] = {"run": "run-0123", "model": "run-0123", "source": "es", "targets": ["en"], "shards": 2}
    return RunFacts("run-0123", "corpus", "embedded", "target", "run-0123", CONFIG.toml(), record, (StageTime("scan", 0.1, 1, 0),))


def outputs(chain: Chain, shards: tuple[int, ...] = (0, 1)) -> Outputs:
    return Outputs(
        source="es",
        targets=["en"],
        texts={lang: [chain.rows[lang, shard] for shard in shards] for lang in ("es", "en")},
        projected={"en": [chain.projected[shard] for shard in shards]},
        scores=[chain.scored.main],
        rejects=[chain.scanned.rejects, *(rows.rejects for rows in chain.rows.values()), *chain.scored.rejects],
        warnings=[rows.warnings for rows in chain.rows.values()],
        files=chain.scanned.files,
    )


def call(chain: Chain, out: Path, shards: tuple[int, ...] = (0, 1)) -> Counts:
    return write(chain, out, outputs(chain, shards))


def write(chain: Chain, out: Path, given: Outputs) -> Counts:
    earlier = open_out(str(out))
    written = [export_language.fn(chain.root, str(out), lang, given, earlier.of_language(lang)) for lang in given.texts]
    tables = export_tables.fn(chain.root, str(out), given, earlier.of_tables())
    return export.fn(chain.root, str(out), given, facts(), earlier, [tables, *written])


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def projected(out: Path) -> list[dict[str, Any]]:
    return pl.read_parquet(out / "projections.parquet").filter(pl.col("reason").is_null()).to_dicts()


@pytest.fixture(scope="module")
def out(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished export, not to be changed."""
    folder = tmp_path_factory.mktemp("export") / "new" / "out"
    call(chain, folder)
    return folder


def test_it_writes_the_promised_files_and_leaves_no_other(out: Path) -> None:
    expected = {
        "projections.parquet",
        "carried_lines.parquet",
        "rejects.parquet",
        "warnings.parquet",
        "corpus_files.parquet",
        "scores.json",
        "config.toml",
        "report.html",
        "run.json",
        "en/run.tsv",
    }
    assert names(out) == expected | {f"{lang}/{name}.{end}" for lang in ("es", "en") for name in DOCUMENTS_USED for end in ("txt", "ann")}


def test_the_record_lists_every_file_with_its_hash(out: Path) -> None:
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert set(record["files"]) == names(out) - {"run.json", "report.html"}
    assert record["files"] == {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in record["files"]}
    assert {key: value for key, value in record.items() if key not in ("files", "made_of")} == facts().record
    assert record["made_of"].keys() == {f"{lang}/000{shard}-of-0002" for lang in ("es", "en") for shard in (0, 1)} | {
        "en/run.tsv",
        "tables",
    }


def test_the_tables_hold_the_projections_and_rejects_of_every_shard(chain: Chain, out: Path) -> None:
    assert pq.read_schema(out / "projections.parquet").equals(PROJECTIONS.schema)
    assert pq.read_schema(out / "carried_lines.parquet").equals(CARRIED_LINES.schema)
    assert pq.read_schema(out / "rejects.parquet").equals(REJECTS.schema)
    assert pq.read_schema(out / "warnings.parquet").equals(WARNINGS.schema)
    assert pq.read_table(out / "corpus_files.parquet").equals(chain.store.read(chain.scanned.files))
    shards = [row for ref in chain.projections.values() for row in chain.store.read(ref).to_pylist()]
    assert pq.read_table(out / "projections.parquet").to_pylist() == shards


def test_the_tsv_agrees_with_the_projections(out: Path) -> None:
    with (out / "en" / "run.tsv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    assert header == list(SCHEMA)
    expected = [(row["document"], row["label"], str(min(row["starts"])), str(max(row["ends"])), row["surface"]) for row in projected(out)]
    assert sorted(map(tuple, rows)) == sorted(expected) != []
    assert [(row[0], int(row[2])) for row in rows] == sorted((row[0], int(row[2])) for row in rows)


def test_the_annotations_agree_with_the_projections_and_the_texts(out: Path) -> None:
    found = []
    for name in DOCUMENTS_USED:
        text = (out / "en" / f"{name}.txt").read_bytes().decode()
        for line in (out / "en" / f"{name}.ann").read_bytes().decode().splitlines():
            mention, middle, surface = line.split("\t")
            label, _, spans = middle.partition(" ")
            starts, ends = zip(*(map(int, span.split()) for span in spans.split(";")), strict=True)
            assert slices(text, starts, ends) == surface
            found.append((name, mention, label, list(starts), list(ends), surface))
    columns = ("document", "target_mention", "label", "starts", "ends", "surface")
    assert sorted(found) == sorted(tuple(row[column] for column in columns) for row in projected(out))


def test_texts_are_those_of_the_corpus_and_the_source_is_as_it_was_read(chain: Chain, out: Path) -> None:
    for name in names(Path(chain.corpus)) - {"manifest.tsv"}:
        if name.startswith("es/") or name.endswith(".txt"):
            assert (out / name).read_bytes() == (Path(chain.corpus) / name).read_bytes()


def test_the_config_reads_back(out: Path) -> None:
    assert RunConfig.model_validate(tomllib.loads((out / "config.toml").read_text("utf-8"))) == CONFIG != RunConfig()


def test_scores_are_those_of_the_store_with_four_decimals(chain: Chain, out: Path) -> None:
    scores = json.loads((out / "scores.json").read_text("utf-8"))
    stored = chain.store.read(chain.scored.main).to_pylist()
    assert [(row["label"], row["metric"], row["gold"]) for row in scores] == [(row["label"], row["metric"], row["gold"]) for row in stored]
    assert all(row["f1"] == round(row["f1"], 4) for row in scores)
    assert any(row["f1"] > 0.3 for row in scores)


def test_the_report_needs_no_other_file_and_no_script(out: Path) -> None:
    page = (out / "report.html").read_text("utf-8")
    assert "run-0123" in page
    assert not re.search(r"<(script|link|iframe|object|embed|base)\b|@import", page, re.IGNORECASE)
    assert not re.search(r"""\b(src|srcset|href|action|data)\s*=\s*["']?(?!["']?(#|data:))|url\(\s*["']?(?!#|data:)""", page)


@pytest.mark.parametrize("file", ["report.html", "run.json", "scores.json", "config.toml"])
def test_no_mention_is_told_outside_texts_and_tables(out: Path, file: str) -> None:
    rows = projected(out)
    surfaces = {row[side].lower() for row in rows for side in ("surface", "source_surface") if len(row[side].split()) > 1}
    assert len(surfaces) > 20
    assert sum(surface in (out / "en" / "run.tsv").read_text("utf-8").lower() for surface in surfaces) > 10
    content = (out / file).read_text("utf-8").lower()
    assert [surface for surface in surfaces if surface in content] == []


def test_it_returns_what_the_run_did(chain: Chain, tmp_path: Path) -> None:
    counts = call(chain, tmp_path)
    rows = pl.read_parquet(tmp_path / "projections.parquet")
    assert (counts.documents, counts.mentions) == (len(DOCUMENTS_USED), rows.height)
    assert counts.projected == {"en": len(projected(tmp_path))}
    assert sum(counts.abstentions.values()) == rows.height - len(projected(tmp_path))
    assert counts.rejects == {}


def test_without_gold_the_scores_are_empty(chain: Chain, tmp_path: Path) -> None:
    write(chain, tmp_path, replace(outputs(chain), scores=[]))
    assert json.loads((tmp_path / "scores.json").read_text("utf-8")) == []


def test_the_same_again_gives_the_same_bytes(chain: Chain, out: Path, tmp_path: Path) -> None:
    expected = {name: (out / name).read_bytes() for name in names(out)}
    for _ in range(2):
        call(chain, tmp_path)
        assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == expected


def test_a_later_run_removes_what_only_the_earlier_one_left(chain: Chain, tmp_path: Path) -> None:
    call(chain, tmp_path)
    own = {"notes.txt", "en/draft.ann", "case-03.txt"}
    for name in own:
        (tmp_path / name).write_text("mine", encoding="utf-8")
    before = names(tmp_path)
    call(chain, tmp_path, shards=(0,))
    assert before - names(tmp_path) == {f"{lang}/case-03.{end}" for lang in ("es", "en") for end in ("txt", "ann")}
    assert own < names(tmp_path)


@pytest.mark.parametrize("listed", ["../outside.txt", "en/../../outside.txt", "{parent}/outside.txt"])
def test_a_record_never_has_a_file_removed_outside_its_folder(chain: Chain, tmp_path: Path, listed: str) -> None:
    outside, folder = tmp_path / "outside.txt", tmp_path / "out"
    outside.write_text("mine", encoding="utf-8")
    folder.mkdir()
    (folder / "run.json").write_text(
        json.dumps({"run": "run-0", "files": {listed.format(parent=tmp_path): "", "inside.txt": ""}}), encoding="utf-8"
    )
    (folder / "inside.txt").write_text("of an earlier run", encoding="utf-8")
    call(chain, folder)
    assert outside.read_text(encoding="utf-8") == "mine"
    assert not (folder / "inside.txt").exists()


@pytest.mark.parametrize("fails", ["en/run.tsv", "es/case-03.ann", "config.toml", "report.html", "run.json"])
def test_an_interrupted_export_can_be_tried_again(chain: Chain, out: Path, tmp_path: Path, fails: str) -> None:
    def full(path: Path, content: str | bytes) -> None:
        if path == tmp_path / fails:
            raise OSError("no space left on device")
        write_file(path, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.export.write_file", full)
        patch.setattr("pipeline_lib.storage.rewrite.write_file", full)
        with pytest.raises(OSError, match="no space"):
            call(chain, tmp_path)
    assert not (tmp_path / "run.json").exists()
    call(chain, tmp_path)
    assert names(tmp_path) == names(out)


def test_the_same_export_again_writes_the_report_alone(chain: Chain, tmp_path: Path) -> None:
    counts = call(chain, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_write_tables", "projected_files", "source_files", "tsv_rows"):
            patch.setattr(f"tasks.export.{name}", None)
        assert call(chain, tmp_path) == counts
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.name for path in after if after[path] != before.get(path)} == {"report.html", "run.json"}


def changed_shard(chain: Chain) -> Outputs:
    """Of shard 0, the projections are those of shard 1, which speak of other documents: it is as if nothing had been projected."""
    others = replace(chain.projected[0], projections=chain.projected[1].projections)
    return replace(outputs(chain), projected={"en": [others, chain.projected[1]]})


def test_of_another_export_only_what_is_made_of_something_else_is_rendered_and_written(chain: Chain, tmp_path: Path) -> None:
    call(chain, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if path.suffix in (".ann", ".txt")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.export.source_files", None)
        found = rendered(chain, tmp_path, changed_shard(chain))
    in_shard = chain.store.read(chain.rows["en", 0].documents)["document"].to_pylist()
    assert found == [in_shard] and 0 < len(in_shard) < len(DOCUMENTS_USED)
    written = {path.relative_to(tmp_path).as_posix() for path in before if path.stat().st_mtime_ns != before[path]}
    assert written == {f"en/{name}.ann" for name in in_shard}
    assert all((tmp_path / file).read_bytes() == b"" for file in written)


def changed_document(chain: Chain) -> tuple[Outputs, str]:
    """In shard 0 one document has lost its projections; its name."""
    ref = chain.projected[0].projections
    rows = chain.store.read(ref)
    document = rows["document"][0].as_py()
    made_of = ingredients(PROJECTIONS.id, "pipeline_lib.projection.project", None, ["one document is other", ref.fingerprint])
    changed = chain.store.table(PROJECTIONS, ref.shard, made_of, lambda: [rows.filter(pc.not_equal(rows["document"], document))])
    others = replace(chain.projected[0], projections=changed)
    return replace(outputs(chain), projected={"en": [others, chain.projected[1]]}), document


def rendered(chain: Chain, out: Path, given: Outputs) -> list[list[str]]:
    """The documents of the target that an export renders, shard by shard."""
    found: list[list[str]] = []

    def watched(documents: pa.Table, projections: pa.Table, carried: pa.Table) -> Iterator[tuple[str, str]]:
        found.append(documents["document"].to_pylist())
        return projected_files(documents, projections, carried)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.export.projected_files", watched)
        write(chain, out, given)
    return found


def test_of_a_changed_shard_only_documents_that_changed_or_are_not_there_are_rendered(chain: Chain, tmp_path: Path) -> None:
    changed, document = changed_document(chain)
    in_shard = chain.store.read(chain.rows["en", 0].documents)["document"].to_pylist()
    damaged = next(name for name in in_shard if name != document)
    write(chain, tmp_path / "whole", changed)
    call(chain, tmp_path / "out")
    (tmp_path / "out" / "en" / f"{damaged}.txt").write_bytes(b"mine")
    assert rendered(chain, tmp_path / "out", changed) == [sorted([document, damaged], key=in_shard.index)]
    files = sorted(name for name in names(tmp_path / "whole") if name.endswith((".ann", ".txt", ".tsv")))
    assert [(tmp_path / "out" / name).read_bytes() for name in files] == [(tmp_path / "whole" / name).read_bytes() for name in files]


def test_where_the_store_has_forgotten_the_earlier_tables_the_shard_is_rendered(chain: Chain, tmp_path: Path) -> None:
    changed, _ = changed_document(chain)
    write(chain, tmp_path, changed)
    forgotten = changed.projected["en"][0].projections
    chain.store.remove(forgotten.record_key)
    in_shard = chain.store.read(chain.rows["en", 0].documents)["document"].to_pylist()
    assert rendered(chain, tmp_path, outputs(chain)) == [in_shard]


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"mine")])
@pytest.mark.parametrize("file", ["en/case-03.ann", "es/case-01.txt"])
def test_a_damaged_file_of_a_shard_that_did_not_change_is_repaired(
    chain: Chain, tmp_path: Path, file: str, damage: Callable[[Path], object]
) -> None:
    write(chain, tmp_path / "whole", changed_shard(chain))
    call(chain, tmp_path / "out")
    damage(tmp_path / "out" / file)
    write(chain, tmp_path / "out", changed_shard(chain))
    assert {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")} == {
        name: (tmp_path / "whole" / name).read_bytes() for name in names(tmp_path / "whole")
    }


def test_what_a_kill_left_half_written_is_gone_after_the_next_export(chain: Chain, out: Path, tmp_path: Path) -> None:
    call(chain, tmp_path)
    for file in (".unfinished", "en/.writing-case-01.ann", ".writing-projections.parquet"):
        (tmp_path / file).write_bytes(b"half")
    call(chain, tmp_path)
    assert names(tmp_path) == names(out)


@pytest.mark.parametrize("file", ["en/run.tsv", "projections.parquet", "config.toml"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"mine")])
def test_a_file_that_is_not_as_it_was_left_is_written_again(
    chain: Chain, out: Path, tmp_path: Path, file: str, damage: Callable[[Path], object]
) -> None:
    call(chain, tmp_path)
    damage(tmp_path / file)
    call(chain, tmp_path)
    assert (tmp_path / file).read_bytes() == (out / file).read_bytes()


def test_another_export_into_the_same_folder_is_written(chain: Chain, out: Path, tmp_path: Path) -> None:
    call(chain, tmp_path, shards=(0,))
    call(chain, tmp_path)
    assert names(tmp_path) == names(out) and (tmp_path / "en" / "run.tsv").read_bytes() == (out / "en" / "run.tsv").read_bytes()
