from collections.abc import Callable
from dataclasses import replace

import pytest

from data_contracts import MAPPED_SPANS, MCAI_SCALES, TRANSPORT_PLANS
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.supervision.mcai import McaiConfig
from tasks.mcai import Chosen, bias, choose_student, map_gold
from tests.tasks.chain import CORPUS, DOCUMENTS_USED, Chain, assert_kept, assert_reused, fingerprint, other, taken

DECLARED = tuple(DOCUMENTS_USED[:3])
CONFIG = McaiConfig()


def mapped(chain: Chain, **changes: object) -> ArtifactRef:
    arguments = {
        "root": chain.root,
        "folder": chain.corpus,
        "scanned": replace(chain.scanned, trained=DECLARED),
        "texts": (chain.whole("es"), chain.whole("en")),
        "mentions": chain.mentions(),
        "plans": list(chain.plans.values()),
        "layout": CORPUS,
        "config": CONFIG,
    }
    return map_gold.fn(**{**arguments, **changes})


def biased(chain: Chain, **changes: object) -> ArtifactRef:
    arguments = {"root": chain.root, "plans": chain.plans[0], "spans": mapped(chain), "scale": 2.0, "config": CONFIG}
    return bias.fn(**{**arguments, **changes})


def chosen(chain: Chain, **changes: object) -> Chosen:
    arguments = {
        "root": chain.root,
        "texts": (chain.whole("es"), chain.whole("en")),
        "segments": list(chain.segments.values()),
        "students": {0.0: chain.distilled.main, 2.0: taken(chain.distilled.main)},
        "spans": mapped(chain),
        "align": AlignConfig(),
        "config": CONFIG,
    }
    return choose_student.fn(**{**arguments, **changes})


def test_only_declared_documents_are_mapped_and_most_of_their_mentions_are(chain: Chain) -> None:
    ref = mapped(chain)
    assert_kept(chain, ref, MAPPED_SPANS)
    found = chain.store.read(ref)
    assert (ref.shard, set(found["document"].to_pylist())) == ("es-en", set(DECLARED))
    rows = [row for part in chain.mentions() for row in chain.store.read(part).to_pylist() if row["document"] in DECLARED]
    assert found.num_rows > 0.8 * len(rows)
    assert mapped(chain, scanned=chain.scanned).rows == 0


def test_biased_plans_are_those_of_the_shard_and_differ_where_gold_was_declared(chain: Chain) -> None:
    ref = biased(chain)
    assert_kept(chain, ref, TRANSPORT_PLANS)
    before, after = (chain.store.read(plan).to_pylist() for plan in (chain.plans[0], ref))
    assert [row["document"] for row in before] == [row["document"] for row in after]
    differ = {one["document"] for one, two in zip(before, after, strict=True) if one["plan"] != two["plan"]}
    assert differ <= set(DECLARED) and len(differ) < len(DECLARED)
    undeclared = biased(chain, spans=mapped(chain, scanned=chain.scanned))
    assert chain.store.read(undeclared)["plan"].to_pylist() == chain.store.read(chain.plans[0])["plan"].to_pylist()


def test_of_equal_students_the_one_with_the_smallest_bias_is_taken(chain: Chain) -> None:
    choice = chosen(chain)
    assert_kept(chain, choice.main, MCAI_SCALES)
    rows = chain.store.read(choice.main).to_pylist()
    assert [(row["scale"], row["chosen"]) for row in rows] == [(0.0, True), (2.0, False)]
    assert rows[0]["overlap"] == rows[1]["overlap"] > 0.5
    assert choice.student == chain.distilled.main


def test_second_calls_take_what_is_there(chain: Chain) -> None:
    spans, plans, choice = mapped(chain), biased(chain), chosen(chain).main
    assert_reused(lambda: mapped(chain), spans, "tasks.mcai.map_spans")
    assert_reused(lambda: biased(chain), plans, "tasks.mcai.bias_plans")
    assert_reused(lambda: chosen(chain).main, choice, "tasks.mcai.mean_overlap")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"scanned": replace(chain.scanned, trained=DECLARED[:2])},
        lambda chain: {"plans": [chain.plans[0], other(chain.plans[1])]},
        lambda chain: {"mentions": [other(ref) for ref in chain.mentions()]},
        lambda chain: {"config": McaiConfig(least=0.2)},
    ],
    ids=["documents", "plans", "mentions", "config"],
)
def test_the_map_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: mapped(chain, **change(chain))) != mapped(chain).fingerprint


@pytest.mark.parametrize("change", [{"scale": 1.0}, {"config": McaiConfig(held_out=0.5)}], ids=["scale", "config"])
def test_the_bias_depends_on(chain: Chain, change: dict[str, object]) -> None:
    first, spans = biased(chain).fingerprint, mapped(chain)
    assert fingerprint(lambda: biased(chain, spans=spans, **change)) != first


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"students": {0.0: chain.distilled.main, 3.0: chain.distilled.main}},
        lambda chain: {"students": {0.0: chain.distilled.main, 2.0: other(chain.distilled.main)}},
        lambda chain: {"align": AlignConfig(prior=0.3)},
        lambda chain: {"segments": [other(ref) for ref in chain.segments.values()]},
    ],
    ids=["scale", "student", "use", "segments"],
)
def test_the_choice_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    first, spans = chosen(chain).main.fingerprint, mapped(chain)
    assert fingerprint(lambda: chosen(chain, spans=spans, **change(chain))) != first
