"""Rows for people, on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convo_pipelines.database.warehouse import Row


def print_table(console: Console, rows: Sequence[Row], title: str | None = None) -> None:
    """Print rows of equal columns; where the terminal is narrow on several lines each, as half an id is of no use."""
    table = Table(title=title, title_justify="left")
    for name in rows[0] if rows else ["nothing yet"]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row.values()))
    console.print(table)
