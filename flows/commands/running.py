"""Commands ``demo`` and ``run``: the pipeline from the terminal."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.conventions import AsJson, Quiet, ServerError, Settings, errors

if TYPE_CHECKING:
    from flows.outputs import Outputs


Corpus = Annotated[Path, typer.Option(help="Folder such as {lang}/{document}.txt with .ann beside it; other layouts: docs/your-corpus.md.")]
Store = Annotated[str, typer.Option(help="Folder or fsspec URL where every intermediate is kept.")]
Out = Annotated[Path, typer.Option(help="Folder for the results.")]
Source = Annotated[str, typer.Option(help="Language that is annotated.")]
Support = Annotated[
    Path | None,
    typer.Option(
        help="Mentions that a tagger predicts in the target texts, as evidence: {lang}/{document}.ann or a TSV in {lang}/; "
        "with one target also without {lang}/."
    ),
]
Memory = Annotated[str, typer.Option(help="Most memory of all processes together, such as 6GB: as many workers as it allows.")]


@dataclass(frozen=True)
class Order:
    """What is to be run, and how it is shown. No targets: those of the model."""

    profile: str
    corpus: Path
    targets: list[str]
    store: str
    out: Path
    source: str = "es"
    settings: list[str] = field(default_factory=list)
    model: str | None = None
    gold_train: Path | None = None
    support: Path | None = None
    projects_only: bool = False
    quiet: bool = False
    as_json: bool = False


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the corpus, the store and the results.")] = Path("demo-out"),
    settings: Settings = [],  # noqa: B006  (typer reads the default, nobody changes it)
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Carry the bundled sample corpus from Spanish into six languages, with scores."""
    with errors():
        from pipeline_lib.corpus.samples import LANGUAGES, write_sample

        corpus, targets = out / "corpus", [lang for lang in LANGUAGES if lang != "es"]
        write_sample(corpus)
        store, results = str(out / "store"), out / "results"
        figures = _run(Order("embedded", corpus, targets, store, results, settings=settings, quiet=quiet, as_json=as_json))
        pooled = [row for row in figures["scores"] if row["label"] == "*"]
        mean = {m: sum(row["f1"] for row in pooled if row["metric"] == m) / (len(pooled) / 2) for m in ("strict", "char")}
        projected = sum(figures["projected"].values())
        if not as_json:
            typer.echo(
                f"demo: OK {figures['documents']} documents, {len(figures['projected'])} languages, {projected} mentions projected, "
                f"mean F1 strict {mean['strict']:.4f} char {mean['char']:.4f}"
            )


