import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.catalog import Artifact, Catalog, Run, read_catalog
from pipeline_lib.storage.collect import collect, plan_collection, require_runs
from pipeline_lib.storage.files import StoredFile
from pipeline_lib.storage.leases import Lease, LeaseLost, Pace, StoreBusy, lease
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store
from tests.pipeline_lib.storage.toy_store import age, age_all, beats, both, contents, record_run, student

QUICK = Pace(renew=0.05, dead=180, wait=0.02)
NAMES = [f"{number:024x}" for number in range(12)]


def artifact(fingerprint: str) -> Artifact:
    address = f"beats/es/{fingerprint}"
    return Artifact(address, (StoredFile(f"{address}.parquet", 10, 0),), StoredFile(f"{address}.json", 1, 0))


@st.composite
def catalogs(draw: st.DrawFn) -> tuple[Catalog, int, list[str]]:
    """Any runs that use any artifacts and one another's models, how many of the last to keep, and which besides."""
    ids = [f"run-{number}" for number in range(draw(st.integers(1, 6)))]
    some = st.sets(st.sampled_from(NAMES)).map(lambda names: frozenset(f"beats/es/{name}" for name in names))
    runs = [
        Run(run, {"model": draw(st.sampled_from([*ids, "run-elsewhere"]))}, draw(some), StoredFile(f"runs/{run}.json", 5, 0)) for run in ids
    ]
    stored = draw(st.sets(st.sampled_from(NAMES)))
    current = draw(st.sets(st.sampled_from([*ids, "run-gone"]), max_size=1))
    artifacts = {f"beats/es/{name}": artifact(name) for name in stored}
    catalog = Catalog("store", 1000.0, tuple(runs), artifacts, frozenset(current))
    return catalog, draw(st.integers(0, 6)), draw(st.lists(st.sampled_from(ids)))


def to_keep(catalog: Catalog, keep_last: int, keep: list[str]) -> set[str]:
    """Said once more, as a fixed point."""
    kept = {run.id for run in catalog.runs[:keep_last]} | set(keep) | (catalog.current & {run.id for run in catalog.runs})
    while True:
        models = {run.model for run in catalog.runs if run.id in kept} & {run.id for run in catalog.runs}
        if models <= kept:
            return kept
        kept |= models


@given(catalogs())
def test_what_a_kept_run_uses_stays_and_all_else_goes(drawn: tuple[Catalog, int, list[str]]) -> None:
    catalog, keep_last, keep = drawn
    plan = plan_collection(catalog, keep_last, keep)
    kept = to_keep(catalog, keep_last, keep)
    needed = {address for run in catalog.runs if run.id in kept for address in run.used}
    assert {run.id for run in plan.kept} == kept
    assert {run.id for run in plan.runs} == {run.id for run in catalog.runs} - kept
    assert {each.address for each in plan.artifacts} == catalog.artifacts.keys() - needed
    assert {each.address for each in plan.stay} == catalog.artifacts.keys() & needed
    removed = {file.key for phase in plan.phases() for file in phase}
    assert removed.isdisjoint({part.key for address in needed & catalog.artifacts.keys() for part in catalog.artifacts[address].parts})
    assert removed.isdisjoint({f"runs/{run}.json" for run in kept})


@given(catalogs())
def test_runs_go_before_records_and_records_before_bytes(drawn: tuple[Catalog, int, list[str]]) -> None:
    order = [file.key for phase in plan_collection(*drawn).phases() for file in phase]
    kind = [0 if key.startswith("runs/") else 1 if key.endswith(".json") else 2 for key in order]
    assert kind == sorted(kind) and len(order) == len(set(order))


def test_a_run_that_is_to_be_kept_must_be_there(here: Store) -> None:
    record_run(here, "run-1", [], [])
    with pytest.raises(StoreError, match="no such run: run-2"):
        collect(here, 1, ["run-2"], QUICK)
    assert here.files("leases") == [] and here.read_record("runs/run-1.json") is not None


