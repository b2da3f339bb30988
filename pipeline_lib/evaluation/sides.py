"""What is scored against what: two files, or two folders of languages; and which documents count."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline_lib.corpus.layouts import SPELLINGS
from pipeline_lib.evaluation.annotations import DOCUMENT, ScoreInputError, read_annotations, read_gold


@dataclass(frozen=True)
class Pairing:
    """Gold and predictions by language, and the languages that only one side has.

    Attributes:
        paths: (gold, predictions) by language; one pair under ``""`` where the sides are no folders of languages.
    """

    paths: dict[str, tuple[Path, Path]]
    unpaired: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sides:
    """What is scored: (gold, predictions) by language, frames with the official columns.

    Attributes:
        unpaired: languages that only one side has.
        absent: how many of the listed documents have no mention anywhere; None without a list.
        left_out: how many annotations of the gold do not count, because a run rejects them.
    """

    frames: dict[str, tuple[pl.DataFrame, pl.DataFrame]]
    unpaired: tuple[str, ...]
    absent: int | None
    left_out: int


def read_sides(gold: Path, pred: Path, scored: frozenset[str] | None = None, aliases: Mapping[str, str] | None = None) -> Sides:
    """Read both sides of every language; with ``scored``, only these documents count. ``aliases`` give labels of the gold other names.

    Raises:
        ScoreInputError: see ``pair_languages``, ``read_gold``, ``read_annotations`` and ``absent``.
    """
    pairing = pair_languages(gold, pred)
    golds = {lang: read_gold(of_gold, aliases) for lang, (of_gold, _) in pairing.paths.items()}
    frames = {lang: (golds[lang].mentions, read_annotations(of_pred)) for lang, (_, of_pred) in pairing.paths.items()}
    left_out = sum(of_gold.left_out for of_gold in golds.values())
    if scored is None:
        return Sides(frames, pairing.unpaired, None, left_out)
    missing = absent([side for pair in frames.values() for side in pair], scored)
    listed = {lang: (only(of_gold, scored), only(of_pred, scored)) for lang, (of_gold, of_pred) in frames.items()}
    return Sides(listed, pairing.unpaired, missing, left_out)


def pair_languages(gold: Path, pred: Path) -> Pairing:
    """The languages that both folders have (`cs` and `cz` are one), or the two paths themselves where neither is a folder of languages.

    Raises:
        ScoreInputError: only one side is a folder of languages, the two share no language, or a language has several TSV files.
    """
    of_gold, of_pred = language_paths(gold), language_paths(pred)
    if not of_gold and not of_pred:
        return Pairing({"": (gold, pred)})
    if not of_gold or not of_pred:
        one, other = (gold, pred) if of_gold else (pred, gold)
        raise ScoreInputError(f"{one} is a folder of languages and {other} is not")
    of_pred = {next((name for name in (lang, SPELLINGS.get(lang)) if name in of_gold), lang): path for lang, path in of_pred.items()}
    shared = sorted(of_gold.keys() & of_pred.keys())
    if not shared:
        raise ScoreInputError(f"{gold} and {pred} have no language in common")
    return Pairing({lang: (of_gold[lang], of_pred[lang]) for lang in shared}, tuple(sorted(of_gold.keys() ^ of_pred.keys())))


def language_paths(path: Path) -> dict[str, Path]:
    """What is read of each language of a folder; empty for a file, or a folder that holds ``.ann`` itself.

    A language is a folder with one TSV; where no folder has any, one with ``.ann``. So the output folder of a run counts the
    languages it projected into, and not the source, whose annotations lie there too.

    Raises:
        ScoreInputError: several TSV files in one language.
    """
    if not path.is_dir() or any(path.glob("*.ann")):
        return {}
    folders = sorted(entry for entry in path.iterdir() if entry.is_dir())
    tables = {folder.name: sorted(folder.glob("*.tsv")) for folder in folders}
    for lang, found in tables.items():
        if len(found) > 1:
            raise ScoreInputError(f"{path / lang}: {len(found)} .tsv files, a language has one")
    one = {lang: found[0] for lang, found in tables.items() if found}
    return one or {folder.name: folder for folder in folders if any(folder.glob("*.ann"))}


def only(frame: pl.DataFrame, documents: frozenset[str]) -> pl.DataFrame:
    """The mentions in the listed documents."""
    return frame.filter(DOCUMENT.is_in(sorted(documents)))


def absent(frames: Iterable[pl.DataFrame], documents: frozenset[str]) -> int:
    """How many of the listed documents have no mention in any frame.

    Raises:
        ScoreInputError: none has any: the list speaks of other documents.
    """
    missing = documents.difference(*(frame.select(DOCUMENT).to_series() for frame in frames))
    if len(missing) == len(documents):
        raise ScoreInputError(f"none of the {len(documents)} listed documents has a gold or predicted mention")
    return len(missing)
