"""Alerts: a notification to ALERT_URLS when a problem begins, when it ends, and a daily reminder in between.

They are stored in `analytics.alerts`, so that a restart does not repeat notifications and failed deliveries are
retried; those that have ended, for a year.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apprise
from apprise.attachment.file import AttachFile

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch
from convo_pipelines.database.transactions import allow_idle
from convo_pipelines.database.warehouse import UnreachableError, Warehouse
from convo_pipelines.operations.health import AWAY, REMEDIES, Finding
from convo_pipelines.settings import settings

REMINDER_SECONDS = 86_400
LONGEST_MESSAGE, LONGEST_FINDING, LONGEST_TITLE = 10, 500, 3
"""A message names so many problems, in so many characters each, its title so many of them; both count the rest."""

_log = logging.getLogger(__name__)


def observe(connection: Connection, findings: Iterable[Finding]) -> None:
    """Store the current health findings; open alerts that are no longer among them end."""
    states = [finding.as_row() | {"link": settings().dagster_ui_url} for finding in findings]
    execute(connection, "operations/alerts/observe", source="health", states=json.dumps(states), is_all=True)


def begin(connection: Connection, source: str, kind: str, subject: str, found: str, remedy: str, path: str) -> None:
    """Open an alert, or update it; `path` is the page of the Dagster UI that shows the problem."""
    address = settings().dagster_ui_url
    link = address and f"{address.rstrip('/')}/{path}"
    state = {"kind": kind, "subject": subject, "found": found, "remedy": remedy, "link": link}
    execute(connection, "operations/alerts/observe", source=source, states=json.dumps([state]), is_all=False)


def end(connection: Connection, source: str, subject: str) -> None:
    """End the open alerts on `subject`."""
    execute(connection, "operations/alerts/end", source=source, subject=subject)


def history(connection: Connection, days: int = 0) -> list[Row]:
    """Return the open alerts, and those that have ended in the last `days`; the rows of `history`."""
    return fetch(connection, "operations/alerts/history", days=days)


def last_failed_run(connection: Connection) -> Row | None:
    """Return the last run that failed, as its alert tells: job, since, ended_at, error, link."""
    found = fetch(connection, "operations/alerts/last_failed_run")
    return found[0] if found else None


def deliver(warehouse: Warehouse) -> None:
    """Notify ALERT_URLS, in one message, of alerts that have begun, ended, or lasted another day."""
    urls = settings().alert_urls.split()
    with warehouse.connection() as connection, connection.transaction():
        if not urls:
            execute(connection, "operations/alerts/discard")
            return
        due = fetch(connection, "operations/alerts/due", reminder_seconds=REMINDER_SECONDS)
        if not due:
            return
        allow_idle(connection)
        failures = _notify(urls, due)
        error = f"delivery failed to {failures} of {len(urls)} receivers" if failures else None
        ids, is_notified = [row["id"] for row in due], failures < len(urls)
        execute(connection, "operations/alerts/notified", ids=ids, error=error, is_notified=is_notified)


@dataclass(frozen=True)
class Outage:
    """An outage of the database. It cannot be stored there while it lasts.

    Attributes:
        since: when it was first found, UTC.
        found: the error.
        notified_at: when the last notification was delivered, UTC; None: none yet.

    """

    since: datetime
    found: str
    notified_at: datetime | None = None

    def as_text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_text(cls, text: str) -> "Outage":
        """Return what `as_text` stored."""
        state = json.loads(text)
        times = {name: state[name] and datetime.fromisoformat(state[name]) for name in ("since", "notified_at")}
        return cls(**state | times)


def watch(warehouse: Warehouse, outage: Outage | None) -> Outage | None:
    """Notify ALERT_URLS that the database is away at two looks in a row, or is back; return the outage that goes on.

    Args:
        warehouse: the database.
        outage: what the look before has returned.

    """
    try:
        warehouse.ping()
    except UnreachableError as error:
        if outage is None:
            return Outage(datetime.now(UTC), str(error).removeprefix(f"{AWAY}: "))
        return _remind(warehouse, outage)
    if outage:
        with warehouse.connection() as connection:
            execute(connection, "operations/alerts/record_outage", **_alert(warehouse, outage))
        deliver(warehouse)
    return None


def _alert(warehouse: Warehouse, outage: Outage) -> Row:
    return {"kind": AWAY, "subject": warehouse.name, "remedy": REMEDIES[AWAY], **asdict(outage)}


def _remind(warehouse: Warehouse, outage: Outage) -> Outage:
    now, urls = datetime.now(UTC), settings().alert_urls.split()
    if (outage.notified_at and now - outage.notified_at < timedelta(seconds=REMINDER_SECONDS)) or not urls:
        return outage
    row = {**_alert(warehouse, outage), "link": settings().dagster_ui_url, "ended_at": None}
    return outage if _notify(urls, [row]) == len(urls) else replace(outage, notified_at=now)


def _notify(urls: Sequence[str], due: Sequence[Row]) -> int:
    kind = (
        apprise.NotifyType.SUCCESS if all(row["ended_at"] for row in due)
        else apprise.NotifyType.FAILURE if any(row["notified_at"] is None for row in due)
        else apprise.NotifyType.WARNING
    )  # fmt: skip
    failures = send(urls, _title(due), _body(due), kind=kind)
    if failures:
        _log.error("alerts could not be delivered to %d of %d receivers", failures, len(urls))
    return failures


def send(
    urls: Sequence[str],
    title: str,
    body: str,
    attached: Path | None = None,
    kind: apprise.NotifyType = apprise.NotifyType.INFO,
) -> int:
    """Send a message, with an attachment where the receiver supports it; return the number of failed deliveries."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would log the addresses, which hold secrets
    file = attached and AttachFile(str(attached))
    failures = 0
    for url in urls:
        receiver = apprise.Apprise()
        sent = receiver.add(url) and receiver.notify(
            body, title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT, attach=file
        )
        failures += not sent
    return failures


