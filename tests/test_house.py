"""The house's rules, read from the sources. A failure names the file, the line and what to do about it."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
BELOW_TASKS = ("data_contracts", "pipeline_lib")
PACKAGES = (*BELOW_TASKS, "tasks", "flows", "deployments")
SAYS_NOTHING = {"utils", "helpers", "common", "base", "manager"}
RUNS_CODE_ON_LOADING = {"pickle", "cloudpickle", "dill", "shelve"}
MOST_LINES_A_FILE = 300
MOST_LINES_A_FUNCTION = 50

Finding = tuple[int, str]
Detector = Callable[[ast.Module], Iterator[Finding]]


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def modules() -> list[Path]:
    return [path for path in sources(*PACKAGES) if path.name != "__init__.py"]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def findings(detect: Detector, *folders: str) -> list[str]:
    return [f"{named(path)}:{line}: {what}" for path in sources(*folders) for line, what in detect(ast.parse(path.read_text("utf-8")))]


def assert_none(found: list[str], rule: str) -> None:
    assert not found, "\n  ".join([f"{rule}, but:", *found])


def broad_excepts(tree: ast.Module) -> Iterator[Finding]:
    broad = {"Exception", "BaseException"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = {"BaseException"} if node.type is None else {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
            if caught & broad and ast.unparse(node.body[-1]) != "raise":
                yield node.lineno, "a broad except: name the errors it expects, or raise again after cleaning up"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"suppress", "contextlib.suppress"}:
            yield from ((node.lineno, "suppresses every error: name those it expects") for part in node.args if ast.unparse(part) in broad)


def prints(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "prints: log ids and counts, or write through the console script"


def imported(tree: ast.Module) -> Iterator[Finding]:
    """Every absolute import, as (line, dotted name)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def unsafe_loads(tree: ast.Module) -> Iterator[Finding]:
    for line, name in imported(tree):
        if name.split(".")[0] in RUNS_CODE_ON_LOADING or name == "torch.load":
            yield line, f"imports {name}, which runs code from the file: use parquet, JSON or safetensors"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "torch.load":
            yield node.lineno, "torch.load runs code from the file: use safetensors"
        elif isinstance(node, ast.keyword) and node.arg in {"trust_remote_code", "allow_pickle"} and ast.unparse(node.value) != "False":
            yield node.value.lineno, f"{node.arg} runs code from the file: leave it out"


def prefect_imports(tree: ast.Module) -> Iterator[Finding]:
    for line, name in imported(tree):
        if name.split(".")[0].split("_")[0] == "prefect":
            yield line, f"imports {name}: below tasks nothing knows Prefect"


def long_functions(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_LINES_A_FUNCTION:
                yield node.lineno, f"{node.name} has {lines} lines, more than {MOST_LINES_A_FUNCTION}: is there a second idea in it?"


@pytest.mark.parametrize("package", PACKAGES)
def test_each_floor_is_there_to_be_checked(package: str) -> None:
    assert (ROOT / package / "__init__.py").is_file()


def test_every_module_has_its_mirrored_test() -> None:
    mirrors = {path: ROOT / "tests" / path.parent.relative_to(ROOT) / f"test_{path.name}" for path in modules()}
    missing = [f"{named(path)} has no {named(mirror)}" for path, mirror in mirrors.items() if not mirror.is_file()]
    assert_none(missing, "Every module has its mirrored test")


def test_every_folder_of_tests_is_a_package() -> None:
    folders = [ROOT / "tests", *(path for path in (ROOT / "tests").rglob("*") if path.is_dir() and path.name != "__pycache__")]
    missing = [f"{named(folder)} has none" for folder in folders if not (folder / "__init__.py").is_file()]
    assert_none(missing, "Every folder of tests has an __init__.py, or it shadows the package that it mirrors")


def test_no_module_has_a_name_that_says_nothing_or_is_taken() -> None:
    taken = packages_distributions().keys() - {*PACKAGES, "tests"}
    rooms = {path.parent for path in modules()} - {ROOT / package for package in PACKAGES}
    names = sorted((path, path.stem) for path in {*modules(), *rooms})
    found = [f"{named(path)}: `{name}` says nothing about what is in it" for path, name in names if name in SAYS_NOTHING]
    found += [f"{named(path)}: `{name}` is an installed package's name" for path, name in names if name in taken]
    assert_none(found, "Modules are named after the thing or the act that they hold")


def test_no_file_is_too_long() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in sources(*PACKAGES)}
    found = [f"{named(path)}: {lines} lines" for path, lines in lengths.items() if lines > MOST_LINES_A_FILE]
    assert_none(found, f"A module holds one idea in at most {MOST_LINES_A_FILE} lines")


