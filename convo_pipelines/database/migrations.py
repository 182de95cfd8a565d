"""The migrations in `sql/migrations/`, applied by Alembic; `sql/schema/` describes the resulting schemas.

There are three lines: `app` (the application's schema; a reference for databases without one), `analytics` (ours) and
`roles` (optional). The applied version is stored in the table `schema_migrations` of each schema, that of the roles in
`analytics`: dropping `analytics` also drops the record that it was created.
"""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import psycopg
import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from convo_pipelines.database import catalog
from convo_pipelines.database.addresses import database_url
from convo_pipelines.database.statements import STATEMENTS
from convo_pipelines.database.warehouse import (
    TableLockedError,
    Warehouse,
    blockers_of,
    configure,
    configure_transaction,
    connect,
    is_pooled,
    lacking_rights,
)
from convo_pipelines.errors import ConvoPipelinesError

Line = Literal["app", "analytics", "roles"]
LINES: tuple[Line, ...] = ("app", "analytics", "roles")
DEFAULT_LINES: tuple[Line, ...] = ("app", "analytics")
SCHEMA_OF: dict[Line, str] = {"app": "app", "analytics": "analytics", "roles": "analytics"}
VERSION_TABLE = "schema_migrations"
COMMENTS_OF_VIEWS = """
select concat_ws(
    ' ',
    case objsubid when 0 then 'comment on view' else 'comment on column' end,
    concat_ws('.', objoid::regclass, quote_ident(attname)),
    'is',
    quote_literal(description)
)
from pg_description
left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0
where classoid = 'pg_class'::regclass and objoid = any(cast(:views as regclass[]))
"""
DISCOVERS = "trigger convo_pipeline_discovers on app.conversations"
CHECKSUM_TABLE = "schema_migration_checksums"
FOLDER = STATEMENTS / "migrations"
LOCK_ATTEMPTS = 100
LOCK_PAUSE_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 900
"""The timeout of building an index, which waits for older transactions."""

LAST_BEFORE_BASELINE: dict[str, Line] = {
    "0001_app_schema": "app",
    "0026_names": "analytics",
    "0027_stewards_and_observers": "roles",
}
"""The newest migration of each line before the baselines: a database at these is adopted."""
BASELINES: dict[Line, str] = {
    "app": "0028_app_baseline",
    "analytics": "0028_analytics_baseline",
    "roles": "0028_roles_baseline",
}
LOST_WITH = {
    "0028_app_baseline": "all rows of the application's tables",
    "0028_app_indexes": "app.conversations.closed_at, unless the application had that column before",
    "0028_analytics_baseline": "archived session-days, the record of deleted conversations, and alerts",
    "0033_decisions": "when and by whom conversations were put into projects (curation.project_assignments)",
}
"""What is lost for good with the rollback of a migration; `--yes` is required."""
FOREIGN_KEYS = "0030_edges"
"""The migration since which foreign keys to app are optional."""
SHOWN_DIFFERENCES = 10
ARRAYS = "column app.projects.conversation_ids"
OPTIONAL = {ARRAYS, "index app.projects_conversation_ids"}
"""Deprecated: an application may have dropped the column, and its index with it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Migration:
    """One folder of `sql/migrations/`: its name, the line it belongs to, and whether it is applied."""

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


def sql_files(revision_file: str, *, concurrently: bool = False) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return the upgrade and downgrade of the folder that `revision_file` lies in.

    Args:
        revision_file: path of the folder's `revision.py`.
        concurrently: run each statement, up to an empty line, on its own, as CONCURRENTLY demands; an index that an
            interrupted build left invalid is dropped before.

    """
    folder = Path(revision_file).parent
    return lambda: _run(folder / "migration.sql", concurrently), lambda: _run(folder / "rollback.sql", concurrently)


def run_file(revision_file: str, name: str) -> None:
    """Run another file of the folder that `revision_file` lies in."""
    _run(Path(revision_file).with_name(f"{name}.sql"), concurrently=False)


