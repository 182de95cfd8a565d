"""The sensors: failed runs, checks that turned red, what the webhook did, every check after the nightly comparison."""

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse, fetch
from convo_pipelines.operations import alerts
from convo_pipelines.orchestration.automation import jobs
from convo_pipelines.orchestration.partitions import days
from convo_pipelines.settings import settings

_STATUS = dg.DefaultSensorStatus.RUNNING if settings().enable_background_jobs else dg.DefaultSensorStatus.STOPPED
RESULTS_A_LOOK = 1_000


def _events(context: dg.SensorEvaluationContext, *kinds: dg.DagsterEventType) -> list[dg.EventLogRecord]:
    """Return what happened since the cursor, in order; where it has to be looked at again, the cursor stays."""
    after = int(context.cursor) if context.cursor else None
    records = [
        record
        for kind in kinds
        for record in context.instance.get_event_records(
            dg.EventRecordsFilter(event_type=kind, after_cursor=after), limit=RESULTS_A_LOOK, ascending=True
        )
    ]
    return sorted(records, key=lambda record: record.storage_id)[:RESULTS_A_LOOK]


@dg.sensor(default_status=_STATUS, minimum_interval_seconds=30)
def run_results(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """Tells of runs that failed and are not tried again, and of jobs that succeed again."""
    events = _events(context, dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)
    with warehouse.connection() as connection:
        for event in events:
            run = context.instance.get_run_by_id(event.run_id)
            if run is None or run.tags.get("dagster/will_retry") == "true":
                continue
            if event.event_log_entry.dagster_event_type is dg.DagsterEventType.RUN_SUCCESS:
                alerts.end(connection, "runs", run.job_name)
                continue
            remedy = "The run's log says why; what it left undone is done by the next one."
            alerts.begin(connection, "runs", "a run failed", run.job_name, run.run_id, remedy, f"runs/{run.run_id}")
    return _done(context, warehouse, events)


@dg.sensor(default_status=_STATUS, minimum_interval_seconds=30)
def check_results(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """Tells of checks of severity ERROR that fail, and of those that pass again."""
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
            remedy = "The check's description says what to do."
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
    """Tells Dagster what the webhook did: a materialization of today's partition, one per table."""
    with warehouse.connection() as connection:
        noted = fetch(connection, "serving/webhook/noted", after=int(context.cursor or 0))
    if not noted:
        return dg.SkipReason("the webhook has noted nothing since")
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
        for row in noted
    ]
    return dg.SensorResult(asset_events=materializations, cursor=str(max(row["last_id"] for row in noted)))


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[jobs.reconcile],
    request_job=jobs.all_checks,
    default_status=_STATUS,
)
def all_checks_after_reconcile(context: dg.RunStatusSensorContext) -> dg.RunRequest:
    """Runs every check once the nightly comparison is done."""
    return dg.RunRequest(run_key=context.dagster_run.run_id)
