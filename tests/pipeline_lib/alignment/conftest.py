"""What the tests of this room share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One torch thread: with more, small products on a busy machine wait for each other, fifty times as long as they take."""
    # Imported here: most modules of this room need no torch, which takes seconds to import.
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
