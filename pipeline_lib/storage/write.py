"""Writing a local file whole or not at all."""

from pathlib import Path

DRAFT = ".writing-"  # what the name of a file starts with until it is all there


def write_file(path: Path, content: str | bytes) -> None:
    """Write ``content``, text as UTF-8, and the folders above it; until it is all there, the earlier file stays."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f"{DRAFT}{path.name}")
    try:
        try:
            temporary.write_bytes(data)
        except FileNotFoundError:  # seldom: to look for the folder every time costs as much as to write a small file
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
