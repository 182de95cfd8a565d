"""Rows for people, on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convo_pipelines.warehouse import Row


def print_table(console: Console, rows: Sequence[Row], title: str | None = None) -> None:
    """Print rows of equal columns."""
    table = Table(*(rows[0] if rows else ["nothing yet"]), title=title, title_justify="left")
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row.values()))
    console.print(table)
