"""The sensors: alerts, failed checks again, the webhook's materializations, all checks after a reconcile."""

import time

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse, fetch
from convo_pipelines.operations import alerts, health
from convo_pipelines.orchestration import failures
from convo_pipelines.orchestration.automation import jobs
from convo_pipelines.orchestration.checks.every import specs
from convo_pipelines.orchestration.console import TO_CONSOLE
from convo_pipelines.orchestration.partitions import TICK_TAG, days
from convo_pipelines.settings import settings

_STATUS = dg.DefaultSensorStatus.RUNNING if settings().enable_background_jobs else dg.DefaultSensorStatus.STOPPED
RESULTS_PER_TICK = 1_000
RED_CHECKS = {TICK_TAG: "red_checks"}
UNNAMED_JOBS = {"__ASSET_JOB": "a materialization"}
"""Dagster's name of the runs that materialize assets without a job of ours."""


def _events(context: dg.SensorEvaluationContext, *kinds: dg.DagsterEventType) -> list[dg.EventLogRecord]:
    """Return the events since the cursor, in order; the cursor advances only once they are handled."""
    after = int(context.cursor) if context.cursor else None
    records = [
        record
        for kind in kinds
        for record in context.instance.get_event_records(
            dg.EventRecordsFilter(event_type=kind, after_cursor=after), limit=RESULTS_PER_TICK, ascending=True
        )
    ]
    return sorted(records, key=lambda record: record.storage_id)[:RESULTS_PER_TICK]


@dg.sensor(default_status=_STATUS, minimum_interval_seconds=30)
def run_results(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """Alerts on runs that failed and are not retried; ends the alert when the job succeeds."""
    warehouse.ping()
    events = _events(context, dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)
    with warehouse.connection() as connection:
        for event in events:
            run, happened = context.instance.get_run_by_id(event.run_id), event.event_log_entry.dagster_event
            if run is None or happened is None or run.tags.get("dagster/will_retry") == "true":
                continue
            subject = UNNAMED_JOBS.get(run.job_name, run.job_name)
            if happened.is_run_failure:
                found, remedy = failures.cause(context.instance, run.run_id, happened)
                where = f"runs/{run.run_id}"
                alerts.begin(connection, "runs", "a run failed", subject, f"{found} (run {run.run_id})", remedy, where)
            else:
                alerts.end(connection, "runs", subject)
    return _done(context, warehouse, events)


@dg.sensor(default_status=_STATUS, minimum_interval_seconds=30)
def check_results(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """Alerts on failed checks of severity ERROR; ends the alert when the check passes."""
    warehouse.ping()
    events = _events(context, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    with warehouse.connection() as connection:
        for event in events:
            if (evaluated := event.event_log_entry.dagster_event) is None:
                continue
            check = evaluated.asset_check_evaluation_data
            asset = check.asset_key.to_user_string()
            subject = f"{check.check_name} of {asset}"
            if check.passed or check.severity is not dg.AssetCheckSeverity.ERROR:
                alerts.end(connection, "checks", subject)
                continue
            found = failures.offenders(check)
            where = f"assets/{asset}?view=checks&checkDetail={check.check_name}"
            remedy = specs[subject].description or "" if subject in specs else "The code no longer has this check."
            alerts.begin(connection, "checks", "a check fails", subject, found, remedy, where)
    return _done(context, warehouse, events)


@dg.sensor(job=jobs.all_checks, default_status=_STATUS, minimum_interval_seconds=300)
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


@dg.sensor(default_status=_STATUS, minimum_interval_seconds=30)
def database_outages(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """Alerts on the database being away, provided that Dagster's own storage is not."""
    outage = alerts.watch(warehouse, alerts.Outage.from_text(context.cursor) if context.cursor else None)
    context.update_cursor(outage.as_text() if outage else "")
    return dg.SkipReason(f"{health.AWAY}: {outage.found}" if outage else "the database accepts connections")


def _done(context: dg.SensorEvaluationContext, warehouse: Warehouse, events: list[dg.EventLogRecord]) -> dg.SkipReason:
    if events:
        context.update_cursor(str(events[-1].storage_id))
    alerts.deliver(warehouse)
    return dg.SkipReason(f"{len(events)} results")


@dg.sensor(default_status=_STATUS, minimum_interval_seconds=60)
def webhook_results(
    context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.SensorResult | dg.SkipReason:
    """Reports the webhook's work to Dagster: one materialization of today's partition per table."""
    warehouse.ping()
    with warehouse.connection() as connection:
        recorded = fetch(connection, "serving/webhook/recorded", after=int(context.cursor or 0))
    if not recorded:
        return dg.SkipReason("the webhook has recorded nothing new")
    materializations = [
        dg.AssetMaterialization(
            row["table_name"],
            partition=days.get_last_partition_key(),
            metadata={
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
)
def all_checks_after_reconcile(context: dg.RunStatusSensorContext) -> dg.RunRequest:
    """Runs every check after a successful reconcile."""
    return dg.RunRequest(run_config=TO_CONSOLE, run_key=context.dagster_run.run_id)
