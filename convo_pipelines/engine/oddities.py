"""Odd rows: left out, or read otherwise than written; counted, with an example and a remedy. They stop no refresh."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from convo_pipelines.database.warehouse import Connection, Row, execute

REMEDIES = {
    "rows without a session_id": "They are left out; give them one, or delete them: the n8n node had no key.",
    "rows with a session_id of more than 2,000 bytes": "They are left out; shorten it in the workflow and the table.",
    "rows without a usable created_at": "They are left out; it must lie within the years 1 to 9999. Correct it.",
    "messages of no known type": "They are neither human nor ai; message must be an object with a LangChain type.",
    "messages without a usable sent_at": "They are left out; it must lie within the years 1 to 9999. Correct it.",
    "conversations without a channel": "Their channel is 'unknown' in summaries; correct them, or the view.",
    "contact methods without a usable kind and value": "They are invalid, and name no person by themselves. kind "
    "must be email, phone or linkedin, value not null: correct them, or the view.",
    "conversations without a usable started_at": "No backfill of days finds them, ticks do; correct it.",
    "conversations without a usable closed_at": "They are taken for open; correct it.",
    "conversations without a usable created_at or updated_at": "added_at is when the link was made; correct them.",
    "conversations refused": "These sessions have no conversation, so no summary and no links. Change the rule of "
    "app.conversations (a view takes rows if it shows columns as crew_id and session_id), or the sessions; the next "
    "reconcile tries again.",
}
"""The effect of each kind of odd row, and the remedy; a kind may go on with ` by ` and what refuses the rows."""


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
            {"kind": kind, "rows": rows, "example": example, "remedy": REMEDIES[kind.partition(" by ")[0]]}
            for kind, (rows, example) in sorted(self.found.items())
        ]


def note(connection: Connection, asset: str, by_crew: Mapping[UUID | None, Oddities], *, is_all: bool = False) -> None:
    """Store the odd rows that a run found in `analytics.oddities`; if it read everything, delete the others.

    Args:
        connection: where to write.
        asset: the derived table.
        by_crew: what was found, by crew; None if the table is not read per crew.
        is_all: whether the run read everything.

    """
    met = [{"crew_id": crew_id and str(crew_id), **row} for crew_id, odd in by_crew.items() for row in odd.table()]
    if met or is_all:
        execute(
            connection, "engine/oddities/note", asset_key=asset, met=Jsonb(met), is_all=is_all, crew_ids=list(by_crew)
        )
