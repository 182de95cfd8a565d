"""The Dagster code location: one Definitions object, and what another location has of it."""

import dagster as dg

from convo_pipelines.orchestration.assets.activity_report import activity_report
from convo_pipelines.orchestration.assets.derived import derived_assets
from convo_pipelines.orchestration.automation import jobs, schedules, sensors
from convo_pipelines.orchestration.automation.narrowed import refresh_narrowed
from convo_pipelines.orchestration.checks.every import every_check
from convo_pipelines.orchestration.console import console
from convo_pipelines.orchestration.external import external_assets
from convo_pipelines.orchestration.lake import lake_assets, lake_jobs, lake_schedules
from convo_pipelines.orchestration.metadata import at_git
from convo_pipelines.orchestration.resources import WarehouseResource


def pipelines() -> dg.Definitions:
    """Return all but the defaults of a location: another one may have its own."""
    return dg.Definitions(
        assets=[
            *external_assets,
            *at_git(derived_assets),
            activity_report,
            *lake_assets,
        ],
        asset_checks=every_check,
        jobs=[
            jobs.conversation_discovery,
            jobs.link_sync,
            refresh_narrowed,
            jobs.reconcile,
            jobs.health,
            jobs.all_checks,
            jobs.activity_report,
            jobs.event_retention,
            *jobs.scheduled_alone.values(),
            *lake_jobs,
        ],
        schedules=[
            schedules.conversation_discovery_schedule,
            schedules.link_sync_schedule,
            schedules.reconcile_schedule,
            schedules.health_schedule,
            schedules.activity_report_schedule,
            schedules.event_retention_schedule,
            *schedules.optional_schedules(),
            *schedules.own_schedules,
            *lake_schedules,
        ],
        sensors=[
            sensors.run_results,
            sensors.check_results,
            sensors.red_checks,
            sensors.database_outages,
            sensors.live_results,
            sensors.all_checks_after_reconcile,
        ],
        resources={"warehouse": WarehouseResource()},
    )


defs = dg.Definitions.merge(pipelines(), dg.Definitions(loggers={"console": console}, executor=dg.in_process_executor))
