import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import BaseModel

from pipeline_lib.storage import fingerprint
from pipeline_lib.storage.fingerprint import Ingredients, code_hash, digest, ingredients, library_versions, table_hash

PACKAGE = "wardrobe"
SOURCES = {
    "__init__.py": "",
    "stage.py": "import numpy\nfrom wardrobe.middle import shape\nfrom wardrobe import side\n",
    "middle.py": "import wardrobe.deep\nshape = 1\n",
    "deep.py": "def late():\n    import wardrobe.stage\n",  # a circle
    "side.py": "value = 1\n",
    "bystander.py": "value = 1\n",
    "caller.py": "from wardrobe.stage import shape\n",
    "inner/__init__.py": "from wardrobe.bystander import value\n",
    "inner/leaf.py": "value = 1\n",
    "mixed.py": "from wardrobe.inner import leaf, value\n",
    "leafy.py": "def late():\n    from wardrobe.inner.leaf import value\n    return value\n",
}


class Settings(BaseModel, frozen=True):
    reg: float = 0.05
    names: tuple[str, ...] = ()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """A package of our own; the result rewrites one of its files as a new process would find it."""

    def write(name: str, source: str) -> None:
        path = tmp_path / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        forget()

    def forget() -> None:
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]
        clear_caches()

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(fingerprint, "OURS", (PACKAGE,))
    for name, source in SOURCES.items():
        write(name, source)
    yield write
    forget()


def of(
    contract: str = "plans@1", module: str = f"{PACKAGE}.stage", config: BaseModel | None = None, inputs: tuple[str, ...] = ("a", "b")
) -> str:
    return ingredients(contract, module, config, inputs).fingerprint


def clear_caches() -> None:
    for remembered in (code_hash, fingerprint._imports, fingerprint._source):
        remembered.cache_clear()


@pytest.mark.usefixtures("package")
def test_the_same_ingredients_have_the_same_fingerprint_in_a_new_process() -> None:
    before = of(config=Settings())
    clear_caches()
    assert of(config=Settings()) == before == of(config=Settings(reg=0.05)) and len(before) == 24


@pytest.mark.usefixtures("package")
def test_every_ingredient_counts() -> None:
    fingerprints = [
        of(),
        of(contract="plans@2"),
        of(module=f"{PACKAGE}.side"),
        of(config=Settings()),
        of(config=Settings(reg=0.1)),
        of(config=Settings(names=("x",))),
        of(inputs=("a", "c")),
        of(inputs=("b", "a")),
        of(inputs=("a",)),
        of(inputs=("ab",)),
        of(inputs=()),
    ]
    assert len(set(fingerprints)) == len(fingerprints)


def test_another_release_of_a_library_counts() -> None:
    one = Ingredients("plans@1", {}, (), "c", {"numpy": "2.4.0"})
    assert one.fingerprint != Ingredients("plans@1", {}, (), "c", {"numpy": "2.4.1"}).fingerprint
    assert one.fingerprint == Ingredients("plans@1", {}, (), "c", {"numpy": "2.4.0"}).fingerprint
    assert {"numpy", "numba", "scipy", "scikit-learn", "pyarrow", "polars", "regex", "torch"} <= set(library_versions())
    assert library_versions()["numpy"] == sys.modules["numpy"].__version__


@pytest.mark.parametrize(
    ("module", "edited", "changes"),
    [
        ("stage", "stage.py", True),
        ("stage", "middle.py", True),
        ("stage", "deep.py", True),
        ("stage", "side.py", True),
        ("stage", "bystander.py", False),
        ("stage", "caller.py", False),
        ("middle", "stage.py", True),
        ("side", "stage.py", False),
        ("leafy", "inner/leaf.py", True),
        ("mixed", "inner/leaf.py", True),
        ("mixed", "inner/__init__.py", True),
        ("mixed", "bystander.py", True),
        ("caller", "deep.py", True),
    ],
)
def test_an_edit_counts_wherever_the_stage_imports_it_and_nowhere_else(
    module: str, edited: str, changes: bool, package: Callable[[str, str], None]
) -> None:
    before = code_hash(f"{PACKAGE}.{module}")
    package(edited, SOURCES[edited] + "# edited\n")
    assert (code_hash(f"{PACKAGE}.{module}") != before) is changes
    package(edited, SOURCES[edited])
    assert code_hash(f"{PACKAGE}.{module}") == before


