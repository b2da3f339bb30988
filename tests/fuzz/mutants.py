"""Damaged copies of the bundled corpus, each from its seed and number alone."""

from dataclasses import dataclass
from random import Random

from pipeline_lib.corpus.samples import LANGUAGES, documents, marked, standoff

WORST = (b"\t", b"\n", b"\r", b"\r\n", b" ", b";", b"-", b"0", b"9", b"T", b"T1\t", b"#", b'"', b"\0", b"\xef\xbb\xbf", b"\xff", b"\xc3")
WORST_CHARACTERS = tuple(c.encode("utf-8") for c in ("\u00a0", "\u00ad", "\u2028", "\u0085", "\u0301", "\U0001f48a", "\ufffd", "\u200b"))
COMPANIONS = (
    *("R1\tWith Arg1:T1 Arg2:T2", "R2\tWith Arg1:T2 Arg2:E1", "E1\tDISEASE:T1 Theme:T2", "E2\tDISEASE:T2 Theme:E1", "A1\tNegated T1"),
    *("A2\tOld E2", "M1\tDegree T2 high", "N1\tReference T1 UMLS:C0015967\tfever", "#1\tAnnotatorNotes T1\tsee R1", "*\tEquiv T1 T2"),
)


@dataclass(frozen=True)
class Pair:
    """A text and its standoff file, as bytes."""

    text: bytes
    annotations: bytes


def originals() -> list[Pair]:
    """Every document of the bundled corpus in every language, each with companions of its first mentions."""
    pairs = [standoff(marked(document, lang)) for lang in LANGUAGES for document in documents()]
    companions = "".join(f"{line}\n" for line in COMPANIONS)
    return [Pair(text.encode("utf-8"), (annotations + companions).encode("utf-8")) for text, annotations in pairs]


def mutant(seed: int, number: int, pairs: list[Pair]) -> Pair:
    """The text, the annotations or both of one pair, damaged once or up to 20 times."""
    random = Random(f"{seed}/{number}")
    pair, other = random.choice(pairs), random.choice(pairs)
    side = random.choice(["text", "annotations", "annotations", "both"])
    text = pair.text if side == "annotations" else damaged(pair.text, other.text, random)
    annotations = pair.annotations if side == "text" else damaged(pair.annotations, other.annotations, random)
    return Pair(text, annotations)


def damaged(data: bytes, other: bytes, random: Random) -> bytes:
    times, acts = random.choice([1, 1, 2, 3, 5, 20]), random.choice([BYTES, BYTES, LINES, WHOLES])
    for _ in range(times if acts is not WHOLES else 1):
        data = random.choice(acts)(data, other, random)
    return data


def flip(data: bytes, other: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes(byte ^ 1 << random.randrange(8) for byte in data[at : at + 1]) + data[at + 1 :]


def put(data: bytes, other: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(WORST + WORST_CHARACTERS) + data[at + random.randrange(2) :]


def delete(data: bytes, other: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.randint(1, 20) :]


def repeat(data: bytes, other: bytes, random: Random) -> bytes:
    at, length = random.randrange(len(data) + 1), random.randint(1, 20)
    return data[: at + length] + data[at:]


def swap(data: bytes, other: bytes, random: Random) -> bytes:
    """Two stretches of one length change places."""
    length = random.randint(1, 20)
    one, two = sorted(random.randrange(len(data) + 1) for _ in range(2))
    two = max(two, one + length)
    return data[:one] + data[two : two + length] + data[one + length : two] + data[one : one + length] + data[two + length :]


def drop_line(data: bytes, other: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(line for at, line in enumerate(lines) if at != random.randrange(len(lines)))


def repeat_line(data: bytes, other: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join([*lines, *random.sample(lines, min(len(lines), 1))])


def take_line(data: bytes, other: bytes, random: Random) -> bytes:
    """A line of another file comes in."""
    lines = data.splitlines(keepends=True)
    lines.insert(random.randrange(len(lines) + 1), random.choice(other.splitlines(keepends=True)))
    return b"".join(lines)


def shuffle_lines(data: bytes, other: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(random.sample(lines, len(lines)))


def truncate(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def splice(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def with_crlf(data: bytes, other: bytes, random: Random) -> bytes:
    return data.replace(b"\n", b"\r\n")


def with_bom(data: bytes, other: bytes, random: Random) -> bytes:
    return b"\xef\xbb\xbf" + data


def as_latin_1(data: bytes, other: bytes, random: Random) -> bytes:
    return data.decode("utf-8").encode("latin-1", "replace")


def as_utf_16(data: bytes, other: bytes, random: Random) -> bytes:
    return data.decode("utf-8").encode("utf-16")


BYTES = (flip, put, put, delete, repeat, swap)
LINES = (drop_line, repeat_line, take_line)
WHOLES = (shuffle_lines, truncate, splice, with_crlf, with_bom, as_latin_1, as_utf_16)
