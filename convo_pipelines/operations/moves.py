"""A client's move to another database: what cannot be computed again there, as a file."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch, fetch_one
from convo_pipelines.database.statements import statement
from convo_pipelines.database.transactions import allow_idle, transaction
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, ticks
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model.tables import DERIVED_TABLES, REGISTRY

FORMAT = 1
PARTS = ("sessions", "tombstones", "decisions", "assignments")

_log = logging.getLogger(__name__)


class MoveError(ConvoPipelinesError):
    """A client cannot be exported, or a file not be imported; nothing was changed."""


def export_client(warehouse: Warehouse, code: str, file: Path) -> int:
    """Write what cannot be computed again of a client into a file, after a tick; return the number of rows.

    Raises:
        MoveError: there is no such client, or another tick is running.

    """
    with warehouse.connection() as connection:
        found = connection.execute("select id from app.clients where client_code = %s", [code]).fetchone()
    if found is None:
        raise MoveError(f"there is no client {code}")
    done = ticks.tick_all(warehouse, DERIVED_TABLES, _log)
    if skipped := [name for name, (outcome, _) in done.items() if outcome.is_skipped]:
        raise MoveError(f"another tick of {', '.join(skipped)} is running: run the command again")
    if failed := [result.crew.code for _, results in done.values() for result in results if result.error]:
        raise MoveError(f"these crews could not be read: {', '.join(failed)}; see `convo-pipelines status`")
    unfinished = file.with_name(f"{file.name}.unfinished")
    query = statement("operations/moves/export").format(client=sql.Literal(found["id"]))
    rows = 0
    with warehouse.connection() as connection, unfinished.open("wb") as output:
        head = {"format": FORMAT, "client_code": code, "exported_at": datetime.now(UTC).isoformat()}
        output.write(json.dumps(head).encode() + b"\n")
        with connection.transaction(), connection.cursor() as cursor, cursor.copy(query) as copy:
            for line in copy:
                output.write(line)
                rows += bytes(line).count(b"\n")
        output.write(json.dumps({"rows": rows}).encode() + b"\n")
    unfinished.replace(file)
    return rows


def import_client(warehouse: Warehouse, file: Path) -> Row:
    """Add what an export has to this database, where the application's rows of the client are; return the rows added.

    It is one transaction. A second import adds nothing, but dates a conversation back that went to another project and
    came back since the first.

    Raises:
        MoveError: the file is no export, is incomplete, or names what is not in this database.

    """
    rows = _rows(file)
    capture.sync(warehouse, REGISTRY)  # rows copied before this are older than the tombstones, and bring nothing back
    with warehouse.connection() as connection, transaction(connection):
        allow_idle(connection)
        execute(connection, "operations/moves/stage")
        with connection.cursor() as cursor, cursor.copy("copy pg_temp.moved from stdin") as copy:
            for row in rows:
                copy.write(row)
        _require_known(connection, file)
        try:
            return {part: fetch_one(connection, f"operations/moves/{part}")["rows"] for part in PARTS}
        except psycopg.errors.UniqueViolation as error:  # raised by the check of decisions
            raise MoveError(f"{file} contradicts what was decided here: {error.diag.message_primary}") from None


def _rows(file: Path) -> list[bytes]:
    """Return the lines of a file between its head and its end. The end says how many lines there must be."""
    head, *rows = file.read_bytes().splitlines(keepends=True) or [b""]
    try:
        if json.loads(head)["format"] == FORMAT and json.loads(rows.pop())["rows"] == len(rows):
            return rows
    except (ValueError, LookupError, TypeError):
        pass
    raise MoveError(f"{file} is not a complete export of a client: export it again")


def _require_known(connection: Connection, file: Path) -> None:
    if strangers := fetch(connection, "operations/moves/strangers"):
        named = ", ".join(f"{row['what']} {row['id']}" for row in strangers)
        raise MoveError(f"{file} names what is not in this database: {named}; move the application's rows before")
