from dataclasses import replace

from pipeline_lib.evaluation.scale import MOST_SLOW, NOTHING, SlowDocument, Stored, scale
from pipeline_lib.storage.artifact import ArtifactRef


def ref(contract: str, size: int, shard: str = "es-en/s0", reused: bool = False) -> ArtifactRef:
    return ArtifactRef(contract, shard, "0" * 24, ".parquet", "", 1, 1, bytes=size, reused=reused)


def test_sizes_go_by_contract_the_largest_first_and_what_was_reused_is_told_apart() -> None:
    found = scale([ref("units", 10), ref("plans", 500), ref("units", 30, "es-en/s1", reused=True), ref("units", 5, "es-en/s2")])
    assert found.stored == (Stored("plans", 1, 0, 500, 0), Stored("units", 2, 1, 15, 30))
    assert [stored.bytes for stored in found.stored] == [500, 45]


def test_the_slowest_documents_of_all_artifacts_are_told_with_language_and_contract() -> None:
    first = replace(ref("alignments", 1), slowest=(("case-7", 2.5), ("case-1", 0.5)))
    second = replace(ref("alignments", 1, "es-it/s0"), slowest=(("case-7", 3.5),))
    assert scale([first, second]).slowest == (
        SlowDocument("case-7", "alignments", "es-it", 3.5),
        SlowDocument("case-7", "alignments", "es-en", 2.5),
        SlowDocument("case-1", "alignments", "es-en", 0.5),
    )


def test_of_many_slow_documents_a_few_are_told() -> None:
    many = replace(ref("alignments", 1), slowest=tuple((f"case-{number}", float(number)) for number in range(50)))
    found = scale([many]).slowest
    assert [slow.seconds for slow in found] == [49.0 - number for number in range(MOST_SLOW)]


def test_of_nothing_there_is_nothing() -> None:
    assert scale([]) == NOTHING
