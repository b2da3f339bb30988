"""SCHEMAS.md: complete, and found stale when it is."""

import re
from pathlib import Path

import pytest

from data_contracts import CONTRACTS
from data_contracts.docs import main, render


def test_every_contract_column_and_rule_is_told_in_order() -> None:
    sections = re.split(r"(?m)^## ", render())[1:]
    assert [section.split("\n", 1)[0] for section in sections] == [contract.id for contract in CONTRACTS]
    for section, contract in zip(sections, CONTRACTS, strict=True):
        assert contract.doc in section
        assert re.findall(r"(?m)^\| `(\w+)` \|", section) == contract.schema.names
        assert re.findall(r"(?m)^- `(\w+)`:", section) == [rule.name for rule in contract.rules]
        assert ("No key" in section) == (not contract.key)


def test_every_table_row_has_three_cells() -> None:
    rows = [line for line in render().splitlines() if line.startswith("|")]
    assert len(rows) > len(CONTRACTS) and all(line.count("|") == 4 for line in rows)


def test_a_column_is_told_with_type_and_meaning() -> None:
    assert "| `annotations_sha256` | string or null | hash of what annotates a source text, null for targets |\n" in render()
    assert "| `breaks` | list<element: int32> |" in render() or "| `breaks` | list<item: int32> |" in render()


def test_the_document_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == render()


@pytest.mark.parametrize(("content", "code"), [(render(), 0), (render() + "\n", 1), ("", 1)])
def test_a_stale_file_fails_the_check(content: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "SCHEMAS.md"
    file.write_text(content, encoding="utf-8")
    assert main(["--check", str(file)]) == code
    told = capsys.readouterr()
    assert told.out == "" and ("stale" in told.err) == bool(code)