def up(lines: tuple[Line, ...] = DEFAULT_LINES, url: str | None = None) -> None:
    """Apply missing migrations to the database at `url`, by default the one that the environment names.

    A schema `app` with tables or views but without our record belongs to the application: it is not changed.

    Raises:
        MigrationError: the database cannot be migrated, or its views are released; nothing was changed.

    """
    with _connect(url) as connection:
        _check_encoding(connection)
        if "app" in lines and _are_views_released(connection):
            raise ViewsReleasedError
        _adopt(connection)
        for line in lines:
            relations = _relations(connection, SCHEMA_OF[line])
            if line == "app" and relations and VERSION_TABLE not in relations:
                continue
            if SCHEMA_OF[line] not in sa.inspect(connection).get_schema_names():
                connection.execute(sa.schema.CreateSchema(SCHEMA_OF[line]))
            connection.commit()
            command.upgrade(_config(connection, line), f"{line}@head")
        _share(connection)
        connection.commit()


def grant() -> None:
    """Grant the roles their rights on analytics; for the migration that creates the roles."""
    _share(op.get_bind())


def newest(lines: Sequence[Line] = LINES) -> Migration | None:
    """Return the newest applied migration of the given lines, which `down` rolls back; None if there is none."""
    return next((m for m in reversed(status()) if m.applied and m.line in lines), None)


def down(lines: Sequence[Line] = LINES) -> str | None:
    """Roll back the newest applied migration of the given lines; return its name, or None if there is none.

    Raises:
        RollbackError: other objects depend on what it would drop, or other migrations do.

    """
    migration = newest(lines)
    if migration is None:
        return None
    applied = [m for m in status() if m.applied]
    if migration.name == BASELINES["analytics"] and any(m.line == "roles" for m in applied):
        raise RollbackError(
            f"{migration.name} is not rolled back, the roles have rights on what it would drop: run "
            "`convo-pipelines migrate down --only roles` first"
        )
    with _connect() as connection:
        try:
            command.downgrade(_config(connection, migration.line), f"{migration.line}@-1")
        except DBAPIError as error:
            if not isinstance(error.orig, psycopg.errors.DependentObjectsStillExist):
                raise
            dependents = (error.orig.diag.message_detail or str(error.orig)).splitlines()
            raise _rollback_error(migration.name, dependents) from None
        schema = SCHEMA_OF[migration.line]
        is_used = any(SCHEMA_OF[m.line] == schema for m in applied if m != migration)
        if not is_used and not set(_relations(connection, schema)) - {VERSION_TABLE, CHECKSUM_TABLE}:
            for table in (VERSION_TABLE, CHECKSUM_TABLE):
                sa.Table(table, sa.MetaData(schema=schema)).drop(connection, checkfirst=True)
        else:
            _share(connection)
        connection.commit()
    return migration.name


def status(url: str | None = None) -> list[Migration]:
    """Return every migration, line by line, in the order in which `up` applies them."""
    script = ScriptDirectory.from_config(_config(None, "app"))
    with _connect(url) as connection:
        applied = {schema: _applied(connection, script, schema) for schema in set(SCHEMA_OF.values())}
    return [
        Migration(revision.revision, line, revision.revision in applied[SCHEMA_OF[line]])
        for line in LINES
        for revision in reversed(list(script.iterate_revisions(f"{line}@head", "base")))
    ]


def _are_views_released(connection: sa.Connection) -> bool:
    tables = sa.inspect(connection)
    if tables.has_table("crews", "app") or not tables.has_table("released_views", "analytics"):
        return False
    return bool(connection.scalar(sa.text("select exists (select from analytics.released_views)")))


def missing(url: str) -> list[Migration]:
    """Return the missing migrations of `analytics`, and of `app` if the database has none; in order of application.

    Raises:
        ViewsReleasedError: `app` has none of the views that the pipeline reads.

    """
    with _connect(url) as connection:
        if _are_views_released(connection):
            raise ViewsReleasedError
        script = ScriptDirectory.from_config(_config(None, "analytics"))
        applied = _applied(connection, script, SCHEMA_OF["analytics"])
        is_there = sa.inspect(connection).has_table("crews", "app")
    return [
        Migration(revision.revision, line, applied=False)
        for line in (("analytics",) if is_there else DEFAULT_LINES)
        for revision in reversed(list(script.iterate_revisions(f"{line}@head", "base")))
        if revision.revision not in applied
    ]


