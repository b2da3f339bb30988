"""One demo for the tests that look at its outputs."""

from pathlib import Path

import pytest

from tests.flows.commands.terminal import call
from tests.flows.tiny import QUICK


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> tuple[Path, str]:
    """The demo with a small student: its folder and what it printed. It is not to be changed."""
    out = tmp_path_factory.mktemp("demo")
    code, said = call("demo", "--out", str(out), *(word for setting in QUICK for word in ("--set", setting)))
    assert code == 0, said
    return out, said
