"""Histories tables: creating one, and importing an n8n export into it."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import psycopg

from convo_pipelines.database.connections import LOCK_SECONDS, Connection
from convo_pipelines.database.execution import error_message, execute, fetch_one, histories
from convo_pipelines.database.transactions import allow_idle
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model import crews

COLUMNS = ("session_id", "message", "created_at")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What some programs put between columns in place of commas."""
BATCH_ROWS = 2_000


class ExportError(ConvoPipelinesError, ValueError):
    """The file is not an n8n export that can be read; the message says why."""


@dataclass(frozen=True)
class HistoryRow:
    """One valid row of an export; `created_at` has a time zone, `message` is JSON text."""

    line: int
    session_id: str
    message: str
    created_at: datetime


@dataclass
class ImportResult:
    """The number of rows loaded, and of those that were there; and the rejected lines, each with its reason."""

    loaded: int = 0
    there: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


def create_table(connection: Connection, table_name: str) -> None:
    """Create `app.<table_name>` with its index on created_at, unless it exists."""
    if fetch_one(connection, "sources/is_missing", table_name=table_name)["is_missing"]:
        execute(connection, "sources/histories_table", histories(table_name))
        execute(connection, "sources/histories_table_index", histories(table_name))


def import_csv(
    warehouse: Warehouse,
    file: Path,
    crew_code: str,
    progress: Callable[[int], object] = lambda _rows: None,
    created_at: datetime | None = None,
) -> ImportResult:
    """Load an n8n export (columns session_id, message, created_at) into a crew's histories table, in one transaction.

    Rows that the table has already are not loaded again: those with the same session, message and time. Of several
    equal rows, so many are loaded as are missing.

    Args:
        warehouse: where the crew is.
        file: a CSV file in UTF-8; a `created_at` without a time zone is UTC.
        crew_code: an active crew; its histories table is created if it does not exist.
        progress: called with the number of rows processed since the last call.
        created_at: when the messages of a file without that column were written; without a time zone, it is UTC.

    Raises:
        CrewError: there is no such crew.
        ExportError: the file lacks a column, is not separated by commas, or is not encoded in UTF-8.

    """
    try:
        return _import(warehouse, file, crew_code, progress, created_at)
    except UnicodeDecodeError:
        raise ExportError(f"{file} is not encoded in UTF-8: convert it") from None


def _import(
    warehouse: Warehouse,
    file: Path,
    crew_code: str,
    progress: Callable[[int], object],
    created_at: datetime | None,
) -> ImportResult:
    result = ImportResult()
    with warehouse.connection() as connection:
        [crew] = crews.active(connection, [crew_code])
        table = crew["table_name"]
        with connection.transaction():
            allow_idle(connection)
            execute(
                connection, "database/session/lock", locks=[f"import into {table}"], lock_timeout=f"{LOCK_SECONDS}s"
            )
            create_table(connection, table)
            execute(connection, "sources/n8n/stage", histories(table))
            for batch in _batches(_rows(file, result, created_at), BATCH_ROWS):
                try:
                    _copy(connection, batch)
                except psycopg.DataError:
                    _copy_one_by_one(connection, batch, result)
                progress(len(batch))
            connection.execute("analyze pg_temp.imported")
            done = fetch_one(connection, "sources/n8n/load", histories(table))
    result.loaded, result.there = done["loaded"], done["there"]
    return result


def _rows(file: Path, result: ImportResult, created_at: datetime | None) -> Iterator[HistoryRow]:
    csv.field_size_limit(1 << 30)
    with file.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        columns = list(reader.fieldnames or ())
        given = {} if created_at is None or "created_at" in columns else {"created_at": created_at.isoformat()}
        if missing := [column for column in COLUMNS if column not in {*columns, *given}]:
            raise ExportError(_why(file, columns, missing))
        line = reader.line_num + 1
        for record in reader:
            record |= given
            try:
                yield _read(line, record)
            except ValueError as error:
                result.rejected.append((line, str(error)))
            line = reader.line_num + 1


def _why(file: Path, columns: list[str], missing: list[str]) -> str:
    header = ",".join(columns)
    found = header.removeprefix("sep=")[:1] if header.startswith("sep=") else max(SEPARATORS, key=header.count)
    if found in SEPARATORS and found in header:
        return f"the columns of {file} are separated by {SEPARATORS[found]}: save it with commas, as CSV in UTF-8"
    if header.startswith("sep="):
        return f"the first line of {file} is {header}: delete it"
    why = f"{file} has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}"
    is_time = missing == ["created_at"]
    return f"{why}; give the time of its messages by --created-at, if you know it" if is_time else why


def _read(line: int, record: dict[str, str | None]) -> HistoryRow:
    absent = [column for column in COLUMNS if not record.get(column)]
    if absent:
        raise ValueError(f"{', '.join(absent)} is empty")
    session_id, message, created_at = (str(record[column]) for column in COLUMNS)
    try:
        json.loads(message)
    except ValueError as error:
        raise ValueError(f"message is not JSON: {error}") from None
    try:
        moment = datetime.fromisoformat(created_at)
    except ValueError:
        raise ValueError(f"created_at {created_at!r} is not an ISO 8601 time") from None
    return HistoryRow(line, session_id, message, moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _copy(connection: Connection, rows: list[HistoryRow]) -> None:
    query = "copy pg_temp.imported (line, session_id, message, created_at) from stdin"
    with connection.transaction(), connection.cursor() as cursor, cursor.copy(query) as copy:
        for row in rows:
            copy.write_row((row.line, row.session_id, row.message, row.created_at))


def _copy_one_by_one(connection: Connection, rows: list[HistoryRow], result: ImportResult) -> None:
    for row in rows:
        try:
            _copy(connection, [row])
        except psycopg.DataError as error:
            result.rejected.append((row.line, error_message(error)))
    result.rejected.sort()


def _batches(rows: Iterator[HistoryRow], size: int) -> Iterator[list[HistoryRow]]:
    while batch := list(islice(rows, size)):
        yield batch
