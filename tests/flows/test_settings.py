"""Settings by key, and tables whose keys are the user's own."""

import pytest
from pydantic import BaseModel

from flows.settings import ConfigError, configured, gold_aliases
from pipeline_lib.corpus.layouts import CorpusConfig


class Whole(BaseModel, frozen=True, extra="forbid"):
    corpus: CorpusConfig = CorpusConfig()
    workers: int = 2


@pytest.mark.parametrize(
    "settings",
    [
        ["corpus.aliases.ENFERMEDAD=DISEASE", "corpus.aliases.SINTOMA=SYMPTOM"],
        ['corpus.aliases={ENFERMEDAD = "DISEASE", SINTOMA = "SYMPTOM"}'],
        ['corpus.aliases={ENFERMEDAD = "DISEASE"}', "corpus.aliases.SINTOMA=SYMPTOM"],
    ],
)
def test_a_table_of_the_user_s_own_keys_is_set_key_by_key_or_whole(settings: list[str]) -> None:
    assert configured(Whole, {}, settings).corpus.aliases == {"ENFERMEDAD": "DISEASE", "SINTOMA": "SYMPTOM"}


def test_what_a_table_holds_must_fit() -> None:
    with pytest.raises(ConfigError, match=r"setting corpus\.aliases\.X: Input should be a valid string"):
        configured(Whole, {}, ["corpus.aliases.X=3"])


def test_settings_leave_the_values_they_go_over_alone() -> None:
    values = {"corpus": {"aliases": {"A": "B"}}}
    assert configured(Whole, values, ["corpus.aliases.C=D"]).corpus.aliases == {"A": "B", "C": "D"}
    assert values == {"corpus": {"aliases": {"A": "B"}}}


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown setting corpus\.alias; the nearest known one is corpus\.aliases"):
        configured(Whole, {}, ["corpus.alias=3"])


def test_a_setting_is_a_key_and_a_value() -> None:
    with pytest.raises(ConfigError, match="--set takes key=value"):
        configured(Whole, {}, ["workers"])


def test_gold_takes_aliases_and_nothing_that_would_change_no_score() -> None:
    assert gold_aliases(["corpus.aliases.A=B", 'corpus.aliases.C="D"']) == {"A": "B", "C": "D"}
    assert gold_aliases([]) == {}
    with pytest.raises(ConfigError, match=r"corpus\.scored changes no score"):
        gold_aliases(["corpus.aliases.A=B", "corpus.scored=scored.txt"])
