"""The schemas of the database: `sql/schema/` defines them; `sql/migrations/` changes tables that are there already.

There are three lines: `app` (the application's schema; a reference for databases without one), `analytics` (ours) and
`roles` (optional). A new database is created from the definitions, and every migration is recorded as applied; in an
older database those that are missing are applied. Code is applied again when it changes. Each schema has its own
record, that of the roles is in `analytics`: dropping `analytics` also drops the record that it was created.
"""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import psycopg
from packaging.version import Version
from psycopg import sql

from convo_pipelines.database import catalog, connections, schema, transactions
from convo_pipelines.database.addresses import database_url
from convo_pipelines.database.connections import Connection, configure, configure_transaction, open_connection
from convo_pipelines.database.execution import execute, fetch, fetch_one, identifier
from convo_pipelines.database.locks import LOCK_PAUSE_SECONDS, TableLockedError, blockers_of
from convo_pipelines.database.rights import lacking_rights
from convo_pipelines.database.statements import STATEMENTS, path, statement
from convo_pipelines.database.transactions import LOCK_TIMEOUT
from convo_pipelines.errors import ConvoPipelinesError

Line = Literal["app", "analytics", "roles"]
LINES: tuple[Line, ...] = ("app", "analytics", "roles")
DEFAULT_LINES: tuple[Line, ...] = ("app", "analytics")
SCHEMA_OF: dict[Line, str] = {"app": "app", "analytics": "analytics", "roles": "analytics"}
FOLDER = STATEMENTS / "migrations"
INDEXES = "app_indexes"
"""The migration that adds a column and indexes to the application's tables; the first of each line creates it."""
CODE = "code"
"""What stands for the code of a schema, among its migrations."""
RECORD = "schema_migrations"
LONGEST_WAIT_SECONDS = 900
"""The timeout of building an index, which waits for older transactions."""

FORMER_RECORD = "schema_migration_checksums"
FORMER = {"0028_app_baseline": ["app"], "0041_silent_errors": [INDEXES, "analytics"], "0028_roles_baseline": ["roles"]}
"""What a database of before 0.1.0 had applied last, and what that is called now."""
FORMER_CODE = {"app": [], "analytics": ["function analytics.source_tables_of"]}
"""The code of such a database that is no longer defined."""
LAST_OF_FORMER = "8171a71"
"""The last commit whose migrations lead there."""

