"""The terminal: its console, tables of rows, and progress."""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from convo_pipelines.database.warehouse import Row

WIDTH_OF_FILES = 200
console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_FILES)


def print_table(console: Console, rows: Sequence[Row], title: str | None = None) -> None:
    """Print rows of equal columns; long cells are folded, not cut, so that ids can be copied."""
    table = Table(title=title, title_justify="left", min_width=len(title or ""))
    for name in rows[0] if rows else ["no rows"]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row.values()))
    console.print(table)


@contextmanager
def row_progress() -> Generator[Progress]:
    """Show how many rows have been processed, and for how long."""
    with Progress("{task.description}", "{task.completed:,.0f} rows in {task.elapsed:.0f} s", console=console) as shown:
        yield shown
