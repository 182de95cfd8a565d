"""Peers that keep views without being run again and again: Deltaflow beside a database, and pg_ivm inside of one."""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.peers.tools import FOLDER, PEERS
from convo_pipelines_tests.processes import NODE, free_port, npm_installed, wait_until

OWN = FOLDER / "own"
DELTAFLOW = str(PEERS.parent / "deltaflow" / "bin" / "deltaflow")
WAIT = "select _deltaflow.wait_for(pg_current_wal_lsn(), %s, make_interval(secs => %s))"

ROWS_A_STATEMENT = 5_000
"""COPY does not work through PGlite's socket."""

Connection = psycopg.Connection[tuple]


class RefusedError(Exception):
    """A view that is not accepted, or cannot be kept; with what was said."""


@contextmanager
def deltaflow(connection: Connection, slot: str, views: Path) -> Iterator[Callable[[], None]]:
    """Let Deltaflow keep the views of a file; yield what waits until they have what is committed.

    Raises:
        RefusedError: it ended, or does not follow.

    """
    names = re.findall(r"create view \w+\.(\w+)", views.read_text())
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        options = ["--slot", slot, "--dsn", make_conninfo(connection.info.dsn), "--state-dir", f"{folder}/state"]
        with log.open("wb") as out:
            command = [DELTAFLOW, "run", views, *options, "--http-port", "-1", "--log-format", "text"]
            process = subprocess.Popen(command, stdout=out, stderr=out)

        def wait(seconds: int = 30) -> None:
            if not _caught_up(connection, names, seconds) or process.poll() is not None:
                raise RefusedError(_said(log.read_text()))

        try:
            wait_until(lambda: process.poll() is not None or _caught_up(connection, names, seconds=1), 120)
            wait()
            yield wait
        finally:
            process.terminate()
            process.wait()
            subprocess.run([DELTAFLOW, "reset", *options], capture_output=True)


def _caught_up(connection: Connection, names: Sequence[str], seconds: int) -> bool:
    try:
        [[is_there]] = connection.execute(WAIT, [list(names), seconds]).fetchall()
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedObject):
        return False
    return is_there


def _said(log: str) -> str:
    """Return the first error of a log: later ones follow from it."""
    found = re.search(r"^(?:deltaflow: error|[a-z_]+(?:\.\w+)+|\w*Error): (.*)$", log, re.MULTILINE)
    return found[1] if found else log[-200:]


@contextmanager
def pg_ivm() -> Iterator[Connection]:
    """Start PGlite, which has pg_ivm and one connection."""
    port = free_port()
    server = npm_installed(OWN / "pg_ivm")
    command = [NODE, "node_modules/.bin/pglite-server", "-p", port, "-e", "@electric-sql/pglite-pg_ivm:pg_ivm"]
    process = subprocess.Popen(command, cwd=server, stdout=subprocess.DEVNULL, env=os.environ | {"TZ": "UTC"})
    try:
        found: list[Connection] = []
        wait_until(lambda: _connect(port, found), 60)
        [connection] = found
        connection.execute("create extension pg_ivm; set timezone = 'UTC'")
        yield connection
        connection.close()
    finally:
        process.terminate()
        process.wait()


def _connect(port: str, found: list[Connection]) -> bool:
    address = f"host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=disable"
    try:
        found.append(psycopg.connect(address, autocommit=True))
    except psycopg.OperationalError:
        return False
    return True


def copy_tables(source: Connection, target: Connection, tables: Sequence[str], *, with_rows: bool) -> None:
    """Create tables with the columns, defaults and primary keys that they have in another database."""
    source.execute("set search_path = ''")
    for table in tables:
        [[statement]] = source.execute((OWN / "plain_table.sql").read_text(), {"table": table}).fetchall()
        target.execute(statement)
        if with_rows:
            name = sql.Identifier(*table.split("."))
            rows = [row for [row] in source.execute(sql.SQL("select to_json(t)::text from {} as t").format(name))]
            insert = sql.SQL("insert into {0} select * from json_populate_recordset(null::{0}, %s)").format(name)
            for first in range(0, len(rows), ROWS_A_STATEMENT):
                target.execute(insert, [f"[{','.join(rows[first : first + ROWS_A_STATEMENT])}]"])