LOST_WITH = {
    "app": "all rows of the application's tables",
    INDEXES: "app.conversations.closed_at, unless the application had that column before",
    "analytics": "archived session-days, the record of deleted conversations, and alerts",
}
"""What is lost for good with the rollback of a migration; `--yes` is required."""
ARRAYS = "column app.projects.conversation_ids"
OPTIONAL = {ARRAYS, "index app.projects_conversation_ids"}
"""Deprecated: an application may have dropped the column, and its index with it."""
DISCOVERS = "trigger convo_pipeline_discovers on app.conversations"
OF_ROLES = {DISCOVERS, "function analytics.refuse_undiscovered()"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Migration:
    """A migration: its name, the line it belongs to, and whether it is applied."""

    name: str
    line: Line
    applied: bool


class MigrationError(ConvoPipelinesError):
    """A database that cannot be migrated; nothing was changed."""


class ViewsReleasedError(MigrationError):
    """`adopt release` has dropped the views of app, and nothing has made them again."""

    def __init__(self) -> None:
        super().__init__("the views of app are released: run `convo-pipelines adopt restore`, or `adopt install FILE`")


class RollbackError(ConvoPipelinesError):
    """A migration that cannot be rolled back; nothing was changed."""


def up(lines: tuple[Line, ...] = DEFAULT_LINES, url: str | None = None) -> None:
    """Apply missing migrations to the database at `url`, by default the one that the environment names.

    A schema `app` with tables or views but without our record belongs to the application: it is not changed.

    Raises:
        MigrationError: the database cannot be migrated, or its views are released; nothing was changed.

    """
    with _alone(url) as connection:
        _check_encoding(connection)
        if "app" in lines and _are_views_released(connection):
            raise ViewsReleasedError
        with _explained("the database"):
            _carry_over(connection)
        for line in lines:
            relations = _relations(connection, SCHEMA_OF[line])
            if line != "app" or not relations or schema.CODE in relations:
                with _explained(line):
                    _upgrade(connection, line)


def newest(lines: Sequence[Line] = LINES) -> Migration | None:
    """Return the newest applied migration of the given lines, which `down` rolls back; None if there is none.

    Raises:
        MigrationError: the database is newer than this version, which does not know its newest migration.

    """
    with _connect() as connection:
        return _newest(connection, lines)


def down(lines: Sequence[Line] = LINES) -> str | None:
    """Roll back the newest applied migration of the given lines; return its name, or None if there is none.

    Raises:
        RollbackError: other objects depend on what it would drop, or other migrations do.
        MigrationError: the database is newer than this version.

    """
    with _alone() as connection:
        migration = _newest(connection, lines)
        if migration is None:
            return None
        others = [m for m in _status(connection, LINES) if m.applied and m.name not in (migration.name, CODE)]
        if migration.name == "analytics" and any(m.line == "roles" for m in others):
            raise RollbackError(
                "analytics is not rolled back, the roles have rights on what it would drop: run "
                "`convo-pipelines migrate down --only roles` first"
            )
        try:
            _roll_back(connection, migration)
        except psycopg.errors.DependentObjectsStillExist as error:
            raise RollbackError(_refused(f"{migration.name} is not rolled back", _dependents(error))) from None
        name = SCHEMA_OF[migration.line]
        is_used = any(SCHEMA_OF[m.line] == name for m in others)
        if not is_used and set(_relations(connection, name)) == {RECORD, schema.CODE}:
            connection.execute(sql.SQL("drop table {migrations}, {code}").format(**_record_of(name)))
    return migration.name


def status(url: str | None = None) -> list[Migration]:
    """Return every migration, line by line, in the order in which `up` applies them."""
    with _connect(url) as connection:
        return _status(connection, LINES)


def missing(url: str) -> list[Migration]:
    """Return the missing migrations of `analytics`, and of `app` if the database has none; in order of application.

    Raises:
        ViewsReleasedError: `app` has none of the views that the pipeline reads.

    """
    with _connect(url) as connection:
        if _are_views_released(connection):
            raise ViewsReleasedError
        is_there = "crews" in _relations(connection, "app")
        lines: tuple[Line, ...] = ("analytics",) if is_there else DEFAULT_LINES
        return [migration for migration in _status(connection, lines) if not migration.applied]


def validate() -> Iterator[str]:
    """Compare the database's catalog with what the definitions and migrations make; return one line per failure."""
    with _connect() as connection:
        if _are_views_released(connection):
            yield str(ViewsReleasedError())
            return
        migrations = _status(connection, LINES)
        lines: set[Line] = {migration.line for migration in migrations if migration.applied}
        for name in sorted(set(SCHEMA_OF.values())):
            yield from (
                f"the database is at {head}: run `convo-pipelines migrate up`" for head in _former(connection, name)
            )
            yield from _edited(connection, name)
        yield from (
            f"not applied: {m.name}: run `convo-pipelines migrate up --only {m.line}`"
            for m in migrations
            if not m.applied and m.line in lines
        )
        expected, found = _expected(lines), catalog.listing(connection)
        absent = OPTIONAL if ARRAYS not in found else set[str]()
        if "view app.conversations" in found:  # which takes no trigger for each row
            absent = absent | {DISCOVERS}
        if "analytics" in lines:
            absent = absent | catalog.unwanted_foreign_keys(connection)
        yield from catalog.differences({name: text for name, text in expected.items() if name not in absent}, found)
        if "analytics" in lines:
            yield from catalog.failures(connection, "lifecycle")
            yield from catalog.failures(connection, "app_indexes")
            yield from map(str, lacking_rights(connection))
        if "roles" in lines:
            yield from catalog.failures(connection, "rights")


# What is applied


def _names(line: Line) -> list[str]:
    """Return the migrations of a line, in the order in which they are applied."""
    first = [INDEXES, line] if line == "analytics" else [line]
    return [*first, *sorted(file.parent.name for file in (FOLDER / line).glob("*/migration.sql"))]


def _newest(connection: Connection, lines: Sequence[Line]) -> Migration | None:
    for line in lines:
        _check_is_not_newer(_applied(connection, SCHEMA_OF[line]))
    applied = [m for m in _status(connection, lines) if m.applied and m.name != CODE]
    return applied[-1] if applied else None


def _status(connection: Connection, lines: Sequence[Line]) -> list[Migration]:
    return [migration for line in lines for migration in _status_of(_applied(connection, SCHEMA_OF[line]), line)]


def _status_of(applied: dict[str, str], line: Line) -> list[Migration]:
    migrations = [Migration(name, line, name in applied) for name in _names(line)]
    return [*migrations, Migration(CODE, line, _is_present(applied, line))] if line in schema.SCHEMAS else migrations


def _applied(connection: Connection, name: str) -> dict[str, str]:
    """Return the migrations that are applied in a schema, with their checksums."""
    if schema.CODE not in _relations(connection, name):
        return {}
    rows = fetch(connection, "database/migrations/applied", _record_of(name))
    return {row["name"]: row["checksum"] for row in rows}


def _is_present(applied: dict[str, str], line: Line) -> bool:
    """Whether the code of a line is that of this version, or of a newer one."""
    if CODE not in applied:
        return False
    of, checksum = applied[CODE].split()
    return checksum == schema.checksum(line) or Version(of) > Version(version("convo_pipelines"))


def _former(connection: Connection, name: str) -> list[str]:
    """Return what a database of before 0.1.0 has applied last in a schema; of any other, nothing."""
    if FORMER_RECORD not in _relations(connection, name):
        return []
    return [row["name"] for row in fetch(connection, "database/migrations/former", _record_of(name))]


def _checksum(line: Line, name: str) -> str:
    """Return a checksum of the statements that apply a migration; those of its rollback may be corrected later."""
    file = _file(line, name, "migration")
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def _former_checksums(line: Line, name: str) -> list[str]:
    """Return the checksums of former texts of a migration that ended with the same catalog: `-- was: CHECKSUM`."""
    file = _file(line, name, "migration")
    return re.findall(r"^-- was: (\w+)$", file.read_text(), re.MULTILINE) if file.exists() else []


def _edited(connection: Connection, name: str) -> Iterator[str]:
    applied = _applied(connection, name)
    lines: list[Line] = [line for line in LINES if SCHEMA_OF[line] == name]
    for line in lines:
        for migration in _names(line):
            known = {_checksum(line, migration), *_former_checksums(line, migration)}
            if migration in applied and applied[migration] not in known:
                yield f"migration {migration} was edited after it was applied"


def _expected(lines: set[Line]) -> catalog.Listing:
    """Return the listing of the objects that these lines define; of `app` only our own."""
    is_apps = re.compile(r"\w+ app\.|\w+ \w+ on app\.").match

    def is_expected(name: str) -> bool:
        if name in OF_ROLES:
            return "roles" in lines
        if name.startswith("comment on column app."):  # the application may have had the column before
            return False
        return ("app" if is_apps(name.removeprefix("comment on ")) else "analytics") in lines

    return {name: text for name, text in catalog.read(catalog.FILE).items() if is_expected(name)}


def _check_encoding(connection: Connection) -> None:
    database = fetch_one(connection, "database/migrations/encoding")
    if database["encoding"] != "UTF8":
        raise MigrationError(
            f"the encoding of database {database['name']} is {database['encoding']}, which cannot hold every text that "
            "this project writes. Nothing was changed. Restore a dump of it into a database that was created with "
            "`encoding 'UTF8'`"
        )


def _are_views_released(connection: Connection) -> bool:
    if "crews" in _relations(connection, "app") or "released_views" not in _relations(connection, "analytics"):
        return False
    return bool(connection.execute("select from analytics.released_views limit 1").fetchall())


def _relations(connection: Connection, name: str) -> set[str]:
    return {row["name"] for row in fetch(connection, "database/migrations/relations", schema=name)}


def _record_of(name: str) -> dict[str, sql.Identifier]:
    return {"migrations": sql.Identifier(name, RECORD), "code": sql.Identifier(name, schema.CODE)}


# Up


def _carry_over(connection: Connection) -> None:
    """Record what a database of before 0.1.0 has applied as this version does.

    Raises:
        MigrationError: the database is older; nothing was changed.

    """
    names = [name for name in sorted(set(SCHEMA_OF.values())) if FORMER_RECORD in _relations(connection, name)]
    heads = {name: _former(connection, name) for name in names}
    if unknown := [head for name in names for head in heads[name] if head not in FORMER]:
        raise MigrationError(
            f"the database is at {', '.join(unknown)}, which this version cannot upgrade. Check out the last "
            f"version that can, commit {LAST_OF_FORMER}, and run its `convo-pipelines migrate up`, with `--only "
            "analytics` or `--only roles` where these are used; then run this again"
        )

    def carry_over() -> None:
        for name in names:
            former = (sql.Identifier(name, table) for table in (RECORD, FORMER_RECORD))
            connection.execute(sql.SQL("drop table {}, {}").format(*former))
            execute(connection, "database/schema/create_record", _record_of(name))
            gone = FORMER_CODE[name]
            execute(connection, "database/schema/record_code", _record_of(name), names=gone, checksums=[""] * len(gone))
            for migration in (migration for head in heads[name] for migration in FORMER[head]):
                _record(connection, name, migration, "")

    if names:
        _in_one_transaction(connection, carry_over)


def _upgrade(connection: Connection, line: Line) -> None:
    """Apply the missing migrations of a line, and its code; all in one transaction but for what runs concurrently."""
    name = SCHEMA_OF[line]
    applied = _applied(connection, name)
    _check_is_not_newer(applied)
    if not applied:
        with _transaction(connection):
            connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(name)))
            execute(connection, "database/schema/create_record", _record_of(name))
    names = [migration for migration in _names(line) if migration not in applied]
    if INDEXES in names:
        _build_indexes(connection)
        _record(connection, name, names.pop(0), "")
    is_new = line in names
    while not is_new and any(_is_concurrent(_file(line, migration, "migration")) for migration in names):
        _apply_one(connection, line, names.pop(0))

    def upgrade() -> None:
        if is_new:
            _create(connection, line)
        for migration in names:
            if not is_new:
                _run(connection, f"{migration} is not applied", _file(line, migration, "migration"))
            _record(connection, name, migration, _checksum(line, migration))
        if line in schema.SCHEMAS:
            schema.apply_code(connection, line)
            _record(connection, name, CODE, f"{version('convo_pipelines')} {schema.checksum(line)}")
        _share(connection)

    _in_one_transaction(connection, upgrade)


