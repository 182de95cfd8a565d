"""The derived tables, and views for common questions, as pandas DataFrames.

    from convo_pipelines import read
    read.summaries(client="C001", start=date(2026, 3, 1), end=date(2026, 4, 1))

It needs the extra `read`. Columns are described in docs/reference/data-dictionary.md; durations are in seconds.
Types do not depend on the rows: `string` for ids and texts, `Int64` for counts, `Float64` for seconds,
`datetime64[us, UTC]` for times, `datetime64[us]` for UTC days. Arguments without a time zone are UTC, spans are
half-open (`[start, end)`), None means unbounded. A client, crew or channel that there is not raises `UnknownNameError`.

The database is the one that `READ_DATABASE_URL` names, or else `CONVO_DATABASE_URL`. The former may be a standby;
`lag()` says how far it is behind. Every function raises `SchemaError`, a `ConvoPipelinesError`,
if the database lacks migrations, and `psycopg.Error` or `adbc_driver_manager.Error` if PostgreSQL reports an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

import pandas as pd
import psycopg
import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]
from psycopg import sql
from psycopg.rows import tuple_row

from convo_pipelines.database.addresses import read_url
from convo_pipelines.database.arrow import bound, reading
from convo_pipelines.database.connections import connect
from convo_pipelines.database.execution import Identifiers
from convo_pipelines.database.statements import statement
from convo_pipelines.errors import ConvoPipelinesError

if TYPE_CHECKING:
    from pyiceberg.table import Table

Moment = date | datetime
"""A UTC day, or an instant; one without a time zone is UTC."""


@dataclass(frozen=True)
class _Type:
    """The mapping of a PostgreSQL type: the SQL that converts it to one that Arrow supports, and its pandas type."""

    as_sql: LiteralString
    dtype: str


MOST_NAMES = 20


class UnknownNameError(ConvoPipelinesError, LookupError):
    """No client, crew or channel is called so; the message names those that there are."""


_TYPES = {
    "uuid": _Type("{}::text", "string"),
    "text": _Type("{}", "string"),
    "bool": _Type("{}", "boolean"),
    "int4": _Type("{}::bigint", "Int64"),
    "int8": _Type("{}", "Int64"),
    "float8": _Type("{}", "Float64"),
    "numeric": _Type("{}::float8", "Float64"),
    "timestamptz": _Type("nullif(nullif({}, 'infinity'), '-infinity')", "datetime64[us, UTC]"),
    "date": _Type("{}::timestamp", "datetime64[us]"),
}
_DTYPES: dict[Any, Any] = {
    pa.string(): pd.StringDtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
}
"""Nullable pandas types, in place of the defaults for these Arrow types."""


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
    """Return the conversations of a person (its id), with or without messages, the latest message first."""
    return _read("person_timeline", person=person)


def participants(person: UUID | str) -> pd.DataFrame:
    """Return the contact methods of a person (its id), with the status, method and decision that resolved each.

    Ambiguous ones that may be the person's are included.
    """
    return _read("participants", person=person)


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
    """Return a page of the conversations of a client's people or crews, newest first.

    Args:
        client: its code.
        channel: only of this channel.
        crew: only of the crew with this code.
        project: only of this project (its id).
        is_open: only open ones, or only closed ones.
        before: `started_at` and `conversation_id` of the last row of the previous page.
        rows: maximum number of rows.

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
    """Return a lead's open conversation, with or without messages: at most one row."""
    return _read("open_conversation", lead=lead)


def lead_conversations(lead: UUID | str, rows: int = 50) -> pd.DataFrame:
    """Return a lead's latest conversations that have messages, the latest message first."""
    return _read("lead_conversations", lead=lead, rows=rows)


def customer_conversations(customer: UUID | str, rows: int = 50) -> pd.DataFrame:
    """Return a customer's latest conversations, with or without messages, the latest message first."""
    return _read("customer_conversations", customer=customer, rows=rows)


def conversations_per_project(project: UUID | str | None = None) -> pd.DataFrame:
    """Return the number of conversations of a project (its id), or of each project with conversations."""
    return _read("conversations_per_project", project=project)


