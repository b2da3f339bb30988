from pipeline_lib.submission.findings import FIELDS, RULES, Finding


def test_a_finding_tells_place_code_and_rule() -> None:
    assert Finding("EN/disease/run.tsv", "end_not_after_start", 3, 8, 8).as_row() == dict(
        zip(FIELDS, ("EN/disease/run.tsv", 3, 8, 8, "error", "end_not_after_start", RULES["end_not_after_start"]), strict=True)
    )


def test_a_finding_about_a_column_names_it() -> None:
    assert Finding("a", "missing_column", column="label").rule.endswith("; label is not there")