def _apply_one(connection: Connection, line: Line, migration: str) -> None:
    """Apply a migration that runs concurrently, or one before it, without the code of this version."""
    file = _file(line, migration, "migration")
    is_concurrent = _is_concurrent(file)
    if is_concurrent:
        _run_alone(connection, file)

    def apply() -> None:
        if not is_concurrent:
            _run(connection, f"{migration} is not applied", file)
        _record(connection, SCHEMA_OF[line], migration, _checksum(line, migration))

    _in_one_transaction(connection, apply)


def _check_is_not_newer(applied: dict[str, str]) -> None:
    known = {CODE, *(name for one in LINES for name in _names(one))}
    newer = [name for name in applied if name not in known]
    of = applied[CODE].split()[0] if CODE in applied else "0"
    if newer or Version(of) > Version(version("convo_pipelines")):
        raise MigrationError(
            f"the database is newer than this version: it is at {', '.join(newer) or of}. Install that version"
        )


def _create(connection: Connection, line: Line) -> None:
    """Create what a line is made of."""
    if line == "roles":
        for step in ("conversations_table", "create", "conversations_view"):
            connection.execute(statement(f"database/roles/{step}"))
    else:
        schema.create(connection, line)


def _build_indexes(connection: Connection) -> None:
    _run_alone(connection, path("database/app_indexes/create"))
    if fetch(connection, "database/app_indexes/has_arrays"):
        _run_alone(connection, path("database/app_indexes/create_on_arrays"))


