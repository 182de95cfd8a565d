"""One Dagster for many cells: what its daemon takes, what each code server takes, and how late ticks are."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.measure import console, fresh_database
from benchmarks.usage import Processes
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines_tests.cells import Dagster, running
from convo_pipelines_tests.conftest import company
from convo_pipelines_tests.processes import wait_until
from convo_pipelines_tests.world import World

MINUTES, SETTLING_SECONDS = 2, 45
EVERY_MINUTE, NEVER = "* * * * *", "0 0 1 1 *"
CRONS = {"CONVERSATION_DISCOVERY_CRON": EVERY_MINUTE, "LINK_SYNC_CRON": EVERY_MINUTE} | {
    f"{job}_CRON": NEVER for job in ("HEALTH", "RECONCILE", "REPORT")
}
SETTLED = "select count(*) filter (where status = 'SUCCESS') >= %s and bool_and(status = 'SUCCESS') from runs"
LATE = """
select (tick_body::json ->> 'end_timestamp')::float8 - extract(epoch from timestamp)::float8
from job_ticks
where type = 'SCHEDULE' and timestamp >= to_timestamp(%s) at time zone 'UTC'
"""
STORED = "select (select count(*) from job_ticks), (select count(*) from event_logs), (select count(*) from runs)"

Row = dict[str, str]


def measure(*counts: int) -> list[Row]:
    """Return what one Dagster takes for so many cells with little data, and nothing new."""
    rows = list[Row]()
    for cells in counts:
        with tempfile.TemporaryDirectory(dir="/tmp") as folder, fresh_database(connections=1_000) as url:
            rows.append(_measure(Path(folder), url, cells))
            console.print(rows[-1])
    return rows


def _measure(folder: Path, url: str, cells: int) -> Row:
    world = World(Warehouse(url))
    company(world)
    world.close()
    databases = dict(_databases(url, ["storage", *(f"cell_{number}" for number in range(cells))]))
    storage = databases.pop("storage")
    dagster = Dagster(folder, storage, databases, CRONS)
    with running(dagster), psycopg.connect(storage, autocommit=True) as connection:
        wait_until(lambda: _is(connection, SETTLED, cells), 1_200, dagster)
        _, events, runs = _one(connection, STORED)
        time.sleep(SETTLING_SECONDS)
        daemon = Processes(dagster.processes["daemon"].pid)
        servers = [psutil.Process(dagster.processes[cell].pid) for cell in databases]
        stored, began = _one(connection, STORED), time.time()
        used = daemon.cpu_seconds(), sum(map(_cpu_seconds, servers))
        time.sleep(MINUTES * 60)
        daemon_seconds = (daemon.cpu_seconds() - used[0]) / MINUTES
        server_seconds = (sum(map(_cpu_seconds, servers)) - used[1]) / MINUTES / cells
        ticks = (_one(connection, STORED)[0] - stored[0]) / MINUTES / cells
        late = [seconds for (seconds,) in connection.execute(LATE, [began])]
        daemon.sample()
        memory = sum(server.memory_full_info().pss for server in servers) / cells
    return {
        "cells": f"{cells}",
        "daemon, a minute": f"{daemon_seconds:.1f} s",
        "a code server, a minute": f"{server_seconds:.2f} s",
        "memory of a code server": f"{memory / 2**20:.0f} MB",
        "of the daemon": f"{daemon.megabytes[-1]:.0f} MB",
        "a tick ends after its minute: p50": f"{np.percentile(late, 50):.1f} s",
        "longest": f"{max(late):.1f} s",
        "ticks stored, a minute and cell": f"{ticks:.1f}",
        "events of a run": f"{events / runs:.0f}",
    }


def _databases(url: str, names: list[str]) -> Iterator[tuple[str, str]]:
    """Create databases like that of an address, and yield the address of each."""
    template = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True, dbname="template1") as connection:
        for name in names:
            source = "" if name == "storage" else f"template {template}"
            connection.execute(f"create database {name} {source}")
            yield name, url.replace(f"/{template}?", f"/{name}?")


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _one(connection: psycopg.Connection[tuple], query: str, *values: object) -> tuple:
    return connection.execute(query, values or None).fetchone() or ()


def _is(connection: psycopg.Connection[tuple], query: str, *values: object) -> bool:
    try:
        return bool(_one(connection, query, *values)[0])
    except psycopg.errors.UndefinedTable:  # nobody has created Dagster's storage yet
        return False
