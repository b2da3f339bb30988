import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import pytest

from pipeline_lib.submission.finished import SubmissionError
from pipeline_lib.submission.folder import ARCHIVE, CONFIG, UNFINISHED, Draft, export_folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def export(out: Path, *files: str) -> None:
    with export_folder(out) as draft:
        for name in files:
            draft.write(name, f"content of {name}")
        draft.write_config({"format": "x"})


def test_the_folder_holds_the_files_and_a_config_with_their_hashes(tmp_path: Path) -> None:
    export(tmp_path / "new" / "out", "EN/a.tsv", "b")
    assert names(tmp_path / "new" / "out") == {"EN", "EN/a.tsv", "b", CONFIG}
    config = json.loads((tmp_path / "new" / "out" / CONFIG).read_text("utf-8"))
    hashes = {name: hashlib.sha256(f"content of {name}".encode()).hexdigest() for name in ("EN/a.tsv", "b")}
    assert config == {"written_by": "spanferry export", "format": "x", "files": hashes}


def test_the_next_export_removes_what_only_the_earlier_one_wrote_and_nothing_else(tmp_path: Path) -> None:
    export(tmp_path, "EN/x/a.tsv", "IT/x/a.tsv")
    (tmp_path / ARCHIVE).write_text("of the export, though it is not among the files that it lists", encoding="utf-8")
    (tmp_path / "IT" / "mine.txt").write_text("mine", encoding="utf-8")
    export(tmp_path, "CZ/a.tsv")
    assert names(tmp_path) == {"CZ", "CZ/a.tsv", "IT", "IT/mine.txt", CONFIG}


def test_an_export_that_fails_leaves_the_earlier_one_as_it_was(tmp_path: Path) -> None:
    export(tmp_path, "a", "b")
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}

    def fail(draft: Draft) -> None:
        draft.write("a", "new")
        raise SubmissionError("no such label")

    with pytest.raises(SubmissionError, match="no such label"), export_folder(tmp_path) as draft:
        fail(draft)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_what_a_killed_export_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".writing-abc" / "EN").mkdir(parents=True)
    export(tmp_path, "a")
    assert names(tmp_path) == {"a", CONFIG}


class KilledError(BaseException):
    """Stands for a signal: nothing may catch it."""


def killed_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file system change so many times, and then no more."""
    left = [steps]

    def counting(change: Callable[..., object]) -> Callable[..., object]:
        def changed(*args: object, **kwargs: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise KilledError
            return change(*args, **kwargs)

        return changed

    for name in ("replace", "unlink", "rmdir", "mkdir", "write_bytes"):
        monkeypatch.setattr(Path, name, counting(getattr(Path, name)))


def state(out: Path) -> set[str] | None:
    """The files of the export in ``out``, all of them as it wrote them; None if it says that it is unfinished."""
    if (out / UNFINISHED).exists():
        return None
    listed = json.loads((out / CONFIG).read_text("utf-8"))["files"]
    assert {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in listed} == listed
    return set(listed)


def test_an_export_that_is_killed_anywhere_loses_nothing_unsaid_and_the_next_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    for steps in range(100):
        out = tmp_path / str(steps)
        export(out, "EN/a", "EN/only earlier", "IT/only earlier")
        (out / "mine.txt").write_text("mine", encoding="utf-8")
        with monkeypatch.context() as patched, suppress(KilledError):
            killed_after(steps, patched)
            export(out, "EN/a", "CZ/new")
        seen.append(state(out))
        export(out, "EN/a", "b/c")
        assert names(out) == {"EN", "EN/a", "b", "b/c", "mine.txt", CONFIG}
        if seen[-1] == {"EN/a", "CZ/new"}:
            break
    earlier, new = {"EN/a", "EN/only earlier", "IT/only earlier"}, {"EN/a", "CZ/new"}
    assert [found for found, _ in groupby(seen)] == [earlier, None, new] and seen.count(None) >= 8


def test_a_first_export_that_is_killed_anywhere_does_not_stand_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for steps in range(20):
        out = tmp_path / str(steps)
        with monkeypatch.context() as patched, suppress(KilledError):
            killed_after(steps, patched)
            export(out, "a", "b/c")
        export(out, "d")
        assert names(out) == {"d", CONFIG}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (UNFINISHED, ""),
        (UNFINISHED, "[]"),
        ("thesis.doc", "mine"),
        (CONFIG, "{}"),
        (CONFIG, "no json"),
        (CONFIG, "[]"),
        (CONFIG, '{"written_by": "spanferry export"}'),
    ],
)
def test_somebody_elses_folder_is_refused_and_left_alone(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(SubmissionError, match="choose another --out"):
        export(tmp_path, "a")
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {name: content}


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(SubmissionError):
        export(tmp_path / "out", "a")
    with pytest.raises(SubmissionError, match="Not a directory"):
        export(tmp_path / "out" / "below", "a")
    assert (tmp_path / "out").read_text("utf-8") == "mine"


@pytest.mark.parametrize("listed", ["../outside.txt", "EN/../../outside.txt", "{parent}/outside.txt"])
def test_a_config_never_has_a_file_removed_outside_its_folder(listed: str, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "out").mkdir()
    config = {"written_by": "spanferry export", "files": {listed.format(parent=tmp_path): ""}}
    (tmp_path / "out" / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    export(tmp_path / "out", "a")
    assert (tmp_path / "outside.txt").read_text("utf-8") == "mine"
