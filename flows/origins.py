"""What an artifact was made from, as a tree for the terminal."""

from collections import Counter
from collections.abc import Mapping

from rich.filesize import decimal
from rich.markup import escape
from rich.tree import Tree

from pipeline_lib.storage.catalog import Catalog
from pipeline_lib.storage.lineage import Lineage, Origin

MOST_ALIKE = 3


def origin_tree(fingerprint: str, origins: Mapping[str, Origin], catalog: Catalog, lineage: Lineage) -> Tree:
    """Artifacts that were made together are one branch, unfolded where it is first met; of many alike, such as a collection's shards, the
    first few are. Hashes of contents are the leaves. Libraries are told where they are others than above.
    """
    return _Branches(origins, catalog, lineage).grow(fingerprint)


class _Branches:
    """Grows the tree and remembers what it has unfolded."""

    def __init__(self, origins: Mapping[str, Origin], catalog: Catalog, lineage: Lineage) -> None:
        self._origins, self._catalog, self._lineage = origins, catalog, lineage
        self._unfolded = set[str]()

    def grow(self, fingerprint: str, libraries: Mapping[str, str] | None = None) -> Tree:
        if fingerprint in self._unfolded:
            return Tree(f"{self._label(fingerprint)} [dim](unfolded above)[/]")
        self._unfolded.add(fingerprint)
        tree, origin = Tree(self._label(fingerprint)), self._origins[fingerprint]
        tree.add(f"[dim]contract {escape(origin.contract)}, code {escape(origin.code)}[/]")
        if origin.config:
            tree.add(f"[dim]config {_settings(origin.config)}[/]")
        if origin.libraries != libraries:
            tree.add(f"[dim]libraries {_settings(origin.libraries)}[/]")
        self._add_inputs(tree, origin)
        return tree

    def _add_inputs(self, tree: Tree, origin: Origin) -> None:
        alike: Counter[str] = Counter()
        for entry in dict.fromkeys(origin.inputs):
            if entry not in self._origins:
                tree.add(f"content {escape(entry)}")
                continue
            kind = self._contracts(entry)
            alike[kind] += 1
            if alike[kind] <= MOST_ALIKE:
                tree.add(self.grow(entry, origin.libraries))
        for kind, number in alike.items():
            if number > MOST_ALIKE:
                tree.add(f"[dim]{number - MOST_ALIKE} more of {escape(kind)}; --json lists all[/]")

    def _label(self, fingerprint: str) -> str:
        """Contracts, shard and fingerprint, and what the artifacts take up together."""
        artifacts = [self._catalog.artifacts[address] for address in self._lineage.addresses(fingerprint)]
        shards = list(dict.fromkeys(artifact.shard for artifact in artifacts))
        more = f" and {len(shards) - 1} shards more" if len(shards) > 1 else ""
        size = decimal(sum(artifact.bytes for artifact in artifacts))
        return f"[bold]{escape(self._contracts(fingerprint))}[/] {escape(shards[0])}{more} {fingerprint} [cyan]{size}[/]"

    def _contracts(self, fingerprint: str) -> str:
        return ", ".join(sorted({address.split("/", 1)[0] for address in self._lineage.addresses(fingerprint)}))


def _settings(values: Mapping[str, object]) -> str:
    return escape(", ".join(f"{name}={value}" for name, value in values.items()))
