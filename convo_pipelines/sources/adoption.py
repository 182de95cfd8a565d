"""Adoption: schema `app` as views over the owner's tables, captured on these."""

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TypeVar

import psycopg
from postgast import PgQueryError, parse
from postgast.pg_query_pb2 import OBJECT_COLUMN, OBJECT_VIEW, Node
from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.declarations import Log, Source, logs
from convo_pipelines.database.execution import execute, fetch, fetch_one, identifier
from convo_pipelines.database.locks import TableLockedError, blockers_of, patiently
from convo_pipelines.database.migrations import record, upgrade
from convo_pipelines.database.rights import grant_roles
from convo_pipelines.database.statements import fragment, statement, trusted
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import binding, capture, leases
from convo_pipelines.engine.derive import Way
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model.tables import CREW_CONVERSATIONS, REGISTRY
from convo_pipelines.settings import settings
from convo_pipelines.sources import views
from convo_pipelines.sources.interface import HISTORIES, SOURCES, VALUES, is_like
from convo_pipelines.sources.views import Joined, View, ViewError

SECONDS_PER_ROW = 2e-5
"""What a first build takes for each row of a source, with two workers; see docs/reference/benchmarks.md."""
PARENTS = {"clients", "crews", "people", "contact_methods", "conversations", "projects", "users"}
"""The sources that rows of analytics refer to."""
MOST_FOUND = 10_000
"""If a statement changes more rows of a joined table, the source is read as a whole."""
ALIKE = 0.85
"""How alike names are of which one is the other misspelt."""
INSERT_TRIGGER, INSERT_FUNCTION = "convo_pipelines_insert", "insert_conversation"

Changed = TypeVar("Changed")

_log = logging.getLogger(__name__)


class AdoptionError(ConvoPipelinesError):
    """The file of views cannot be installed; the message names the view and the remedy. Nothing was changed."""


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


@dataclass(frozen=True)
class Checked:
    """What a view of a file shows, and how it is going to be read.

    Attributes:
        source: its name in `app`.
        rows: how many it shows.
        null_keys: rows without a key.
        double_keys: rows whose key another row has.
        unknown_values: rows with a direction, role or kind that the pipeline does not know, or with a null in a
            column that is not optional.
        captured: yes, or why not.
        read_again: the tables beneath of which a change has all of its rows read again, and why.
        seconds: about how long the first build takes for its rows.
        missing_indexes: the statements that create them.

    """

    source: str
    rows: int
    null_keys: int
    double_keys: int
    unknown_values: int
    captured: str
    read_again: str
    seconds: float
    missing_indexes: list[str]


def check(warehouse: Warehouse, file: Path) -> list[Checked]:
    """Create the views of a file, look at what they show, and roll back.

    Raises:
        AdoptionError: the file fails, or a view is not what the pipeline reads.

    """
    with warehouse.connection() as connection, connection.transaction(force_rollback=True):
        created = create_views(connection, file)
        return [_checked(connection, name, SOURCES[name], name in created) for name in SOURCES]


def _checked(connection: Connection, name: str, wanted: Source, is_in_file: bool) -> Checked:
    key = sql.SQL(", ").join(map(sql.Identifier, wanted.key))
    is_null = sql.SQL("({}) is null").format(key)
    if len(wanted.key) > 1:
        is_null = sql.SQL("not ({}) is not null").format(key)
    known = [
        sql.SQL("{} = any({}::text[])").format(sql.Identifier(column), sql.Literal([*VALUES[column]]))
        for column in wanted.columns.keys() & VALUES.keys() - {"channel"}  # which may be any
    ] + [
        sql.SQL("{} is not null").format(sql.Identifier(column))
        for column, described in wanted.columns.items()
        if not described.optional and column not in wanted.key
    ]
    view = sql.Identifier("app", name)
    names: dict[str, sql.Composable] = {"view": view, "key": key, "is_null": is_null}
    names["is_known"] = sql.SQL(" and ").join([sql.SQL("true"), *known])
    found = fetch_one(connection, "sources/adoption/quality", names)
    read_again, ways = "", list[Way]()
    try:
        shown = views.read(connection, view.as_string(), wanted.columns, wanted.logged)
        read_again, ways = _read_again(shown, logs()[name]), [way for joined in shown.joined for way in joined.ways]
        captured = "yes" if is_in_file else "not in the file"
    except ViewError as error:
        captured = str(error)
    indexes = fetch(
        connection, "sources/adoption/missing_indexes", table_name=name, columns=[wanted.key[0], *wanted.looked_up_by]
    )
    for relation, expressions in (found_by for way in ways for found_by in way.found_by):
        indexes += fetch(connection, "sources/adoption/missing_index", relation=relation, expressions=[*expressions])
    missing = sorted({row["run_this"] for row in indexes})
    seconds = found["rows"] * SECONDS_PER_ROW
    return Checked(name, **found, captured=captured, read_again=read_again, seconds=seconds, missing_indexes=missing)


