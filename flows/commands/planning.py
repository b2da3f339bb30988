"""Command ``plan``: what a run will read, write and take, before it starts."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.conventions import AsJson, Quiet, Settings, errors

if TYPE_CHECKING:
    from flows.forecast import Forecast


def plan(
    profile: Annotated[str, typer.Argument(help="Profile, such as embedded or paper.")],
    corpus: Annotated[Path, typer.Option(help="Folder that `run` would be given.")],
    targets: Annotated[str | None, typer.Option(help="Languages, separated by commas; without it all that the corpus has.")] = None,
    source: Annotated[str, typer.Option(help="Language that is annotated.")] = "es",
    settings: Settings = [],  # noqa: B006  (typer reads the default, nobody changes it)
    seconds: Annotated[float, typer.Option(min=0.1, help="About how long a sample of the corpus goes through the stages.")] = 30.0,
    most_hours: Annotated[float | None, typer.Option(min=0, help="Exit with 8 if the run would take longer than this.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Estimate a run on this machine: documents, tokens, gigabytes by kind, hours a stage.

    Some documents go through the stages' own code, for which transformers have to be here already; nothing is written or downloaded.
    """
    with errors():
        from flows.config import load_config
        from flows.console import ERR
        from flows.forecast import forecast, require_at_most

        config = load_config(profile, settings)
        langs = _targets(targets, source, corpus, config.corpus)
        if not quiet and not as_json:
            ERR.print(f"trying the stages on a sample, for about {seconds:g} s ...")
        found = forecast(config, corpus, source, langs, seconds)
        if as_json:
            typer.echo(json.dumps(figures(found), indent=1))
        elif not quiet:
            _print(found)
        require_at_most(found, most_hours)


def _targets(targets: str | None, source: str, corpus: Path, config: Any) -> list[str]:
    """The languages named, or all beside the source. Raises ``CorpusError``."""
    from pipeline_lib.corpus.layouts import languages, resolve_language

    if targets is None:
        own = resolve_language(corpus, source, config)
        langs = [lang for lang in languages(corpus, config) if lang != own]
    else:
        langs = [lang.strip() for lang in targets.split(",") if lang.strip()]
    if not langs:
        raise typer.BadParameter("name at least one language", param_hint="--targets")
    return langs


def figures(found: "Forecast") -> dict[str, Any]:
    """The estimate as ``--json`` has it."""
    estimate = found.estimate
    return {
        "profile": found.profile,
        "device": found.device,
        "precision": found.precision,
        "workers": found.workers,
        "languages": {
            each.lang: {"documents": each.documents, "characters": each.characters, "tokens": each.tokens} for each in estimate.languages
        },
        "gb": {**{kind: size / 1e9 for kind, size in sorted(estimate.bytes.items())}, "total": estimate.gigabytes},
        "hours": {**{stage.name: stage.hours for stage in estimate.stages}, "total": estimate.hours},
        "tokens_a_second": dict(found.encoders),
        "probe": {"documents": found.documents, "seconds": round(found.seconds, 1)},
    }


def _print(found: "Forecast") -> None:
    from flows.console import OUT, figure_table

    estimate, unit = found.estimate, "pieces" if found.grid == "pieces" else "words"
    read = figure_table(("language",), ("documents", "characters", unit), "to read")
    for each in estimate.languages:
        read.add_row(each.lang, f"{each.documents:,}", f"{each.characters:,}", f"{each.tokens:,}")
    written = figure_table(("kind",), ("GB",), "in the store")
    for kind, size in sorted(estimate.bytes.items(), key=lambda item: -item[1]):
        written.add_row(kind, _shown(size / 1e9))
    written.add_row("all", _shown(estimate.gigabytes), style="bold")
    taken = figure_table(("stage",), ("hours", "tokens/s"), "time")
    for stage in estimate.stages:
        rate = found.encoders.get(stage.name.removeprefix("encode: "))
        taken.add_row(stage.name, _shown(stage.hours), f"{rate:,.0f}" if rate else "")
    taken.add_row("all", _shown(estimate.hours), style="bold")
    for table in (read, written, taken):
        OUT.print(table)
    OUT.print(
        f"device {found.device}, {found.precision}, {found.workers} workers; tried {found.documents} documents in {found.seconds:.0f} s",
        highlight=False,
        soft_wrap=True,
    )


def _shown(figure: float) -> str:
    """Two decimals: an estimate is no more exact."""
    return f"{figure:,.2f}" if figure >= 0.01 else "< 0.01"