def _share(connection: Connection) -> None:
    """Grant the roles, if they exist, their ownership and rights."""
    for step in ("ownership", "grants"):
        connection.execute(statement(f"database/roles/{step}"))


# Down


def _roll_back(connection: Connection, migration: Migration) -> None:
    line, name = migration.line, SCHEMA_OF[migration.line]
    file = _file(line, migration.name, "rollback")
    if migration.name == INDEXES:
        _run_alone(connection, path("database/app_indexes/drop"))
    elif migration.name == "analytics":
        if dependents := [row["dependent"] for row in fetch(connection, "database/migrations/dependents")]:
            raise RollbackError(_refused(f"{migration.name} is not rolled back", dependents))
        _release(connection)
    elif file.exists() and _is_concurrent(file):
        _run_alone(connection, file)

    def roll_back() -> None:
        if migration.name == "roles":
            for step in ("conversations_table", "drop", "conversations_view"):
                connection.execute(statement(f"database/roles/{step}"))
        elif migration.name == line:
            _drop(connection, line)
        elif file.exists() and not _is_concurrent(file):
            _run(connection, f"{migration.name} is not rolled back", file)
        names = [migration.name, CODE] if line in schema.SCHEMAS else [migration.name]
        execute(connection, "database/migrations/forget", _record_of(name), names=names)
        if line in schema.SCHEMAS:  # any version applies all of its own code, and drops the rest of this
            execute(connection, "database/migrations/forget_code", _record_of(name))
        _share(connection)

    _in_one_transaction(connection, roll_back)


