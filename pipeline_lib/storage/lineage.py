"""What an artifact was made from, and what that was made from, down to the content of the corpus."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pipeline_lib.storage.store import Store

AT_ONCE = 16  # records read at a time: a bucket answers each in tens of milliseconds


@dataclass(frozen=True)
class Origin:
    """The ingredients of an artifact, as its record tells. ``inputs`` are fingerprints of artifacts or hashes of contents."""

    contract: str = "?"
    config: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    code: str = "?"
    libraries: dict[str, str] = field(default_factory=dict)


class Lineage:
    """Origins by fingerprint, each read once. The artifacts that a stage makes together share a fingerprint, and so an origin."""

    def __init__(self, store: Store, addresses: Iterable[str]) -> None:
        self._store = store
        self._addresses: dict[str, list[str]] = {}
        for address in sorted(addresses):
            self._addresses.setdefault(address.rsplit("/", 1)[1], []).append(address)
        self._known: dict[str, Origin] = {}

    def addresses(self, fingerprint: str) -> list[str]:
        """The artifacts with this fingerprint; none if it is the hash of a content."""
        return self._addresses.get(fingerprint, [])

    def trace(self, fingerprints: Iterable[str]) -> dict[str, Origin]:
        """The origins of these artifacts and of all that they were made from, by fingerprint."""
        found: dict[str, Origin] = {}
        level = self._stored(fingerprints)
        with ThreadPoolExecutor(AT_ONCE) as readers:
            while level:
                new = sorted(level - self._known.keys())
                self._known |= zip(new, readers.map(self._read, new), strict=True)
                found |= {fingerprint: self._known[fingerprint] for fingerprint in level}
                level = self._stored(entry for fingerprint in level for entry in found[fingerprint].inputs) - found.keys()
        return found

    def _stored(self, fingerprints: Iterable[str]) -> set[str]:
        return self._addresses.keys() & set(fingerprints)

    def _read(self, fingerprint: str) -> Origin:
        """From the first record that tells. Without one the artifacts do not exist, and a run makes them anew."""
        for address in self._addresses[fingerprint]:
            try:
                told: Any = self._store.read_record(f"{address}.json")
                made_of = told["made_of"]
                return Origin(made_of["contract"], made_of["config"], tuple(made_of["inputs"]), made_of["code"], made_of["libraries"])
            except (ValueError, TypeError, KeyError):
                continue
        return Origin()
