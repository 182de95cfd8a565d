"""The Dagster code location: one Definitions object."""

import dagster as dg

from convo_pipelines.orchestration.assets.activity_report import activity_report
from convo_pipelines.orchestration.assets.derived import derived_assets
from convo_pipelines.orchestration.automation import jobs, schedules, sensors
from convo_pipelines.orchestration.automation.narrowed import refresh_narrowed
from convo_pipelines.orchestration.checks.completeness import every_message_is_counted
from convo_pipelines.orchestration.checks.duplicates import duplicate_checks
from convo_pipelines.orchestration.checks.health import discovery_is_healthy, odd_row_checks
from convo_pipelines.orchestration.checks.lifecycle import lifecycle_checks
from convo_pipelines.orchestration.checks.orphans import orphan_checks
from convo_pipelines.orchestration.checks.tables import table_checks
from convo_pipelines.orchestration.external import external_assets
from convo_pipelines.orchestration.metadata import at_git
from convo_pipelines.orchestration.resources import WarehouseResource

defs = dg.Definitions(
    assets=[
        *external_assets,
        *at_git(derived_assets),
        activity_report,
    ],
    asset_checks=[
        *duplicate_checks,
        *orphan_checks,
        every_message_is_counted,
        discovery_is_healthy,
        *odd_row_checks,
        *table_checks,
        *lifecycle_checks,
    ],
    jobs=[
        jobs.conversation_discovery,
        jobs.link_sync,
        refresh_narrowed,
        jobs.reconcile,
        jobs.health,
        jobs.all_checks,
        jobs.activity_report,
        jobs.event_retention,
    ],
    schedules=[
        schedules.conversation_discovery_schedule,
        schedules.link_sync_schedule,
        schedules.reconcile_schedule,
        schedules.health_schedule,
        schedules.activity_report_schedule,
        schedules.event_retention_schedule,
    ],
    sensors=[
        sensors.run_results,
        sensors.check_results,
        sensors.webhook_results,
        sensors.all_checks_after_reconcile,
    ],
    resources={"warehouse": WarehouseResource()},
    executor=dg.in_process_executor,
)
