"""Generates docs/reference/interface.md from the sources that the pipeline reads."""

from collections.abc import Mapping
from pathlib import Path

from convo_pipelines.database.declarations import Column
from convo_pipelines.sources.interface import HISTORIES, SOURCES

HEAD = """# What the pipeline reads

Each source is a table of schema `app`, or a view with these columns. A source that you leave out becomes an empty
view. A column that may be missing is written as a constant, for example `null::text as subject`; `varchar` is cast to
`text`.

| source | column | type | meaning |
|---|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    sources = {**{f"`app.{name}`": source for name, source in SOURCES.items()}, "a histories table": HISTORIES}
    rows: list[str] = []
    for name, source in sources.items():
        rows.append(f"| {name} | | | **{source.meaning}**{_without(source.without)} |")
        rows += _rows(source.columns)
    return HEAD + "\n".join(rows) + "\n"


def _rows(columns: Mapping[str, Column]) -> list[str]:
    return [
        f"| | `{name}` | `{column.type}` | {column.meaning}{' May be missing.' if column.optional else ''} |"
        for name, column in columns.items()
    ]


def _without(empty: str) -> str:
    return f" Without it there are no rows of: {empty}." if empty else ""


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page(), encoding="utf-8")
