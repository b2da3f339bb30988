import io
import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.image import imread

from pipeline_lib.alignment.training import Epoch
from pipeline_lib.encoding.training_plot import best_epoch, training_plot

HELD_OUT, TRAIN, INK = (0x0F, 0x76, 0x6E), (0xC2, 0x41, 0x0C), (0x1D, 0x25, 0x2C)


def epochs(*losses: tuple[float | None, float]) -> list[Epoch]:
    """A log of (train, held out) losses; the best epoch is the one with the least held-out loss so far."""
    found: list[Epoch] = []
    for number, (train, held_out) in enumerate(losses):
        found.append(Epoch(number, 10 * number, train, held_out, 1e-5, all(held_out < before.held_out_loss for before in found)))
    return found


FALLING = epochs((None, 1.4), (1.1, 1.0), (0.8, 0.7), (0.6, 0.8))


def pixels(png: bytes, colour: tuple[int, int, int]) -> npt.NDArray[np.int64]:
    """Places (row, column) of that very colour."""
    picture = np.round(imread(io.BytesIO(png))[:, :, :3] * 255).astype(int)
    return np.argwhere((picture == colour).all(axis=2))


def chunks(png: bytes) -> Iterator[str]:
    place = 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        yield kind.decode()
        place += length + 12


def test_the_same_log_gives_the_same_bytes_and_another_gives_others() -> None:
    assert training_plot(FALLING) == training_plot(list(FALLING))
    assert training_plot(FALLING) != training_plot(FALLING[:3])


def test_nothing_but_the_picture_is_in_the_file() -> None:
    assert set(chunks(training_plot(FALLING))) <= {"IHDR", "pHYs", "IDAT", "IEND"}


def test_the_lines_go_where_the_losses_do() -> None:
    """Below the legend, the held-out line begins higher than it ends, further left than the training line, which ends lowest."""
    png = training_plot(FALLING)
    held_out, train = (places[places[:, 0] > 45] for places in (pixels(png, HELD_OUT), pixels(png, TRAIN)))
    left, right = held_out[held_out[:, 1].argmin()], held_out[held_out[:, 1].argmax()]
    assert left[0] < right[0] and left[1] < train[:, 1].min()
    assert train[:, 0].max() > held_out[:, 0].max()


def test_a_student_that_was_not_trained_has_one_dot_and_no_training_line() -> None:
    png = training_plot(FALLING[:1])
    assert len(pixels(png, HELD_OUT)) and not len(pixels(png, TRAIN))


@pytest.mark.parametrize(("log", "best"), [(FALLING, 2), (FALLING[:1], 0), (FALLING[:2], 1)])
def test_the_ring_is_where_the_weights_come_from(log: list[Epoch], best: int) -> None:
    assert best_epoch(log).epoch == best
