"""What rich shows, as plain text."""

from io import StringIO

from rich.console import Console, RenderableType


def text_of(what: RenderableType, width: int = 200) -> str:
    shown = StringIO()
    Console(file=shown, width=width).print(what)
    return shown.getvalue()
