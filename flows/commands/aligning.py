"""Command ``evaluate-alignment``: the aligner's word links against gold."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.conventions import AsJson, Settings, errors, save

if TYPE_CHECKING:
    from pipeline_lib.alignment.links import Links
    from pipeline_lib.alignment.sentences import SentenceConfig
    from pipeline_lib.evaluation.parallel_text import SentencePair
    from pipeline_lib.evaluation.word_alignment import LinkScore
    from pipeline_lib.evaluation.word_links import LinkedPair


def evaluate_alignment(
    gold: Annotated[
        list[Path],
        typer.Argument(
            metavar="GOLD...",
            help="Sentence pairs with word links, all of one pair of languages: TSV (source, target, links), JSON lines "
            "(src_words, tgt_words, alignment), or Pharaoh links, whose sentences --source and --target name.",
        ),
    ],
    fit: Annotated[list[Path], typer.Option(help="TSV of sentence pairs to fit on, beside the gold's own text; may be repeated.")] = [],  # noqa: B006
    langs: Annotated[str | None, typer.Option(metavar="SOURCE-TARGET", help="Columns of --fit to take, such as en-es.")] = None,
    source: Annotated[Path | None, typer.Option(help="Source sentences of a Pharaoh file, a line each, tokens between spaces.")] = None,
    target: Annotated[Path | None, typer.Option(help="Its target sentences.")] = None,
    settings: Settings = [],  # noqa: B006
    links: Annotated[Path | None, typer.Option(help="Write the links to this file, in Pharaoh: a line a sentence pair.")] = None,
    as_json: AsJson = False,
) -> None:
    """Score the word links of the aligner that projects: precision, recall, F1 and alignment error rate against gold links."""
    with errors():
        from flows.console import OUT, link_table
        from flows.settings import configured
        from pipeline_lib.alignment.sentences import SentenceConfig
        from pipeline_lib.evaluation.parallel_text import read_parallel
        from pipeline_lib.evaluation.word_links import pharaoh, read_linked_pairs

        config, columns = configured(SentenceConfig, {}, settings), _columns(langs)
        files = [read_linked_pairs(path, source, target) for path in gold]
        text = [pair for path in fit for pair in read_parallel(path, columns)]
        found = _linked([pair for file in files for pair in file], text, config)
        if links:
            save(links, "".join(pharaoh(of_pair) + "\n" for of_pair in found))
        rows = _rows(gold, files, found)
        if as_json:
            scores = [{"gold": name} | asdict(score) for name, score in rows]
            typer.echo(json.dumps({"scores": scores, "fitted_on": len(text) + len(found)}, indent=1))
        else:
            OUT.print(link_table(rows))
            OUT.print(f"fitted on {len(text) + len(found)} sentence pairs, gold's own text included", highlight=False)


def _columns(langs: str | None) -> tuple[str, str] | None:
    """``en-es`` as two column names."""
    if langs is None:
        return None
    source, _, target = langs.partition("-")
    if not source or not target or source == target:
        raise typer.BadParameter("takes two column names with a hyphen between them, such as en-es", param_hint="--langs")
    return source, target


def _linked(gold: "Sequence[LinkedPair]", text: "Sequence[SentencePair]", config: "SentenceConfig") -> "list[Links]":
    """Links of the gold's sentences, by teachers that were fitted on them and on ``text``."""
    from pipeline_lib.alignment.sentences import fit_sentences, link_sentences
    from pipeline_lib.alignment.threads import one_blas_thread

    own = [(pair.source, pair.target) for pair in gold]
    one_blas_thread()
    return list(link_sentences(own, fit_sentences([*own, *text], config), config))


def _rows(paths: Sequence[Path], files: "Sequence[Sequence[LinkedPair]]", found: "Sequence[Links]") -> "list[tuple[str, LinkScore]]":
    """The score of each file and, if there are several, of all pairs together."""
    from pipeline_lib.evaluation.word_alignment import score_links

    rows, first = [], 0
    for path, pairs in zip(paths, files, strict=True):
        rows.append((str(path), score_links(pairs, found[first : first + len(pairs)])))
        first += len(pairs)
    if len(files) > 1:
        rows.append(("all", score_links([pair for file in files for pair in file], found)))
    return rows
