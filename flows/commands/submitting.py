"""Commands ``export`` and ``validate``: what others read, made and looked through."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.commands.conventions import REJECTED, AsJson, Settings, errors, save

if TYPE_CHECKING:
    from pipeline_lib.submission.texts import Texts
    from pipeline_lib.submission.validate import Report


def export(
    run: Annotated[Path, typer.Option(help="Output folder of a finished run.")],
    form: Annotated[Literal["multiclin", "brat", "conll"], typer.Option("--format", help="What is written.")],
    out: Annotated[Path, typer.Option(help="Folder to write: new, empty, or of an earlier export.")],
    label: Annotated[list[str], typer.Option(help="Only this label; may be repeated.")] = [],  # noqa: B006
    split: Annotated[str | None, typer.Option(help="Only documents of this split; without it those of `test` if there are any.")] = None,
    txt: Annotated[bool, typer.Option("--txt", help="File names in a submission end in .txt, as in some corpora's own TSV files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a run's projections for others: the shared task's submission, BRAT under the official names, or CoNLL with BIO tags."""
    with errors():
        from flows.console import OUT, count_table
        from pipeline_lib.submission.export import export_run

        facts = export_run(run, form, out, label, split, ".txt" if txt else "")
        if as_json:
            typer.echo(json.dumps(facts, indent=1))
            return
        rows: list[tuple[object, ...]] = [tuple(count.values()) for count in facts["counts"]]
        OUT.print(count_table("exported", ("language", "entity", "documents", "mentions"), rows))
        which = f"split {facts['split']}" if facts["split"] else "all splits"
        numbers = ", ".join(f"{lang} {number}" for lang, number in facts["documents"].items())
        OUT.print(f"documents of {which}: {numbers}; {facts['documents_without_text']} without a text left out", highlight=False)
        for reason, number in facts["notes"].items():
            OUT.print(f"{reason}: {number}", highlight=False)
        OUT.print(f"wrote {out}", highlight=False, soft_wrap=True)


def validate(
    file: Annotated[Path, typer.Argument(help="ZIP of a submission.")],
    corpus: Annotated[Path | None, typer.Option(help="Corpus folder with the texts.")] = None,
    run: Annotated[Path | None, typer.Option(help="Output folder of the run that was exported, instead of the corpus.")] = None,
    settings: Settings = [],  # noqa: B006
    table: Annotated[Path | None, typer.Option("--csv", help="Write every finding to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a submission as its official reader would. Exit code 3 if it is not valid."""
    if corpus is not None and run is not None:
        raise typer.BadParameter("give one of --corpus and --run")
    with errors():
        from pipeline_lib.submission.findings import findings_csv
        from pipeline_lib.submission.validate import validate as look_through

        report = look_through(file, _texts(corpus, run, settings))
        if table is not None:
            save(table, findings_csv(report.findings))
        _print(report, as_json)
        if not report.valid:
            raise typer.Exit(REJECTED)


def _texts(corpus: Path | None, run: Path | None, settings: list[str]) -> "Texts | None":
    from flows.settings import corpus_config
    from pipeline_lib.submission.texts import texts_of_corpus, texts_of_run

    if corpus is not None:
        return texts_of_corpus(corpus, corpus_config(settings))
    return texts_of_run(run) if run is not None else None


def _print(report: "Report", as_json: bool) -> None:
    from flows.console import OUT, count_table

    if as_json:
        facts = {"valid": report.valid, "tables": report.tables, "not_checked": report.not_checked}
        typer.echo(json.dumps({**facts, "findings": [finding.as_row() for finding in report.findings]}, indent=1))
        return
    if report.findings:
        OUT.print(count_table("found", ("level", "code", "rule", "count"), list(report.counts())))
    for what in report.not_checked:
        OUT.print(f"not checked: {what}", highlight=False)
    verdict = "valid" if report.valid else "not valid"
    OUT.print(f"{verdict}: {len(report.tables)} tables, {sum(report.tables.values())} rows", highlight=False)
