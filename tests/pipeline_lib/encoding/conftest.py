from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.transformer import Encoder, load_encoder
from tests.encoders import FAMILIES, Family, save_encoder

Load = Callable[..., Encoder]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[Family, Path]:
    """A tiny encoder of every family."""
    root = tmp_path_factory.mktemp("encoders")
    return {family: save_encoder(root / family, family) for family in FAMILIES}


@pytest.fixture
def load(folders: dict[Family, Path]) -> Load:
    """Read one of them; settings of its ``ModelSource`` by name."""

    def read(family: Family, at_once: int = 4096, **taken: int) -> Encoder:
        source = ModelSource.model_validate({"model": family, "overlap": 32, **taken})
        return load_encoder(folders[family], source, "cpu", torch.float32, at_once)

    return read