def install(warehouse: Warehouse, file: Path | None) -> list[Adopted]:
    """Create the views of a file, and whatever is missing of `app` and `analytics`, and capture the tables beneath.

    Args:
        warehouse: of the role that owns the schemas, and may create triggers on the tables beneath.
        file: statements `create or replace view app.…`, every name qualified; None: the views that are there.

    Raises:
        AdoptionError: the file fails, or a view is not what the pipeline reads.

    """
    if not any(migration.applied for migration in record.status(warehouse.url) if migration.line == "analytics"):
        upgrade.up(url=warehouse.url)

    def create(connection: Connection) -> None:
        if file is None:
            _require_views(connection)
        create_views(connection, file)

    def adopt(connection: Connection) -> list[Adopted]:
        adopted = _adopt(connection)
        grant_roles(connection)
        return adopted

    _change(warehouse, create)
    with warehouse.connection() as connection:
        binding.bind_views(connection)
    adopted = _change(warehouse, adopt)
    capture.sync(warehouse, REGISTRY)
    return adopted


def _require_views(connection: Connection) -> None:
    """Check that there are views, and that each reads the tables that have the names.

    Raises:
        AdoptionError: there are none, or a table beneath was exchanged.

    """
    if not fetch(connection, "sources/adoption/described", names=None):
        raise AdoptionError("schema app has no views: run `convo-pipelines adopt install FILE`")
    if exchanged := fetch(connection, "sources/adoption/exchanged"):
        read = "; ".join(f"app.{row['table_name']} reads what was {row['known_name']}" for row in exchanged)
        raise AdoptionError(f"{read} before that was exchanged: run `convo-pipelines adopt install FILE`")


def create_views(connection: Connection, file: Path | None) -> set[str]:
    """Create the views of a file, in place of the reference tables, and an empty view for each source that is missing.

    Views over the owner's tables that the file no longer has are dropped. Returns the names of those that it has.

    Args:
        connection: in a transaction with an empty search path, so that what the file names is what is meant.
        file: the statements; None: the views are there.

    Raises:
        AdoptionError: the file fails, or a view is not what the pipeline reads.

    """
    created = set[str]()
    if file is not None:
        _drop_reference(connection)
        connection.execute("delete from analytics.released_views")
        created = _create_views(connection, file)
    found = {row["table_name"]: row for row in fetch(connection, "sources/adoption/columns")}
    for name in SOURCES.keys() - found.keys():
        connection.execute(_empty_view(name, SOURCES[name]))
    failures = [failure for name in created for failure in _differences(name, found[name]["columns"])]
    if failures:
        raise AdoptionError("; ".join(sorted(failures)))
    return created


def _create_views(connection: Connection, file: Path) -> set[str]:
    """Create the views of a file; return their names."""
    created = set[str]()
    for where, name, is_view, text in _statements(file):
        if is_view and name in created:
            raise AdoptionError(f"{where}: app.{name} is in the file twice")
        try:
            with connection.transaction():
                connection.execute(trusted(text))
        except (psycopg.errors.InvalidTableDefinition, psycopg.errors.DuplicateTable) as error:
            if not _replace(connection, name, text):
                raise AdoptionError(f"{where}: app.{name}: {error.diag.message_primary}: rename or drop it") from None
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.LockNotAvailable):
            raise
        except psycopg.Error as error:
            raise AdoptionError(f"{where}: app.{name}: {error.diag.message_primary or error}{_hint(error)}") from None
        if is_view:
            created.add(name)
    for row in fetch(connection, "sources/adoption/left_out", names=[*created]):
        _drop_views_of_ours(connection)
        _drop(connection, row["table_name"])
    return created


