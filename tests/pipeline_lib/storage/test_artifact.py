from pipeline_lib.storage.artifact import ArtifactRef, ref_as_json

REF = ArtifactRef("beats", "es/0000-of-0002", "f" * 24, ".parquet", "5ha", 3, 2, bytes=70)


def test_a_reference_tells_where_the_bytes_and_the_record_are() -> None:
    assert REF.key == f"beats/es/0000-of-0002/{'f' * 24}.parquet"
    assert REF.record_key == f"beats/es/0000-of-0002/{'f' * 24}.json"


def test_what_is_kept_of_a_reference_is_the_same_for_two_runs_that_made_the_same() -> None:
    other = ArtifactRef(**{**vars(REF), "reused": True, "repaired": True, "seconds": 4.0, "slowest": (("d1", 3.0),)})
    assert ref_as_json(other) == ref_as_json(REF)
    assert ArtifactRef(**ref_as_json(REF)) == REF
