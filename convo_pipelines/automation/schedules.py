"""The schedules: each asks the database what is new, and launches a run only if something is."""

import functools
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from convo_pipelines import discovery, reconcile, watermarks
from convo_pipelines.assets import conversation_summaries, crew_conversations, participant_resolutions
from convo_pipelines.assets.links import link_assets
from convo_pipelines.automation import jobs
from convo_pipelines.partitions import TICK_TAG, days, range_tags
from convo_pipelines.settings import settings
from convo_pipelines.warehouse import Connection, Warehouse

Span = tuple[date, date]
"""The first and the last UTC day, both included."""

LINK_ASSETS = [participant_resolutions.NAME, *(asset.key.to_user_string() for asset in link_assets)]

_STATUS = dg.DefaultScheduleStatus.RUNNING if settings().enable_background_jobs else dg.DefaultScheduleStatus.STOPPED
_schedule = functools.partial(dg.schedule, execution_timezone="UTC", default_status=_STATUS)
_UNFINISHED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


@_schedule(job=jobs.conversation_discovery, cron_schedule=settings().conversation_discovery_cron)
def conversation_discovery_schedule(
    context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.RunRequest | dg.SkipReason:
    """Refreshes sessions, conversations and summaries from their watermarks, if anything is new."""
    return _tick(
        context,
        warehouse,
        "conversation_discovery",
        touched_days,
        "nothing new in any histories table, nor in conversations, messages and recipients",
    )


@_schedule(job=jobs.link_sync, cron_schedule=settings().link_sync_cron)
def link_sync_schedule(
    context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.RunRequest | dg.SkipReason:
    """Refreshes participants and links from their watermarks, if anything is new."""
    return _tick(
        context,
        warehouse,
        "link_sync",
        link_days,
        "nothing new in conversations, messages, recipients, people, projects and crews",
    )


@_schedule(job=jobs.reconcile, cron_schedule=settings().reconcile_cron)
def reconcile_schedule(
    context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.RunRequest | dg.SkipReason:
    """Compares everything with its sources, if anything was written, or deleted, since it last did."""
    if skipped := _unless_at_work(context, "reconcile"):
        return skipped
    if not reconcile.has_news(warehouse):
        return dg.SkipReason("nothing was written to app or analytics since the last reconcile")
    return dg.RunRequest(tags={TICK_TAG: "reconcile"})


def _unless_at_work(context: dg.ScheduleEvaluationContext, job_name: str) -> dg.SkipReason | None:
    unfinished = dg.RunsFilter(job_name=job_name, statuses=_UNFINISHED, tags={TICK_TAG: job_name})
    running = context.instance.get_runs(unfinished, limit=1)
    return dg.SkipReason(f"the previous tick is still at work: run {running[0].run_id}") if running else None


def _tick(
    context: dg.ScheduleEvaluationContext,
    warehouse: Warehouse,
    job_name: str,
    touched: Callable[[Connection], Span | None],
    nothing_new: str,
) -> dg.RunRequest | dg.SkipReason:
    if skipped := _unless_at_work(context, job_name):
        return skipped
    with warehouse.connection() as connection:
        span = touched(connection)
    if span is None:
        return dg.SkipReason(nothing_new)
    return dg.RunRequest(tags={TICK_TAG: job_name, **range_tags(*_existing(*span))})


def touched_days(connection: Connection) -> Span | None:
    """Return the first and the last UTC day that new rows fall in, or None if there is nothing new."""
    today = datetime.now(UTC).date()
    spans: list[Span] = []
    for answer in (discovery.has_news(connection, crew) for crew in discovery.crews(connection)):
        if answer:
            first, after = (today, today + timedelta(days=1)) if answer is True else answer
            spans.append((first, after - timedelta(days=1)))
    return _around([*spans, *_changed_days(connection, (crew_conversations.NAME, conversation_summaries.NAME))])


def link_days(connection: Connection) -> Span | None:
    """Return the first and the last UTC day of changes that may concern links, or None if there are none."""
    return _around(_changed_days(connection, LINK_ASSETS))


def _changed_days(connection: Connection, asset_keys: Iterable[str]) -> list[Span]:
    today = datetime.now(UTC).date()
    found = [news for news in (watermarks.news(connection, key) for key in asset_keys) if news.is_new]
    return [(news.span[0].date(), news.span[1].date()) if news.span else (today, today) for news in found]


def _around(spans: Sequence[Span]) -> Span | None:
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


def _existing(first: date, last: date) -> tuple[str, str]:
    """Return the nearest partition keys: rows of days outside the axis are refreshed all the same."""
    keys = days.get_first_partition_key(), days.get_last_partition_key()
    lowest, highest = (key or datetime.now(UTC).date().isoformat() for key in keys)
    return min(max(first.isoformat(), lowest), highest), max(min(last.isoformat(), highest), lowest)