def _statements(file: Path) -> Iterator[tuple[str, str, bool, str]]:
    """Return the statements of a file: where each stands, the view in app, whether it creates that, and its text.

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
        yield where(start), name, raw.stmt.HasField("view_stmt"), text


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


def _replace(connection: Connection, name: str, text: str) -> bool:
    """Create a view in place of one with other columns; its owner, comments, rights and triggers stay.

    Returns False if what has the name is no view.
    """
    found = fetch(connection, "sources/adoption/described", names=[name])
    if not found:
        return False
    [described] = found
    _drop_views_of_ours(connection)
    _drop(connection, name)
    connection.execute(trusted(text))
    for right in described["rights"]:
        with suppress(psycopg.errors.UndefinedColumn), connection.transaction():
            connection.execute(trusted(right))
    return True


def _drop(connection: Connection, name: str) -> None:
    try:
        with connection.transaction():
            connection.execute(sql.SQL("drop view {}").format(sql.Identifier("app", name)))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise AdoptionError(
            f"app.{name} cannot be replaced: {error.diag.message_detail}; drop that before, and make it again after"
        ) from None


def _drop_reference(connection: Connection) -> None:
    """Drop the tables of the reference schema, which have no rows.

    Raises:
        AdoptionError: they have.

    """
    tables = [row["table_name"] for row in fetch(connection, "sources/adoption/reference_tables")]
    relations = {name: {"relation": sql.Identifier("app", name)} for name in tables}
    if filled := [
        name for name in tables if fetch_one(connection, "sources/adoption/has_rows", relations[name])["has_rows"]
    ]:
        raise AdoptionError(
            f"app.{', app.'.join(filled)}: these tables of the reference schema have rows. Adopt your tables in a "
            "database without them"
        )
    if tables:
        _drop_views_of_ours(connection)
        execute(connection, "sources/adoption/drop_reference")


def views_of_ours() -> list[str]:
    """Return the views of analytics that read app, those on others first."""
    return [*reversed(binding.views())]


def _drop_views_of_ours(connection: Connection) -> None:
    """Drop the views of analytics that read app; `bind_views` makes them again."""
    for name in views_of_ours():
        connection.execute(sql.SQL("drop view if exists {}").format(identifier(name)))


def _differences(name: str, columns: Mapping[str, str]) -> list[str]:
    """Return how the columns of a source differ from what is read, or that a view's name is one that is misspelt."""
    if name in SOURCES:
        return differences(name, SOURCES[name], columns)
    is_histories = not differences(name, HISTORIES, columns)
    meant = [] if is_histories else get_close_matches(name, SOURCES, cutoff=ALIKE)
    return [f"app.{name} is no source: did you mean {source}?" for source in meant]


def differences(name: str, wanted: Source, columns: Mapping[str, str]) -> list[str]:
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
            failures.append(f"app.{name}.{column} is of type {found}, not {described.type}: cast it")
    return failures


def _adopt(connection: Connection) -> list[Adopted]:
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
    _drop_former_functions(connection)
    return [
        Adopted(name, None, _read_again(view, _log_of(name, rows[name])))
        if isinstance(view, View)
        else Adopted(name, view)
        for name, view in found.items()
    ]


def _log_of(name: str, row: Row) -> Log:
    return logs()["histories" if row["is_histories"] else name]


def _read_again(view: View, log: Log) -> str:
    """Return of which tables beneath a view a change has all of its rows read again, and why."""
    why = "" if log.may_be_beneath else "what others have is not looked up for histories"
    found = [(joined.table["name"], joined.remark or why) for joined in view.joined]
    return "; ".join(f"{name}: {remark}" for name, remark in found if remark)


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


def _drop_former_functions(connection: Connection) -> None:
    for row in fetch(connection, "sources/adoption/former_functions"):
        connection.execute(trusted(f"drop function {row['function']}"))


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


def _empty_view(name: str, wanted: Source) -> sql.Composed:
    columns = [
        sql.SQL("null::{} as {}").format(trusted(column.type), sql.Identifier(column_name))
        for column_name, column in wanted.columns.items()
    ]
    view = sql.Identifier("app", name)
    comment = sql.Literal("Empty: the application has no such rows. Created by convo_pipelines.")
    return sql.SQL("create view {} as select {} where false; comment on view {} is {}").format(
        view, sql.SQL(", ").join(columns), view, comment
    )