def _title(due: Sequence[Row]) -> str:
    ended = sum(row["ended_at"] is not None for row in due)
    begun = sum(row["notified_at"] is None for row in due)
    counts = {"new": begun, "ongoing": len(due) - begun - ended, "resolved": ended}
    counted = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    named = "; ".join(_problem(row) for row in due[:LONGEST_TITLE])
    rest = f"; and {len(due) - LONGEST_TITLE} more" if len(due) > LONGEST_TITLE else ""
    name = " ".join(filter(None, ("convo_pipelines", settings().convo_cell)))
    return f"{name}: {counted}: {named}{rest}"


def _body(due: Sequence[Row]) -> str:
    lines = [line for row in due[:LONGEST_MESSAGE] for line in _lines(row)]
    if len(due) > LONGEST_MESSAGE:
        lines.append(f"and {len(due) - LONGEST_MESSAGE} more: see `convo-pipelines alerts`")
    return "\n".join(lines)


def _lines(row: Mapping[str, Any]) -> list[str]:
    if row["ended_at"]:
        return [f"resolved: {_problem(row)}, from {_time(row['since'])} to {_time(row['ended_at'])}"]
    state = "ongoing: " if row["notified_at"] else ""
    lines = [f"{state}{_problem(row)}, since {_time(row['since'])}", _shortened(row["found"]), row["remedy"]]
    return [lines[0], *(f"  {line}" for line in [*lines[1:], row["link"]] if line)]


def _shortened(found: str) -> str:
    if len(found) <= LONGEST_FINDING:
        return found
    return f"{found[:LONGEST_FINDING]} … (whole: `convo-pipelines alerts`)"


def _problem(row: Mapping[str, Any]) -> str:
    return " ".join(f"{row['kind']}: {row['subject']}".split())


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
