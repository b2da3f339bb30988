"""That one pass gives what the stages give: tests/tasks/test_one_pass.py."""

from dataclasses import replace

import pyarrow as pa
import pytest

from benchmarks.projection import LANGS, corpus, grids, learnt
from data_contracts import ANNOTATION_LINES, CARRIED_LINES, PROJECTIONS
from pipeline_lib.corpus.samples import documents
from pipeline_lib.projection import one_pass
from pipeline_lib.projection.decode import unsupervised
from pipeline_lib.projection.one_pass import Annotated, OnePassConfig, PairKnowledge, project_documents

NAMES = documents()[:4]


@pytest.fixture(scope="module")
def shard() -> Annotated:
    texts, mentions = corpus()
    source, target = (grids({name: texts[lang][name] for name in NAMES}) for lang in LANGS)
    return Annotated(source, target, mentions, ANNOTATION_LINES.table([]), {})


@pytest.fixture(scope="module")
def known() -> PairKnowledge:
    model = learnt(*corpus())
    return PairKnowledge(LANGS, model.teachers, model.edges, model.known, unsupervised)  # type: ignore[arg-type]


def projected(names: list[str], shard: Annotated, known: PairKnowledge) -> tuple[pa.Table, dict[str, float]]:
    parts = list(project_documents(names, shard, known, "teachers", OnePassConfig()))
    for projections, carried, _ in parts:
        PROJECTIONS.check(projections)
        CARRIED_LINES.check(carried)
    return pa.concat_tables([part[0] for part in parts]), {name: took for part in parts for name, took in part[2].items()}


def test_every_mention_of_the_documents_has_a_row_and_each_document_its_time(shard: Annotated, known: PairKnowledge) -> None:
    rows, seconds = projected(NAMES[:3], shard, known)
    wanted = shard.of(NAMES[:3]).mentions
    assert rows["mention"].to_pylist() == wanted["mention"].to_pylist() and rows.num_rows > 30
    assert sum(reason is None for reason in rows["reason"].to_pylist()) > 0.8 * rows.num_rows
    assert list(seconds) == NAMES[:3] and all(took > 0 for took in seconds.values())


@pytest.mark.parametrize("at_once", [1, 3])
def test_how_many_documents_go_together_does_not_show(
    at_once: int, shard: Annotated, known: PairKnowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = projected(NAMES, shard, known)
    monkeypatch.setattr(one_pass, "AT_ONCE", at_once)
    parts, _ = projected(NAMES, shard, known)
    assert parts == whole


def test_mentions_of_a_text_that_has_no_translation_say_so(shard: Annotated, known: PairKnowledge) -> None:
    lonely, *others = NAMES
    without = replace(shard, target={name: shard.target[name] for name in others})
    rows, _ = projected(NAMES, without, known)
    reasons = dict(zip(rows["document"].to_pylist(), rows["reason"].to_pylist(), strict=True))
    assert reasons[lonely] == "no_target_document"
    assert {reasons[name] for name in others} <= {None, "no_aligned_unit"}
