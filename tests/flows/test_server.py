"""The server of one run starts while the run's code is imported."""

import threading

import pytest
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE, temporary_settings

from flows.server import server_starting


def test_it_starts_beside_what_is_done_meanwhile_and_has_answered_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    together, answered = threading.Barrier(2, timeout=30), []

    def start(_: SubprocessASGIServer) -> None:
        together.wait()
        answered.append(True)

    monkeypatch.setattr(SubprocessASGIServer, "start", start)
    with temporary_settings({PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: True}, restore_defaults={PREFECT_API_URL}), server_starting():
        together.wait()
    assert answered == [True]


def test_where_it_does_not_come_up_the_error_is_prefects(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: SubprocessASGIServer) -> None:
        raise RuntimeError("Timed out")

    monkeypatch.setattr(SubprocessASGIServer, "start", start)
    with (
        temporary_settings({PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: True}, restore_defaults={PREFECT_API_URL}),
        pytest.raises(RuntimeError, match="Timed out"),
        server_starting(),
    ):
        pass


def test_the_users_own_server_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SubprocessASGIServer, "start", None)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), server_starting():
        pass
