"""The sensors: alerts, failed checks again, what the webhook and the follower did, all checks after a reconcile."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from convo_pipelines.database.execution import fetch
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.model.tables import TABLES
from convo_pipelines.operations import alerts, health
from convo_pipelines.orchestration import causes
from convo_pipelines.orchestration.automation import jobs
from convo_pipelines.orchestration.cells import has_run, is_ours, key, name_of, qualified
from convo_pipelines.orchestration.checks.every import specs
from convo_pipelines.orchestration.console import TO_CONSOLE
from convo_pipelines.orchestration.metadata import described
from convo_pipelines.orchestration.partitions import TICK_TAG, days
from convo_pipelines.settings import settings

_STATUS = dg.DefaultSensorStatus.RUNNING if settings().enable_background_jobs else dg.DefaultSensorStatus.STOPPED
RESULTS_PER_TICK = 1_000
RED_CHECKS = {TICK_TAG: qualified("red_checks")}
UNNAMED_JOBS = {"__ASSET_JOB": "a materialization"}
"""Dagster's name of the runs that materialize assets without a job of ours."""


def _sensor(**options: Any) -> Callable[[Callable[..., Any]], dg.SensorDefinition]:
    """Decorate an evaluation as a sensor that its docstring describes."""

    def define(evaluate: Callable[..., Any]) -> dg.SensorDefinition:
        return dg.sensor(**options, default_status=_STATUS, description=evaluate.__doc__)(evaluate)

    return define


@_sensor(minimum_interval_seconds=30)
def run_results(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """Alerts on runs that failed and are not retried; ends the alert when the job succeeds."""
    warehouse.ping()
    after = _cursor(context)
    found = [
        record
        for kind in (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)
        for record in context.instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(kind, after_storage_id=after), RESULTS_PER_TICK, ascending=True
        ).records
    ]
    events = sorted(found, key=lambda record: record.storage_id)[:RESULTS_PER_TICK]
    runs = _runs(context.instance, {event.run_id for event in events})
    with warehouse.connection() as connection:
        for event in events:
            run, happened = runs.get(event.run_id), event.event_log_entry.dagster_event
            if run is None or happened is None or run.tags.get("dagster/will_retry") == "true":
                continue
            subject = UNNAMED_JOBS.get(run.job_name, run.job_name)
            if happened.is_run_failure:
                found, remedy = causes.cause(context.instance, run.run_id, happened)
                where = f"runs/{run.run_id}"
                alerts.begin(connection, "runs", "a run failed", subject, f"{found} (run {run.run_id})", remedy, where)
            else:
                alerts.end(connection, "runs", subject)
    return _done(context, warehouse, events)


@_sensor(minimum_interval_seconds=30)
def check_results(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """Alerts on failed checks of severity ERROR; ends the alert when the check passes."""
    warehouse.ping()
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    events = context.instance.event_log_storage.get_event_records(  # the instance's own method is deprecated
        dg.EventRecordsFilter(kind, after_cursor=_cursor(context)), RESULTS_PER_TICK, ascending=True
    )
    with warehouse.connection() as connection:
        for event in events:
            if (evaluated := event.event_log_entry.dagster_event) is None:
                continue
            check = evaluated.asset_check_evaluation_data
            if not is_ours(check.asset_key):
                continue
            subject = f"{check.check_name} of {name_of(check.asset_key)}"
            if check.passed or check.severity is not dg.AssetCheckSeverity.ERROR:
                alerts.end(connection, "checks", subject)
                continue
            found = causes.offenders(check)
            where = f"assets/{check.asset_key.to_user_string()}?view=checks&checkDetail={check.check_name}"
            remedy = specs[subject].description or "" if subject in specs else "The code no longer has this check."
            alerts.begin(connection, "checks", "a check fails", subject, found, remedy, where)
    return _done(context, warehouse, events)


@_sensor(job=jobs.all_checks, minimum_interval_seconds=300)
def red_checks(
    context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.RunRequest | dg.SkipReason:
    """Runs checks with an open alert again, so that it ends soon after the remedy; for a tenth of the time at most."""
    warehouse.ping()
    with warehouse.connection() as connection:
        subjects = [alert["subject"] for alert in alerts.history(connection) if alert["source"] == "checks"]
        for subject in set(subjects) - set(specs):  # the code no longer has it
            alerts.end(connection, "checks", subject)
    red = [specs[subject].key for subject in subjects if subject in specs]
    if not red:
        return dg.SkipReason("no check has an open alert")
    last = context.instance.get_run_records(dg.RunsFilter(tags=RED_CHECKS), limit=1)
    if last and not _is_due(last[0]):
        return dg.SkipReason("they were run recently")
    return dg.RunRequest(run_config=TO_CONSOLE, asset_check_keys=red, tags=RED_CHECKS)


def _is_due(last: dg.RunRecord) -> bool:
    if last.start_time is None or last.end_time is None:
        return last.dagster_run.is_finished
    return time.time() - last.end_time >= 9 * (last.end_time - last.start_time)


@_sensor(minimum_interval_seconds=30)
def database_outages(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """Alerts on the database being away, provided that Dagster's own storage is not."""
    outage = alerts.watch(warehouse, alerts.Outage.from_text(context.cursor) if context.cursor else None)
    context.update_cursor(outage.as_text() if outage else "")
    return dg.SkipReason(f"{health.AWAY}: {outage.found}" if outage else "the database accepts connections")


def _runs(instance: dg.DagsterInstance, ids: set[str]) -> dict[str, dg.DagsterRun]:
    """Return those of the runs that are of this cell, by their ids."""
    if not ids:  # which would select all runs
        return {}
    found = instance.get_runs(dg.RunsFilter(run_ids=[*ids]))
    return {run.run_id: run for run in found if has_run(run)}


def _cursor(context: dg.SensorEvaluationContext) -> int | None:
    """Return the last event that was handled."""
    return int(context.cursor) if context.cursor else None


def _done(
    context: dg.SensorEvaluationContext, warehouse: Warehouse, events: Sequence[dg.EventLogRecord]
) -> dg.SkipReason:
    if events:
        context.update_cursor(str(events[-1].storage_id))
    alerts.deliver(warehouse)
    return dg.SkipReason(f"{len(events)} results")


@_sensor(minimum_interval_seconds=60)
def live_results(
    context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.SensorResult | dg.SkipReason:
    """Reports to Dagster what the webhook and the follower did: one materialization of today's partition per table."""
    warehouse.ping()
    with warehouse.connection() as connection:
        recorded = fetch(connection, "serving/record/since", after=int(context.cursor or 0))
    if not recorded:
        return dg.SkipReason("nothing new is recorded")
    materializations = [
        dg.AssetMaterialization(
            key(row["table_name"]),
            partition=days.get_last_partition_key() if TABLES[row["table_name"]].grain.has_days else None,
            metadata=described(warehouse, TABLES[row["table_name"]])
            | {
                "webhook_sessions": row["sessions"],
                "rows_inserted": row["inserted"],
                "rows_updated": row["updated"],
                "rows_deleted": row["deleted"],
            },
        )
        for row in recorded
    ]
    return dg.SensorResult(asset_events=materializations, cursor=str(max(row["last_id"] for row in recorded)))


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[jobs.reconcile],
    request_job=jobs.all_checks,
    default_status=_STATUS,
    description="Runs every check after a successful reconcile.",
)
def all_checks_after_reconcile(context: dg.RunStatusSensorContext) -> dg.RunRequest:
    """Runs every check after a successful reconcile."""
    return dg.RunRequest(run_config=TO_CONSOLE, run_key=context.dagster_run.run_id)
