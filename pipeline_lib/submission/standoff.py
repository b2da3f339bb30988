"""The plain layout: ``{lang}/{name}.txt`` and ``.ann`` beside it, and the configuration with which brat opens them."""

from collections.abc import Sequence
from dataclasses import replace

from pipeline_lib.corpus import brat
from pipeline_lib.corpus.companions import KINDS, parse_companion
from pipeline_lib.corpus.text import decode
from pipeline_lib.submission.annotation_types import AnnotationTypes
from pipeline_lib.submission.finished import Selection
from pipeline_lib.submission.folder import Count, Draft, Written

CONFIGURATION = "annotation.conf"


def write_brat(selection: Selection, draft: Draft) -> Written:
    """The run's own texts and annotations under their official names, and ``annotation.conf``."""
    counts, types = [], AnnotationTypes()
    for lang in selection.languages:
        mentions = 0
        for document, name, _ in selection.of(lang).iter_rows():
            standoff = brat.parse(decode(selection.run.read(f"{lang}/{document}.ann")))
            if selection.labels:
                standoff = keep_labels(standoff, selection.labels)
            types.add(standoff)
            mentions += len(standoff.mentions)
            draft.write(f"{lang}/{name}.txt", selection.run.text(lang, document))
            draft.write(f"{lang}/{name}.ann", brat.write(standoff.mentions, standoff.others))
        counts.append(Count(lang, "*", selection.of(lang).height, mentions))
    draft.write(CONFIGURATION, types.configuration())
    return Written(counts, {})


def keep_labels(standoff: brat.Standoff, labels: Sequence[str]) -> brat.Standoff:
    """What an ``.ann`` file tells of mentions with one of ``labels``: what refers to another, or to what does, is left out with it."""
    companions = [companion for line in standoff.others if line.kind in KINDS and (companion := parse_companion(line))]
    gone = {mention.id for mention in standoff.mentions if mention.label not in labels}
    left_out: set[int] = set()
    while more := [one for one in companions if one.line not in left_out and not gone.isdisjoint(one.refs)]:
        left_out |= {companion.line for companion in more}
        gone |= {companion.id for companion in more if companion.id is not None}
    mentions = tuple(mention for mention in standoff.mentions if mention.label in labels)
    others = tuple(line for line in standoff.others if line.line not in left_out)
    return replace(standoff, mentions=mentions, others=others)
