"""Some documents of the bundled corpus, for the tests of scan and ingest."""

from pathlib import Path

import pytest

from pipeline_lib.corpus.samples import documents, write_sample


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    root = tmp_path / "sample"
    write_sample(root, ["es", "en", "cz"], documents()[:3])
    return root
