"""Scopes: what a refresh covers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

FIRST_DAY = date(1, 1, 2)
AFTER_LAST_DAY = date(9999, 12, 30)


@dataclass(frozen=True)
class Window:
    """Everything with activity in the span `[start, end)`; both timezone-aware, UTC."""

    start: datetime
    end: datetime

    @classmethod
    def of_days(cls, first: date, after: date) -> "Window":
        """Return the span of the UTC days from `first` up to, not including, `after`."""
        return cls(datetime.combine(first, time(), UTC), datetime.combine(after, time(), UTC))

    @classmethod
    def around(cls, start: datetime, end: datetime) -> "Window":
        """Return the whole UTC days that overlap `[start, end)`."""
        last = (end - timedelta(microseconds=1)).astimezone(UTC).date()
        return cls.of_days(start.astimezone(UTC).date(), last + timedelta(days=1))


@dataclass(frozen=True)
class Changes:
    """The changes logged by transactions that are visible in `to_snapshot` (None: now), but not in `from_snapshot`."""

    from_snapshot: str
    to_snapshot: str | None


@dataclass(frozen=True)
class Everything:
    """All sources, and all derived rows."""


@dataclass(frozen=True)
class Asked:
    """What a caller names, as the parameters of the statements that find its keys (`asked`)."""

    parameters: Mapping[str, object]


Scope = Window | Changes | Everything | Asked

EVERYTHING = Everything()


@dataclass(frozen=True)
class Selection:
    """What a refresh is narrowed to, as the parameters of the statements that choose among keys (`selected`)."""

    parameters: Mapping[str, object]


def parameters(scope: Scope, selection: Selection | None = None) -> dict[str, Any]:
    """Return the parameters of a scope and a selection for the statements that find keys."""
    window = scope if isinstance(scope, Window) else None
    changes = scope if isinstance(scope, Changes) else None
    return {
        "window_start": window and window.start,
        "window_end": window and window.end,
        "from_snapshot": changes and changes.from_snapshot,
        "to_snapshot": changes and changes.to_snapshot,
        **(scope.parameters if isinstance(scope, Asked) else {}),
        **(selection.parameters if selection else {}),
    }