def three_runs(store: Store) -> dict[str, ArtifactRef]:
    """``old`` fitted a model; ``new`` uses another that ``middle`` fitted; text is shared; ``lost`` is of a run that did not finish."""
    refs = {name: beats(store, name) for name in ("text", "old", "middle", "new", "lost")}
    refs |= {"old_model": student(store, "old"), "model": student(store, "middle")}
    refs |= dict(zip(("one", "other"), both(store, "old"), strict=True))
    old = [refs[name] for name in ("text", "old", "one", "other")]
    record_run(store, "run-old", [refs["old"]], old, taught=refs["old_model"])
    record_run(store, "run-middle", [refs["middle"]], [refs["text"], refs["middle"]], taught=refs["model"])
    record_run(store, "run-new", [refs["new"]], [refs["text"], refs["new"]], model="run-middle", taught=refs["model"])
    return refs


def found(store: Store, ref: ArtifactRef) -> bool:
    return store.find(ref.contract, ref.shard, ref.fingerprint, ref.suffix) is not None


def order_runs(store: Store) -> None:
    for run, seconds in (("old", 30), ("middle", 20), ("new", 10)):
        age(store, f"runs/run-{run}.json", seconds)


def test_a_collection_leaves_the_last_run_and_its_model_whole_and_nothing_else(here: Store) -> None:
    refs = three_runs(here)
    order_runs(here)
    before, size = contents(here), sum(file.bytes for file in here.files())
    plan = collect(here, 1, pace=QUICK)
    assert [run.id for run in plan.kept] == ["run-new", "run-middle"] and [run.id for run in plan.runs] == ["run-old"]
    assert {name for name, ref in refs.items() if found(here, ref)} == {"text", "middle", "new", "model"}
    assert contents(here).items() <= before.items()
    assert size - sum(file.bytes for file in here.files()) == plan.bytes
    assert plan.unfinished == 1
    assert collect(here, 1, pace=QUICK).bytes == 0, "there is nothing more to remove"


def test_it_is_the_same_in_a_bucket(bucket: str) -> None:
    store = Store(bucket)
    refs = three_runs(store)
    plan = collect(store, 0, ["run-middle"], QUICK)
    assert [run.id for run in plan.kept] == ["run-middle"]
    assert {name for name, ref in refs.items() if found(store, ref)} == {"text", "middle", "model"}
    assert {file.key for file in store.files("runs")} == {"runs/run-middle.json"} and store.files("leases") == []


def test_the_model_of_a_collection_is_kept_however_long_ago_it_was_fitted(here: Store) -> None:
    refs = three_runs(here)
    order_runs(here)
    here.write_record("collections/abc-model.json", {"run": "run-old"})
    collect(here, 1, pace=QUICK)
    assert found(here, refs["old_model"]) and found(here, refs["one"]) and not found(here, refs["lost"])
    assert here.read_record("collections/abc-model.json") == {"run": "run-old"}


def test_a_run_of_an_earlier_release_keeps_what_it_was_made_from(here: Store) -> None:
    text = beats(here, "a")
    result, other = beats(here, text.fingerprint), beats(here, "b")
    record_run(here, "run-1", [result], None)
    collect(here, 1, pace=QUICK)
    assert [found(here, ref) for ref in (text, result, other)] == [True, True, False]


class Killed(BaseException):
    pass


class Dying(Store):
    """A store that is killed when it has removed so many files."""

    def __init__(self, root: str, removals: int) -> None:
        super().__init__(root)
        self._left, self._guard = removals, threading.Lock()

    def remove(self, key: str) -> None:
        with self._guard:
            self._left -= 1
            if self._left < 0:
                raise Killed
        super().remove(key)


def rebuild(store: Store) -> dict[str, bytes]:
    """The runs once more: every byte as it was."""
    three_runs(store)
    return contents(store)


REMOVALS = 13  # run-old's record; five records of artifacts, four tables, two files of a folder; the collection's own lease


@pytest.mark.parametrize("removals", range(REMOVALS))
def test_wherever_a_collection_is_killed_nothing_half_removed_is_taken_for_good(removals: int, here: Store) -> None:
    refs = three_runs(here)
    order_runs(here)
    before = contents(here)
    with pytest.raises(Killed):
        collect(Dying(here.root, removals), 1, pace=QUICK)

    assert all(found(here, refs[name]) for name in ("text", "middle", "new", "model")), "what is kept is whole"
    assert removals == 0 or here.read_record("runs/run-old.json") is None, "no run finds the model that is going"
    # What still has a record is whole: `find` compares every byte.
    half = [ref for ref in refs.values() if here.read_record(ref.record_key) is not None and not found(here, ref)]
    assert half == []

    for file in here.files("leases"):
        age(here, file.key, 200)
    assert rebuild(here) == before


