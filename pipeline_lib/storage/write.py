"""Writing a local file whole or not at all."""

from pathlib import Path


def write_file(path: Path, content: str | bytes) -> None:
    """Write ``content``, text as UTF-8, and the folders above it; until it is all there, the earlier file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".writing-{path.name}")
    try:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
