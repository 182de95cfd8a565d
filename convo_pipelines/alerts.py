"""Alerts: whoever ALERT_URLS names hears once when something goes wrong, once when it is over, and daily in between.

What is wrong is remembered in `analytics.alerts`, so that a restart tells nobody twice, and a delivery that failed is
tried again.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apprise
from apprise.attachment.file import AttachFile

from convo_pipelines.health import Finding
from convo_pipelines.settings import settings
from convo_pipelines.warehouse import Connection, Row, Warehouse, execute, fetch

REMINDER_SECONDS = 86_400
LONGEST_MESSAGE, LONGEST_FINDING = 10, 200
"""So many states are named in one message, in so many characters each; the rest are counted."""

_log = logging.getLogger(__name__)


def observe(connection: Connection, findings: Iterable[Finding]) -> None:
    """Remember what health finds now; what it no longer finds is over."""
    states = [finding.as_row() | {"link": settings().dagster_ui_url} for finding in findings]
    execute(connection, "alerts/observe", source="health", states=json.dumps(states), is_all=True)


def begin(connection: Connection, source: str, kind: str, subject: str, found: str, remedy: str, path: str) -> None:
    """Remember that something is wrong; `path` is where the UI shows it."""
    address = settings().dagster_ui_url
    link = address and f"{address.rstrip('/')}/{path}"
    state = {"kind": kind, "subject": subject, "found": found, "remedy": remedy, "link": link}
    execute(connection, "alerts/observe", source=source, states=json.dumps([state]), is_all=False)


def end(connection: Connection, source: str, subject: str) -> None:
    """Remember that what was wrong with `subject` is over."""
    execute(connection, "alerts/end", source=source, subject=subject)


def deliver(warehouse: Warehouse) -> None:
    """Tell whoever is to be told what has begun, ended, or lasted for another day, in one message."""
    urls = settings().alert_urls.split()
    with warehouse.connection() as connection, connection.transaction():
        if not urls:
            execute(connection, "alerts/nobody")
            return
        due = fetch(connection, "alerts/due", reminder_seconds=REMINDER_SECONDS)
        if not due:
            return
        refused = send(urls, _title(due), _body(due))
        error = f"{refused} of {len(urls)} receivers took no message" if refused else None
        told = [{name: row[name] for name in ("source", "kind", "subject")} for row in due]
        is_told = refused < len(urls)
        execute(connection, "alerts/told", told=json.dumps(told), error=error, is_told=is_told)
        if error:
            _log.error("alerts could not be delivered: %s", error)


def send(urls: Sequence[str], title: str, body: str, attached: Path | None = None) -> int:
    """Send a message, with a file where the receiver takes one; return how many did not take it."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would log the addresses, which hold secrets
    file = attached and AttachFile(str(attached))
    refused = 0
    for url in urls:
        receiver = apprise.Apprise()
        told = receiver.add(url) and receiver.notify(body, title, body_format=apprise.NotifyFormat.TEXT, attach=file)
        refused += not told
    return refused


def _title(due: Sequence[Row]) -> str:
    ended = sum(row["ended_at"] is not None for row in due)
    begun = sum(row["notified_at"] is None for row in due)
    counts = {"begun": begun, "still so": len(due) - begun - ended, "over": ended}
    return "convo_pipelines: " + ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _body(due: Sequence[Row]) -> str:
    lines = [line for row in due[:LONGEST_MESSAGE] for line in _lines(row)]
    if len(due) > LONGEST_MESSAGE:
        lines.append(f"and {len(due) - LONGEST_MESSAGE} more: see analytics.alerts, and `convo-pipelines health`")
    return "\n".join(lines)


def _lines(row: dict[str, Any]) -> list[str]:
    subject = f"{row['kind']}: {row['subject']}"
    if row["ended_at"]:
        return [f"over: {subject}, since {_time(row['ended_at'])}"]
    told = "still " if row["notified_at"] else ""
    found = row["found"][:LONGEST_FINDING]
    lines = [f"{told}{subject}, since {_time(row['since'])} ({found})", f"  {row['remedy']}"]
    return [*lines, f"  {row['link']}"] if row["link"] else lines


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