def _release(connection: Connection) -> None:
    """Drop all capture triggers, table by table: thousands in one transaction would run out of locks."""
    for table in fetch(connection, "database/migrations/captured"):
        drops = [
            sql.SQL("drop trigger if exists {} on {}").format(
                sql.Identifier(trigger), sql.Identifier(table["schema_name"], table["name"])
            )
            for trigger in table["triggers"]
        ]
        _in_one_transaction(connection, partial(connection.execute, sql.SQL("; ").join(drops)))


def _drop(connection: Connection, line: Line) -> None:
    """Drop what a line is made of, in an open transaction; decisions stay."""
    if line == "app":
        schema.drop(connection, line)
        return
    is_kept = fetch_one(connection, "database/migrations/has_decisions")["has_decisions"]
    schema.drop(connection, line, but=("curation",) if is_kept else ())
    for name in _former_tables(line):
        connection.execute(sql.SQL("drop table if exists {}").format(identifier(name)))
    connection.execute("comment on schema analytics is null")
    if not is_kept:
        connection.execute("drop schema curation")


def _former_tables(line: Line) -> list[str]:
    """Return the tables that only earlier versions have: rollbacks create them again."""
    rollbacks = sorted((FOLDER / line).glob("*/rollback.sql"))
    return [name for file in rollbacks for name in re.findall(r"^create table (\S+)", file.read_text(), re.MULTILINE)]


# How files are run


def _file(line: Line, migration: str, step: str) -> Path:
    return FOLDER / line / migration / f"{step}.sql"


def _is_concurrent(file: Path) -> bool:
    return " concurrently " in file.read_text()


def _run(connection: Connection, refused: str, file: Path) -> None:
    """Run a file in the open transaction. PostgreSQL drops a published table without an error: that is refused."""
    before = _published(connection)
    connection.execute(file.read_bytes())
    if lost := before - _published(connection):
        raise RollbackError(_refused(refused, sorted(lost)))


def _published(connection: Connection) -> set[str]:
    return {row["member"] for row in fetch(connection, "database/migrations/published")}


