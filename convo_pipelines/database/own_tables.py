"""The state of tables of one's own, which no migration makes: the tables, and the logs of what they read."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from psycopg import sql

from convo_pipelines.database import declarations, schema, statements
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.declarations import Log
from convo_pipelines.database.execution import execute, fetch, fetch_one, identifier
from convo_pipelines.database.statements import trusted
from convo_pipelines.database.transactions import LOCK_TIMEOUT
from convo_pipelines.database.trees import quoted
from convo_pipelines.errors import ConvoPipelinesError

REFRESHED_AT = {"refreshed_at": "timestamp with time zone"}
COLUMN = ("column", "comment on column")
"""How the catalog lists a column."""


class UnknownTablesError(ConvoPipelinesError):
    """The database has tables of one's own that this process does not know; nothing was changed."""


def digest(text: str) -> str:
    """Return what identifies a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def edited() -> list[str]:
    """Return the tables whose `rows.sql` is not what was applied, or was never applied."""
    applied = {name: said.get("rows_sql") for name, said in declarations.tables().items()}
    return [
        name
        for name, folder in statements.own_folders().items()
        if applied.get(name) != digest((folder / "rows.sql").read_text())
    ]


def require_all(connection: Connection, but_for: str | None = None) -> None:
    """Check that the folders of all tables of one's own are there that the database has, but for one that is removed.

    Raises:
        UnknownTablesError: some are not.

    """
    found = fetch(connection, "database/own_tables/defined")
    folders = statements.own_folders()
    formats = {row["name"]: statements.format_of(folders[row["name"]]) for row in found if row["name"] in folders}
    if other := [name for name, of in formats.items() if of not in (None, statements.FORMAT)]:
        raise UnknownTablesError(
            f"another version of convo_pipelines generated {', '.join(other)}: run `convo-pipelines table apply`"
        )
    if unknown := [row["name"] for row in found if row["name"] not in {*declarations.tables(), but_for}]:
        raise UnknownTablesError(
            f"the database has {', '.join(unknown)}, of which CONVO_TABLES names no folder: set it to the folders that "
            "have them. `convo-pipelines table remove NAME` drops a table that is no longer wanted"
        )


def depends(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    """Return what identifies the definitions of views and functions, by their names."""
    found = fetch(connection, "database/own_tables/depends", names=sorted(names))
    return {row["name"]: row["definition"] for row in found}


def note_redefined(connection: Connection) -> None:
    """Have no process refresh tables of which a view or function was redefined, from which their keys followed."""
    declared = {name: said for name, said in declarations.tables().items() if said.get("depends")}
    now = depends(connection, {of for said in declared.values() for of in said["depends"]})
    for name, said in declared.items():
        redefined = [of for of, definition in said["depends"].items() if now[of] != definition][:1]
        found = " ".join([said["definition"], *redefined])
        execute(connection, "database/own_tables/note", name=name, definition=said["definition"], found=found)


def settle(connection: Connection) -> None:
    """Create the tables and logs that are missing, change their columns, and store definitions, in a transaction.

    Processes that know a former definition stop refreshing the table. If its own has changed, the next tick computes
    all of its rows anew. It waits for transactions that were logged without columns that a log gets: no tick before
    their end would miss what they changed.
    """
    if altered := _altered_logs(connection):
        functions = [log.function for log in altered]
        execute(connection, "database/own_tables/lock_writers", functions=functions, logs=[log.of for log in altered])
    written = [log for log in declarations.logs().values() if log.has_triggers or log.is_for_lake]
    functions = [f"analytics.{log.function}" for log in written]
    execute(connection, "database/own_tables/release", functions=functions)
    declared = declarations.tables()
    wanted = {name: said["definition"] for name, said in declared.items() if "definition" in said}
    stored = {row["name"]: row["definition"] for row in fetch(connection, "database/own_tables/defined")}
    changed = {name: of for name, of in wanted.items() if stored.get(name) != of}
    if changed:
        execute(connection, "database/session/lock", locks=[*changed], lock_timeout=LOCK_TIMEOUT)
    for name, of in changed.items():
        execute(connection, "database/own_tables/define", name=name, definition=of)
        if name in stored:
            connection.execute("select analytics.log_everything(%s)", [name])
    for log in declarations.logs().values():
        if log.of != "histories":  # whose log has days instead of times, and which no own table can read
            _settle(connection, f"analytics.{log.name}", {**log.columns, **log.day})
    for log, retyped in altered.items():
        for one in retyped:
            connection.execute(trusted(one))
        if retyped:
            connection.execute("select analytics.log_everything(%s)", [log.of])
    own = {name: declared[name] for name in statements.own_tables()}
    for name in own.keys() | _views(connection).keys():
        said = own.get(name, {})
        for one in hiding(connection, name, said.get("schema"), said.get("columns", {})):
            connection.execute(trusted(one))
    for name, said in own.items():
        _settle(connection, f"analytics.{name}", said["columns"], is_complete=True)
        for one in showing(connection, name, said.get("schema"), said["columns"]):
            connection.execute(trusted(one))


def _altered_logs(connection: Connection) -> dict[Log, list[str]]:
    """Return the logs whose columns change, with the statements that give columns other types."""
    declared_by_own = _logged_columns()
    found = dict[Log, list[str]]()
    for log in declarations.logs().values():
        if log.of != "histories":
            relation = f"analytics.{log.name}"
            types = {column: of for column, of in log.columns.items() if column in declared_by_own[log.of]}
            retyped = retypes(connection, relation, types)
            if retyped or changes(connection, relation, {**log.columns, **log.day}, is_complete=False):
                found[log] = retyped
    return found


def _logged_columns() -> Mapping[str, set[str]]:
    """Return the columns of each log whose types the declarations of tables of one's own say."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, said in declarations.tables().items():
        found[name] |= {*(said["logged"] if "definition" in said else ())}
        for source, of in said.get("reads", {}).items():
            found[source] |= {*of["logged"]}
        for other, columns in said.get("logs", {}).items():
            found[other] |= {*columns}
    return found


