"""Hostile texts and standoff files for hypothesis. Spans are drawn apart from their text and bent to it: cheap, and it shrinks well."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

CANARY = "Zyxomalgia"
"""A word of the texts that no finding may repeat."""

WORDS = (" ", " ", " ", "fever", "dolor", "niño", "5 mg", "T1", "#", CANARY)
NASTY = (
    *("\U0001f48a", "\U0001d4b3", "e\u0301", "\u0301", "\u00a0", "\u202f", "\u00ad", "\u200b", "\u200d", "\u202e", "\u0600", "\u3000"),
    *("\r", "\n", "\r\n", "\n\n", "\ufeff", "\t", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85", "\x00", '"', "'", "\ufffd", "\uffff"),
)
PIECES = st.sampled_from(WORDS) | st.sampled_from(NASTY)
BOMS = st.sampled_from(["", "", "", "\ufeff"])
TEXTS = st.builds(lambda bom, pieces: bom + "".join(pieces), BOMS, st.lists(PIECES, max_size=20)) | st.text(max_size=30)

LABELS = st.sampled_from(["DISEASE", "DISEASE", "SYMPTOM", "ENFERMEDAD", "D\u00a0", "\U0001f48a", "x:y"]).map(lambda label: label.strip())
# Places beyond the text are wrapped around, ends are cut off at its end.
FRAGMENTS = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 12)), min_size=1, max_size=3)

COMPANIONS = (
    *("R{0}\tWith Arg1:{1} Arg2:{2}", "E{0}\tCHANGE:{1} Theme:{2}", "E{0}\tCHANGE:{1}", "A{0}\tNegated {1}", "M{0}\tDegree {1} high"),
    *("N{0}\tReference {1} UMLS:C0015967\tname", "#{0}\tAnnotatorNotes {1}\tsee {2}", "*\tEquiv {1} {2}", "#\tNote {1}"),
)
REFERENCES = st.sampled_from(["T1", "T2", "T3", "T99", "R1", "E1", "E2", "A1", "#1", "N1"])
UNREADABLE = (
    *("", " ", "\u00a0", "free text", "T", "T\t", "T88", "T88\tX", "T88\tX 0\tx", "T88 X 0 5 fever", "T88\tX 0 5;\tx", "T88\tX 5 5\tx"),
    *("T88\tX -1 3\tx", f"T88\tX 0 {'9' * 400}\tx", "T88\tX 0 999999999999999999\tx", "T88\tX \u0661 \u0662\tx", "t1\tX 0 5\tx"),
    *(
        "R1",
        "R1\tWith",
        "R1\tWith Arg1:T1",
        "E1\t",
        "A1\tNegated",
        "A\tNegated T1",
        "#",
        "# free",
        "#1\t",
        "*",
        "*\tEquiv T1",
        "N1\tRef T1",
    ),
    *("\ufeffT88\tX 0 1\tx", "R1\tWith\tArg1:T1 Arg2:T2", "X1\tnew kind", "\r", "T88\tX 0 1\t\r", "A1\tNegated T1\r", "\x00"),
)

UNBROKEN = str.maketrans("\r\n", "  ")


@dataclass(frozen=True)
class Claim:
    """A mention that its text bears out, and its line."""

    id: str
    label: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    surface: str

    @property
    def offsets(self) -> str:
        return ";".join(f"{start} {end}" for start, end in zip(self.starts, self.ends, strict=True))

    @property
    def line(self) -> str:
        return f"{self.id}\t{self.label} {self.offsets}\t{self.surface.translate(UNBROKEN)}"


@dataclass(frozen=True)
class Sheet:
    """A text and a standoff file that holds its claims, whatever else it holds."""

    text: str
    claims: tuple[Claim, ...]
    data: str


def claim(text: str, number: int, label: str, fragments: list[tuple[int, int]]) -> Claim:
    starts = tuple(place % len(text) for place, _ in fragments)
    ends = tuple(min(start + length, len(text)) for start, (_, length) in zip(starts, fragments, strict=True))
    surface = " ".join(text[start:end] for start, end in zip(starts, ends, strict=True))
    return Claim(f"T{number}", label, starts, ends, surface)


def copied(claim: Claim) -> str:
    return claim.line


def without_tabs(claim: Claim) -> str:
    return claim.line.replace("\t", " ").replace("T", "T77", 1)


def with_swapped_offsets(claim: Claim) -> str:
    return f"T77\t{claim.label} {claim.ends[0]} {claim.starts[0]}\t{claim.surface.splitlines()[0] if claim.surface.strip() else ''}"


def moved(claim: Claim) -> str:
    return claim.line.replace(f" {claim.offsets}", f" {claim.starts[0] + 1} {claim.ends[0] + 1}").replace("T", "T77", 1)


def broken_over_lines(claim: Claim) -> str:
    return f"T77\t{claim.label} {claim.offsets}\t{claim.surface}"


def beyond_the_text(claim: Claim) -> str:
    return claim.line.replace(f" {claim.offsets}", f" {claim.offsets[: -len(str(claim.ends[-1]))]}{claim.ends[-1] + 1}").replace(
        "T", "T77", 1
    )


def cut_short(claim: Claim) -> str:
    return claim.line[: len(claim.line) // 2].replace("T", "T77", 1)


Spoil = Callable[[Claim], str]
SPOILS = st.tuples(
    st.integers(0, 5), st.sampled_from([copied, without_tabs, with_swapped_offsets, moved, broken_over_lines, beyond_the_text, cut_short])
)
COMPANION_LINES = st.builds(
    lambda shape, *parts: shape.format(*parts), st.sampled_from(COMPANIONS), st.integers(1, 3), REFERENCES, REFERENCES
)
FREE_LINES = st.text(max_size=12).map(lambda line: line.replace("\n", ""))
JUNK = COMPANION_LINES | COMPANION_LINES | st.sampled_from(UNREADABLE) | SPOILS | FREE_LINES
ENDS = st.sampled_from([("\n", "\n"), ("\n", "\n"), ("\r\n", "\r\n"), ("\n", "\r\n")])


def _sheet(
    text: str,
    shapes: list[tuple[str, list[tuple[int, int]]]],
    junk: list[tuple[int, str | tuple[int, Spoil]]],
    ends: tuple[str, str],
    bom: str,
    ended: bool,
) -> Sheet:
    claims = [claim(text, number, label, fragments) for number, (label, fragments) in enumerate(shapes, start=1)]
    lines = [claim.line for claim in claims]
    for place, piece in junk:
        if isinstance(piece, str):
            line = piece
        elif claims:
            line = piece[1](claims[piece[0] % len(claims)])
        else:
            line = ""
        lines.insert(place % (len(lines) + 1), line)
    data = bom + "".join(line + ends[number % 2] for number, line in enumerate(lines))
    return Sheet(text, tuple(claims), data if ended or not lines else data.removesuffix(ends[(len(lines) - 1) % 2]))


SHEETS = st.builds(
    _sheet,
    TEXTS.map(lambda text: text or "x"),
    st.lists(st.tuples(LABELS, FRAGMENTS), max_size=5),
    st.lists(st.tuples(st.integers(0, 12), JUNK), max_size=6),
    ENDS,
    BOMS,
    st.booleans(),
)
# Enough companions for chains and circles.
LINKED_SHEETS = st.builds(
    lambda sheet, lines: replace(sheet, data="".join(f"{line}\n" for line in lines) + sheet.data),
    SHEETS,
    st.lists(COMPANION_LINES, max_size=8),
)
FILES = SHEETS.map(lambda sheet: sheet.data) | TEXTS
