"""Alerts: a notification to ALERT_URLS when a problem begins, when it ends, and a daily reminder in between.

Open problems are stored in `analytics.alerts`, so that a restart does not repeat notifications and failed deliveries
are retried.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apprise
from apprise.attachment.file import AttachFile

from convo_pipelines.database.warehouse import Connection, Row, Warehouse, execute, fetch
from convo_pipelines.operations.health import Finding
from convo_pipelines.settings import settings

REMINDER_SECONDS = 86_400
LONGEST_MESSAGE, LONGEST_FINDING = 10, 200
"""A message names so many problems, in so many characters each, and counts the rest."""

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
        failures = send(urls, _title(due), _body(due))
        error = f"delivery failed to {failures} of {len(urls)} receivers" if failures else None
        alerts = json.dumps([{name: row[name] for name in ("source", "kind", "subject")} for row in due])
        is_notified = failures < len(urls)
        execute(connection, "operations/alerts/notified", alerts=alerts, error=error, is_notified=is_notified)
        if error:
            _log.error("alerts could not be delivered: %s", error)


def send(urls: Sequence[str], title: str, body: str, attached: Path | None = None) -> int:
    """Send a message, with an attachment where the receiver supports it; return the number of failed deliveries."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would log the addresses, which hold secrets
    file = attached and AttachFile(str(attached))
    failures = 0
    for url in urls:
        receiver = apprise.Apprise()
        sent = receiver.add(url) and receiver.notify(body, title, body_format=apprise.NotifyFormat.TEXT, attach=file)
        failures += not sent
    return failures


def _title(due: Sequence[Row]) -> str:
    ended = sum(row["ended_at"] is not None for row in due)
    begun = sum(row["notified_at"] is None for row in due)
    counts = {"new": begun, "ongoing": len(due) - begun - ended, "resolved": ended}
    return "convo_pipelines: " + ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def _body(due: Sequence[Row]) -> str:
    lines = [line for row in due[:LONGEST_MESSAGE] for line in _lines(row)]
    if len(due) > LONGEST_MESSAGE:
        lines.append(f"and {len(due) - LONGEST_MESSAGE} more: see analytics.alerts, and `convo-pipelines health`")
    return "\n".join(lines)


def _lines(row: dict[str, Any]) -> list[str]:
    subject = f"{row['kind']}: {row['subject']}"
    if row["ended_at"]:
        return [f"resolved: {subject}, since {_time(row['ended_at'])}"]
    state = "ongoing: " if row["notified_at"] else ""
    found = row["found"][:LONGEST_FINDING]
    lines = [f"{state}{subject}, since {_time(row['since'])} ({found})", f"  {row['remedy']}"]
    return [*lines, f"  {row['link']}"] if row["link"] else lines


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
