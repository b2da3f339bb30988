"""Checkpoints: a long piece of work that writes itself down in the store as it goes, each state an artifact, the latest few of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.store import Store

NAME = "checkpoints"
KEPT = 2  # the last one may turn out damaged


class Checkpoints:
    """The states of the work that ``made_of`` tells of, in steps of ``every``, of ``steps`` at most."""

    def __init__(self, store: Store, shard: str, made_of: Ingredients, steps: int, every: int) -> None:
        self._store, self._shard, self._made_of, self._steps, self._every = store, shard, made_of, steps, every

    def resume(self, read: Callable[[Path], None]) -> None:
        """Have the latest state that is whole read from its folder; nothing if there is none."""
        for step in range(self._steps // self._every * self._every, 0, -self._every):
            ref = self._store.find(NAME, self._shard, self._at(step).fingerprint, "")
            if ref is not None:
                with self._store.local(ref) as folder:
                    read(folder)
                return

    def keep(self, step: int, write: Callable[[Path], None]) -> None:
        """Have the state written down if it is time, and forget the one that is two before it."""
        if step % self._every == 0:
            self._store.folder(NAME, self._shard, self._at(step), write)
            self._forget(step - KEPT * self._every)

    def clear(self) -> None:
        """Forget the last states: the work is done."""
        last = self._steps // self._every * self._every
        for step in range(max(last - self._every * KEPT, 0), last + 1, self._every):
            self._forget(step)

    def _at(self, step: int) -> Ingredients:
        return replace(self._made_of, inputs=(*self._made_of.inputs, f"step={step}"))

    def _forget(self, step: int) -> None:
        ref = ArtifactRef(NAME, self._shard, self._at(step).fingerprint, "", "", 0, 0)
        self._store.remove(ref.record_key)  # first: what has no record is no artifact
        for file in self._store.files(ref.key):
            self._store.remove(file.key)
