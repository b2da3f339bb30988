"""A local file is written whole or not at all."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline_lib.storage.write import write_file


@settings(deadline=None)
@given(st.one_of(st.text(), st.binary()))
@example("a\r\nb\n\ufeffé")
def test_a_file_holds_exactly_what_was_given_whatever_was_there(content: str | bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new" / "folder" / "a.txt"
        write_file(path, "before, and longer than what comes" * 9)
        write_file(path, content)
        assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode("utf-8"))
        assert [file.name for file in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("before", [None, b"whole"])
def test_a_write_that_fails_leaves_the_file_as_it_was(before: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.tsv"
    if before is not None:
        path.write_bytes(before)
    real = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        real(self, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            write_file(path, "a new file that does not fit")
    assert [file.name for file in tmp_path.iterdir()] == ["run.tsv"] * (before is not None)
    assert (path.read_bytes() if path.exists() else None) == before
    write_file(path, "fits now")
    assert path.read_bytes() == b"fits now" and [file.name for file in tmp_path.iterdir()] == ["run.tsv"]
