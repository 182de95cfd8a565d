"""The definitions of the lake, if LAKE_URI or LAKE_CRON is set: its assets, checks, jobs and schedules; else none."""

from typing import Any

import dagster as dg

from convo_pipelines import extras
from convo_pipelines.orchestration.cells import key, qualified, tags
from convo_pipelines.orchestration.console import TO_CONSOLE
from convo_pipelines.orchestration.crons import cron
from convo_pipelines.orchestration.failures import plain_failures
from convo_pipelines.orchestration.partitions import TICK_TAG, tick_tags
from convo_pipelines.settings import settings


@dg.op
def clean_lake(context: dg.OpExecutionContext) -> None:
    """Expires snapshots of the lake's tables that are older than a day, and deletes files that no snapshot has."""
    from convo_pipelines.lake import upkeep
    from convo_pipelines.lake.tables import LAKE_TABLES

    with plain_failures(context):
        for table in LAKE_TABLES:
            done = upkeep.clean(table.name)
            context.log.info("lake/%s: %s", table.name, done)


@dg.job(description="Deletes old snapshots and files of the lake.", tags=tags())
def lake_upkeep() -> None:
    """Run the deletion."""
    clean_lake()


def _schedules(job: Any) -> list[dg.ScheduleDefinition]:
    if not (expression := settings().lake_cron and cron("lake_cron")):
        return []
    is_on = settings().enable_background_jobs
    status = dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED

    @dg.schedule(job=job, cron_schedule=expression, execution_timezone="UTC", default_status=status)
    def lake_schedule() -> dg.RunRequest:
        """Writes the days that have changed into the lake."""
        return dg.RunRequest(run_config=TO_CONSOLE, tags=tick_tags("lake"))

    @dg.schedule(job=lake_upkeep, cron_schedule="30 4 * * *", execution_timezone="UTC", default_status=status)
    def lake_upkeep_schedule() -> dg.RunRequest:
        """Deletes old snapshots and files of the lake."""
        return dg.RunRequest(run_config=TO_CONSOLE, tags={TICK_TAG: qualified("lake_upkeep")})

    return [lake_schedule, lake_upkeep_schedule]


lake_assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
lake_checks: list[dg.AssetChecksDefinition] = []
lake_jobs: list[Any] = []
lake_schedules: list[dg.ScheduleDefinition] = []

if settings().has_lake:
    extras.require("lake")
    from convo_pipelines.orchestration import questions
    from convo_pipelines.orchestration.assets import lake

    lake_assets, lake_checks = lake.lake_assets, lake.lake_checks
    _selection = dg.AssetSelection.assets(*(key(f"lake/{table.name}") for table in lake.LAKE_TABLES)).without_checks()
    _job = dg.define_asset_job("lake", _selection, description="Writes changed days into the lake.", tags=tags())
    lake_jobs, lake_schedules = [_job, lake_upkeep, questions.lake_query], _schedules(_job)
