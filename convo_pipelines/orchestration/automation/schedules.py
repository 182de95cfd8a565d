"""The schedules; those of ticks launch a run only if the database has unread changes."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from convo_pipelines import extras
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import leases, ticks
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES, LINK_SYNC
from convo_pipelines.orchestration import freshness
from convo_pipelines.orchestration.automation import jobs
from convo_pipelines.orchestration.cells import qualified, tags
from convo_pipelines.orchestration.console import TO_CONSOLE
from convo_pipelines.orchestration.crons import cron
from convo_pipelines.orchestration.partitions import TICK_TAG, tick_tags
from convo_pipelines.settings import settings


def _schedule(*, is_on: bool = True, **options: Any) -> Callable[[Callable[..., Any]], dg.ScheduleDefinition]:
    """Decorate an evaluation as a schedule that its docstring describes."""
    is_on = is_on and settings().enable_background_jobs
    status = dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED

    def define(evaluate: Callable[..., Any]) -> dg.ScheduleDefinition:
        return dg.schedule(**options, execution_timezone="UTC", default_status=status, description=evaluate.__doc__)(
            evaluate
        )

    return define


@_schedule(job=jobs.conversation_discovery, cron_schedule=cron("conversation_discovery_cron"))
def conversation_discovery_schedule(
    context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.RunRequest | dg.SkipReason:
    """Refreshes changed sessions, conversations and summaries, if there are any; the links, if they are due, too."""
    return _tick(context, warehouse, "conversation_discovery", jobs.DISCOVERED)


@_schedule(job=jobs.link_sync, cron_schedule=cron("link_sync_cron"))
def link_sync_schedule(
    context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.RunRequest | dg.SkipReason:
    """Refreshes changed participants and links, if there are any, unless the run of conversation_discovery does."""
    if LINK_SYNC[0] in jobs.DISCOVERED and not _has_failed(context.instance, "conversation_discovery"):
        return dg.SkipReason("conversation_discovery has the same cron expression: its run refreshes the links, too")
    return _tick(context, warehouse, "link_sync", LINK_SYNC)


@_schedule(job=jobs.reconcile, cron_schedule=cron("reconcile_cron"))
def reconcile_schedule() -> dg.RunRequest:
    """Compares every derived row with its sources; queued while the previous run is in progress."""
    return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: qualified("reconcile")})


@_schedule(job=jobs.health, cron_schedule=cron("health_cron"))
def health_schedule() -> dg.RunRequest:
    """Checks that the pipeline is up to date."""
    return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: qualified("health")})


@_schedule(job=jobs.activity_report, cron_schedule=cron("report_cron"), is_on=extras.is_installed("report"))
def activity_report_schedule() -> dg.RunRequest:
    """Writes the report, and sends it to REPORT_URLS; off by default without the extra `report`."""
    return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: qualified("activity_report")})


@_schedule(job=jobs.event_retention, cron_schedule="30 3 * * *")
def event_retention_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Deletes old runs from Dagster's own database, once for all of its cells."""
    since = dg.RunsFilter(job_name="event_retention", created_after=context.scheduled_execution_time)
    if settings().convo_cell and context.instance.get_runs(since, limit=1):
        return dg.SkipReason("another cell does")
    return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: "event_retention"})


def optional_schedules() -> list[dg.ScheduleDefinition]:
    """Return the schedules that only exist if their cron expression is set."""
    if not (expression := settings().project_arrays_cron and cron("project_arrays_cron")):
        return []

    @_schedule(job=jobs.project_arrays, cron_schedule=expression)
    def project_arrays_schedule() -> dg.RunRequest:
        """Rewrites the deprecated arrays of projects that differ."""
        return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: qualified("project_arrays")})

    return [project_arrays_schedule]


def _own_schedule(table: DerivedTable) -> dg.ScheduleDefinition:
    """Return the schedule of a table that declares `cron`."""

    @_schedule(name=f"{table.job}_schedule", job=jobs.scheduled_alone[table.name], cron_schedule=table.cron)
    def schedule(
        context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.RunRequest | dg.SkipReason:
        """Refreshes a table of one's own, if what it reads has changed."""
        return _tick(context, warehouse, table.job, [table])

    return schedule


def _tick(
    context: dg.ScheduleEvaluationContext, warehouse: Warehouse, job_name: str, tables: Sequence[DerivedTable]
) -> dg.RunRequest | dg.SkipReason:
    with warehouse.connection() as connection:
        in_force = leases.in_force(connection, [table.name for table in tables])
    for held in in_force:
        if not leases.is_follower(held["holder"]):
            until = f"{held['until']:%H:%M:%S}"
            return dg.SkipReason(f"a tick of {held['asset_key']} is running: {held['holder']}, lease until {until}")
    materialized_at = freshness.materialized_at(context.instance, tables)
    is_known = len(materialized_at) == len(tables)
    if not (in_force and is_known) and (not is_known or ticks.have_news(warehouse, tables)):
        queued = dg.RunsFilter(tags={TICK_TAG: qualified(job_name)}, statuses=[dg.DagsterRunStatus.QUEUED])
        if context.instance.get_runs(queued, limit=1):
            return dg.SkipReason("the previous run is still queued: it will read what has changed")
        return dg.RunRequest(run_config=TO_CONSOLE, tags=tick_tags(job_name))
    for table in tables:
        if materialized_at[table.name] <= context.scheduled_execution_time - freshness.REPORTED_EVERY:
            freshness.report_unchanged(context.instance, warehouse, table)
    if in_force:
        return dg.SkipReason(f"followed by {leases.follower_of(in_force)}")
    return dg.SkipReason("nothing has changed since the last tick")


def _has_failed(instance: dg.DagsterInstance, job_name: str) -> bool:
    """Whether the last run of a job that has ended failed."""
    ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    runs = instance.get_runs(dg.RunsFilter(job_name=job_name, statuses=ended, tags=tags()), limit=1)
    return [run.status for run in runs] == [dg.DagsterRunStatus.FAILURE]


own_schedules = [_own_schedule(table) for table in DERIVED_TABLES if table.cron]
