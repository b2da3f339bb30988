from pipeline_lib.submission.findings import FIELDS, RULES, Finding, findings_csv


def test_a_finding_tells_place_code_and_rule() -> None:
    assert Finding("EN/disease/run.tsv", "end_not_after_start", 3, 8, 8).as_row() == dict(
        zip(FIELDS, ("EN/disease/run.tsv", 3, 8, 8, "error", "end_not_after_start", RULES["end_not_after_start"]), strict=True)
    )


def test_a_finding_about_a_column_names_it() -> None:
    assert Finding("a", "missing_column", column="label").rule.endswith("; label is not there")


def test_the_table_of_findings_has_a_header_and_a_row_a_finding() -> None:
    header = "file,row,start,end,level,code,rule\n"
    assert findings_csv([]) == header
    found = [Finding("a,b", "duplicate_row", 3, 1, 2), Finding("a", "reads_as_number", level="warning")]
    assert findings_csv(found) == header + (
        f'"a,b",3,1,2,error,duplicate_row,"{RULES["duplicate_row"]}"\na,,,,warning,reads_as_number,{RULES["reads_as_number"]}\n'
    )
