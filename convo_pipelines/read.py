"""The derived tables as pandas DataFrames.

    from convo_pipelines import read
    read.summaries(client="C001", start=date(2026, 3, 1), end=date(2026, 4, 1))

Columns are described in docs/data-dictionary.md. Each has its type whether there are rows or not: `string` for ids and
texts, `Int64` for counts, `Float64` for seconds, `datetime64[us, UTC]` for times, `datetime64[us]` for UTC days.
The database is the one that `CONVO_DATABASE_URL` names.
"""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pandas as pd
import psycopg
from psycopg.rows import tuple_row

from convo_pipelines.databases import database_url
from convo_pipelines.statements import statement
from convo_pipelines.warehouse import Identifiers, configure

Moment = date | datetime
"""A UTC day, or an instant; one without a time zone is UTC."""

_DTYPES = {
    "uuid": "string",
    "text": "string",
    "bool": "boolean",
    "int4": "Int64",
    "int8": "Int64",
    "float8": "Float64",
    "numeric": "Float64",
    "timestamptz": "datetime64[us, UTC]",
    "date": "datetime64[us]",
}


def summaries(client: str | None = None, start: Moment | None = None, end: Moment | None = None) -> pd.DataFrame:
    """Return the summaries of conversations started in `[start, end)`, of one client (its code) or all."""
    return _read("summaries", client=client, start=_instant(start), end=_instant(end))


def sessions(client: str | None = None, start: Moment | None = None, end: Moment | None = None) -> pd.DataFrame:
    """Return the crews' sessions by UTC day, for days in `[start, end)`, of one client (its code) or all."""
    return _read("sessions", client=client, start=_instant(start), end=_instant(end))


def client_activity(client: str | None = None, start: Moment | None = None, end: Moment | None = None) -> pd.DataFrame:
    """Return one row per client and UTC day in `[start, end)`, of one client (its code) or all."""
    return _read("client_activity", client=client, start=_instant(start), end=_instant(end))


def crew_activity(client: str | None = None, start: Moment | None = None, end: Moment | None = None) -> pd.DataFrame:
    """Return one row per crew and UTC day in `[start, end)`, of one client's crews (its code) or all."""
    return _read("crew_activity", client=client, start=_instant(start), end=_instant(end))


def person_timeline(person: UUID | str) -> pd.DataFrame:
    """Return the conversations a person is in, by start."""
    return _read("person_timeline", person=person)


def client_conversations(
    client: str,
    *,
    channel: str | None = None,
    crew: str | None = None,
    project: UUID | str | None = None,
    is_open: bool | None = None,
    before: tuple[Moment, UUID | str] | None = None,
    rows: int = 50,
) -> pd.DataFrame:
    """Return a page of the conversations that a client's people or crews are in, newest first.

    Args:
        client: its code.
        channel: only of this channel.
        crew: only of the crew with this code.
        project: only those that name this project.
        is_open: only open ones, or only closed ones.
        before: `started_at` and `conversation_id` of the last row of the page before.
        rows: how many at most.

    """
    started_at, conversation_id = before or (None, None)
    return _read(
        "client_conversations",
        client=client,
        channel=channel,
        crew=crew,
        project=project,
        is_open=is_open,
        before=_instant(started_at),
        before_id=conversation_id,
        rows=rows,
    )


def open_conversation(lead: UUID | str) -> pd.DataFrame:
    """Return the summary of a lead's open conversation: one row, or none."""
    return _read("open_conversation", lead=lead)


def customer_conversations(customer: UUID | str, rows: int = 50) -> pd.DataFrame:
    """Return the summaries of a customer's latest conversations, newest first."""
    return _read("customer_conversations", customer=customer, rows=rows)


def conversations_per_project(project: UUID | str | None = None) -> pd.DataFrame:
    """Return how many conversations a project has, or each project that has any."""
    return _read("conversations_per_project", project=project)


def project_conversations(project: UUID | str, start: Moment | None = None, end: Moment | None = None) -> pd.DataFrame:
    """Return the conversations added to a project in `[start, end)`, in that order."""
    return _read("project_conversations", project=project, start=_instant(start), end=_instant(end))


def frame(
    connection: psycopg.Connection[Any], name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> pd.DataFrame:
    """Return what `sql/read/<name>.sql` reads over `connection`, each column with its type."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement(f"read/{name}").format(**(identifiers or {})), parameters)
        columns = cursor.description or []
        types = [_DTYPES[connection.adapters.types[column.type_code].name] for column in columns]
        values = list(zip(*cursor, strict=True)) or [()] * len(columns)
    return pd.DataFrame(
        {
            column.name: pd.Series([_plain(value) for value in series], dtype=dtype)
            for column, dtype, series in zip(columns, types, values, strict=True)
        }
    )


def _read(name: str, **parameters: object) -> pd.DataFrame:
    with psycopg.connect(database_url(), client_encoding="utf8", autocommit=True) as connection:
        configure(connection)
        return frame(connection, name, **parameters)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


def _instant(moment: Moment | None) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
