import tomllib
from pathlib import Path

import pytest

from flows import config
from flows.config import WHERE_AND_WHEN, ConfigError, RunConfig, load_config, profiles
from pipeline_lib.encoding.model_files import EncoderError

SECRET = "hunter2"


@pytest.fixture
def tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile ``tuned`` beside no other."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "notes.md").write_text("no profile", encoding="utf-8")
    (tmp_path / "profiles" / "tuned.toml").write_text(
        'aligner = "student"\n[sharpen]\nreg = 0.5\niterations = 7\n[distill.student]\nhidden = 64\n', encoding="utf-8"
    )
    monkeypatch.setattr(config, "files", lambda package: {"deployments": tmp_path}[package])


def test_the_embedded_profile_ships_and_is_the_code_defaults() -> None:
    assert "embedded" in profiles()
    assert load_config("embedded") == RunConfig()


@pytest.mark.parametrize("profile", profiles())
def test_every_profile_that_ships_is_valid(profile: str) -> None:
    assert load_config(profile).profile == profile


def test_a_profile_goes_over_the_defaults_and_a_setting_over_the_profile(tuned: None) -> None:
    found = load_config("tuned", ["sharpen.reg=0.25", "workers=3"])
    assert found.profile == "tuned"
    assert found.aligner == "student"
    assert (found.sharpen.reg, found.sharpen.iterations, found.sharpen.marginal_power) == (0.25, 7, RunConfig().sharpen.marginal_power)
    assert (found.distill.student.hidden, found.distill.student.layers) == (64, RunConfig().distill.student.layers)
    assert found.workers == 3


def test_of_two_settings_of_one_key_the_last_one_counts() -> None:
    assert load_config("embedded", ["workers=3", "workers=4"]).workers == 4


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("aligner=student", "student"),
        ('aligner="student"', "student"),
        (" aligner = student ", "student"),
    ],
)
def test_a_value_is_toml_or_a_bare_word(setting: str, expected: str) -> None:
    assert load_config("embedded", [setting]).aligner == expected


@pytest.mark.parametrize(
    ("setting", "stage", "expected"),
    [
        ("segments.merge_penalty=0.5", "segments", {"merge_penalty": 0.5}),
        ("cost.anchored=false", "cost", {"anchored": False}),
        ("candidates.reach=1", "candidates", {"reach": 1}),
        ("consistency.least_votes=0.05", "consistency", {"least_votes": 0.05}),
        ("decode.joint=false", "decode", {"joint": False}),
        ("decode.decoder=paper", "decode", {"decoder": "paper"}),
    ],
)
def test_every_new_stage_can_be_set(setting: str, stage: str, expected: dict[str, object]) -> None:
    found, plain = (getattr(made, stage).model_dump() for made in (load_config("embedded", [setting]), RunConfig()))
    assert found == plain | expected != plain


def test_a_model_may_be_named_alone_and_the_rest_of_what_is_taken_of_it_stays() -> None:
    named, plain = load_config("paper", ["teachers.token=some/encoder"]).teachers.token, load_config("paper").teachers.token
    assert (named.model, named.hidden_state) == ("some/encoder", plain.hidden_state) and plain.hidden_state == 9


def test_a_transformer_that_is_not_named_is_missed_before_anything_starts() -> None:
    with pytest.raises(EncoderError, match=r"^setting teachers\.phrase is required: it takes an id on the Hugging Face hub or a folder"):
        load_config("paper").check_models()
    load_config("paper", ["teachers.phrase=some/encoder"]).check_models()
    load_config("paper", ["views.phrase=0"]).check_models()
    load_config("embedded").check_models()


def test_device_and_size_of_a_pass_decide_nothing() -> None:
    there = load_config("paper", ["encode.device=cpu", "encode.tokens=99"])
    assert there.toml() == load_config("paper").toml() != load_config("paper", ["encode.precision=bfloat16"]).toml()


def test_a_setting_may_be_a_whole_table() -> None:
    assert load_config("embedded", ["sharpen={reg = 0.5, iterations = 3}"]).sharpen.iterations == 3


