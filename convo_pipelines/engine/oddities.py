"""Odd rows: left out, or read otherwise than written; counted, with an example and a remedy. They stop no refresh."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.declarations import odd_kinds
from convo_pipelines.database.execution import execute


@dataclass
class Oddities:
    """The number of odd rows of each kind that were found, and the key of one of them."""

    found: dict[str, tuple[int, str | None]] = field(default_factory=dict[str, tuple[int, str | None]])

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]] | None) -> "Oddities":
        """Return the result of a statement: rows of kind, rows, example; None: nothing."""
        return cls({row["kind"]: (row["rows"], row["example"]) for row in rows or ()})

    def add(self, other: "Oddities") -> None:
        """Add those that were found elsewhere."""
        for kind, (rows, example) in other.found.items():
            known, first = self.found.get(kind, (0, None))
            self.found[kind] = (known + rows, first or example)

    def table(self) -> list[Row]:
        """Return one row per kind: kind, rows, example, remedy."""
        return [
            {"kind": kind, "rows": rows, "example": example, "remedy": odd_kinds()[kind.partition(" by ")[0]]}
            for kind, (rows, example) in sorted(self.found.items())
        ]


def note(connection: Connection, asset: str, by_part: Mapping[UUID | None, Oddities], *, is_all: bool = False) -> None:
    """Store the odd rows that a run found in `analytics.oddities`; if it read everything, delete the others.

    Args:
        connection: where to write.
        asset: the derived table.
        by_part: what was found, by part; None if the table has no reader.
        is_all: whether the run read everything.

    """
    met = [{"part": part and str(part), **row} for part, odd in by_part.items() for row in odd.table()]
    if met or is_all:
        execute(connection, "model/odd_rows", asset_key=asset, met=Jsonb(met), is_all=is_all, parts=list(by_part))
