"""Triggers on the tables beneath the views, which log what changes in the views."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.declarations import Log, logs
from convo_pipelines.database.execution import execute, fetch, fetch_one
from convo_pipelines.database.locks import patiently
from convo_pipelines.database.statements import fragment, statement, trusted
from convo_pipelines.model.tables import CREW_CONVERSATIONS
from convo_pipelines.settings import settings
from convo_pipelines.sources import views
from convo_pipelines.sources.interface import HISTORIES, SOURCES
from convo_pipelines.sources.views import Joined, View, ViewError

PARENTS = {"clients", "crews", "people", "contact_methods", "conversations", "projects", "users"}
"""The sources that rows of analytics refer to."""
MOST_FOUND = 10_000
"""If a statement changes more rows of a joined table, the source is read as a whole."""
INSERT_TRIGGER, INSERT_FUNCTION = "convo_pipelines_insert", "insert_conversation"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Adopted:
    """A view in `app`.

    Attributes:
        table_name: its name.
        remark: why it is not captured; None: it is.
        read_again: the tables beneath of which a change has all of its rows read again, and why.

    """

    table_name: str
    remark: str | None
    read_again: str = ""


def adopt(connection: Connection) -> list[Adopted]:
    """Create the trigger function of each view that can be captured, and store what it is captured on."""
    found: dict[str, View | str] = {}
    rows = {row["name"]: row for row in fetch(connection, "sources/adoption/views")}
    for name, row in rows.items():
        wanted = HISTORIES if row["is_histories"] else SOURCES[name]
        try:
            found[name] = views.read(connection, row["relation"], wanted.columns, wanted.logged)
        except ViewError as error:
            found[name] = str(error)
    captured = {name: view for name, view in found.items() if isinstance(view, View)}
    execute(connection, "sources/adoption/release_former", views=[view.oid for view in captured.values()])
    for name, view in captured.items():
        _install(connection, name, view, rows[name]["log_function"], _log_of(name, rows[name]))
    for name in rows.keys() & PARENTS:
        _install_lock(connection, name)
    if "conversations" in rows:
        _install_insert(connection)
    _drop_stale_triggers(connection)
    drop_former_functions(connection)
    return [
        Adopted(name, None, read_again(view, _log_of(name, rows[name])))
        if isinstance(view, View)
        else Adopted(name, view)
        for name, view in found.items()
    ]


def read_again(view: View, log: Log) -> str:
    """Return of which tables beneath a view a change has all of its rows read again, and why."""
    why = "" if log.may_be_beneath else "what others have is not looked up for histories"
    found = [(joined.table["name"], joined.remark or why) for joined in view.joined]
    return "; ".join(f"{name}: {remark}" for name, remark in found if remark)


def drop_former_functions(connection: Connection) -> None:
    """Drop the functions of views that are no longer captured, or no longer there."""
    for row in fetch(connection, "sources/adoption/former_functions"):
        connection.execute(trusted(f"drop function {row['function']}"))


def _log_of(name: str, row: Row) -> Log:
    return logs()["histories" if row["is_histories"] else name]


def _install(connection: Connection, name: str, view: View, log_function: str, log: Log) -> None:
    """Create the trigger functions of the tables beneath a view, and store which they are."""
    tables: list[tuple[Row, str]] = []

    def added(table: Row) -> str:
        number = f"_{len(tables)}" if tables else ""
        tables.append((table, f"log_view_{view.oid}{number}"))
        return tables[-1][1]

    for base in view.bases:
        connection.execute(trusted(view.trigger_function(connection, base, added(base.table), log_function)))
    for joined in view.joined:
        _install_joined(connection, view, joined, log, added(joined.table))
    for _, function in tables:
        connection.execute(_revoked(function))
    execute(
        connection,
        "sources/adoption/remember",
        table_name=name,
        view=view.oid,
        views=list(view.views),
        oids=[table["oid"] for table, _ in tables],
        names=[table["name"] for table, _ in tables],
        functions=[function for _, function in tables],
    )


def _install_joined(connection: Connection, view: View, joined: Joined, log: Log, function: str) -> None:
    """Create the trigger function of a table that a view reads beside others, and what finds the view's rows by it."""
    look_up = function.replace("log_view", "look_up")
    said: dict[str, object] = {"operation": "everything"}
    if not log.may_be_beneath:
        said["table_oid"] = view.oid
    names: dict[str, sql.Composable] = {
        "function": sql.Identifier("analytics", function),
        "log": sql.Identifier("analytics", log.name),
        "log_name": sql.Literal(f"analytics.{log.name}"),
    }
    everything = fragment("sources/adoption/everything").format(
        **names,
        columns=sql.SQL(", ").join(map(sql.Identifier, said)),
        values=sql.SQL(", ").join(map(sql.Literal, said.values())),
    )
    written, found_by = everything, [sql.SQL("''")]
    if log.may_be_beneath and joined.ways:
        types = {column: of for column, of in log.columns.items() if column in SOURCES[log.of].columns}
        written = fragment("sources/adoption/beneath").format(**names, look_up=sql.Literal(look_up))
        found_by = [sql.SQL('{} collate "C"').format(sql.Identifier(column)) for column in joined.found_by]
        connection.execute(view.look_up_function(joined, look_up, types))
        connection.execute(_revoked(look_up, "text[]"))
    columns = sorted({*joined.columns, *joined.found_by})
    connection.execute(
        statement("sources/adoption/joined").format(
            **names,
            columns=sql.SQL(", ").join(
                sql.SQL("{0}::text as {0}").format(sql.Identifier(column)) for column in columns
            ),
            found_by=sql.SQL("array[{}]").format(sql.SQL(", ").join(found_by)),
            most=sql.Literal(MOST_FOUND),
            everything=everything,
            written=written,
        )
    )


