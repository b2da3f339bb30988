"""``spanferry store`` and ``spanferry gc``, as their users meet them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.leases import lease
from pipeline_lib.storage.store import Store
from tests.flows.commands.terminal import call
from tests.pipeline_lib.storage.toy_store import age, age_all, beats, both, contents, record_run, student


@pytest.fixture
def filled(tmp_path: Path) -> Store:
    """Two runs: ``run-new`` uses the model that ``run-old`` fitted. And what a third began."""
    store = Store(str(tmp_path / "store"))
    pair = both(store, "c0ffee")
    text = pair[0].fingerprint
    model = student(store, text)
    old, new = beats(store, text), beats(store, text, model.fingerprint)
    record_run(store, "run-older", [old], [*pair, old])
    record_run(store, "run-old", [old], [*pair, old, model], taught=model)
    record_run(store, "run-new", [new], [*pair, new, model], model="run-old", taught=model)
    beats(store, "unfinished")
    for run, seconds in (("older", 120), ("old", 60)):
        age(store, f"runs/run-{run}.json", seconds)
    return store


def figures(*arguments: str) -> dict[str, Any]:
    code, said = call(*arguments, "--json")
    assert code == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


def new_result(store: Store) -> ArtifactRef:
    record = store.read_record("runs/run-new.json")
    assert record is not None
    key = str(record["artifacts"][0])  # type: ignore[index]
    return ArtifactRef("beats", "es/s0", key.rsplit("/", 1)[1].removesuffix(".parquet"), ".parquet", "", 0, 0)


def test_the_store_lists_its_runs_and_what_they_take_up(filled: Store) -> None:
    code, said = call("store", "--store", filled.root)
    assert code == 0
    lines = [line.split() for line in said.splitlines()]
    assert [line[0] for line in lines if line and line[0].startswith("run-")] == ["run-new", "run-old", "run-older"]
    assert "model: run-old" in said and "es -> en" in said
    assert ["all", "6"] in [line[:2] for line in lines]
    assert "leftover files of what was broken off: 0" in said


def test_the_same_as_json(filled: Store) -> None:
    with lease(filled, "clinic es-en", "run"):
        found = figures("store", "--store", filled.root)
    runs = {run["run"]: run for run in found["runs"]}
    assert list(runs) == ["run-new", "run-old", "run-older"]
    assert runs["run-new"] | {"last_run": "", "bytes": 0, "own_bytes": 0} == {
        "run": "run-new",
        "model": "run-old",
        "source": "es",
        "targets": ["en"],
        "last_run": "",
        "artifacts": 4,
        "bytes": 0,
        "own_bytes": 0,
    }
    assert 0 < runs["run-new"]["own_bytes"] < runs["run-new"]["bytes"] and runs["run-older"]["own_bytes"] == 0
    assert {contract: totals["artifacts"] for contract, totals in found["contracts"].items()} == {"beats": 4, "pauses": 1, "student": 1}
    assert [(holder["kind"], holder["name"]) for holder in found["leases"]] == [("run", "clinic es-en")]


def test_who_is_at_work_is_shown(filled: Store) -> None:
    with lease(filled, "clinic [es-en]", "run"):
        assert "at work: run clinic [es-en] on " in call("store", "--store", filled.root)[1]
    assert "at work" not in call("store", "--store", filled.root)[1]


def test_of_a_run_its_model_and_its_results_are_shown(filled: Store) -> None:
    code, said = call("store", "--store", filled.root, "--of", "run-new")
    assert code == 0
    assert said.startswith("run-new es -> en") and "model of run-old" in said
    assert new_result(filled).key in said and "student student/es-en/" in said
    found = figures("store", "--store", filled.root, "--of", "run-new")
    assert found["model"] == "run-old" and len(found["used"]) == 4


def test_what_a_run_lost_is_marked(filled: Store) -> None:
    filled.remove(new_result(filled).record_key)
    assert f"{new_result(filled).key.removesuffix('.parquet')} (missing)" in call("store", "--store", filled.root, "--of", "run-new")[1]


@pytest.mark.parametrize("by", ["key", "fingerprint"])
def test_of_an_artifact_is_shown_what_it_was_made_from_down_to_the_contents(by: str, filled: Store) -> None:
    ref = new_result(filled)
    code, said = call("store", "--store", filled.root, "--of", getattr(ref, by))
    assert code == 0
    lines = [line.strip("│├└─ ") for line in said.splitlines()]
    assert lines[0].startswith(f"beats es/s0 {ref.fingerprint} ")
    assert lines[1:4] == ["contract beats@1, code c0de", "config reg=0.1", "libraries numpy=2"]
    assert lines[4].startswith("beats, pauses es/s1 ") and lines[7] == "content c0ffee"
    assert lines[8].startswith("student es-en ") and lines[-1].startswith("beats, pauses es/s1 ") and lines[-1].endswith("(unfolded above)")
    assert said.count("libraries") == 1, "told where they are others than above"


def test_the_lineage_as_json_is_complete(filled: Store) -> None:
    ref = new_result(filled)
    found = figures("store", "--store", filled.root, "--of", ref.key)
    assert found["of"] == ref.fingerprint and len(found["made_of"]) == 3
    origin = found["made_of"][ref.fingerprint]
    assert origin["artifacts"] == [ref.key.removesuffix(".parquet")]
    assert (origin["config"], origin["code"], origin["libraries"]) == ({"reg": 0.1}, "c0de", {"numpy": "2"})
    assert set(origin["inputs"]) <= found["made_of"].keys()


def test_a_collection_says_what_went_and_what_stays(filled: Store) -> None:
    before = contents(filled)
    code, said = call("gc", "--store", filled.root, "--keep-last", "1")
    assert code == 0
    assert "removed: 1 of 3 runs, artifacts: 1, leftover files: 0, together" in said
    assert "of no run that finished: 1 artifacts" in said and "kept: run-new, run-old" in said
    assert ["beats", "1"] in [line.split()[:2] for line in said.splitlines()]
    assert "runs/run-older.json" not in contents(filled) and contents(filled).items() < before.items()


def test_a_dry_run_says_the_same_and_removes_nothing(filled: Store) -> None:
    before = contents(filled)
    arguments = ["gc", "--store", filled.root, "--keep-last", "1"]
    code, said = call(*arguments, "--dry-run")
    assert code == 0 and "dry run, nothing was removed; it would be 1 of 3 runs" in said
    would = figures(*arguments, "--dry-run")
    assert contents(filled) == before
    did = figures(*arguments)
    assert (would.pop("dry_run"), did.pop("dry_run")) == (True, False)
    assert would == did and did["removed"]["runs"] == ["run-older"] and did["removed"]["bytes"] > 0


def test_chosen_runs_are_kept_too(filled: Store) -> None:
    found = figures("gc", "--store", filled.root, "--keep-last", "0", "--keep", "run-older")
    assert found["kept"]["runs"] == ["run-older"]
    assert found["removed"]["contracts"]["student"]["artifacts"] == 1


def test_a_collection_is_refused_while_a_run_is_at_work(filled: Store) -> None:
    before = contents(filled)
    with lease(filled, "clinic es-en", "run"):
        code, said = call("gc", "--store", filled.root, "--keep-last", "1")
    assert code == 5 and said.count("\n") == 1
    assert "nothing was removed: run clinic es-en on " in said and "(pid " in said and "renewed 0 s ago)" in said
    assert contents(filled) == before


def test_leftovers_are_counted_and_go(filled: Store) -> None:
    filled.remove(new_result(filled).key)
    age_all(filled, 999)
    assert "broken off: 1" in call("store", "--store", filled.root)[1]
    assert figures("gc", "--store", filled.root, "--keep-last", "0", "--keep", "run-old")["removed"]["leftovers"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["store", "--store", "{empty}"], "nothing is stored there"),
        (["store", "--store", "{full}", "--of", "run-0"], "no such run or artifact: run-0"),
        (["gc", "--store", "{empty}", "--keep-last", "1"], "no run is recorded there"),
        (["gc", "--store", "{empty}", "--keep-last", "1", "--dry-run"], "no run is recorded there"),
        (["gc", "--store", "{full}", "--keep-last", "1", "--keep", "run-0"], "no such run: run-0"),
    ],
)
def test_what_is_not_there_is_one_line_and_exit_code_5(arguments: list[str], message: str, filled: Store, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    code, said = call(*(word.format(empty=empty, full=filled.root) for word in arguments))
    assert code == 5 and said.startswith("spanferry: ") and message in said and said.count("\n") == 1
    assert not empty.exists(), "looking creates nothing"


def test_a_record_of_a_run_that_is_none_is_one_line_too(filled: Store) -> None:
    filled.write_record("runs/run-bad.json", {})
    for command in (["store"], ["gc", "--keep-last", "1"]):
        code, said = call(*command, "--store", filled.root)
        assert code == 5 and "runs/run-bad.json is not the record of a run" in said


def test_a_real_run_uses_all_that_it_stored(demo: tuple[Path, str]) -> None:
    """Nothing of the only run may be collected, and all of it is accounted for."""
    found = figures("gc", "--store", str(demo[0] / "store"), "--keep-last", "1", "--dry-run")
    assert found["removed"] == {"runs": [], "contracts": {}, "unfinished": 0, "leftovers": 0, "bytes": 0}
    assert len(found["kept"]["contracts"]) > 15


def test_keeping_no_run_at_all_is_a_usage_error(filled: Store) -> None:
    code, said = call("gc", "--store", filled.root, "--keep-last", "0")
    assert code == 2 and "keep at least one run" in said
    assert call("gc", "--store", filled.root)[0] == 2


def test_a_bucket_is_a_store_as_good(bucket: str) -> None:
    store = Store(bucket)
    result = beats(store, "a")
    beats(store, "b")
    record_run(store, "run-1", [result], [result])
    assert figures("gc", "--store", bucket, "--keep-last", "1")["removed"]["contracts"]["beats"]["artifacts"] == 1
    assert figures("store", "--store", bucket)["contracts"]["beats"]["artifacts"] == 1
    assert call("store", "--store", "s3://no-such-bucket/x")[0] == 5


def test_the_commands_wait_for_neither_prefect_nor_torch(filled: Store) -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom flows.cli import app\n"
        f"for words in (['store'], ['store', '--of', 'run-new'], ['gc', '--keep-last', '9']):\n"
        f"    assert CliRunner().invoke(app, [*words, '--store', {filled.root!r}]).exit_code == 0\n"
        "assert not {'prefect', 'torch', 'matplotlib'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
