"""Figures as inline SVG whose colours are variables of the page's style sheet, light and dark."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.figure import Figure

COLOURS = 6
"""How many lines of a figure have a colour of their own in the style sheet; then they repeat."""

# matplotlib wants fixed colours, the page has light and dark ones: each stand-in below becomes a variable of the style sheet.
_THEME = {"#010101": "var(--ink)", "#020202": "var(--muted)", "#030303": "var(--line)", "#040404": "var(--band)"}
INK, MUTED, LINE, BAND = _THEME
_STYLE = mpl.RcParams(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "spanferry",
        "text.parse_math": False,
        "font.family": ["DejaVu Sans"],
        "font.size": 9.5,
        "axes.edgecolor": LINE,
        "axes.titlecolor": INK,
        "axes.labelcolor": MUTED,
        "xtick.color": LINE,
        "xtick.labelcolor": MUTED,
        "ytick.labelcolor": INK,
    }
)


@contextmanager
def styled() -> Iterator[None]:
    """Figures drawn within have the page's style."""
    with mpl.rc_context(_STYLE):
        yield


def colour(index: int) -> str:
    """Stand-in for ``var(--lang-n)``, six in turn."""
    return f"#05050{index % COLOURS}"


def svg(figure: Figure) -> str:
    """The ``<svg>`` of a figure, the same bytes for the same figure."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # The browser draws the letters, in a font of its own: what matplotlib's font lacks does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    drawn = buffer.getvalue()
    return _themed(drawn[drawn.index("<svg") :])


def _themed(drawn: str) -> str:
    colours = _THEME | {colour(index): f"var(--lang-{index})" for index in range(COLOURS)}
    for stand_in, variable in colours.items():
        drawn = drawn.replace(stand_in, variable)
    return drawn
