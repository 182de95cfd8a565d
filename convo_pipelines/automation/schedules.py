"""The schedules: each asks the database what is new, and launches a run only if something is."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from convo_pipelines import discovery, watermarks
from convo_pipelines.assets import conversation_summaries, crew_conversations
from convo_pipelines.automation import jobs
from convo_pipelines.partitions import TICK_TAG, days, range_tags
from convo_pipelines.settings import settings
from convo_pipelines.warehouse import Connection, Warehouse

_STATUS = dg.DefaultScheduleStatus.RUNNING if settings().enable_background_jobs else dg.DefaultScheduleStatus.STOPPED
_UNFINISHED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


@dg.schedule(  # pyright: ignore[reportUnknownMemberType]
    job=jobs.conversation_discovery,
    cron_schedule=settings().conversation_discovery_cron,
    execution_timezone="UTC",
    default_status=_STATUS,
)
def conversation_discovery_schedule(
    context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.RunRequest | dg.SkipReason:
    """Refreshes sessions, conversations and summaries from their watermarks, if anything is new."""
    unfinished = dg.RunsFilter(job_name="conversation_discovery", statuses=_UNFINISHED, tags={TICK_TAG: "true"})
    if running := context.instance.get_runs(unfinished, limit=1):
        return dg.SkipReason(f"the previous tick is still at work: run {running[0].run_id}")
    with warehouse.connection() as connection:
        touched = touched_days(connection)
    if touched is None:
        return dg.SkipReason("nothing new in any histories table, nor in conversations, messages and recipients")
    return dg.RunRequest(tags={TICK_TAG: "true", **range_tags(*_existing(*touched))})


def touched_days(connection: Connection) -> tuple[date, date] | None:
    """Return the first and the last UTC day that new rows fall in, or None if there is nothing new."""
    today = datetime.now(UTC).date()
    first_days: list[date] = []
    last_days: list[date] = []
    for answer in (discovery.has_news(connection, crew) for crew in discovery.crews(connection)):
        if answer:
            first, after = (today, today + timedelta(days=1)) if answer is True else answer
            first_days.append(first)
            last_days.append(after - timedelta(days=1))
    for asset_key in (crew_conversations.NAME, conversation_summaries.NAME):
        news = watermarks.news(connection, asset_key)
        if news.is_new:
            first, last = (moment.date() for moment in news.span) if news.span else (today, today)
            first_days.append(first)
            last_days.append(last)
    return (min(first_days), max(last_days)) if first_days else None


def _existing(first: date, last: date) -> tuple[str, str]:
    """Return the nearest partition keys: rows of days outside the axis are refreshed all the same."""
    keys = days.get_first_partition_key(), days.get_last_partition_key()
    lowest, highest = (key or datetime.now(UTC).date().isoformat() for key in keys)
    return min(max(first.isoformat(), lowest), highest), max(min(last.isoformat(), highest), lowest)
