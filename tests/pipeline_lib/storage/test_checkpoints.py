from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline_lib.storage.checkpoints import Checkpoints
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.store import Store

MADE_OF = Ingredients("student@1", {}, ("a",), "code", {})


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(request.getfixturevalue("bucket")) if request.param == "bucket" else str(tmp_path / "store"))


def at(store: Store, made_of: Ingredients = MADE_OF, steps: int = 25) -> Checkpoints:
    return Checkpoints(store, "es-en", made_of, steps, 5)


def writing(step: int) -> Callable[[Path], None]:
    return lambda folder: (folder / "state").write_text(str(step)) and None


def last(checkpoints: Checkpoints) -> str | None:
    found: list[str] = []
    checkpoints.resume(lambda folder: found.append((folder / "state").read_text()))
    return found[0] if found else None


def kept(store: Store) -> int:
    return len({file.key.rsplit("/", 1)[0] for file in store.files("checkpoints") if file.key.endswith("state")})


def test_the_latest_state_is_read_and_only_two_are_kept(store: Store) -> None:
    checkpoints = at(store)
    assert last(checkpoints) is None
    for step in range(1, 19):
        checkpoints.keep(step, writing(step))
    assert last(at(store)) == "15" and kept(store) == 2


def test_other_work_has_other_states(store: Store) -> None:
    at(store).keep(5, writing(5))
    assert last(at(store, Ingredients("student@1", {}, ("b",), "code", {}))) is None


def test_a_damaged_state_is_passed_over_for_the_one_before(store: Store) -> None:
    for step in (5, 10):
        at(store).keep(step, writing(step))
    (newest,) = (file.key for file in store.files("checkpoints") if file.key.endswith("state") and store._place.read(file.key) == b"10")
    with store._place.file(newest) as path:
        changed = path.with_name("changed")
        changed.write_text("11")
        store._place.write(changed, newest)
    assert last(at(store)) == "5"


@pytest.mark.parametrize("steps", [20, 22])
def test_after_the_work_no_state_is_left(store: Store, steps: int) -> None:
    checkpoints = at(store, steps=steps)
    for step in range(1, steps + 1):
        checkpoints.keep(step, writing(step))
    checkpoints.clear()
    assert [file.key for file in store.files("checkpoints")] == []
