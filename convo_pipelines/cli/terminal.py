"""The terminal: text as it is, tables of rows, and progress."""

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from convo_pipelines.database.connections import Row
from convo_pipelines.logs import visible

UNLIMITED = 1_000_000
"""The width of what is no terminal: a file or a pipe gets long lines whole, so that SQL can be copied."""
WIDEST_RULE = 100
console = Console(width=None if sys.stdout.isatty() else UNLIMITED, markup=False, emoji=False, highlight=False)


def write(text: str, color: str | None = None) -> None:
    """Print text as it is, but for control characters, which are `visible`; no line is wrapped or cut."""
    click.secho(visible(text), fg=color)


def write_document(text: str) -> None:
    """Print a file; only at a terminal, control characters are shown instead."""
    sys.stdout.write(visible(text) if sys.stdout.isatty() else text)


def print_table(console: Console, rows: Sequence[Row], title: str | None = None) -> None:
    """Print rows of equal columns, their text as `write` does.

    Cells that are too long for a terminal are folded, not cut, so that ids can be copied.
    """
    table = Table(title=title and _cell(title), title_justify="left", min_width=len(title or ""))
    for name in rows[0] if rows else ["no rows"]:
        table.add_column(_cell(name), overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else _cell(cell) for cell in row.values()))
    console.print(table)


def _cell(value: object) -> Text:
    """Return a value as text that is not interpreted; tabs, which a table would replace by spaces, are shown, too."""
    return Text(visible(str(value)).replace("\t", "\\t"))


def print_heading(text: str) -> None:
    """Print a rule with a heading."""
    console.print(Rule(Text(text)), width=min(console.width, WIDEST_RULE))


@contextmanager
def working(text: str) -> Generator[Callable[[str], None]]:
    """Show at a terminal what is being done; yield what changes the text."""
    with console.status(_cell(text)) as shown:
        yield lambda text: shown.update(_cell(text))


@contextmanager
def row_progress() -> Generator[Progress]:
    """Show how many rows have been processed, and for how long."""
    with Progress("{task.description}", "{task.completed:,.0f} rows in {task.elapsed:.0f} s", console=console) as shown:
        yield shown
