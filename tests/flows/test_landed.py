from pathlib import Path

import pytest
from prefect.client.schemas.objects import State

from flows.landed import landed
from pipeline_lib.corpus.samples import documents
from tests.flows.tiny import quick, small_corpus


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Path:
    root = tmp_path_factory.mktemp("landed")
    small_corpus(root / "corpus")
    return root


def look(root: Path) -> State[None]:
    state: State[None] = landed(
        quick("refit=never"), str(root / "corpus"), "es", ["en"], str(root / "store"), str(root / "out"), return_state=True
    )
    return state


def test_a_run_starts_when_the_corpus_has_changed_and_only_then(root: Path) -> None:
    first = look(root)
    assert first.is_completed() and first.name == "Completed" and (root / "out" / "run.json").is_file()
    again = look(root)
    assert again.is_completed() and again.name == "Unchanged"
    gold = root / "corpus" / "en" / f"{documents()[0]}.ann"
    gold.write_bytes(b"")
    assert look(root).name == "Unchanged", "the targets' gold moves no projection"
    text = root / "corpus" / "en" / f"{documents()[0]}.txt"
    text.write_bytes(text.read_bytes() + b" Unremarkable follow-up.")
    before = (root / "out" / "run.json").read_bytes()
    assert look(root).name == "Completed" and (root / "out" / "run.json").read_bytes() != before


def test_a_memory_of_a_run_whose_record_is_gone_is_no_reason_to_stay_idle(root: Path) -> None:
    look(root)
    for record in (root / "store" / "runs").iterdir():
        record.unlink()
    assert look(root).name == "Completed"