@pytest.mark.parametrize(
    ("setting", "unknown", "nearest"),
    [
        ("sharpen.rge=0.1", "sharpen.rge", "sharpen.reg"),
        ("sharpen.regg=0.1", "sharpen.regg", "sharpen.reg"),
        ("worker=2", "worker", "workers"),
        ("distill.student.hiden=64", "distill.student.hiden", "distill.student.hidden"),
        ("student.hidden=64", "student.hidden", "distill.student.hidden"),
        ("sharpen=0.1", "sharpen", "sharpen.reg"),
        ("sharpen.reg.x=0.1", "sharpen.reg.x", "sharpen.reg"),
        ("fit.lexical={keeep = 1}", "fit.lexical.keeep", "fit.lexical.keep"),
        ("segments.skip_penality=0.2", "segments.skip_penality", "segments.skip_penalty"),
        ("candidates.reech=2", "candidates.reech", "candidates.reach"),
        ("consistency.votes.temperatur=0.7", "consistency.votes.temperatur", "consistency.votes.temperature"),
        ("decode.weights.hyphen=-1", "decode.weights.hyphen", "decode.weights.hyphens"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(setting: str, unknown: str, nearest: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config("embedded", [setting])
    assert str(error.value) == f"unknown setting {unknown}; the nearest known one is {nearest}"


def test_an_unknown_key_of_a_profile_is_an_error_too(tuned: None, tmp_path: Path) -> None:
    (tmp_path / "profiles" / "tuned.toml").write_text("[sharpen]\nrge = 0.5\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"sharpen\.rge; the nearest known one is sharpen\.reg"):
        load_config("tuned")


def test_a_key_that_is_far_from_all_is_an_error_too() -> None:
    with pytest.raises(ConfigError, match="unknown setting zzz; the nearest"):
        load_config("embedded", ["zzz=1"])


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        (f"workers={SECRET}", "workers"),
        ("workers=0", "workers"),
        (f"sharpen.reg={SECRET}", "sharpen.reg"),
        (f"aligner={SECRET}", "aligner"),
        (f"distill.student.hidden='{SECRET}'", "distill.student.hidden"),
        ("distill.held_out=1.5", "distill.held_out"),
        ("sharpen.reg=nan", "sharpen.reg"),
    ],
)
def test_a_bad_value_is_an_error_that_names_its_key_and_not_the_value(setting: str, key: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config("embedded", [setting])
    said = str(error.value)
    assert said.startswith(f"setting {key}: Input should be ")
    assert SECRET not in said and "\n" not in said and "http" not in said
    assert error.value.__cause__ is None and error.value.__suppress_context__


@pytest.mark.parametrize("setting", ["workers", "", "workers:2"])
def test_a_setting_without_an_equals_sign_is_an_error(setting: str) -> None:
    with pytest.raises(ConfigError, match="--set takes key=value"):
        load_config("embedded", [setting])


def test_a_plain_value_has_no_parts() -> None:
    with pytest.raises(ConfigError, match=r"unknown setting aligner\.kind: aligner has no parts"):
        load_config("embedded", ["aligner.kind=1"])


@pytest.mark.parametrize("profile", ["emedded", "../profiles/embedded", "", "/etc/passwd", "embedded.toml"])
def test_an_unknown_profile_is_an_error_that_names_the_known_ones(profile: str) -> None:
    with pytest.raises(ConfigError, match=f"no profile '.*'; there are: {', '.join(profiles())}"):
        load_config(profile)


@pytest.mark.parametrize(
    "settings", [[], ["aligner=student", "sharpen.reg=0.123456789012345", "distill.student.hidden=64", "score.seed=0"]]
)
def test_a_resolved_config_reads_back_from_its_toml(settings: list[str]) -> None:
    resolved = load_config("embedded", settings)
    assert RunConfig.model_validate(tomllib.loads(resolved.toml())) == resolved


def test_the_toml_keeps_the_order_of_the_code_and_leaves_out_what_decides_nothing() -> None:
    assert list(tomllib.loads(RunConfig().toml())) == [name for name in RunConfig.model_fields if WHERE_AND_WHEN.get(name) is not True]
    elsewhere = load_config("embedded", ["workers=7", "task_runner=dask", "gpu_pool=gpu", "refit=never", "alerts.char_drop=0.5"])
    assert elsewhere.toml() == RunConfig().toml()


def test_the_profiles_name_is_no_setting() -> None:
    with pytest.raises(ConfigError, match="unknown setting profile"):
        load_config("embedded", ["profile=other"])


def test_an_infinite_value_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sharpen\.reg"):
        load_config("embedded", ["sharpen.reg=inf"])


@pytest.mark.parametrize(("role", "key"), [("tokenizer", "units.tokenizer"), ("start", "tune.start")])
def test_a_model_that_is_not_named_is_the_sentence_teacher_s(role: str, key: str) -> None:
    plain, named = load_config("paper"), load_config("paper", [f"{key}.model=some/encoder"])
    assert getattr(plain, role) == (plain.teachers.sentence, "teachers.sentence")
    source, setting = getattr(named, role)
    assert (source.model, setting) == ("some/encoder", key)
    assert getattr(RunConfig(), role) == (RunConfig().teachers.sentence, "teachers.sentence")
