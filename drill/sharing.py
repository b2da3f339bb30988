"""Two runs at once on one store: the same run twice, and two that differ in a setting."""

from collections.abc import Iterator, Sequence

from drill.compare import Snapshot, different, hashes, outputs, shard, written
from drill.lab import LIMIT, Lab, Undisturbed
from drill.processes import Ended
from drill.table import Row, saw

OTHER = ("sharpen.reg=0.2",)


def together(lab: Lab, whole: Undisturbed) -> Iterator[Row]:
    """Both at once, compared with what each makes alone; then the first once more, which shall find all of it."""
    alone = lab.undisturbed("alone", settings=OTHER)
    yield _pair(lab, "two identical runs at once", "pair-same", (), [whole, whole])
    yield _pair(lab, "two different runs at once", "pair-other", OTHER, [whole, alone])


def _pair(lab: Lab, what: str, name: str, settings: Sequence[str], expected: list[Undisturbed]) -> Row:
    with lab.start(name) as one, lab.start(name, out=f"{name}-second", settings=settings) as other:
        ended = [program.wait(LIMIT) for program in (one, other)]
    before = lab.look(name)
    again = lab.run(name)
    after = lab.look(name)
    wrong = different(hashes(after), *(hashes(alone.store) for alone in expected))
    for folder, alone in zip((name, f"{name}-second"), expected, strict=True):
        wrong += different(outputs(lab.out(folder)), alone.outputs)
    lab.note(name, {"what": what, "said": [line for end in ended for line in end.lines[-10:]], "wrong": wrong})
    return _row(what, ended, again, before, after, not wrong)


def _row(what: str, ended: list[Ended], again: Ended, before: Snapshot, after: Snapshot, same: bool) -> Row:
    repeated = {shard(key) for key in written(before, after)}
    return Row(
        part="sharing",
        what=what,
        when="at once",
        code=max(end.code for end in ended),
        saw=" / ".join(map(saw, ended)),
        clear=all(end.code == 0 for end in ended),
        same=again.code == 0 and same,
        built=len(repeated),
        twice=len(repeated),
        unsound=len(before.unsound()) + len(after.unsound()),
        seconds=max(end.seconds for end in ended) + again.seconds,
    )