def retypes(connection: Connection, log: str, wanted: Mapping[str, str]) -> list[str]:
    """Return the statements that give columns of a log their types; what was logged of them is gone."""
    [found] = fetch(connection, "database/own_tables/columns", relation=log)
    there: Mapping[str, str] = found["columns"] or {}
    alter = sql.SQL("alter table {}").format(identifier(log)).as_string()
    return [
        f"{alter} alter column {quoted(column)} type {of} using null"
        for column, of in wanted.items()
        if there.get(column, of) != of
    ]


def settle_triggers(connection: Connection) -> None:
    """Have triggers log the derived tables that tables of one's own follow, and no others, in an open transaction."""
    for name, said in declarations.tables().items():
        if "relation" not in said and not said.get("has_triggers"):
            step = "log" if name in declarations.followed_by_own() else "log_no_more"
            names = {
                "relation": sql.Literal(f"analytics.{name}"),
                "function": sql.Literal(declarations.logs()[name].function),
                "name": sql.Literal(name),
            }
            execute(connection, f"database/own_tables/{step}", names)


def changes(connection: Connection, relation: str, wanted: Mapping[str, str], *, is_complete: bool) -> list[str] | None:
    """Return the statements that give a table its columns; None: it is not there.

    Args:
        connection: any.
        relation: the table.
        wanted: its columns, with their types.
        is_complete: whether other columns are dropped.

    """
    [found] = fetch(connection, "database/own_tables/columns", relation=relation)
    there = found["columns"]
    if there is None:
        return None
    alter = sql.SQL("alter table {}").format(identifier(relation)).as_string()
    name = {column: sql.Identifier(column).as_string() for column in [*there, *wanted]}
    added = [f"add column {name[column]} {of}" for column, of in wanted.items() if column not in there]
    if not is_complete:
        return [f"{alter} {one}" for one in added]
    dropped = [f"drop column {name[column]}" for column in there if column not in {*wanted, "refreshed_at"}]
    typed = [
        f"alter column {name[column]} type {of} using {name[column]}::{of}"
        for column, of in wanted.items()
        if there.get(column, of) != of
    ]
    return [f"{alter} {one}" for one in [*added, *dropped, *typed]]


