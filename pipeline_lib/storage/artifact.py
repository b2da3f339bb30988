"""A reference to an artifact of the store: the only thing that travels through Prefect."""

from dataclasses import asdict, dataclass

_OF_THIS_RUN = frozenset(("reused", "repaired", "seconds", "slowest"))  # what differs between two runs that made the same thing


@dataclass(frozen=True)
class ArtifactRef:
    """A small, serialisable reference to one artifact; the only thing that travels through Prefect.

    Attributes:
        contract, shard, fingerprint: the address; suffix: ``.parquet``, or nothing for a folder.
        sha256: of the artifact's bytes; rows: of a table, 0 otherwise; documents: distinct documents it speaks of.
        bytes: of its files, without the record.
        md5, record_md5: of a table's bytes and of its record's, as buckets list them.
        reused: found in the store instead of built; repaired: built because what the store holds is damaged or incomplete.
        seconds: spent on building or verifying it; slowest: of its documents those that took longest, with their seconds.
    """

    contract: str
    shard: str
    fingerprint: str
    suffix: str
    sha256: str
    rows: int
    documents: int
    bytes: int = 0
    md5: str = ""
    record_md5: str = ""
    reused: bool = False
    repaired: bool = False
    seconds: float = 0.0
    slowest: tuple[tuple[str, float], ...] = ()

    @property
    def key(self) -> str:
        return f"{self.contract}/{self.shard}/{self.fingerprint}{self.suffix}"

    @property
    def record_key(self) -> str:
        return f"{self.contract}/{self.shard}/{self.fingerprint}.json"


def ref_as_json(ref: ArtifactRef) -> dict[str, object]:
    """The reference without what differs between two runs that made the same thing."""
    return {key: value for key, value in asdict(ref).items() if key not in _OF_THIS_RUN}
