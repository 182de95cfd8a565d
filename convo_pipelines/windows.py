"""Windows: half-open spans of UTC time, the only unit in which anything is refreshed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import dagster as dg

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """The span `[start, end)`, both timezone-aware, UTC.

    A row lies in it by when it was written; with `by_activity`, as backfills need, also by its own times
    (sent, started, active).
    """

    start: datetime
    end: datetime
    by_activity: bool = True

    @classmethod
    def of(cls, context: dg.AssetExecutionContext) -> "Window":
        """Return the span of the partitions that the run was launched for."""
        span = context.partition_time_window
        return cls(span.start, span.end)

    @classmethod
    def of_days(cls, first: date, after: date) -> "Window":
        """Return the span of the UTC days from `first` up to, not including, `after`."""
        return cls(datetime.combine(first, time(), UTC), datetime.combine(after, time(), UTC))

    @classmethod
    def around(cls, start: datetime, end: datetime) -> "Window":
        """Return the whole UTC days that `[start, end)` touches."""
        last = (end - timedelta(microseconds=1)).astimezone(UTC).date()
        return cls.of_days(start.astimezone(UTC).date(), last + timedelta(days=1))

    @property
    def span(self) -> dg.TimeWindow:
        """The window as Dagster's own type."""
        return dg.TimeWindow(self.start, self.end)

    @property
    def bounds(self) -> dict[str, Any]:
        """The window as parameters of a refresh statement."""
        return {
            "window_start": self.start,
            "window_end": self.end,
            "by_activity": self.by_activity,
            "slice_after": None,
            "slice_up_to": None,
        }


EVERYTHING = Window(BEGINNING, END)


@dataclass(frozen=True)
class Slice:
    """The conversations whose id lies in `(after, up_to]`, whenever they were written or active."""

    after: UUID
    up_to: UUID

    @property
    def bounds(self) -> dict[str, Any]:
        """The slice as parameters of a refresh statement."""
        nothing = Window(BEGINNING, BEGINNING)
        return nothing.bounds | {"slice_after": self.after, "slice_up_to": self.up_to}


ALL_CONVERSATIONS = Slice(UUID(int=0), UUID(int=2**128 - 1))
