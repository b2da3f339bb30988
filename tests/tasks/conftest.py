"""One chain of tasks for all their tests. It is not to be changed: tests that write take ``own``."""

from pathlib import Path

import pytest

from pipeline_lib.corpus.samples import write_sample
from tests.tasks.chain import DOCUMENTS_USED, Chain, copy_of, run_chain
from tests.tasks.transformers import Made, make


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("chain")
    write_sample(folder / "corpus", languages=("es", "en"), documents=DOCUMENTS_USED)
    return run_chain(str(folder / "store"), str(folder / "corpus"))


@pytest.fixture
def own(chain: Chain, tmp_path: Path) -> Chain:
    return copy_of(chain, tmp_path)


@pytest.fixture(scope="session")
def made(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What transformers make of the chain, in a store of its own."""
    folder = tmp_path_factory.mktemp("transformers")
    return make(chain, copy_of(chain, folder).root, folder / "encoders")
