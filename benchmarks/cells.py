"""One Dagster for many cells: what its daemon takes, what each code server takes, and how late ticks are."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.measure import console, fresh_database, variables
from benchmarks.usage import Processes
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines_tests.cells import Dagster, running
from convo_pipelines_tests.conftest import company
from convo_pipelines_tests.processes import wait_until
from convo_pipelines_tests.world import World

MINUTES, SETTLING_SECONDS = 2, 45
EVERY_MINUTE, NEVER = "* * * * *", "0 0 1 1 *"
CRONS = {"CONVERSATION_DISCOVERY_CRON": EVERY_MINUTE, "LINK_SYNC_CRON": EVERY_MINUTE} | {
    f"{job}_CRON": NEVER for job in ("HEALTH", "RECONCILE", "REPORT")
}
SETTLED = "select count(distinct selector_id) >= 2 * %s from job_ticks where type = 'SCHEDULE'"
RAN = "select count(*) from event_logs where run_id in (select run_id from runs where status = 'SUCCESS')"
LATE = """
select (tick_body::json ->> 'end_timestamp')::float8 - extract(epoch from timestamp)::float8
from job_ticks
where type = 'SCHEDULE' and timestamp >= to_timestamp(%s) at time zone 'UTC'
"""
TICKS = "select count(*) from job_ticks"

Row = dict[str, str]


def measure(*counts: int) -> list[Row]:
    """Return what one Dagster takes for so many cells with little data, and nothing new."""
    rows = list[Row]()
    for cells in counts:
        with tempfile.TemporaryDirectory(dir="/tmp") as folder, fresh_database(max_connections="1000") as url:
            rows.append(_measure(Path(folder), url, cells))
            console.print(rows[-1])
    return rows


def _measure(folder: Path, url: str, cells: int) -> Row:
    world = World(Warehouse(url))
    company(world)
    world.tick()
    world.sync()
    world.tick()
    world.close()
    databases = dict(_databases(url, ["storage", *(f"cell_{number}" for number in range(cells))]))
    storage = databases.pop("storage")
    dagster = Dagster(folder, storage, databases, CRONS)
    _report_all(folder, databases, storage)
    with running(dagster), psycopg.connect(storage, autocommit=True) as connection:
        wait_until(lambda: _one(connection, SETTLED, cells), 600, dagster)
        time.sleep(SETTLING_SECONDS)
        daemon = Processes(dagster.processes["daemon"].pid)
        servers = [psutil.Process(dagster.processes[cell].pid) for cell in databases]
        stored, began = _one(connection, TICKS), time.time()
        used = daemon.cpu_seconds(), sum(map(_cpu_seconds, servers))
        time.sleep(MINUTES * 60)
        daemon_seconds = (daemon.cpu_seconds() - used[0]) / MINUTES
        server_seconds = (sum(map(_cpu_seconds, servers)) - used[1]) / MINUTES / cells
        ticks = (_one(connection, TICKS) - stored) / MINUTES / cells
        late = [seconds for (seconds,) in connection.execute(LATE, [began])]
        daemon.sample()
        memory = sum(server.memory_full_info().pss for server in servers) / cells
        with psycopg.connect(next(iter(databases.values())), autocommit=True) as application:
            application.execute("update app.messages set sent_at = sent_at - interval '1 second'")
        wait_until(lambda: _one(connection, RAN), 300, dagster)
        events = _one(connection, RAN)
    return {
        "cells": f"{cells}",
        "daemon, a minute": f"{daemon_seconds:.1f} s",
        "a code server, a minute": f"{server_seconds:.2f} s",
        "memory of a code server": f"{memory / 2**20:.0f} MB",
        "of the daemon": f"{daemon.megabytes[-1]:.0f} MB",
        "a tick ends after its minute: p50": f"{np.percentile(late, 50):.1f} s",
        "longest": f"{max(late):.1f} s",
        "ticks stored, a minute and cell": f"{ticks:.1f}",
        "events of a run": f"{events}",
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


def _report_all(folder: Path, cells: Iterable[str], storage: str) -> None:
    """Have Dagster know the tables of all cells, which are built: else each begins with a run."""
    with variables(DAGSTER_PG_URL=storage), dg.DagsterInstance.from_config(str(folder)) as instance:
        for cell in cells:
            for table in DERIVED_TABLES:
                instance.report_runless_asset_event(dg.AssetMaterialization([cell, table.name]))


def _one(connection: psycopg.Connection[tuple], query: str, *values: object) -> int:
    [found] = connection.execute(query, values or None).fetchone() or ()
    return int(found)