def test_a_new_import_brings_its_module_in(package: Callable[[str, str], None]) -> None:
    package("stage.py", SOURCES["stage.py"] + "import wardrobe.bystander\n")
    before = code_hash(f"{PACKAGE}.stage")
    package("bystander.py", "value = 2\n")
    assert code_hash(f"{PACKAGE}.stage") != before


@pytest.mark.usefixtures("package")
def test_a_module_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        code_hash(f"{PACKAGE}.nowhere")


@pytest.mark.parametrize(
    ("module", "inside", "outside"),
    [
        (
            "pipeline_lib.alignment.cost",
            ["pipeline_lib.alignment.fitted", "pipeline_lib.alignment.lexical"],
            ["pipeline_lib.projection.decode"],
        ),
        (
            "pipeline_lib.projection.gather",
            ["pipeline_lib.projection.candidates", "pipeline_lib.projection.spelling", "pipeline_lib.alignment.posteriors"],
            ["pipeline_lib.projection.decode", "pipeline_lib.projection.scoring"],
        ),
        (
            "pipeline_lib.projection.project",
            ["pipeline_lib.projection.decode", "pipeline_lib.projection.occurrences", "pipeline_lib.projection.scoring"],
            ["pipeline_lib.projection.candidates"],
        ),
        ("pipeline_lib.alignment.units", ["data_contracts.corpus", "data_contracts.contract"], ["pipeline_lib.alignment.cost"]),
    ],
)
def test_the_science_of_a_real_stage_is_found(module: str, inside: list[str], outside: list[str]) -> None:
    found = fingerprint._closure(module)
    assert {module, *inside} <= found and not found & {*outside, "numpy"}
    assert code_hash(module) == code_hash(module) != code_hash("pipeline_lib.alignment.band")


def test_threads_that_hash_code_at_once_agree() -> None:
    modules = ["pipeline_lib.alignment.cost", "pipeline_lib.projection.decode", "pipeline_lib.storage.store"] * 4
    expected = [code_hash(module) for module in modules]
    clear_caches()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(code_hash, modules)) == expected


def test_the_hash_of_a_table_tells_values_order_and_nulls_apart() -> None:
    rows: list[dict[str, object]] = [{"file": "é", "shard": 0}, {"file": "b", "shard": None}]
    hashes = [table_hash(pa.Table.from_pylist(some)) for some in (rows, rows[::-1], rows[:1], [rows[0], {"file": "b", "shard": 0}], [])]
    assert table_hash(pa.Table.from_pylist(rows)) == hashes[0] and len(set(hashes)) == len(hashes)
    halves = pa.concat_tables([pa.Table.from_pylist(rows).slice(0, 1), pa.Table.from_pylist(rows).slice(1)])
    assert table_hash(halves) == hashes[0]


def test_null_and_what_looks_like_it_are_other_rows_and_where_a_row_is_cut_off_matters() -> None:
    values = [None, "", "null", '"', "\n", "a\nb", "é", "\u2028", '","b":"']
    tables = [pa.table({"a": pa.array([value, value], pa.string()), "b": [1, 1]}) for value in values]
    tables += [
        pa.table({"a": ["x", "xy"], "b": [1, 1]}),
        pa.table({"a": ["xx", "y"], "b": [1, 1]}),
        pa.table({"b": ["x", "xy"], "a": [1, 1]}),
    ]
    assert len({table_hash(table) for table in tables}) == len(tables)


def test_a_table_is_hashed_part_by_part_and_the_parts_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"file": [f"d{number}" for number in range(25)], "scored": [None, True, False, True, None] * 5})
    whole = table_hash(table)
    monkeypatch.setattr("pipeline_lib.storage.fingerprint.ROWS_AT_ONCE", 7)
    assert table_hash(table) == table_hash(table.select(["scored", "file"])) == whole


def test_a_digest_is_the_start_of_the_sha256() -> None:
    assert digest("fiebre é") == digest("fiebre é") != digest("fiebre e")
    assert digest("") == "e3b0c44298fc1c149afbf4c8"


def test_ingredients_are_written_down_as_they_were_given() -> None:
    made_of = Ingredients("plans@1", {"reg": 0.1}, ("a", "b"), "c0de", {"numpy": "2"})
    assert made_of.as_json() == {
        "contract": "plans@1",
        "config": {"reg": 0.1},
        "inputs": ["a", "b"],
        "code": "c0de",
        "libraries": {"numpy": "2"},
    }