def project_conversations(project: UUID | str, start: Moment | None = None, end: Moment | None = None) -> pd.DataFrame:
    """Return the conversations added to a project (its id) in `[start, end)`, in order of addition."""
    return _read("project_conversations", project=project, start=_instant(start), end=_instant(end))


def lake(table: str) -> "Table":
    """Return a table of the lake, such as `conversation_summaries`: the rows of all cells, each with its cell and day.

    It is pyiceberg's: `.scan(row_filter="cell == 'eu1' and day >= '2026-03-01'")` has `to_arrow()`, `to_pandas()`,
    `to_polars()` and `to_duckdb(...)`; `daft.read_iceberg` takes it as it is. It needs the extra `lake`.

    Raises:
        LookupError: the lake has no such table, or nothing was written into it yet.

    """
    from convo_pipelines.lake import store

    return store.required(table)


def lag() -> float | None:
    """Return how many seconds the standby that is read is behind its primary; None if it is no standby."""
    with connect(read_url()) as connection:
        return lag_of(connection)


def lag_of(connection: psycopg.Connection[Any]) -> float | None:
    """Return how many seconds the server of a connection is behind its primary; None if it is no standby."""
    [seconds] = frame(connection, "lag")["seconds"]
    return None if pd.isna(seconds) else float(seconds)


def frame(
    connection: psycopg.Connection[Any], name: str, identifiers: Identifiers | None = None, /, **parameters: object
) -> pd.DataFrame:
    """Return the rows of the statement `serving/<name>` as a typed DataFrame; for small results."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement(f"serving/{name}").format(**(identifiers or {})), parameters)
        types = _types(cursor)
        values = list(zip(*cursor, strict=True)) or [()] * len(types)
    return pd.DataFrame(
        {
            column: pd.Series([_plain(value) for value in series], dtype=kind.dtype)
            for (column, kind), series in zip(types.items(), values, strict=True)
        }
    )


def _types(cursor: psycopg.Cursor[Any]) -> dict[str, _Type]:
    known = cursor.connection.adapters.types
    return {column.name: _TYPES[known[column.type_code].name] for column in cursor.description or ()}


def _read(name: str, **parameters: object) -> pd.DataFrame:
    """Return the rows of `sql/serving/read/<name>.sql`.

    Raises:
        SchemaError: the database lacks migrations.
        UnknownNameError: a client, crew or channel is given that there is not.

    """
    try:
        found = _fetch(name, parameters)
        if found.empty:
            _require_known(parameters)
        return found
    except psycopg.ProgrammingError:
        from convo_pipelines.operations import schema  # takes long to import, and is needed only here

        if error := schema.error_at(read_url()):
            raise error from None
        raise


def _require_known(parameters: Mapping[str, object]) -> None:
    with connect(read_url()) as connection:
        for what in ("client", "crew", "channel"):
            name = parameters.get(what)
            known = [] if name is None else list(frame(connection, f"known/{what}")["name"])
            if known and name not in known:
                others = ", ".join(known[:MOST_NAMES]) + (", …" if len(known) > MOST_NAMES else "")
                raise UnknownNameError(f"there is no {what} {name}; there are: {others or 'none'}")


def _fetch(name: str, parameters: Mapping[str, object]) -> pd.DataFrame:
    with connect(read_url()) as connection:
        rows = sql.SQL("({}) as rows").format(bound(connection, f"serving/read/{name}", **parameters))
        types = _types(connection.execute(sql.SQL("select * from {} limit 0").format(rows)))
        columns = [
            sql.SQL("{} as {}").format(sql.SQL(kind.as_sql).format(sql.Identifier(column)), sql.Identifier(column))
            for column, kind in types.items()
        ]
        query = sql.SQL("select {} from {}").format(sql.SQL(", ").join(columns), rows).as_string(connection)
    with reading(read_url()) as cursor:
        cursor.execute(query)
        found = cursor.fetch_arrow_table()
    return found.to_pandas(types_mapper=_DTYPES.get, split_blocks=True, self_destruct=True)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


def _instant(moment: Moment | None) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