def test_no_function_is_too_long() -> None:
    assert_none(findings(long_functions, *PACKAGES, "tests"), f"A function has at most {MOST_LINES_A_FUNCTION} lines")


def test_no_package_prints() -> None:
    assert_none(findings(prints, *PACKAGES), "Packages do not print")


def test_no_package_catches_every_error() -> None:
    assert_none(findings(broad_excepts, *PACKAGES), "Errors are caught by name")


def test_no_package_loads_files_that_run_code() -> None:
    assert_none(findings(unsafe_loads, *PACKAGES), "Loading a file never runs code from it")


def test_nothing_below_tasks_imports_prefect() -> None:
    assert_none(findings(prefect_imports, *BELOW_TASKS), "Contracts and library work without Prefect")


@pytest.mark.parametrize(
    ("detect", "source", "caught"),
    [
        (broad_excepts, "try: f()\nexcept Exception: pass", True),
        (broad_excepts, "try: f()\nexcept: pass", True),
        (broad_excepts, "try: f()\nexcept (OSError, BaseException) as error: raise ValueError from error", True),
        (broad_excepts, "with contextlib.suppress(Exception): f()", True),
        (broad_excepts, "try: f()\nexcept BaseException:\n    g()\n    raise", False),
        (broad_excepts, "try: f()\nexcept (OSError, ValueError): pass", False),
        (prints, "print('x')", True),
        (prints, "console.print('x')", False),
        (unsafe_loads, "import pickle", True),
        (unsafe_loads, "from torch import load", True),
        (unsafe_loads, "torch.load(path, weights_only=True)", True),
        (unsafe_loads, "read(name, trust_remote_code=True)", True),
        (unsafe_loads, "np.load(path, allow_pickle=flag)", True),
        (unsafe_loads, "read(name, trust_remote_code=False); json.load(file)", False),
        (prefect_imports, "def f():\n    from prefect.logging import get_run_logger", True),
        (prefect_imports, "import prefect_dask", True),
        (prefect_imports, "from pipeline_lib import prefects", False),
        (long_functions, "def f():" + "\n    pass" * MOST_LINES_A_FUNCTION, True),
        (long_functions, "def f():" + "\n    pass" * (MOST_LINES_A_FUNCTION - 1), False),
    ],
)
def test_the_rules_see_what_they_look_for(detect: Detector, source: str, caught: bool) -> None:
    assert bool(list(detect(ast.parse(source)))) is caught


def test_the_tested_set_lies_within_the_declared_ranges() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    pins = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    wanted = [(want, pins.get(canonicalize_name(want.name), "")) for want in map(Requirement, texts)]
    unpinned = [f"{want} is pinned to {pin or 'nothing'}" for want, pin in wanted if not pin or pin not in want.specifier]
    assert_none(unpinned, "constraints.txt pins every dependency within its range (`make lock`)")
    local = [f"{name}=={version}" for name, version in pins.items() if not version or "+" in version or " " in version]
    assert_none(local, "Pins are plain releases that every index has")


def test_the_wheel_ships_code_and_data_but_no_tests(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        shipped = set(wheel.namelist())
    data = [*(ROOT / "pipeline_lib").rglob("*.j2"), *(ROOT / "deployments/profiles").glob("*.toml")]
    data += [path for path in (ROOT / "pipeline_lib/corpus/sample").rglob("*") if path.is_file()]
    missing = sorted({named(path) for path in [*sources(*PACKAGES), *data]} - shipped)
    assert_none(missing, "The wheel holds every module and data file")
    others = sorted({name.split("/")[0] for name in shipped if ".dist-info/" not in name} - set(PACKAGES))
    assert_none(others, "The wheel holds the five packages alone")
