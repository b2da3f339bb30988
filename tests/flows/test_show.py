import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from data_contracts import PROJECTIONS
from flows.show import STYLES, ShowError, side_by_side
from pipeline_lib.corpus.text import slices

SOURCE = "Fiebre alta y tos seca.\nDolor de pecho."
TARGET = "High fever and dry cough.\nChest pain."
Spans = tuple[list[int], list[int]]


def mention(name: str, label: str, source: Spans, target: Spans, document: str = "case-1") -> dict[str, object]:
    return {
        "document": document,
        "source_lang": "es",
        "target_lang": "en",
        "mention": name,
        "target_mention": name if target[0] else None,
        "label": label,
        "source_starts": source[0],
        "source_ends": source[1],
        "source_surface": "x",
        "starts": target[0],
        "ends": target[1],
        "surface": "x",
        "confidence": 1.0,
        "reason": None if target[0] else "no_span",
        "aligner": "",
    }


MENTIONS = [
    mention("T1", "SYMPTOM", ([0], [11]), ([0], [10])),
    mention("T2", "SYMPTOM", ([0, 14], [6, 17]), ([5, 19], [10, 24])),
    mention("T3", "DISEASE", ([24], [38]), ([], [])),
]


def write(out: Path, rows: list[dict[str, object]], source: str = SOURCE, target: str = TARGET, document: str = "case-1") -> Path:
    for lang, text in (("es", source), ("en", target)):
        (out / lang).mkdir(parents=True, exist_ok=True)
        (out / lang / f"{document}.txt").write_bytes(text.encode())
    pq.write_table(PROJECTIONS.table(rows), out / "projections.parquet")
    return out


def panels(out: Path, document: str = "case-1", target: str = "en", width: int = 120) -> list[Panel]:
    shown: list[Any] = side_by_side(document, target, out, width).renderables
    return shown


def highlighted(panel: Panel) -> list[tuple[str, str]]:
    """(words, style) of every highlighted fragment, as they stand on the terminal."""
    text = panel.renderable
    assert isinstance(text, Text)
    return [(text.plain[span.start : span.end], str(span.style)) for span in text.spans]


def test_fragments_are_highlighted_at_their_offsets_one_style_a_label(tmp_path: Path) -> None:
    disease, symptom = STYLES[:2]
    source, target = panels(write(tmp_path, MENTIONS))
    assert highlighted(source) == [("Fiebre alta", symptom), ("Fiebre", symptom), ("tos", symptom), ("Dolor de pecho", disease)]
    assert highlighted(target) == [("High fever", symptom), ("fever", symptom), ("cough", symptom)]


def test_the_texts_are_shown_whole(tmp_path: Path) -> None:
    source, target = panels(write(tmp_path, MENTIONS))
    assert (str(source.renderable), str(target.renderable)) == (SOURCE, TARGET)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\f", "\v", "\a", "\b", "\u2028", "\x85"])
def test_no_kind_of_line_end_or_control_character_moves_a_highlight(tmp_path: Path, end: str) -> None:
    source, target = f"Uno.{end}Fiebre{end}alta.{end}", f"One.{end}Fever.{end}High{end}"
    start, after = 4 + len(end), 4 + len(end) + 6 + len(end)
    rows = [mention("T1", "A", ([start, after], [start + 6, after + 4]), ([4 + len(end)], [9 + len(end)]))]
    left, right = panels(write(tmp_path, rows, source, target))
    assert [words for words, _ in highlighted(left)] == ["Fiebre", "alta"]
    assert [words for words, _ in highlighted(right)] == ["Fever"]


def test_a_text_cannot_steer_the_terminal(tmp_path: Path) -> None:
    rows = [mention("T1", "A", ([10], [16]), ([0], [5]))]
    out = write(tmp_path, rows, "\x1b]0;own\x07\x1b[2J"[:10] + "Fiebre", "Fever \x1b[2J\x9b2J")
    assert highlighted(panels(out)[0])[0][0] == "Fiebre"
    shown = io.StringIO()
    Console(width=120, color_system=None, file=shown).print(side_by_side("case-1", "en", out, 120))
    assert "Fever" in shown.getvalue()
    assert {"\x1b", "\x07", "\x9b"} & set(shown.getvalue()) == set()


def test_square_brackets_are_text_and_no_markup(tmp_path: Path) -> None:
    left, _ = panels(write(tmp_path, [mention("T1", "A", ([6], [12]), ([0], [4]))], "[red] Fiebre"))
    assert highlighted(left) == [("Fiebre", STYLES[0])]


def test_offsets_count_code_points(tmp_path: Path) -> None:
    left, _ = panels(write(tmp_path, [mention("T1", "A", ([3], [7]), ([0], [4]))], "😀é Tos!"))
    assert highlighted(left)[0][0] == "Tos!" == slices("😀é Tos!", (3,), (7,))


def test_the_titles_name_document_language_and_what_is_missing(tmp_path: Path) -> None:
    source, target = panels(write(tmp_path, MENTIONS))
    assert (source.title, target.title) == ("case-1 (es)", "case-1 (en, 1 not projected)")


def test_two_panels_fit_side_by_side(tmp_path: Path) -> None:
    assert [panel.width for panel in panels(write(tmp_path, MENTIONS), width=100)] == [49, 49]
    assert [panel.width for panel in panels(tmp_path, width=20)] == [30, 30]


def test_the_legend_shows_every_label_in_its_style(tmp_path: Path) -> None:
    for panel in panels(write(tmp_path, MENTIONS)):
        legend = panel.subtitle
        assert isinstance(legend, Text)
        assert legend.plain == " DISEASE   SYMPTOM "
        assert [str(span.style) for span in legend.spans] == list(STYLES[:2])


def test_more_labels_than_styles_begin_anew(tmp_path: Path) -> None:
    rows = [mention(f"T{number}", f"L{number}", ([0], [6]), ([0], [4])) for number in range(len(STYLES) + 1)]
    assert [style for _, style in highlighted(panels(write(tmp_path, rows))[0])] == [*STYLES, STYLES[0]]


@pytest.mark.parametrize(("document", "target"), [("case-2", "en"), ("case-1", "it"), ("case-1", "es")])
def test_an_unknown_document_or_language_is_named(tmp_path: Path, document: str, target: str) -> None:
    with pytest.raises(ShowError, match=f"no mentions of document '{document}' in language '{target}'"):
        panels(write(tmp_path, MENTIONS), document, target)


def test_a_folder_without_a_finished_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(ShowError, match=r"no projections\.parquet"):
        panels(tmp_path)


@pytest.mark.parametrize(("document", "target"), [("../secret", "en"), ("../../secret", "en"), ("secret", ".."), ("secret", "../..")])
def test_a_file_elsewhere_is_never_shown(tmp_path: Path, document: str, target: str) -> None:
    out = write(tmp_path / "out", MENTIONS)
    for folder in (tmp_path, out):
        (folder / "secret.txt").write_text("secret", encoding="utf-8")
    with pytest.raises(ShowError, match="no mentions of document"):
        panels(out, document, target)


@pytest.mark.parametrize("lang", ["es", "en"])
def test_a_document_whose_text_is_not_there_is_said(tmp_path: Path, lang: str) -> None:
    out = write(tmp_path, MENTIONS)
    (out / lang / "case-1.txt").unlink()
    with pytest.raises(ShowError, match=f"case-1.*{lang}"):
        panels(out)