def validate() -> Iterator[str]:
    """Compare the database's catalog with the one that the applied migrations define; return one line per failure."""
    migrations = status()
    newest_of: dict[Line, Migration] = {m.line: m for m in migrations if m.applied}
    with _connect() as connection:
        if _are_views_released(connection):
            yield str(ViewsReleasedError())
            return
        yield from (f"the database is at {name}: run `convo-pipelines migrate up`" for name in _unknown(connection))
        for schema in sorted(set(SCHEMA_OF.values())):
            yield from _edited(connection, schema)
    yield from (
        f"not applied: {m.name}: run `convo-pipelines migrate up --only {m.line}`"
        for m in migrations
        if not m.applied and m.line in newest_of
    )
    with connect(database_url()) as connection:
        expected, found = _expected(newest_of), catalog.listing(connection)
        absent = OPTIONAL if ARRAYS not in found else set[str]()
        if "view app.conversations" in found:  # which takes no trigger for each row
            absent = absent | {DISCOVERS}
        if any(m.name == FOREIGN_KEYS and m.applied for m in migrations):
            absent = absent | catalog.unwanted_foreign_keys(connection)
        expected = {name: definition for name, definition in expected.items() if name not in absent}
        yield from catalog.differences(expected, found)
        if "analytics" in newest_of:
            yield from catalog.failures(connection, "lifecycle")
        if any(m.name == BASELINES["analytics"] and m.applied for m in migrations):
            yield from catalog.failures(connection, "app_indexes")
        if all(m.applied for m in migrations if m.line == "analytics"):
            yield from map(str, lacking_rights(connection))
        if "roles" in newest_of:
            yield from catalog.failures(connection, "rights")


def record(
    ctx: MigrationContext,
    step: MigrationInfo,
    heads: Collection[Any],  # noqa: ARG001
    run_args: Mapping[str, Any],  # noqa: ARG001
) -> None:
    """Store the checksum of a migration when it is applied, delete it at the rollback; called by Alembic."""
    connection, schema = cast("sa.Connection", ctx.connection), str(ctx.version_table_schema)
    if step.is_upgrade and step.up_revision_id:
        _store_checksum(connection, schema, step.up_revision_id)
    elif CHECKSUM_TABLE in _relations(connection, schema):
        connection.execute(
            sa.text(f"delete from {schema}.{CHECKSUM_TABLE} where name = :name"),  # noqa: S608
            {"name": step.up_revision_id},
        )


def _store_checksum(connection: sa.Connection, schema: str, name: str) -> None:
    connection.execute(
        sa.text(
            f"create table if not exists {schema}.{CHECKSUM_TABLE} "
            "(name text primary key, checksum text not null, applied_at timestamptz not null default now())"
        )
    )
    connection.execute(
        sa.text(
            f"insert into {schema}.{CHECKSUM_TABLE} (name, checksum) values (:name, :checksum) "  # noqa: S608
            "on conflict (name) do update set checksum = excluded.checksum, applied_at = excluded.applied_at"
        ),
        {"name": name, "checksum": _checksum(name)},
    )


def _checksum(name: str) -> str:
    """Return a checksum of the statements that apply a migration; those of its rollback may be corrected later."""
    files = sorted((FOLDER / name).rglob("migration.sql"))
    return hashlib.sha256("\n".join(file.read_text() for file in files).encode()).hexdigest()


def _edited(connection: sa.Connection, schema: str) -> Iterator[str]:
    if CHECKSUM_TABLE not in _relations(connection, schema):
        return
    rows = connection.execute(
        sa.text(f"select name, checksum from {schema}.{CHECKSUM_TABLE} order by name")  # noqa: S608
    )
    for name, checksum in rows:
        if checksum != _checksum(name):
            yield f"migration {name} was edited after it was applied"


def _expected(newest_of: Mapping[Line, Migration], *, is_stamped: bool = False) -> catalog.Listing:
    """Return the listing of the objects that the applied migrations define; of `app` only our own."""
    expected: catalog.Listing = {}
    for line, migration in newest_of.items():
        file = FOLDER / (BASELINES[line] if is_stamped else migration.name) / "catalog.txt"
        objects = catalog.read(file) if file.exists() else {}
        if line == "analytics":  # the application may have these by other names, or have had the column before
            others = re.compile(r"comment on column app\." if "app" in newest_of else r"(comment on )?\w+ app\.")
            objects = {name: text for name, text in objects.items() if not others.match(name)}
        expected |= objects
    return expected


