"""What a table of the pipeline is: a pyarrow schema, a key, named rules and a version."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa


class ContractError(ValueError):
    """A table breaks its contract. The message holds rule names and counts, never cell values."""


@dataclass(frozen=True)
class Rule:
    """One named promise about every row.

    Attributes:
        name: short identifier, shown in errors and in SCHEMAS.md.
        doc: the promise in one sentence.
        holds: polars expression, boolean, one value a row; null counts as broken.
    """

    name: str
    doc: str
    holds: pl.Expr


@dataclass(frozen=True)
class Contract:
    """The shape of one stage's output.

    Any change to schema, key or rules bumps ``version``: it is part of every fingerprint.
    """

    name: str
    version: int
    doc: str
    schema: pa.Schema
    key: tuple[str, ...]
    rules: tuple[Rule, ...] = ()

    @property
    def id(self) -> str:
        """``name@version``, as written into parquet footers."""
        return f"{self.name}@{self.version}"

    def check(self, table: pa.Table) -> None:
        """Raise ``ContractError`` unless schema, key and all rules hold for ``table``."""
        if not table.schema.equals(self.schema):
            raise ContractError(f"{self.id}: schema differs: {_schema_difference(self.schema, table.schema)}")
        frame = pl.DataFrame(table)
        broken = frame.select((~rule.holds).fill_null(True).sum().alias(rule.name) for rule in self.rules)
        failures = [f"{rule}: {count} rows" for rule, count in broken.row(0, named=True).items() if count] if self.rules else []
        nulls = {field.name: table[field.name].null_count for field in self.schema if not field.nullable}
        failures += [f"{name}: {count} nulls" for name, count in nulls.items() if count]
        duplicates = table.num_rows - frame.select(self.key).n_unique() if self.key else 0
        if duplicates:
            failures.append(f"key ({', '.join(self.key)}): {duplicates} duplicate rows")
        if failures:
            raise ContractError(f"{self.id}: {'; '.join(failures)}")

    def table(self, rows: Sequence[dict[str, object]]) -> pa.Table:
        """A table of this schema from plain rows; missing columns raise ``ContractError``."""
        names = set(self.schema.names)
        if any(set(row) != names for row in rows):
            raise ContractError(f"{self.id}: a row's columns differ from the schema's")
        try:
            return pa.Table.from_pylist(list(rows), schema=self.schema)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            # Arrow's own message quotes the value, which may be clinical text.
            raise ContractError(f"{self.id}: a value does not fit its column's type") from None

    def parts(self, rows: Iterable[dict[str, object]], at_once: int) -> Iterator[pa.Table]:
        """The same in tables of ``at_once`` rows, as they come, and a last one of what is left."""
        waiting: list[dict[str, object]] = []
        for row in rows:
            waiting.append(row)
            if len(waiting) == at_once:
                yield self.table(waiting)
                waiting = []
        yield self.table(waiting)


def column(name: str, kind: pa.DataType, doc: str, *, nullable: bool = False) -> pa.Field:
    """A schema field whose meaning (with unit or shape) travels with it."""
    return pa.field(name, kind, nullable=nullable, metadata={"doc": doc})


def _schema_difference(expected: pa.Schema, found: pa.Schema) -> str:
    wanted = {field.name: str(field.type) for field in expected}
    got = {field.name: str(field.type) for field in found}
    missing = [name for name in wanted if name not in got]
    extra = [name for name in got if name not in wanted]
    other = [f"{name} is {got[name]}, not {wanted[name]}" for name in wanted if name in got and got[name] != wanted[name]]
    parts = [f"missing {missing}"] * bool(missing) + [f"unexpected {extra}"] * bool(extra) + other
    return "; ".join(parts) or "order, nullability or metadata"
