"""How many examples each property gets, and the figures at the end of the session."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.fuzz.tally import Tally

HERE = Path(__file__).parent
TALLY = pytest.StashKey[Tally]()
FEW_EXAMPLES = 500


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "weight(n): how many examples a property gets beside the others, whose weight is 10")
    config.stash[TALLY] = Tally()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Share the examples out by weight. Without a number they are few and always the same."""
    properties = [item for item in items if item.path.parent == HERE and is_hypothesis_test(item.obj)]
    weights = [mark.args[0] if (mark := item.get_closest_marker("weight")) else 10 for item in properties]
    asked = config.getoption("examples")
    for item, weight in zip(properties, weights, strict=True):
        settings(
            max_examples=-(-(asked or FEW_EXAMPLES) * weight // sum(weights)),
            derandomize=asked is None,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        )(item.obj)
        item.obj.hypothesis.inner_test = _counted(item.obj.hypothesis.inner_test, item.name, config.stash[TALLY])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tally = config.stash[TALLY]
    if tally.examples or tally.texts:
        terminalreporter.section("fuzz")
        for line in tally.report():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    return request.config.stash[TALLY]


def _counted(test: Callable[..., None], name: str, tally: Tally) -> Callable[..., None]:
    """The test, which counts an example when it held."""

    @functools.wraps(test)
    def counted(*args: object, **kwargs: object) -> None:
        test(*args, **kwargs)
        tally.examples[name] += 1

    return counted