def _check_encoding(connection: sa.Connection) -> None:
    name, encoding = connection.execute(sa.text("select current_database(), current_setting('server_encoding')")).one()
    if encoding != "UTF8":
        raise MigrationError(
            f"the encoding of database {name} is {encoding}, which cannot hold every text that this project writes. "
            "Nothing was changed. Restore a dump of it into a database that was created with `encoding 'UTF8'`"
        )


def _adopt(connection: sa.Connection) -> None:
    """Adopt a database at 0027: compare its catalog, then record the baselines as applied.

    Raises:
        MigrationError: the database is older, newer, or its catalog is not the one of those migrations.

    """
    found = _unknown(connection)
    if not found:
        return
    if any(name >= min(BASELINES.values()) for name in found):
        raise MigrationError(f"the database is newer than this version, which does not know {', '.join(found)}")
    if too_old := [name for name in found if name not in LAST_BEFORE_BASELINE]:
        raise MigrationError(
            f"the database is at {', '.join(too_old)}, which this version cannot upgrade. Check out the last version "
            "that can, commit 9576c79 (tag migrations-0027), and run its `convo-pipelines migrate up`, with `--only "
            "analytics` or `--only roles` where these are used; then run this again"
        )
    lines: dict[Line, Migration] = {
        LAST_BEFORE_BASELINE[name]: Migration(name, LAST_BEFORE_BASELINE[name], applied=True) for name in found
    }
    expected, now = _expected(lines, is_stamped=True), catalog.listing(_driver(connection))
    is_comment = re.compile("comment on ").match
    if differences := [line for line in catalog.differences(expected, now) if "comment on " not in line]:
        shown = "; ".join(differences[:SHOWN_DIFFERENCES])
        more = len(differences) - SHOWN_DIFFERENCES
        raise MigrationError(
            f"the database is at 0027, but its catalog is not what 0027 makes: {shown}"
            f"{f'; and {more} more' if more > 0 else ''}. Nothing was changed. Make these objects what "
            "sql/migrations/0028_*_baseline/migration.sql defines, then run this again"
        )
    for name, text in expected.items():
        if is_comment(name) and now.get(name) != text:
            _driver(connection).execute(sql.SQL("{} is {}").format(sql.SQL(cast("Any", name)), text))
    for name, schema in found.items():
        line = LAST_BEFORE_BASELINE[name]
        connection.execute(
            sa.text(f"update {schema}.{VERSION_TABLE} set version_num = :new where version_num = :old"),  # noqa: S608
            {"new": BASELINES[line], "old": name},
        )
        for revision in _script(connection).iterate_revisions(BASELINES[line], "base"):
            _store_checksum(connection, schema, revision.revision)
    connection.commit()


def _unknown(connection: sa.Connection) -> dict[str, str]:
    """Return the migrations that the database is at and this version does not have, with the schema of each."""
    known = {revision.revision for revision in _script(connection).walk_revisions()}
    schemas = sorted(set(SCHEMA_OF.values()))
    return {name: schema for schema in schemas for name in _heads(connection, schema) if name not in known}


def _script(connection: sa.Connection | None) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(connection, "app"))


def _heads(connection: sa.Connection, schema: str) -> tuple[str, ...]:
    context = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE, "version_table_schema": schema}
    )
    return context.get_current_heads()


def _share(connection: sa.Connection) -> None:
    """Grant the roles, if they exist, their ownership and rights."""
    _at_once(connection, (FOLDER / "ownership.sql").read_text())
    _execute(connection, (FOLDER / "grants.sql").read_text())


def _at_once(connection: sa.Connection, statements: str) -> None:
    """Run statements that lock tables `nowait`; if one is in use, release all of them, and try again for a while.

    A migration that waited for one table of the application while it holds another would let the application's
    transactions become victims of deadlocks.
    """
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        try:
            with connection.begin_nested():
                _execute(connection, statements)
        except OperationalError as error:
            if attempt == LOCK_ATTEMPTS or not isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise
            time.sleep(LOCK_PAUSE_SECONDS)
        else:
            return


def _execute(connection: sa.Connection, statements: str) -> None:
    connection.execution_options(no_parameters=True).exec_driver_sql(statements)