def _revoked(function: str, arguments: str = "") -> sql.Composed:
    return sql.SQL("revoke all on function {}({}) from public").format(
        sql.Identifier("analytics", function), trusted(arguments)
    )


def _install_lock(connection: Connection, name: str) -> None:
    """Have a view's rows locked in the table beneath; if that has no such key, the log alone tells of deletions."""
    relation = sql.Identifier("app", name).as_string()
    oid = fetch_one(connection, "sources/views/relation", relation=relation)["oid"]
    with suppress(ViewError):
        connection.execute(views.lock_function(connection, relation, f"lock_view_{oid}"))


def _install_insert(connection: Connection) -> None:
    """Have conversations of crews inserted into the table beneath; if it cannot be done, none are created."""
    relation, columns = CREW_CONVERSATIONS.target, CREW_CONVERSATIONS.rows.inserted
    connection.execute(trusted(f"drop trigger if exists {INSERT_TRIGGER} on {relation}"))
    takes = fetch_one(connection, "sources/adoption/takes_rows", relation=relation, columns=list(columns))
    if takes["takes_rows"]:
        return
    try:
        key = CREW_CONVERSATIONS.rows.key
        connection.execute(views.insert_function(connection, relation, INSERT_FUNCTION, INSERT_TRIGGER, columns, key))
    except ViewError as error:
        if settings().create_conversations:
            _log.warning(
                "no conversations of crews are created: %s. If that is meant, set CREATE_CONVERSATIONS=false", error
            )


def _drop_stale_triggers(connection: Connection) -> None:
    """Drop the triggers that views no longer want; each change would be logged twice."""
    for row in fetch(connection, "sources/adoption/stale_triggers"):
        names = {
            "trigger": sql.Identifier(row["trigger_name"]),
            "table": sql.Identifier(row["schema_name"], row["relation_name"]),
            "table_oid": sql.Literal(row["table_oid"]),
        }
        patiently(partial(_drop_trigger, connection, names))


def _drop_trigger(connection: Connection, names: Mapping[str, sql.Composable]) -> None:
    with connection.transaction():
        connection.execute(statement("sources/adoption/drop_trigger").format(**names))
