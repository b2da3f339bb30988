"""A folder of synthetic documents in the plain layout, written by a process a core: all of it, or none."""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline_lib.corpus.synth import SOURCE, Segment, compose, document_id, draw, sample_segments

BATCH = 250  # documents
MOST_PROCESSES = 8  # a folder takes one new file at a time, and there are seven of them

_DRAFT = ".writing-"  # no layout reads what starts with a dot


class SynthError(ValueError):
    """The folder is not empty, or cannot be written."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to write: documents by number, in the source and these targets."""

    seed: int
    numbers: range
    targets: tuple[str, ...]

    @property
    def langs(self) -> tuple[str, ...]:
        return (SOURCE, *self.targets)

    def batches(self) -> list[range]:
        return [self.numbers[first : first + BATCH] for first in range(0, len(self.numbers), BATCH)]


@dataclass(frozen=True, slots=True)
class Tally:
    """What was written: characters of the source a document, mentions by language, bytes."""

    lengths: list[int]
    mentions: Counter[str]
    size: int


Tell = Callable[[int, int, int], None]  # (batches that are done, of how many, documents of the last)


def write_collection(out: Path, order: Order, processes: int, tell: Tell) -> Tally:
    """Write the documents as ``{out}/{lang}/{document}.txt`` and ``.ann``; the bytes do not depend on ``processes``.

    Raises:
        SynthError: ``out`` is not empty, or cannot be written.
    """
    with _folder(out, order.langs) as draft:
        for lang in order.langs:
            (draft / lang).mkdir()
        tallies = _written(draft, order, processes, tell)
    lengths = sorted(length for tally in tallies for length in tally.lengths)
    return Tally(lengths, sum((tally.mentions for tally in tallies), Counter()), sum(tally.size for tally in tallies))


def write_batch(folder: Path, order: Order, numbers: range, segments: Sequence[Segment]) -> Tally:
    """Write these documents into the languages' folders."""
    tally = Counter[str]()
    lengths, size = [], 0
    for number in numbers:
        drawn = draw(order.seed, number, segments)
        for lang in order.langs:
            made = compose(drawn, lang)
            path = f"{folder}/{lang}/{document_id(number)}"
            size += _write(f"{path}.txt", made.text) + _write(f"{path}.ann", made.annotations)
            tally[lang] += made.mentions
            if lang == SOURCE:
                lengths.append(len(made.text))
    return Tally(lengths, tally, size)


@contextmanager
def _folder(out: Path, langs: Sequence[str]) -> Iterator[Path]:
    """A draft whose languages go into ``out`` when all of them are written, the source last: without it nothing is a corpus."""
    try:
        found = list(out.iterdir()) if out.exists() else []
        if any(not path.name.startswith(_DRAFT) for path in found):
            raise SynthError(f"{out} is not empty: choose another --out")
        for abandoned in found:
            shutil.rmtree(abandoned)
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=_DRAFT, dir=out) as scratch:
            yield Path(scratch)
            for lang in reversed(langs):
                (Path(scratch) / lang).rename(out / lang)
    except OSError as error:
        raise SynthError(f"cannot write {out}: {error.strerror}") from error


def _written(draft: Path, order: Order, processes: int, tell: Tell) -> list[Tally]:
    """The tally of each batch, in any order."""
    batches = order.batches()
    tallies: list[Tally] = []

    def note(tally: Tally) -> None:
        tallies.append(tally)
        tell(len(tallies), len(batches), len(tally.lengths))

    shares = [share for share in (batches[worker::processes] for worker in range(processes)) if share]
    if len(shares) > 1:
        _share_out(draft, order, shares, note)
    else:
        segments = sample_segments()
        for batch in batches:
            note(write_batch(draft, order, batch, segments))
    if len(tallies) < len(batches):
        raise SynthError("a process that wrote documents ended early; nothing is kept, run again")
    return tallies


def _share_out(draft: Path, order: Order, shares: list[list[range]], note: Callable[[Tally], None]) -> None:
    """Write each share of the batches in a process of its own. Raises the first error of any of them."""
    context = get_context("spawn")  # a fork takes along the locks of threads, but not the threads
    workers = {}
    try:
        for share in shares:
            tallies, sender = context.Pipe(duplex=False)
            workers[tallies] = context.Process(target=_work, args=(sender, draft, order, share), daemon=True)
            workers[tallies].start()
            sender.close()
        at_work = list(workers)
        while at_work:
            ready = wait(at_work)
            for tallies in [each for each in at_work if each in ready]:
                try:
                    told = tallies.recv()
                except EOFError:
                    at_work.remove(tallies)
                    continue
                if isinstance(told, OSError):
                    raise told
                note(told)
    finally:
        for tallies, process in workers.items():
            process.terminate()
            process.join()
            tallies.close()


def _work(tallies: Connection, draft: Path, order: Order, batches: list[range]) -> None:
    """A process: write the batches and send the tally of each, or the error that ended them; end where nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches it too, but whoever started it sees to its end
    segments = sample_segments()
    with suppress(BrokenPipeError):
        try:
            for batch in batches:
                tallies.send(write_batch(draft, order, batch, segments))
        except OSError as error:
            tallies.send(error)


def _write(path: str, content: str) -> int:
    """Write a new file; how many bytes. Half the time of ``Path.write_bytes``, which looks at what it has opened and keeps a buffer."""
    data = content.encode("utf-8")
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)
    return len(data)
