"""Rows for people: on a terminal, and as markdown in Dagster's metadata."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convo_pipelines.warehouse import Row

LONGEST_CELL = 200


def print_table(console: Console, rows: Sequence[Row], title: str | None = None) -> None:
    """Print rows of equal columns."""
    table = Table(*(rows[0] if rows else ["nothing yet"]), title=title, title_justify="left")
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row.values()))
    console.print(table)


def markdown(rows: Sequence[Row]) -> str:
    """Return rows of equal columns as a markdown table."""
    if not rows:
        return "no rows"
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(row.values() for row in rows)]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    text = " ".join(str(value).split()).replace("|", "\\|")
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + " …"
