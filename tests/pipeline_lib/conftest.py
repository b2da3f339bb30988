"""A store in a folder and one in a bucket."""

from pathlib import Path

import pytest

from pipeline_lib.storage.store import Store


@pytest.fixture(params=["folder", "bucket"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(request.getfixturevalue("bucket")) if request.param == "bucket" else str(tmp_path / "store"))


@pytest.fixture
def here(tmp_path: Path) -> Store:
    """In a folder."""
    return Store(str(tmp_path / "store"))
