"""Command ``score``: figures of predictions against gold."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.commands.conventions import AsJson, Labels, Replicates, ScoredList, Seed, Settings, errors, save

if TYPE_CHECKING:
    import polars as pl

    from pipeline_lib.evaluation.sides import Sides

ProfileName = Literal["multiclin", "multicardioner"]


def score(
    gold: Annotated[Path, typer.Option(help="TSV in the official columns, folder of .ann, or folder of languages with either.")],
    pred: Annotated[Path, typer.Option(help="The same; the output folder of a run is a folder of languages.")],
    label: Labels = [],  # noqa: B006
    scored: ScoredList = None,
    settings: Settings = [],  # noqa: B006
    profile: Annotated[ProfileName, typer.Option(help="The scoring script to follow.")] = "multiclin",
    per_document: Annotated[Path | None, typer.Option(help="Write the scores of every document to this parquet file.")] = None,
    replicates: Replicates = 1000,
    seed: Seed = 13,
    as_json: AsJson = False,
) -> None:
    """Score predictions against gold: strict and character-weighted precision, recall and F1, with its 95 % interval over documents."""
    with errors():
        import polars as pl
        import pyarrow as pa

        from flows.settings import gold_aliases
        from pipeline_lib.corpus.scored import read_scored
        from pipeline_lib.evaluation.per_document import document_scores, parquet
        from pipeline_lib.evaluation.resample import ResampleConfig, scores_of
        from pipeline_lib.evaluation.scorer import label_statistics, of_labels
        from pipeline_lib.evaluation.sides import read_sides

        config = ResampleConfig(replicates=replicates, seed=seed)
        sides = read_sides(gold, pred, read_scored(scored) if scored else None, gold_aliases(settings))
        statistics = {lang: of_labels(label_statistics(*frames, profile), label) for lang, frames in sides.frames.items()}
        if per_document:
            save(per_document, parquet([document_scores(rows, lang) for lang, rows in statistics.items()]))
        scores = pl.DataFrame(pa.concat_tables([scores_of(rows, lang, config) for lang, rows in statistics.items()]))
        if as_json:
            typer.echo(json.dumps(_figures(scores, sides), indent=1))
        else:
            _print(scores, sides)


def _figures(scores: "pl.DataFrame", sides: "Sides") -> dict[str, object]:
    """What ``--json`` prints."""
    from pipeline_lib.evaluation.scorer import macro_mean

    return {
        "scores": scores.to_dicts(),
        "mean_f1": macro_mean(scores),
        "unpaired_languages": sides.unpaired,
        "absent_documents": sides.absent,
        "gold_left_out": sides.left_out,
    }


def _print(scores: "pl.DataFrame", sides: "Sides") -> None:
    """A table a language, the mean over all, and what was left out."""
    from flows.console import OUT, plain_score_table
    from pipeline_lib.evaluation.scorer import macro_mean

    for (lang,), rows in scores.group_by(["target_lang"], maintain_order=True):
        OUT.print(plain_score_table(rows, str(lang) or None))
    if "" not in sides.frames:
        mean = macro_mean(scores)
        OUT.print(f"mean F1 over languages and labels: strict {mean['strict']:.4f} char {mean['char']:.4f}", highlight=False)
    if sides.unpaired:
        OUT.print(f"not scored, on one side only: {', '.join(sides.unpaired)}", highlight=False)
    if sides.absent:
        OUT.print(f"listed documents without a mention on either side: {sides.absent}", highlight=False)
    if sides.left_out:
        OUT.print(f"annotations of the gold that a run rejects, left out: {sides.left_out}", highlight=False)
