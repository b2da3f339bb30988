"""Serving a site: what is started with what, and what is refused before anything is."""

import os
import socket
from pathlib import Path
from threading import Event

import pytest

from deployments.children import Child
from deployments.serve import ServeError, await_health, check_port, server_environment, workers, write_example
from deployments.site import SiteError, read_site
from pipeline_lib.corpus.samples import LANGUAGES
from tests.deployments.sites import PLAIN, site

SECRET_URL = "postgresql+asyncpg://prefect:open-sesame@localhost/prefect"


def test_the_example_comes_with_the_corpus_that_it_names(tmp_path: Path) -> None:
    found = read_site(write_example(tmp_path / "site-out")).collections["sample"]
    assert all(any((Path(found.corpus) / lang).glob("*.txt")) for lang in LANGUAGES)
    assert {found.source, *found.targets} == set(LANGUAGES)


def test_an_example_that_somebody_has_edited_stays(tmp_path: Path) -> None:
    path = write_example(tmp_path)
    path.write_text(PLAIN, encoding="utf-8")
    assert write_example(tmp_path).read_text(encoding="utf-8") == PLAIN


def test_the_server_sends_no_telemetry_and_its_ui_knows_the_port(tmp_path: Path) -> None:
    environment = server_environment(tmp_path, 4317)
    assert environment["PREFECT_SERVER_UI_API_URL"] == environment["PREFECT_API_URL"] == "http://127.0.0.1:4317/api"
    assert (environment["DO_NOT_TRACK"], environment["PREFECT_SERVER_ANALYTICS_ENABLED"]) == ("1", "false")
    assert environment["PREFECT_HOME"] == str(tmp_path)
    assert environment["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"].endswith(".filesystem")


def test_there_is_a_worker_for_cpu_and_one_a_gpu_each_with_its_device(tmp_path: Path) -> None:
    found = site(tmp_path, '[gpu]\nworkers = 2\ndevices = "3,5"\n' + PLAIN)
    started = workers(found, tmp_path, 4317)
    assert [child.name for child in started] == ["cpu", "gpu-0", "gpu-1"]
    assert [child.environment.get("CUDA_VISIBLE_DEVICES") for child in started[1:]] == ["3", "5"]
    assert all(child.command[3:9] == ["worker", "start", "--pool", "gpu", "--type", "process"] for child in started[1:])
    assert all(child.command[-2:] == ["--limit", "1"] for child in started[1:])
    assert [child.name for child in workers(site(tmp_path, "[gpu]\nworkers = 0\n" + PLAIN), tmp_path, 4317)] == ["cpu"]


def test_the_database_is_the_servers_own_affair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", SECRET_URL)
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", SECRET_URL)
    assert SECRET_URL in server_environment(tmp_path, 4317).values()
    assert not any("open-sesame" in str(child.environment) for child in workers(site(tmp_path), tmp_path, 4317))


def test_workers_keep_the_credentials_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a key")
    assert all(child.environment["AWS_ACCESS_KEY_ID"] == "a key" for child in workers(site(tmp_path), tmp_path, 4317))


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SiteError, match="choose another with --port"):
            check_port(taken.getsockname()[1])
    check_port(0)


def test_a_server_that_ends_at_once_is_an_error_that_names_its_log(tmp_path: Path) -> None:
    server = Child("server", ["false"], dict(os.environ))
    server.start(tmp_path)
    assert server.wait(20)
    with pytest.raises(ServeError, match=r"ended at once; why is in .*server\.log"):
        await_health(server, 1, Event())
