"""Command ``compare``: two systems on the same gold."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.conventions import AsJson, Labels, Replicates, ScoredList, Seed, Settings, errors, save


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Predictions of system A: TSV in the official columns, or folder of .ann.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Predictions of system B.")],
    gold: Annotated[Path, typer.Option(help="Gold of both.")],
    label: Labels = [],  # noqa: B006
    scored: ScoredList = None,
    settings: Settings = [],  # noqa: B006
    differences: Annotated[Path | None, typer.Option(help="Write the mentions that only one of them predicts to this TSV.")] = None,
    replicates: Replicates = 1000,
    seed: Seed = 13,
    as_json: AsJson = False,
) -> None:
    """Compare two systems: F1 of both, the difference with its 95 % interval and p-value, and the mentions on which they differ."""
    with errors():
        from dataclasses import asdict

        from flows.console import OUT, comparison_table, difference_table
        from flows.settings import gold_aliases
        from pipeline_lib.corpus.scored import read_scored
        from pipeline_lib.evaluation.annotations import read_annotations, read_gold
        from pipeline_lib.evaluation.compare import compare_systems, count_differences, differing_mentions, paired_statistics
        from pipeline_lib.evaluation.resample import ResampleConfig
        from pipeline_lib.evaluation.scorer import of_labels
        from pipeline_lib.evaluation.sides import absent, only

        of_gold = read_gold(gold, gold_aliases(settings))
        frames = [of_gold.mentions, read_annotations(a), read_annotations(b)]
        missing = None
        if scored:
            documents = read_scored(scored)
            missing = absent(frames, documents)
            frames = [only(frame, documents) for frame in frames]
        frames = [of_labels(frame, label) for frame in frames]
        rows = compare_systems(paired_statistics(*frames), ResampleConfig(replicates=replicates, seed=seed))
        mentions = differing_mentions(*frames)
        if differences:
            save(differences, mentions.write_csv(separator="\t"))
        counts = count_differences(mentions)
        if as_json:
            figures = {"scores": [asdict(row) for row in rows], "differing": counts.to_dicts(), "absent_documents": missing}
            typer.echo(json.dumps(figures | {"gold_left_out": of_gold.left_out}, indent=1))
            return
        OUT.print(comparison_table(rows))
        OUT.print(difference_table(counts))
        if missing:
            OUT.print(f"listed documents without a mention in any file: {missing}", highlight=False)
        if of_gold.left_out:
            OUT.print(f"annotations of the gold that a run rejects, left out: {of_gold.left_out}", highlight=False)