def _rollback_error(name: str, dependents: Sequence[str]) -> RollbackError:
    return RollbackError(
        f"{name} is not rolled back, other objects depend on what it drops: {'; '.join(dependents)}. Drop "
        "these first, or take the table out of the publication: `alter publication … drop table …`"
    )


def _relations(connection: sa.Connection, schema: str) -> list[str]:
    inspector = sa.inspect(connection)
    return [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]


def _applied(connection: sa.Connection, script: ScriptDirectory, schema: str) -> set[str]:
    known = {revision.revision for revision in script.walk_revisions()}
    heads = [head for head in _heads(connection, schema) if head in known]
    return {r.revision for head in heads for r in script.iterate_revisions(head, "base")}


def _run(file: Path, concurrently: bool) -> None:
    connection = op.get_bind().execution_options(no_parameters=True)
    statements = file.read_text()
    if not concurrently:
        before = _published(connection)
        locks = file.with_name("locks.sql")
        if locks.exists():
            _at_once(connection, locks.read_text())
        _replace_views(connection, statements)
        if lost := before - _published(connection):  # PostgreSQL drops a published table without an error
            raise _rollback_error(file.parent.name, sorted(lost))
        return
    with op.get_context().autocommit_block():
        # It does not block writers while it waits for older transactions, and may take hours.
        connection.exec_driver_sql(f"set statement_timeout = 0; set lock_timeout = '{LONGEST_WAIT_SECONDS}s'")
        _drop_invalid_indexes(connection, statements)
        for statement in statements.split("\n\n"):
            connection.exec_driver_sql(statement)
        if not is_pooled(_driver(connection)):
            configure(_driver(connection))


def _replace_views(connection: sa.Connection, statements: str) -> None:
    """Run statements; views that cannot be replaced, since the application's columns are of other types, go before."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statements)
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InvalidTableDefinition):
            raise
        views = re.findall(r"^create or replace view (analytics\.\w+)", statements, re.MULTILINE)
        comments = list(connection.scalars(sa.text(COMMENTS_OF_VIEWS), {"views": views}))
        connection.exec_driver_sql(f"drop view if exists {', '.join(views)}")
        connection.exec_driver_sql("; ".join([statements, *comments]))


def _published(connection: sa.Connection) -> set[str]:
    described = "select pg_describe_object('pg_publication_rel'::regclass, oid, 0) from pg_publication_rel"
    return set(connection.scalars(sa.text(described)))


def _drop_invalid_indexes(connection: sa.Connection, statements: str) -> None:
    """Drop what an interrupted CREATE INDEX CONCURRENTLY of these statements left: `if not exists` would keep it."""
    invalid = sa.text(
        "select relname from pg_index inner join pg_class on pg_class.oid = indexrelid "
        "where not indisvalid and relnamespace = 'app'::regnamespace"
    )
    for name in connection.scalars(invalid).all():
        if re.search(rf"\b{re.escape(name)}\b", statements):
            _log.warning("index app.%s is invalid, its build was interrupted; building it again", name)
            index = connection.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(f"drop index concurrently if exists app.{index}")


@contextmanager
def _connect(url: str | None = None) -> Generator[sa.Connection]:
    """Connect, with the settings of our sessions.

    Raises:
        TableLockedError: a statement waited longer for a lock than it may.

    """
    url = url or database_url()
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: _opened(url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        if is_pooled(_driver(connection)):  # every transaction may be on another session
            event.listen(connection, "begin", _configure)
        connection.rollback()
        try:
            yield connection
        except OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise
            with closing(Warehouse(url)) as warehouse, warehouse.connection() as another:
                raise TableLockedError(blockers_of(another, is_any=True)) from None


def _configure(begun: sa.Connection) -> None:
    configure_transaction(_driver(begun))


def _opened(url: str) -> psycopg.Connection[Any]:
    connection = connect(url)
    if not is_pooled(connection):  # there, what SQLAlchemy asks first is asked with the settings of this transaction
        connection.commit()
    return connection


def _driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _config(connection: sa.Connection | None, line: Line) -> Config:
    config = Config(attributes={"connection": connection, "schema": SCHEMA_OF[line]})
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("version_locations", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("recursive_version_locations", "true")
    return config
