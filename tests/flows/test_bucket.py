"""The whole run with its store in a bucket."""

from pathlib import Path

import fsspec
import pytest

from flows.pipeline import run_pipeline
from tests.flows.tiny import contents, quick, run, small_corpus

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(scope="module")
def in_a_folder(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Path:
    root = tmp_path_factory.mktemp("bucket")
    run(small_corpus(root / "corpus"), root)
    return root


def objects(url: str) -> dict[str, bytes]:
    filesystem, path = fsspec.url_to_fs(url, use_listings_cache=False)
    names = (name for name in filesystem.find(path) if "/collections/" not in name and "/progress/" not in name)
    return {name.removeprefix(f"{path}/"): filesystem.cat_file(name) for name in names}


def test_a_store_in_a_bucket_holds_and_gives_the_bytes_of_one_in_a_folder(in_a_folder: Path, bucket: str, tmp_path: Path) -> None:
    run_pipeline(quick(), str(in_a_folder / "corpus"), "es", ["en"], bucket, str(tmp_path / "out"))
    assert contents(tmp_path / "out") == contents(in_a_folder / "out")
    stored = objects(bucket)
    assert stored == contents(in_a_folder / "store")
    run_pipeline(quick(), str(in_a_folder / "corpus"), "es", ["en"], bucket, str(tmp_path / "out"))
    assert objects(bucket) == stored


def test_dask_with_two_workers_gives_the_same_bytes(in_a_folder: Path, tmp_path: Path) -> None:
    run(in_a_folder / "corpus", tmp_path, config=quick("task_runner=dask", "workers=2"))
    assert contents(tmp_path / "out") == contents(in_a_folder / "out")
    assert contents(tmp_path / "store") == contents(in_a_folder / "store")
