"""The sensors: alerts on failed runs and checks, the webhook's materializations, all checks after a reconcile."""

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse, fetch
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines.operations import alerts
from convo_pipelines.orchestration.automation import jobs
from convo_pipelines.orchestration.partitions import days
from convo_pipelines.settings import settings

_STATUS = dg.DefaultSensorStatus.RUNNING if settings().enable_background_jobs else dg.DefaultSensorStatus.STOPPED
RESULTS_PER_TICK = 1_000


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
    events = _events(context, dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)
    with warehouse.connection() as connection:
        for event in events:
            run = context.instance.get_run_by_id(event.run_id)
            if run is None or run.tags.get("dagster/will_retry") == "true":
                continue
            if event.event_log_entry.dagster_event_type is dg.DagsterEventType.RUN_SUCCESS:
                alerts.end(connection, "runs", run.job_name)
                continue
            remedy = "See the run's log for the cause; the next run does what this one left undone."
            alerts.begin(connection, "runs", "a run failed", run.job_name, run.run_id, remedy, f"runs/{run.run_id}")
    return _done(context, warehouse, events)


@dg.sensor(default_status=_STATUS, minimum_interval_seconds=30)
def check_results(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """Alerts on failed checks of severity ERROR; ends the alert when the check passes."""
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
            offenders = check.metadata.get("offenders")
            found = f"{offenders.value if offenders else 'some'} offenders"
            remedy = "See the check's description for what to do."
            where = f"assets/{asset}?view=checks&checkDetail={check.check_name}"
            alerts.begin(connection, "checks", "a check fails", subject, found, remedy, where)
    return _done(context, warehouse, events)


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
    with warehouse.connection() as connection:
        recorded = fetch(connection, "serving/webhook/recorded", after=int(context.cursor or 0))
    if not recorded:
        return dg.SkipReason("the webhook has recorded nothing new")
    partitioned = {table.name for table in DERIVED_TABLES if table.grain.has_days}
    materializations = [
        dg.AssetMaterialization(
            row["table_name"],
            partition=days.get_last_partition_key() if row["table_name"] in partitioned else None,
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
    return dg.RunRequest(run_key=context.dagster_run.run_id)
