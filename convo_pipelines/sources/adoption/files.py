"""Files of views: their statements, and how what they show differs from what the pipeline reads."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from postgast import PgQueryError, parse
from postgast.pg_query_pb2 import OBJECT_COLUMN, OBJECT_VIEW, Node

from convo_pipelines.database.declarations import Source
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.sources.interface import HISTORIES, SOURCES, is_like

ALIKE = 0.85
"""How alike names are of which one is the other misspelt."""


class AdoptionError(ConvoPipelinesError):
    """The file of views cannot be installed; the message names the view and the remedy. Nothing was changed."""


class Statement(NamedTuple):
    """A statement of a file: where it stands, the view in app, whether it creates that, and its text."""

    where: str
    name: str
    is_view: bool
    text: str


def statements(file: Path) -> Iterator[Statement]:
    """Return the statements of a file.

    Raises:
        AdoptionError: there are others than CREATE VIEW and COMMENT.

    """
    read = file.read_text().encode()

    def where(position: int) -> str:
        lines = read.count(b"\n", 0, position) + 1
        return f"{file}:{lines}"

    try:
        parsed = parse(read.decode())
    except PgQueryError as error:
        raise AdoptionError(f"{where(error.cursorpos - 1)}: {error.message}") from None
    for raw in parsed.stmts:
        start, length = raw.stmt_location, raw.stmt_len or len(read)
        text = read[start : start + length].decode().strip()
        name = _view_of(raw.stmt)
        if name is None:
            first = " ".join(text.split()[:3])
            raise AdoptionError(
                f"{where(start)}: `{first} …`: a file of views has `create or replace view app.…` and comments on "
                "these, nothing else"
            )
        yield Statement(where(start), name, raw.stmt.HasField("view_stmt"), text)


def _view_of(statement: Node) -> str | None:
    """Return the view in app that a statement creates, or that it or a column of it gets a comment; else None."""
    comment = statement.comment_stmt
    if statement.HasField("view_stmt"):
        names = [statement.view_stmt.view.schemaname, statement.view_stmt.view.relname]
    elif comment.objtype in (OBJECT_VIEW, OBJECT_COLUMN):
        names = [part.string.sval for part in comment.object.list.items][:2]
    else:
        return None
    return names[1] if names[0] == "app" else None


def differences(name: str, columns: Mapping[str, str]) -> list[str]:
    """Return how the columns of a source differ from what is read, or that a view's name is one that is misspelt."""
    if name in SOURCES:
        return _differences_from(name, SOURCES[name], columns)
    is_histories = not _differences_from(name, HISTORIES, columns)
    meant = [] if is_histories else get_close_matches(name, SOURCES, cutoff=ALIKE)
    return [f"app.{name} is no source: did you mean {source}?" for source in meant]


def _differences_from(name: str, wanted: Source, columns: Mapping[str, str]) -> list[str]:
    """Return how the columns of a view differ from what the pipeline reads, a sentence each."""
    failures: list[str] = []
    for column, described in wanted.columns.items():
        found = columns.get(column)
        if found is None and described.optional:
            failures.append(f"app.{name} has no column {column}: add null::{described.type} as {column}")
        elif found is None:
            failures.append(f"app.{name} has no column {column} ({described.type}: {described.meaning.rstrip('.')})")
        elif " collate " in found:
            failures.append(f'app.{name}.{column} is of type {found}: add collate "default"')
        elif not is_like(found, described.type):
            remedy = _remedy(found, described.type)
            failures.append(f"app.{name}.{column} is of type {found}, not {described.type}: {remedy}")
    return failures


def _remedy(found: str, wanted: str) -> str:
    if wanted != "uuid":
        return "cast it"
    if found in ("smallint", "integer", "bigint"):
        return "write analytics.uuid_of(column)"
    return "write analytics.uuid_of('table', column::text), or cast it if it is a uuid"
