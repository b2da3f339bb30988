"""One run over 6 languages and 3 entities, and its submission."""

from pathlib import Path

import pytest

from pipeline_lib.submission.export import export_run
from tests.pipeline_lib.submission.runs import multiclin_docs, write_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's output folder; not to be changed."""
    return write_run(tmp_path_factory.mktemp("run"), multiclin_docs())


@pytest.fixture(scope="session")
def submission(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the run's submission; not to be changed."""
    folder = tmp_path_factory.mktemp("submission")
    export_run(run, "multiclin", folder)
    return folder