@pytest.mark.parametrize("removals", [1, 5, 11])
def test_the_next_collection_removes_what_a_killed_one_left(removals: int, tmp_path: Path) -> None:
    killed, whole = Store(str(tmp_path / "killed")), Store(str(tmp_path / "whole"))
    for store in (killed, whole):
        three_runs(store)
        order_runs(store)
    with pytest.raises(Killed):
        collect(Dying(killed.root, removals), 1, pace=QUICK)
    with pytest.raises(StoreBusy, match="garbage collection on"):
        collect(killed, 1, pace=QUICK)
    age_all(killed, 200)
    collect(killed, 1, pace=QUICK)
    collect(whole, 1, pace=QUICK)
    assert contents(killed) == contents(whole) and killed.files("leases") == []


def test_leftovers_go_once_they_are_old_and_those_of_a_kept_run_stay(here: Store) -> None:
    refs = three_runs(here)
    order_runs(here)
    here.remove(refs["lost"].record_key)
    here.remove(refs["new"].record_key)
    collect(here, 3, pace=QUICK)
    assert {refs["lost"].key, refs["new"].key} <= contents(here).keys(), "they are too young"
    age_all(here, 200)
    plan = collect(here, 3, pace=QUICK)
    assert [file.key for file in plan.leftovers] == [refs["lost"].key]
    assert refs["lost"].key not in contents(here) and refs["new"].key in contents(here)


def test_files_that_are_none_of_ours_stay(here: Store) -> None:
    record_run(here, "run-1", [], [])
    for key in ("notes.json", "collections/abc.json", "photos/2026/summer.json"):
        here.write_record(key, {})
    age_all(here, 999)
    assert collect(here, 1, pace=QUICK).bytes == 0
    assert len(here.files()) == 4


def test_dead_leases_go(here: Store) -> None:
    record_run(here, "run-1", [], [])
    dead = Lease(here, "run-1", "run", QUICK)
    age_all(here, 200)
    assert [file.key for file in collect(here, 1, pace=QUICK).leftovers] == [dead.key]
    assert here.files("leases") == []


def test_nothing_is_removed_while_a_run_is_at_work(anywhere: Store) -> None:
    refs = three_runs(anywhere)
    with lease(anywhere, "run-1", "run", QUICK), pytest.raises(StoreBusy, match="nothing was removed: run run-1 on"):
        collect(anywhere, 1, pace=QUICK)
    assert all(found(anywhere, ref) for ref in refs.values())


def test_a_collection_that_was_taken_for_dead_removes_nothing_more(here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    refs = three_runs(here)

    def lost(held: Lease) -> None:
        raise LeaseLost("asleep")

    monkeypatch.setattr(Lease, "check", lost)
    with pytest.raises(LeaseLost):
        collect(here, 1, pace=QUICK)
    assert all(found(here, ref) for ref in refs.values())


def test_a_place_without_runs_is_left_alone(here: Store) -> None:
    ref = beats(here, "a")
    with pytest.raises(StoreError, match="no run is recorded there"):
        collect(here, 1, pace=QUICK)
    with pytest.raises(StoreError, match="no run is recorded there"):
        require_runs(here)
    assert found(here, ref) and here.files("leases") == []


def test_a_plan_changes_nothing(here: Store) -> None:
    three_runs(here)
    before = contents(here)
    assert plan_collection(read_catalog(here, 0), 1).bytes > 0
    assert contents(here) == before


def test_the_progress_of_a_run_goes_with_the_run_and_that_of_a_dead_one_as_a_leftover(here: Store) -> None:
    for name in ("run-old", "run-new"):
        record_run(here, name, [], [])
        here.write_record(f"progress/{name}.json", {})
    age(here, "runs/run-old.json", 60)
    for name in ("run-dead", "run-just-ended"):
        here.write_record(f"progress/{name}.json", {})
    age(here, "progress/run-dead.json", 999)
    age(here, "progress/run-new.json", 999)
    plan = collect(here, 1, pace=QUICK)
    assert [file.key for file in plan.progress] == ["progress/run-old.json"]
    assert [file.key for file in plan.leftovers] == ["progress/run-dead.json"]
    assert [file.key for file in here.files("progress")] == ["progress/run-just-ended.json", "progress/run-new.json"]
    assert next(iter(file.key for phase in list(plan.phases())[1:] for file in phase)) == "progress/run-old.json", "before the run's record"
