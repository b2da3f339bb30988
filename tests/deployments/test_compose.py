"""compose.yaml and the image it uses. No container is started here: this holds their structure only."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.serve import server_environment

TEXT = files("deployments").joinpath("compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = files("deployments").joinpath("Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
ONCE = {"bucket", "deploy"}


def test_there_are_a_server_its_database_the_storage_and_a_worker_a_pool() -> None:
    assert set(SERVICES) - ONCE == {"database", "storage", "server", "cpu", "gpu"}
    for pool in ("cpu", "gpu"):
        command = SERVICES[pool]["command"]
        assert command[command.index("--pool") + 1] == pool
    assert SERVICES["gpu"]["command"][-3:-1] == ["--limit", "1"] and SERVICES["gpu"]["profiles"] == ["gpu"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE))
def test_what_stays_up_is_watched_and_started_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_ports_are_open_on_loopback_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports and all(str(port).startswith("127.0.0.1:") for port in ports)


def test_each_waits_for_what_it_needs() -> None:
    for service in SERVICES.values():
        for other, condition in service.get("depends_on", {}).items():
            ends = other in ONCE
            assert condition == {"condition": "service_completed_successfully" if ends else "service_healthy"}
            assert ends or "healthcheck" in SERVICES[other]


def test_every_volume_and_config_is_declared() -> None:
    volumes = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", []) if volume[0] not in "$/."}
    assert volumes == set(COMPOSE["volumes"])
    assert {config["source"] for service in SERVICES.values() for config in service.get("configs", [])} == set(COMPOSE["configs"])


def test_runs_find_the_server_and_the_store_in_their_environment() -> None:
    wanted = {"PREFECT_API_URL", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"}
    for pool in ("cpu", "gpu"):
        assert wanted <= set(SERVICES[pool]["environment"])
    assert set(SERVICES["deploy"]["environment"]) >= {"PREFECT_API_URL"}


def test_the_server_has_what_serve_gives_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {})
    assert set(server_environment(tmp_path, 4200)) <= set(SERVICES["server"]["environment"])
    assert SERVICES["server"]["environment"]["PREFECT_API_DATABASE_CONNECTION_URL"].startswith("postgresql+asyncpg://")


def test_nobody_tells_anybody_outside() -> None:
    for name in ("server", "deploy", "cpu", "gpu"):
        assert SERVICES[name]["environment"]["DO_NOT_TRACK"] == "1"
        assert SERVICES[name]["environment"]["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_secrets_come_from_the_environment_and_must_be_chosen() -> None:
    for line in TEXT.splitlines():
        if re.search(r"(PASSWORD|ACCESS_KEY|ACCESS_KEY_ID): ", line):
            assert ":?choose one}" in line


def test_the_image_runs_as_another_user_than_root_and_has_all_packages() -> None:
    assert "\nUSER 10001\n" in DOCKERFILE
    kept = (Path(__file__).parents[2] / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"!data_contracts", "!pipeline_lib", "!tasks", "!flows", "!deployments", "!pyproject.toml", "!constraints.txt"} <= set(kept)
