"""What the next `migrate down` takes away and who needs it, found out by a rollback that is itself rolled back."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus

from convo_pipelines.database import migrations
from convo_pipelines.database.migrations import FOLDER, Line, Migration
from convo_pipelines.database.statements import STATEMENTS
from convo_pipelines.database.warehouse import (
    Connection,
    Row,
    TableLockedError,
    Warehouse,
    blockers_of,
    error_message,
    fetch,
)
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines.errors import ConvoPipelinesError

OURS = ("app", "analytics", "curation")
IRREPLACEABLE = {
    "analytics.histories_sessions.archived_at": "which session-days are archive: the next ticks would delete them",
    "analytics.deleted_conversations": "which conversations of crews were deleted: the next ticks would insert them",
}
"""What of `analytics` nothing else tells; of `app`, nothing tells anything."""


class RollbackError(ConvoPipelinesError):
    """Something that is not ours depends on what a rollback takes away; nothing was done."""


@dataclass(frozen=True)
class Rehearsal:
    """What a rollback would do.

    Attributes:
        migration: what is rolled back.
        gone: what it takes away.
        tables: the derived tables that this version could not refresh.
        failing: the statements of this version that would fail, and functions of others that may.
        lost: the data that nothing brings back.

    """

    migration: Migration
    gone: Sequence[str]
    tables: Sequence[str]
    failing: Sequence[str]
    lost: Sequence[str]

    @property
    def is_harmless(self) -> bool:
        """Whether nothing fails without what goes, and no data is lost."""
        return not self.failing and not self.lost


def rehearse(lines: Sequence[Line]) -> Rehearsal | None:
    """Try to roll back the newest applied migration of these lines, and undo it; None if there is none.

    What only runs outside of a transaction is not tried: it drops indexes and our own triggers.

    Raises:
        RollbackError: something of others would be in its way, or be lost.
        TableLockedError: somebody held a lock for too long.

    """
    migration = migrations.newest(lines)
    if migration is None:
        return None
    with closing(Warehouse()) as warehouse, warehouse.connection() as connection:
        before = fetch(connection, "rollback/catalog")
        texts = _statements() | {row["description"]: row["body"] for row in fetch(connection, "rollback/functions")}
        with connection.transaction(force_rollback=True):
            obstacles = list(_roll_back(connection, migration))
            after = {row["description"] for row in fetch(connection, "rollback/catalog")}
            gone = [row for row in before if row["description"] not in after]
            failing = [name for name, text in texts.items() if _fails(connection, text, gone)]
        failing += [f"whatever needs {row['description']}" for row in gone if row["name"] is None]
        obstacles += [f"{row['description']} would be lost" for row in gone if _is_of_others(row, migration)]
        if obstacles:
            raise RollbackError(
                f"{migration.name} is not rolled back, others depend on it: {'; '.join(obstacles)}. Drop these first: "
                "from a publication by `alter publication … drop table …`, a right of a role by "
                "`convo-pipelines migrate down --only roles`, what is in analytics by `… --only analytics`"
            )
        gone = _whole(gone)
        return Rehearsal(
            migration,
            [row["description"] for row in gone],
            [table.name for table in DERIVED_TABLES if any(f"{name}.sql" in failing for name in table.statements)],
            failing,
            list(_lost(connection, gone)),
        )


def _roll_back(connection: Connection, migration: Migration) -> Iterator[str]:
    """Run what of a rollback runs in a transaction; return what PostgreSQL says is in its way."""
    for statement in _triable(_bare((FOLDER / migration.name / "rollback.sql").read_text())):
        try:
            with connection.transaction():
                connection.execute(statement.encode())
        except psycopg.errors.DependentObjectsStillExist as error:
            dependents = (error.diag.message_detail or error_message(error)).splitlines()
            yield from (dependent for dependent in dependents if "convo_pipelines_" not in dependent)
        except psycopg.errors.LockNotAvailable:
            raise TableLockedError(blockers_of(connection, is_any=True)) from None


def _triable(rollback: str) -> list[str]:
    outside = re.compile(r"\bconcurrently\b|\bcommit;")
    if not outside.search(rollback):
        return [rollback]
    return [statement for statement in rollback.split("\n\n") if not outside.search(statement)]


def _statements() -> dict[str, str]:
    """Return the statements of this version by the names of their files."""
    files = sorted(path for path in STATEMENTS.rglob("*.sql") if FOLDER not in path.parents)
    return {path.relative_to(STATEMENTS).as_posix(): _bare(path.read_text()) for path in files}


def _bare(text: str) -> str:
    """Return a statement without the lines of its header."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def _fails(connection: Connection, text: str, gone: Sequence[Row]) -> bool:
    """Whether a statement names what went, and has no right to it or makes no sense to PostgreSQL any more."""
    named = [row for row in gone if _names(text, row)]
    return any(row["kind"] == "right" for row in named) or (bool(named) and not _makes_sense(connection, text))


def _names(text: str, row: Row) -> bool:
    names = (f"{row['schema_name']}.{row['name']}", row["column_name"])
    return all(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names if name)


def _makes_sense(connection: Connection, text: str) -> bool:
    """Whether PostgreSQL takes a statement as it is; none with placeholders, or that reads temporary tables."""
    numbers: dict[str, int] = {}
    numbered = re.sub(r"%\((\w+)\)s", lambda name: f"${numbers.setdefault(name[1], len(numbers) + 1)}", text)
    with connection.transaction(force_rollback=True):
        return connection.pgconn.prepare(b"", numbered.replace("%%", "%").encode()).status == ExecStatus.COMMAND_OK


def _is_of_others(row: Row, migration: Migration) -> bool:
    """Whether what goes is not ours to drop."""
    is_given = row["kind"] == "publication" or (row["kind"] in ("right", "reading") and migration.line != "roles")
    return is_given or row["schema_name"] not in OURS


def _whole(gone: Sequence[Row]) -> list[Row]:
    """Return what goes, without the parts of what goes as a whole."""
    relations = {(row["schema_name"], row["name"]) for row in gone if row["kind"] == "class"}
    return [row for row in gone if row["kind"] == "class" or (row["schema_name"], row["name"]) not in relations]


def _lost(connection: Connection, gone: Sequence[Row]) -> Iterator[str]:
    """Return what data there is in what goes that nothing brings back."""
    for row in (row for row in gone if row["kind"] in ("class", "attribute")):
        path = [row["schema_name"], row["name"], *filter(None, [row["column_name"]])]
        what = IRREPLACEABLE.get(".".join(path)) or (row["schema_name"] == "app" and f"what is in {row['description']}")
        value = sql.Identifier(path[2]) if path[2:] else sql.SQL("true")
        is_any = sql.SQL("select from {} where {} is not null limit 1").format(sql.Identifier(*path[:2]), value)
        if what and connection.execute(is_any).fetchall():
            yield what
