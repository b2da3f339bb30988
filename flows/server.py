"""The server of one run, which Prefect starts for it where the user runs none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context

from prefect.client.base import ServerType, determine_server_type
from prefect.server.api.server import SubprocessASGIServer


@contextmanager
def server_starting() -> Iterator[None]:
    """The server comes up while the context lasts, which is time for imports, and has answered when it ends.

    Prefect would start it with the flow, after them. Raises ``RuntimeError`` as it does then.
    """
    if determine_server_type() != ServerType.EPHEMERAL:
        yield
        return
    with ThreadPoolExecutor(1, thread_name_prefix="server") as waiting:
        answers = waiting.submit(copy_context().run, SubprocessASGIServer().start)  # with the settings of here
        yield
    answers.result()
