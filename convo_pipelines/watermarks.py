"""Time watermarks: how an asset that is not read per crew finds what changed since its last tick.

A tick reads everything from the watermark on, and moves it only to a moment of which no open transaction is left,
less the lookback.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from convo_pipelines import transactions
from convo_pipelines.settings import settings
from convo_pipelines.transactions import Candidate
from convo_pipelines.warehouse import Connection, Row, fetch, fetch_one
from convo_pipelines.windows import BEGINNING, END, Window


@dataclass(frozen=True)
class Tick:
    """A window from the watermark on, and what is remembered once the window has been refreshed."""

    asset_key: str
    window: Window
    next_watermark: datetime
    fingerprint: str
    pending: Candidate[datetime] | None


@dataclass(frozen=True)
class News:
    """Whether an asset's sources changed since its last tick, and the span of the changed rows' own times (UTC)."""

    is_new: bool
    span: tuple[datetime, datetime] | None


def begin(connection: Connection, asset_key: str) -> Tick:
    """Choose the window of a tick; the first is a backfill of everything. Look first, then read, only then `finish`."""
    now = fetch_one(connection, "changes/now")["now"]
    still_open = transactions.look(connection)
    known = fetch(connection, "changes/known", asset_key=asset_key)
    watermark, pending = (known[0]["watermark"], _pending(known[0])) if known else (BEGINNING, None)
    settled, pending = transactions.settle(now, pending, still_open)
    lookback = timedelta(seconds=settings().link_sync_lookback_seconds)
    next_watermark = max(watermark, settled - lookback) if settled else watermark
    changes = fetch_one(connection, f"changes/{asset_key}", since=next_watermark)
    window = Window(watermark, END, by_activity=not known)
    return Tick(asset_key, window, next_watermark, changes["fingerprint"], pending)


def finish(connection: Connection, tick: Tick) -> None:
    """Move the watermark behind a refreshed window."""
    fetch(
        connection,
        "changes/move",
        asset_key=tick.asset_key,
        watermark=tick.next_watermark,
        fingerprint=tick.fingerprint,
        pending_watermark=tick.pending and tick.pending.position,
        pending_transactions=tick.pending and list(tick.pending.transactions),
    )


def _pending(known: Row) -> Candidate[datetime] | None:
    waited_for = known["pending_transactions"]
    return None if waited_for is None else Candidate(known["pending_watermark"], waited_for)


def news(connection: Connection, asset_key: str) -> News:
    """Ask cheaply whether a tick would find anything new."""
    known = fetch(connection, "changes/known", asset_key=asset_key)
    if not known:
        return News(is_new=True, span=None)
    changes = fetch_one(connection, f"changes/{asset_key}", since=known[0]["watermark"])
    is_new = changes["fingerprint"] != known[0]["fingerprint"] or changes.get("is_stale", False)
    first, last = changes["first_active_at"], changes["last_active_at"]
    return News(is_new, (first.astimezone(UTC), last.astimezone(UTC)) if is_new and first else None)


def pending_since(connection: Connection, asset_key: str) -> datetime:
    """Return the instant (UTC) from which on changes await the asset's next tick; the end of time if none do."""
    known = fetch(connection, "changes/known", asset_key=asset_key)
    return known[0]["watermark"] if known and news(connection, asset_key).is_new else END
