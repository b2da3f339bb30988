"""Windows: a text that is longer than an encoder allows is read in overlapping windows, whose states are joined with the weight on the
window's centre: near a window's edge a piece has seen the least of its surroundings.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Windows:
    """Windows of one length over a text, so that nothing is padded.

    Attributes:
        starts: first piece of each window, ascending, shape (windows,); length: pieces of every one.
    """

    starts: npt.NDArray[np.int64]
    length: int

    @property
    def pieces(self) -> npt.NDArray[np.int64]:
        """Which piece stands at each place, shape (windows, length)."""
        return self.starts[:, None] + np.arange(self.length)

    def weights(self) -> npt.NDArray[np.float32]:
        """Share of each place in its piece's state, shape (windows, length); over all windows a piece's shares sum to 1."""
        place = np.arange(self.length)
        distance = np.minimum(place, place[::-1]) + 1.0
        raw = np.broadcast_to(distance, (len(self.starts), self.length)).copy()
        # Nothing is missing before the text's first piece and after its last one.
        raw[0] = self.length - place
        raw[-1] = np.where(len(self.starts) > 1, place + 1.0, 1.0)
        total = np.bincount(self.pieces.ravel(), raw.ravel())
        return np.asarray(raw / total[self.pieces], dtype=np.float32)


def windows(pieces: int, at_most: int, overlap: int) -> Windows:
    """The fewest windows of at most ``at_most`` pieces over ``pieces`` of them, neighbours sharing ``overlap`` pieces or more.

    Raises ``ValueError`` if the overlap leaves no room to go on.
    """
    if pieces <= at_most:
        return Windows(np.zeros(1, dtype=np.int64), pieces)
    if overlap >= at_most:
        raise ValueError(f"an overlap of {overlap} pieces is no smaller than a window of {at_most}")
    count = math.ceil((pieces - overlap) / (at_most - overlap))
    length = math.ceil((pieces + (count - 1) * overlap) / count)
    starts = np.round(np.linspace(0, pieces - length, count)).astype(np.int64)
    return Windows(starts, length)
