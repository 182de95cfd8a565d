"""The schedules; those of ticks launch a run only if the database has unread changes."""

import functools
import logging
from collections.abc import Sequence

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log, ticks
from convo_pipelines.engine.registry import DISCOVERY, LINKS, DerivedTable
from convo_pipelines.orchestration.automation import jobs
from convo_pipelines.orchestration.console import TO_CONSOLE
from convo_pipelines.orchestration.partitions import TICK_TAG, tick_tags
from convo_pipelines.settings import Settings, settings

_log = logging.getLogger(__name__)


def cron(name: str) -> str:
    """Return the cron expression of a setting; if it is invalid, log an error and return the default."""
    given = getattr(settings(), name)
    try:
        dg.ScheduleDefinition(name="probe", job_name="probe", cron_schedule=given)
    except dg.DagsterInvalidDefinitionError:
        default = Settings.model_fields[name].default
        _log.error("%s=%r is not a cron expression; using the default %r", name.upper(), given, default)
        return default
    return given


_STATUS = dg.DefaultScheduleStatus.RUNNING if settings().enable_background_jobs else dg.DefaultScheduleStatus.STOPPED
_schedule = functools.partial(dg.schedule, execution_timezone="UTC", default_status=_STATUS)


@_schedule(job=jobs.conversation_discovery, cron_schedule=cron("conversation_discovery_cron"))
def conversation_discovery_schedule(warehouse: dg.ResourceParam[Warehouse]) -> dg.RunRequest | dg.SkipReason:
    """Refreshes changed sessions, conversations and summaries, if there are any."""
    return _tick(warehouse, "conversation_discovery", DISCOVERY)


@_schedule(job=jobs.link_sync, cron_schedule=cron("link_sync_cron"))
def link_sync_schedule(warehouse: dg.ResourceParam[Warehouse]) -> dg.RunRequest | dg.SkipReason:
    """Refreshes changed participants and links, if there are any."""
    return _tick(warehouse, "link_sync", LINKS)


@_schedule(job=jobs.reconcile, cron_schedule=cron("reconcile_cron"))
def reconcile_schedule() -> dg.RunRequest:
    """Compares every derived row with its sources; queued while the previous run is in progress."""
    return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: "reconcile"})


@_schedule(job=jobs.health, cron_schedule=cron("health_cron"))
def health_schedule() -> dg.RunRequest:
    """Checks that the pipeline is up to date."""
    return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: "health"})


@_schedule(job=jobs.activity_report, cron_schedule=cron("report_cron"))
def activity_report_schedule() -> dg.RunRequest:
    """Writes the report, and sends it to REPORT_URLS."""
    return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: "activity_report"})


@_schedule(job=jobs.event_retention, cron_schedule="30 3 * * *")
def event_retention_schedule() -> dg.RunRequest:
    """Deletes old runs from Dagster's own database."""
    return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: "event_retention"})


def _tick(warehouse: Warehouse, job_name: str, tables: Sequence[DerivedTable]) -> dg.RunRequest | dg.SkipReason:
    with warehouse.connection() as connection:
        if held := change_log.at_work(connection, tables):
            until = f"{held['until']:%H:%M:%S}"
            return dg.SkipReason(f"a tick of {held['asset_key']} is running: {held['holder']}, lease until {until}")
    if not ticks.have_news(warehouse, tables):
        return dg.SkipReason("nothing has changed since the last tick")
    return dg.RunRequest(run_config=TO_CONSOLE, tags=tick_tags(job_name))
