import pytest

from flows.alerts import AlertConfig, Change, quality_drops, rejects_rises
from flows.config import load_config
from tests.flows.lastly import went

CONFIG = AlertConfig()


def test_a_run_that_went_like_the_last_one_is_no_alert() -> None:
    assert quality_drops(went(), went(), CONFIG) == {}
    assert rejects_rises(went(), went(), CONFIG) == {}


@pytest.mark.parametrize(("char", "alerts"), [(0.95, False), (0.8901, False), (0.89, False), (0.8899, True), (0.5, True)])
def test_a_fall_of_pooled_char_f1_past_the_threshold_is_one(char: float, alerts: bool) -> None:
    assert quality_drops(went(), went(char=char), CONFIG) == ({"en": Change(0.9, char)} if alerts else {})


def test_a_language_that_only_one_run_could_score_did_not_fall() -> None:
    unscored = went(scores={"it": {"*": {"strict": 0.8, "char": 0.9}}})
    assert quality_drops(went(), unscored, CONFIG) == quality_drops(unscored, went(char=0.1), CONFIG) == {}
    assert quality_drops(went(scores={}), went(), CONFIG) == {}


def test_a_label_that_falls_alone_is_no_alert() -> None:
    fallen = went().scores | {"en": {"*": went().scores["en"]["*"], "DISEASE": {"strict": 0, "char": 0}}}
    assert quality_drops(went(), went(scores=fallen), CONFIG) == {}


@pytest.mark.parametrize(("rejects", "alerts"), [(0, False), (12, False), (14, False), (15, True), (40, True)])
def test_more_rejects_for_each_document_are_an_alert(rejects: int, alerts: bool) -> None:
    now = went(rejects={"ingest": {"surface_mismatch": rejects}})
    assert rejects_rises(went(), now, CONFIG) == ({"rejects": Change(0.1, rejects / 100)} if alerts else {})


def test_more_abstentions_for_each_mention_and_language_are_an_alert() -> None:
    now = went(abstentions={"en": {"no_aligned_unit": 20}, "it": {"too_wide": 20, "no_aligned_unit": 9}})
    assert rejects_rises(went(), now, CONFIG) == {"abstentions": Change(0.02, 0.0245)}


def test_a_corpus_that_grows_is_no_worse_for_it() -> None:
    twice = went(
        documents=200,
        mentions=2000,
        rejects={"ingest": {"surface_mismatch": 20}},
        abstentions={"en": {"no_aligned_unit": 40}, "it": {"too_wide": 40}},
    )
    assert rejects_rises(went(), twice, CONFIG) == {}
    assert rejects_rises(twice, went(), CONFIG) == {}
    assert set(rejects_rises(went(), twice.model_copy(update={"documents": 100, "mentions": 1000}), CONFIG)) == {"rejects", "abstentions"}


@pytest.mark.parametrize(("rejects", "alerts"), [(4, False), (5, True)])
def test_after_none_at_all_a_few_rejects_are_chance(rejects: int, alerts: bool) -> None:
    now = went(rejects={"scan": {"not_utf8": rejects}})
    assert bool(rejects_rises(went(rejects={}), now, CONFIG)) is alerts


def test_a_run_that_could_take_no_document_is_an_alert() -> None:
    assert set(rejects_rises(went(), went(documents=0, mentions=0, rejects={"scan": {"not_utf8": 100}}, abstentions={}), CONFIG)) == {
        "rejects"
    }


def test_thresholds_are_settings_of_a_run() -> None:
    config = load_config("embedded", ["alerts.char_drop=0.2", "alerts.rejects_rise=3", "alerts.fewest=1"]).alerts
    assert quality_drops(went(), went(char=0.71), config) == {}
    assert rejects_rises(went(), went(rejects={"ingest": {"surface_mismatch": 39}}), config) == {}
    assert set(rejects_rises(went(), went(rejects={"ingest": {"surface_mismatch": 41}}), config)) == {"rejects"}
