import re

from matplotlib.figure import Figure

from pipeline_lib.evaluation.svg_theme import BAND, COLOURS, INK, LINE, MUTED, colour, styled, svg


def test_every_stand_in_becomes_a_variable_and_colours_repeat() -> None:
    figure = Figure()
    with styled():
        axis = figure.subplots()
        for index, drawn in enumerate([INK, MUTED, LINE, BAND, *(colour(number) for number in range(COLOURS))]):
            axis.plot([0, 1], [index, index], color=drawn)
        found = svg(figure)
    assert not re.search(r"#0[1-5]0[1-5]0\d", found)
    wanted = {"--ink", "--muted", "--line", "--band", *(f"--lang-{number}" for number in range(COLOURS))}
    assert {*re.findall(r"var\((--[a-z0-9-]+)\)", found)} == wanted
    assert colour(COLOURS) == colour(0)
