"""From candidates and gold to a judge."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline_lib.projection.decode import DecodeConfig, place_fragments
from pipeline_lib.supervision.features import Texts
from pipeline_lib.supervision.learn import examples, judge, learn
from pipeline_lib.supervision.ownership import Span
from pipeline_lib.supervision.rerank import FACTS, LESSONS, RerankConfig, Reranker
from tests.pipeline_lib.supervision.pools import Mention, candidates, grid, nothing_known, pooled

MODEL, CONFIG = DecodeConfig(overlap=0), RerankConfig(trees=60, leaves=4, least_leaf=1, folds=3)
NAMES = [f"d{number}" for number in range(8)]
# Every text differs; gold takes a unit more than the evidence does.
TEXTS = Texts(*({name: grid(f"{name} " + "aa bb cc dd ee ff") for name in NAMES} for _ in range(2)))
SPANS = [(1, 1), (1, 2), (2, 2), (3, 3), (3, 4), (4, 4)]


def mentions(name: str) -> list[Mention]:
    return [
        Mention(name, "T1", (1, 1), SPANS[:3], [0.0, 0.9, 0.1, 0.0, 0.0, 0.0]),
        Mention(name, "T2", (3, 3), SPANS[3:], [0.0, 0.0, 0.0, 0.9, 0.1, 0.0]),
    ]


def gold(name: str) -> list[Span]:
    text = TEXTS.target[name]
    return [("DISEASE", text.starts[first], text.ends[last]) for first, last in ((1, 2), (3, 4))]


def rows(name: str) -> list[dict[str, object]]:
    text = TEXTS.source[name]
    return [
        {"document": name, "mention": m.name, "starts": [text.starts[m.units[0]]], "ends": [text.ends[m.units[1]]]} for m in mentions(name)
    ]


def learnt(declared: list[str], parts: list[list[str]]) -> Reranker:
    tables = [candidates(*(mention for name in part for mention in mentions(name))) for part in parts]
    annotated = [pa.Table.from_pylist([row for name in part for row in rows(name)]) for part in parts]
    return learn(tables, annotated, {name: gold(name) for name in declared}, nothing_known(), TEXTS, MODEL, CONFIG)


def test_the_judge_chooses_and_trusts_what_gold_taught() -> None:
    table = candidates(*mentions(NAMES[7]))
    before = place_fragments(table, nothing_known(), MODEL)
    after = place_fragments(table, nothing_known(), MODEL, judge(learnt(NAMES[:7], [NAMES]), TEXTS))
    assert [(place.first, place.last) for place in before.values()] == [(1, 1), (3, 3)]
    assert [(place.first, place.last) for place in after.values()] == [(1, 2), (3, 4)]
    assert all(0.8 < place.confidence <= 1 for place in after.values())


def test_undeclared_documents_and_the_cut_into_parts_change_nothing(tmp_path: Path) -> None:
    for folder, reranker in {"one": learnt(NAMES[:4], [NAMES[:4]]), "two": learnt(NAMES[:4], [NAMES[:2], NAMES[2:]])}.items():
        (tmp_path / folder).mkdir()
        reranker.save(tmp_path / folder)
    for file in (LESSONS, FACTS):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_text_under_two_names_is_one_document_for_cross_fitting() -> None:
    twin = Texts({**TEXTS.source, "d1": TEXTS.source["d0"]}, {**TEXTS.target, "d1": TEXTS.target["d0"]})
    found = pooled(*(mention for name in NAMES[:3] for mention in mentions(name)))
    declared = {name: gold(name) for name in NAMES[:3]}
    taught = examples(found, [row for name in NAMES[:3] for row in rows(name)], declared, nothing_known(), twin, MODEL)
    assert len(np.unique(taught.document)) == 2
    assert (taught.document[taught.owner < 4] == taught.document[0]).all()