def is_view_name_taken(connection: Connection, name: str, schema_name: str) -> bool:
    """Return whether a schema has a relation of this name that is no view of the table."""
    is_there = fetch_one(connection, "database/own_tables/is_there", name=f"{schema_name}.{name}")["is_there"]
    return is_there and schema_name not in _views(connection).get(name, {})


def hiding(connection: Connection, name: str, schema_name: str | None, columns: dict[str, str]) -> list[str]:
    """Return the statements that drop the views of a table in other schemas that cannot stay.

    Args:
        connection: any.
        name: of the table.
        schema_name: where its view is to be; None: it has none.
        columns: those that it is to have, with their types.

    """
    wanted = (columns | REFRESHED_AT).items()
    return [
        f"drop view {_qualified(place, name)}"
        for place, there in _views(connection).get(name, {}).items()
        if place != schema_name or not there.items() <= wanted
    ]


def showing(connection: Connection, name: str, schema_name: str | None, columns: dict[str, str]) -> list[str]:
    """Return the statements that have a view in another schema show a table; its arguments are those of `hiding`."""
    if not schema_name or _views(connection).get(name, {}).get(schema_name) == columns | REFRESHED_AT:
        return []
    has_schema = fetch_one(connection, "database/own_tables/has_schema", name=schema_name)["has_schema"]
    view, said = _qualified(schema_name, name), f"Shows analytics.{name}; `convo-pipelines table apply` keeps it."
    return [
        *([] if has_schema else [f"create schema {quoted(schema_name)}"]),
        f"create or replace view {view} as table {_qualified('analytics', name)}",
        f"comment on view {view} is {sql.Literal(said).as_string()}",
    ]


def _views(connection: Connection) -> dict[str, dict[str, dict[str, str]]]:
    """Return the columns of the views that show tables of one's own: by table, then by schema."""
    found = defaultdict[str, dict[str, dict[str, str]]](dict)
    for row in fetch(connection, "database/own_tables/views"):
        found[row["name"]][row["schema"]] = row["columns"]
    return found


def _qualified(schema_name: str, name: str) -> str:
    return sql.Identifier(schema_name, name).as_string()


def _settle(connection: Connection, relation: str, wanted: Mapping[str, str], *, is_complete: bool = False) -> None:
    found = changes(connection, relation, wanted, is_complete=is_complete)
    if found is None:
        found = [schema.definitions("analytics")[f"state {relation}"].text]
    for one in found:
        connection.execute(trusted(one))


def rendered() -> set[str]:
    """Return the objects of the pipeline's own, as the catalog lists them, that tables of one's own change."""
    if not statements.own_tables():
        return set()
    ours, logs = declarations.of_ours(), declarations.logs()
    extended: dict[str, set[str]] = {}
    for said in declarations.tables().values():
        for name, of in said.get("reads", {}).items():
            extended.setdefault(name, set()).update(of["logged"] if name in ours else ())
        for name, columns in said.get("logs", {}).items():
            extended.setdefault(name, set()).update(columns)
    of_logs = {logs[name]: columns for name, columns in extended.items() if columns}
    return {
        "function analytics.declared_logs()",
        "function analytics.declared_sources()",
        "view analytics.changes",
        *(
            f"{kind} analytics.{log.name}.{one}"
            for log, columns in of_logs.items()
            for one in columns
            for kind in COLUMN
        ),
        *(f"function analytics.{log.function}()" for log in of_logs),
        *(f"view analytics.{log.changed}" for log in of_logs),
        *(f"column analytics.{log.changed}.{one}" for log, columns in of_logs.items() for one in columns),
        *(
            f"trigger convo_pipelines_{event} on analytics.{name}"
            for name in declarations.followed_by_own()
            for event in ("insert", "update", "delete", "truncate")
        ),
    }


def is_there(connection: Connection, name: str) -> bool:
    """Return whether the database has a table, with a log."""
    return fetch_one(connection, "database/own_tables/is_there", name=f"analytics.{name}_changes")["is_there"]


def drop(connection: Connection, names: Sequence[str]) -> None:
    """Drop tables of `analytics`, if they are there."""
    relations = sql.SQL(", ").join(sql.Identifier("analytics", name) for name in names)
    connection.execute(sql.SQL("drop table if exists {}").format(relations))