def _run_alone(connection: Connection, file: Path) -> None:
    """Run each statement of a file, up to an empty line, on its own; in a transaction, unless it runs concurrently.

    An index that an interrupted build left invalid is dropped before. It does not block writers while it waits for
    older transactions, and may take hours.
    """
    text = file.read_text()
    if not connection.is_pooled:  # other transactions are on the same session
        connection.execute_alone("set statement_timeout = 0")
        connection.execute_alone(sql.SQL("set lock_timeout = {}").format(f"{LONGEST_WAIT_SECONDS}s"))
    for row in fetch(connection, "database/migrations/invalid_indexes"):
        if re.search(rf" concurrently (if not exists )?{re.escape(row['name'])}\b", text):
            index = sql.Identifier(row["schema_name"], row["name"])
            _log.warning("index %s is invalid, its build was interrupted; building it again", index.as_string())
            connection.execute_alone(sql.SQL("drop index concurrently if exists {}").format(index))
    for one in text.split("\n\n"):
        if " concurrently " in one:
            connection.execute_alone(one.encode())
        else:
            with _transaction(connection):
                connection.execute(one.encode())
    if not connection.is_pooled:
        configure(connection)


def _in_one_transaction(connection: Connection, step: Callable[[], object]) -> None:
    """Take a step in a transaction that waits for each lock only shortly; try again for LOCK_SECONDS.

    So it holds no lock while it waits for long, and never makes a transaction of the application the victim of a
    deadlock.

    Raises:
        psycopg.errors.LockNotAvailable: another session held a lock for longer.

    """
    deadline = time.monotonic() + connections.LOCK_SECONDS
    while True:
        try:
            with _transaction(connection):
                connection.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
                step()
                return
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOCK_PAUSE_SECONDS)


@contextmanager
def _transaction(connection: Connection) -> Generator[None]:
    with connection.transaction():
        if connection.is_pooled:
            configure_transaction(connection)
        yield


def _record(connection: Connection, name: str, migration: str, checksum: str) -> None:
    execute(connection, "database/migrations/record", _record_of(name), name=migration, checksum=checksum)


def _dependents(error: psycopg.Error) -> list[str]:
    return (error.diag.message_detail or str(error)).splitlines()


def _refused(what: str, dependents: Sequence[str]) -> str:
    return (
        f"{what}, other objects depend on what it drops: {'; '.join(dependents)}. Drop these first, or take the table "
        "out of the publication: `alter publication … drop table …`"
    )


@contextmanager
def _explained(what: str) -> Generator[None]:
    """Explain errors of an upgrade."""
    try:
        yield
    except psycopg.errors.DependentObjectsStillExist as error:
        raise MigrationError(_refused(f"{what} is not upgraded", _dependents(error))) from None
    except psycopg.ProgrammingError as error:  # such as a table of app that is missing
        raise MigrationError(f"{what} is not upgraded: {error}") from None


@contextmanager
def _alone(url: str | None = None) -> Generator[Connection]:
    """Connect, while no other migration of the database runs: a transaction of another session holds the lock.

    Neither that transaction nor one that waits for it keeps a snapshot: a concurrent build would wait for its end.

    Raises:
        MigrationError: another runs for longer than WAIT_SECONDS.

    """
    deadline = time.monotonic() + transactions.WAIT_SECONDS
    with _connect(url) as connection, closing(open_connection(url or database_url())) as holder:
        while time.monotonic() < deadline:
            with _transaction(holder):
                if fetch_one(holder, "database/migrations/lock")["is_taken"]:
                    # Without parameters, so that it ends the statement before, and its snapshot.
                    holder.execute("set local idle_in_transaction_session_timeout = 0")
                    yield connection
                    return
            time.sleep(LOCK_PAUSE_SECONDS)
        raise MigrationError(
            "another `migrate up` or `migrate down` is running on this database: let it end, and try again"
        )


@contextmanager
def _connect(url: str | None = None) -> Generator[Connection]:
    """Connect, with the settings of our sessions.

    Raises:
        TableLockedError: a statement waited longer for a lock than it may.

    """
    with closing(open_connection(url or database_url())) as connection:
        try:
            yield connection
        except psycopg.errors.LockNotAvailable:
            raise TableLockedError(blockers_of(connection, is_any=True)) from None
