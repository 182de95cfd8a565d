"""A simulated year of ticks: what Dagster's own database holds, with EVENT_RETENTION_DAYS at its default."""

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
from sqlalchemy import make_url

from benchmarks.discovery import Benchmark
from benchmarks.measure import FOLDER, console, fresh_database, run_file, seconds
from convo_pipelines.database import addresses
from convo_pipelines.settings import settings

DAYS_A_STEP, STEPS, STEPS_A_ROW = 5, 73, 6
TABLES = ("runs", "run_tags", "event_logs", "asset_event_tags", "asset_check_executions")

Row = dict[str, str]


def measure() -> list[Row]:
    """Run both ticks once, copy what Dagster stored of them hour by hour, and let retention run every fifth day."""
    with fresh_database() as url, tempfile.TemporaryDirectory() as home:
        storage = make_url(url).set(database="dagster").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create database dagster")
        os.environ |= {"CONVO_DATABASE_URL": url, "DAGSTER_PG_URL": storage, "DAGSTER_HOME": home}
        for cached in (settings, addresses.database_url, addresses.dagster_url):
            cached.cache_clear()
        shutil.copy(FOLDER.parent / "dagster.yaml", home)
        benchmark = Benchmark(url, 100, 10)
        benchmark.load()
        benchmark.close()
        return _year(storage)


def _year(storage: str) -> list[Row]:
    from convo_pipelines.definitions import defs
    from convo_pipelines.orchestration import retention
    from convo_pipelines.orchestration.partitions import tick_tags

    rows: list[Row] = []
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=STEPS * DAYS_A_STEP)
    with dg.DagsterInstance.get() as instance, psycopg.connect(storage, autocommit=True) as connection:
        for job in ("conversation_discovery", "link_sync"):
            defs.resolve_job_def(job).execute_in_process(instance=instance, tags=tick_tags(job))
        connection.execute("create schema template")
        for table in TABLES:
            connection.execute(f"create table template.{table} as table {table}")
        for step in range(STEPS):
            first = start + timedelta(days=step * DAYS_A_STEP)
            parameters = {
                "start": first.replace(tzinfo=None),
                "days": DAYS_A_STEP,
                "today": f"{datetime.now(UTC):%Y-%m-%d}",
            }
            with connection.transaction():
                run_file(connection, "simulated_hours", **parameters)
            now = first + timedelta(days=DAYS_A_STEP)
            before = now - timedelta(days=settings().event_retention_days)
            took = seconds(lambda before=before: retention.delete_runs(instance, before))
            if (step + 1) % STEPS_A_ROW == 0 or step + 1 == STEPS:
                connection.execute("vacuum")
                rows.append(_row(instance, connection, (step + 1) * DAYS_A_STEP, took))
    return rows


def _row(instance: dg.DagsterInstance, connection: psycopg.Connection[tuple], days: int, took: float) -> Row:
    [[runs, events, size]] = connection.execute(
        "select (select count(*) from runs), (select count(*) from event_logs), "
        "pg_database_size(current_database()) - (select sum(pg_total_relation_size(oid)) from pg_class "
        "where relnamespace = 'template'::regnamespace)"
    ).fetchall()
    partitions = instance.get_materialized_partitions(dg.AssetKey("conversation_summaries"))
    row = {
        "days": f"{days:,}",
        "runs": f"{runs:,}",
        "events": f"{events:,}",
        "database": f"{size / 1_000_000:,.0f} MB",
        "partitions materialized": f"{len(partitions):,}",
        "retention": f"{took:.1f} s",
    }
    console.print(row)
    return row