def _hint(error: psycopg.Error) -> str:
    unknown = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.UndefinedObject)
    is_qualified = "." in (error.diag.message_primary or "")
    return ": qualify each name with its schema" if isinstance(error, unknown) and not is_qualified else ""


def release(warehouse: Warehouse) -> list[str]:
    """Drop the views, so that the tables beneath can be altered; return their names.

    Raises:
        AdoptionError: there are none, or something else reads one; nothing was changed.

    """

    def drop(connection: Connection) -> list[str]:
        found = fetch(connection, "sources/adoption/described", names=None)
        released = [view["table_name"] for view in found]
        if not released:
            raise AdoptionError(
                "schema app has no views; `convo-pipelines adopt restore` makes those that were released"
            )
        execute(
            connection,
            "sources/adoption/release",
            names=released,
            statements=[";\n".join([view["definition"], *view["rights"]]) for view in found],
        )
        execute(connection, "sources/adoption/release_former", views=[])
        _drop_former_functions(connection)
        drops = {name: sql.SQL("drop view {}").format(sql.Identifier("app", name)) for name in released}
        ours = {name: sql.SQL("drop view if exists {}").format(identifier(name)) for name in views_of_ours()}
        if failures := _in_any_order(connection, ours | drops):
            raise AdoptionError("; ".join(map(_explained, failures.values())))
        return released

    return _change(warehouse, drop)


def restore(warehouse: Warehouse) -> list[Adopted]:
    """Make the views again that were dropped by `release`, with their rights, and capture the tables beneath.

    Raises:
        AdoptionError: none were released, or one cannot be made any more; nothing was changed.

    """

    def make(connection: Connection) -> None:
        rows = fetch(connection, "sources/adoption/released")
        if not rows:
            raise AdoptionError("no views are released")
        failures = _in_any_order(connection, {row["table_name"]: trusted(row["statements"]) for row in rows})
        if failures:
            [name, error] = next(iter(failures.items()))
            raise AdoptionError(
                f"app.{name} cannot be made again: {error.diag.message_primary}; change it in the file of views, and "
                "run `convo-pipelines adopt install FILE`"
            )
        connection.execute("delete from analytics.released_views")

    _change(warehouse, make)
    return install(warehouse, None)


def _in_any_order(connection: Connection, statements: Mapping[str, sql.Composable]) -> dict[str, psycopg.Error]:
    """Run statements of which some need others; return the errors of those that never succeed.

    Raises:
        psycopg.errors.LockNotAvailable: another session holds a lock on what one of them changes.

    """
    left = dict(statements)
    while True:
        failures: dict[str, psycopg.Error] = {}
        for name, text in left.items():
            try:
                with connection.transaction():
                    connection.execute(sql.Composed([text]))
            except psycopg.errors.LockNotAvailable:
                raise
            except psycopg.Error as error:
                failures[name] = error
        if not failures or len(failures) == len(left):
            return failures
        left = {name: left[name] for name in failures}


def _explained(error: psycopg.Error) -> str:
    return ": ".join(filter(None, (error.diag.message_primary, error.diag.message_detail)))


def _change(warehouse: Warehouse, change: Callable[[Connection], Changed]) -> Changed:
    """Change the views while followers pause; if a table is locked, try again.

    Raises:
        TableLockedError: another session held a lock at every attempt; the message names it.

    """
    done: list[Changed] = []

    def attempt() -> None:
        with warehouse.connection() as connection, _changing(connection):
            done.append(change(connection))

    with leases.followers_paused(warehouse, REGISTRY):
        try:
            patiently(attempt)
        except psycopg.errors.LockNotAvailable:
            with warehouse.connection() as connection:
                raise TableLockedError(blockers_of(connection, is_any=True)) from None
    return done[-1]


@contextmanager
def _changing(connection: Connection) -> Generator[None]:
    """Change the views in one transaction, one process at a time; every name in it is qualified.

    Raises:
        AdoptionError: a right is missing.
        psycopg.errors.LockNotAvailable: another session holds a lock on a view or a table beneath.

    """
    try:
        with connection.transaction():
            execute(connection, "database/session/lock", locks=["adoption"], lock_timeout="5s")
            yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise AdoptionError(
            f"{error.diag.message_primary}: connect as the role that owns schema app, its views and the tables beneath"
        ) from None