def run(
    profile: Annotated[str, typer.Argument(help="Profile, such as embedded.")],
    corpus: Corpus,
    targets: Annotated[str, typer.Option(help="Languages to carry the annotations into, separated by commas.")],
    store: Store,
    out: Out,
    source: Source = "es",
    model: Annotated[str | None, typer.Option(help="Use the model of this run (id or output folder) instead of fitting one.")] = None,
    support: Support = None,
    gold_train: Annotated[
        Path | None,
        typer.Option(help="Learn from the targets' gold of these documents, one id a line; they are left out of the scores."),
    ] = None,
    memory: Memory = "",
    settings: Settings = [],  # noqa: B006
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Project a corpus: annotations of one language into its translations."""
    with errors():
        langs, given = _languages(targets), _with_memory(settings, memory)
        _run(Order(profile, corpus, langs, store, out, source, given, model, gold_train, support, quiet=quiet, as_json=as_json))


def project(
    profile: Annotated[str, typer.Argument(help="Profile, such as embedded.")],
    corpus: Corpus,
    store: Store,
    out: Out,
    model: Annotated[
        str | None, typer.Option(help="Run whose model is used, id or output folder; without it the collection's last.")
    ] = None,
    targets: Annotated[str, typer.Option(help="Languages to carry the annotations into, by commas; without it the model's.")] = "",
    source: Source = "es",
    support: Support = None,
    memory: Memory = "",
    settings: Settings = [],  # noqa: B006
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Project a collection with a model that an earlier run fitted: no fitting, no alignment kept, only what changed is done again."""
    with errors():
        if not targets and model is None:
            raise typer.BadParameter("name the languages, or a --model whose languages are taken", param_hint="--targets")
        langs, given = _languages(targets) if targets else [], _with_memory(settings, memory)
        _run(Order(profile, corpus, langs, store, out, source, given, model, None, support, True, quiet, as_json))


def _languages(targets: str) -> list[str]:
    langs = [lang.strip() for lang in targets.split(",") if lang.strip()]
    if not langs:
        raise typer.BadParameter("name at least one language", param_hint="--targets")
    return langs


def _with_memory(settings: list[str], memory: str) -> list[str]:
    return [*settings, f"memory={memory}"] if memory else settings


def _run(order: Order) -> dict[str, Any]:
    """Run the pipeline and print what it did; returns the figures."""
    _prepare_prefect()
    from flows.bars import progress_bars
    from flows.config import load_config
    from flows.console import ERR
    from flows.outputs import read_outputs
    from pipeline_lib.corpus.layouts import resolve_languages
    from pipeline_lib.projection.support import find_support
    from pipeline_lib.supervision.declared import read_declared

    # What can be refused at once is refused before Prefect takes its time to start.
    config = load_config(order.profile, order.settings)
    config.check_models()
    targets = order.targets or _of_model(order)
    own = resolve_languages(order.corpus, [order.source, *targets], config.corpus)
    if order.gold_train is not None:
        read_declared(order.gold_train)
    if order.support is not None:
        find_support(order.support, list(dict.fromkeys(own[1:])), order.corpus)
    silent = order.quiet or order.as_json
    if not silent:
        ERR.print("starting Prefect ...")
    from flows.server import server_starting

    common = (config, str(order.corpus), order.source, targets, order.store, str(order.out), order.model)
    with _prefect_answers(), progress_bars(silent):
        with server_starting():
            from flows.pipeline import project as project_alone
            from flows.pipeline import run_pipeline
        if order.projects_only:
            counts = project_alone(*common, _text(order.support))
        else:
            counts = run_pipeline(*common, _text(order.gold_train), _text(order.support))
    outputs = read_outputs(order.out, counts)
    if order.as_json:
        typer.echo(json.dumps(outputs.figures, indent=1))
    elif not order.quiet:
        _print(outputs, order.out)
    return outputs.figures


def _of_model(order: Order) -> list[str]:
    """The languages of the model that projects."""
    from flows.model import read_run
    from pipeline_lib.storage.store import Store

    return list(read_run(Store(order.store), str(order.model))["targets"])


@contextmanager
def _prefect_answers() -> Iterator[None]:
    """Raises ``ServerError`` where Prefect's server does not, or no longer."""
    from httpx import TransportError

    try:
        yield
    except (TransportError, RuntimeError) as error:
        if isinstance(error, TransportError):
            sys.stderr.write("\n")  # Prefect's logger has told the same, and left its line open
        elif not str(error).startswith("Failed to reach API"):
            raise
        raise ServerError(f"Prefect's server does not answer ({error}); all that was finished is in the store: run again") from None


def _print(outputs: "Outputs", out: Path) -> None:
    """Tables and sentences of what a run did."""
    from flows.console import OUT, count_table, score_table

    if outputs.scores.height:
        OUT.print(score_table(outputs.scores, "scores"))
    if outputs.counts.abstentions:
        OUT.print(count_table("not projected", ("language", "reason", "mentions"), outputs.abstentions()))
    if outputs.counts.rejects:
        OUT.print(count_table("rejected", ("stage", "code", "count"), outputs.rejects()))
    if outputs.counts.stayed or any(outputs.counts.carried.values()):
        OUT.print(f"carried: {outputs.carried_sentence()}", highlight=False)
    if outputs.counts.warnings:
        OUT.print(f"irregular: {outputs.warning_sentence()}", highlight=False)
    if said := outputs.support_sentence():
        OUT.print(f"support: {said}", highlight=False)
    OUT.print(f"model: {outputs.model_sentence()}", highlight=False)
    for name in ("report.html", "projections.parquet", "scores.json", *(f"{lang}/run.tsv" for lang in outputs.counts.projected)):
        OUT.print(f"wrote {out / name}", highlight=False, soft_wrap=True)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _prepare_prefect() -> None:
    """Settings of the embedded Prefect server, unless the user made them: no telemetry, own home, logs to the server, our bars only."""
    for name, value in {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(Path.cwd() / ".spanferry" / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        # An insert a task's state, which is the default, is most of what the server does in a large run.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "2",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",  # or a server that is away for a moment fills the terminal with events
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # the bars here are our own
    }.items():
        os.environ.setdefault(name, value)
    # Prefect makes the last folder of its home only, and then waits in vain for its server.
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
