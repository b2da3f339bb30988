"""The console script ``spanferry``. Commands import what they need when they run: ``score`` shall not wait for Prefect and torch."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

EXIT_CODES = {"ConfigError": 2, "CorpusError": 4, "ModelError": 5, "StoreError": 5, "ExportError": 5, "ScoreInputError": 6, "ShowError": 6}
REJECTED = 3

app = typer.Typer(
    help="Carry clinical entity annotations from one language into the translations of its documents.",
    epilog="Exit codes: 0 done, 2 usage or configuration, 3 something was rejected (check), 4 corpus, 5 store, model or output folder, "
    "6 input of score or show, 1 anything else.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars and tables.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Settings = Annotated[list[str], typer.Option("--set", help="A setting, such as sharpen.reg=0.05; may be repeated.")]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the corpus, the store and the results.")] = Path("demo-out"),
    settings: Settings = [],  # noqa: B006  (typer reads the default, nobody changes it)
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Carry the bundled sample corpus from Spanish into six languages, with scores."""
    with _errors():
        from pipeline_lib.corpus.samples import LANGUAGES, write_sample

        corpus, results = out / "corpus", out / "results"
        write_sample(corpus)
        figures = _run(
            "embedded",
            corpus,
            "es",
            [lang for lang in LANGUAGES if lang != "es"],
            str(out / "store"),
            results,
            settings,
            None,
            quiet,
            as_json,
        )
        pooled = [row for row in figures["scores"] if row["label"] == "*"]
        mean = {m: sum(row["f1"] for row in pooled if row["metric"] == m) / (len(pooled) / 2) for m in ("strict", "char")}
        projected = sum(figures["projected"].values())
        if not as_json:
            typer.echo(
                f"demo: OK {figures['documents']} documents, {len(figures['projected'])} languages, {projected} mentions projected, "
                f"mean F1 strict {mean['strict']:.4f} char {mean['char']:.4f}"
            )


@app.command()
def run(
    profile: Annotated[str, typer.Argument(help="Profile, such as embedded.")],
    corpus: Annotated[Path, typer.Option(help="Folder in the plain layout: {lang}/{document}.txt with .ann beside it.")],
    targets: Annotated[str, typer.Option(help="Languages to carry the annotations into, separated by commas.")],
    store: Annotated[str, typer.Option(help="Folder or fsspec URL where every intermediate is kept.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    source: Annotated[str, typer.Option(help="Language that is annotated.")] = "es",
    model: Annotated[str | None, typer.Option(help="Use the model of this run (id or output folder) instead of fitting one.")] = None,
    settings: Settings = [],  # noqa: B006
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Project a corpus: annotations of one language into its translations."""
    with _errors():
        langs = [lang.strip() for lang in targets.split(",") if lang.strip()]
        if not langs:
            raise typer.BadParameter("name at least one language", param_hint="--targets")
        _run(profile, corpus, source, langs, store, out, settings, model, quiet, as_json)


@app.command()
def score(
    gold: Annotated[Path, typer.Option(help="TSV in the official columns, or a folder of .ann.")],
    pred: Annotated[Path, typer.Option(help="TSV in the official columns, or a folder of .ann.")],
    label: Annotated[list[str], typer.Option(help="Only this label; may be repeated.")] = [],  # noqa: B006
    profile: Annotated[Literal["multiclin", "multicardioner"], typer.Option(help="The scoring script to follow.")] = "multiclin",
    as_json: AsJson = False,
) -> None:
    """Score predictions against gold: strict and character-weighted precision, recall and F1."""
    with _errors():
        from dataclasses import asdict

        from flows.console import OUT, plain_score_table
        from pipeline_lib.evaluation.annotations import read_annotations
        from pipeline_lib.evaluation.scorer import score as score_rows

        rows = score_rows(read_annotations(gold), read_annotations(pred), label or None, profile)
        if as_json:
            typer.echo(json.dumps([asdict(row) for row in rows], indent=1))
        else:
            OUT.print(plain_score_table(rows))


@app.command()
def check(
    corpus: Annotated[Path, typer.Argument(help="Folder in the plain layout.")],
    as_json: AsJson = False,
) -> None:
    """Read every text and annotation, change nothing, and print counts and rejects by reason."""
    with _errors():
        from flows.console import OUT, count_table
        from pipeline_lib.corpus.census import take_census

        census = take_census(corpus)
        if as_json:
            typer.echo(json.dumps(census.as_json(), indent=1))
        else:
            OUT.print(count_table("read", ("language", "documents", "mentions"), census.read_rows()))
            OUT.print(count_table("rejected", ("code", "rule", "count"), census.reject_rows()) if census.rejects else "nothing rejected")
        if census.rejects:
            raise typer.Exit(REJECTED)


@app.command()
def show(
    document: Annotated[str, typer.Argument(help="Document id.")],
    target: Annotated[str, typer.Option(help="Target language.")],
    out: Annotated[Path, typer.Option(help="Output folder of a run.")],
) -> None:
    """Show a document side by side with its translation, mentions highlighted. The one command that prints text."""
    with _errors():
        from flows.console import OUT
        from flows.show import side_by_side

        OUT.print(side_by_side(document, target, out, OUT.width))


def main() -> None:
    """Entry point of the console script."""
    app()


def _run(
    profile: str,
    corpus: Path,
    source: str,
    targets: list[str],
    store: str,
    out: Path,
    settings: list[str],
    model: str | None,
    quiet: bool,
    as_json: bool,
) -> dict[str, Any]:
    """Run the pipeline and print what it did; returns the figures."""
    _prepare_prefect()
    from flows.config import load_config
    from flows.console import ERR, OUT, count_table, progress_bars, score_table
    from flows.outputs import read_outputs
    from pipeline_lib.corpus.layouts import resolve_language

    # What can be refused at once is refused before Prefect takes its time to start.
    config = load_config(profile, settings)
    for lang in [source, *targets]:
        resolve_language(corpus, lang)
    if not quiet and not as_json:
        ERR.print("starting Prefect ...")
    from flows.pipeline import run_pipeline

    with progress_bars(quiet or as_json):
        counts = run_pipeline(config, str(corpus), source, targets, store, str(out), model)
    outputs = read_outputs(out, counts)
    if as_json:
        typer.echo(json.dumps(outputs.figures, indent=1))
    elif not quiet:
        if outputs.scores.height:
            OUT.print(score_table(outputs.scores, "scores"))
        if outputs.counts.abstentions:
            OUT.print(count_table("not projected", ("language", "reason", "mentions"), outputs.abstentions()))
        if outputs.counts.rejects:
            OUT.print(count_table("rejected", ("stage", "code", "count"), outputs.rejects()))
        OUT.print(f"model: {outputs.model_sentence()}", highlight=False)
        for name in ("report.html", "projections.parquet", "scores.json", *(f"{lang}/run.tsv" for lang in counts.projected)):
            OUT.print(f"wrote {out / name}", highlight=False, soft_wrap=True)
    return outputs.figures


def _prepare_prefect() -> None:
    """Settings of the embedded Prefect server, unless the user made them: no telemetry, a home of its own, logs to the server only."""
    for name, value in {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(Path.cwd() / ".spanferry" / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    }.items():
        os.environ.setdefault(name, value)
    # Prefect makes the last folder of its home only, and then waits in vain for its server.
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)


@contextmanager
def _errors() -> Iterator[None]:
    """An expected failure ends as one line and its exit code."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        code = EXIT_CODES.get(type(error).__name__)
        if code is None:
            raise
        sys.stderr.write(f"spanferry: {error}\n")
        raise typer.Exit(code) from None


if __name__ == "__main__":
    main()
