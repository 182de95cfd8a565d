"""Health: whether the pipeline runs and the tables are up to date, as far as the database shows."""

import ipaddress
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from croniter import CroniterError, croniter

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import fetch, fetch_one
from convo_pipelines.database.locks import blockers
from convo_pipelines.database.migrations import record
from convo_pipelines.database.migrations.record import ViewsReleasedError
from convo_pipelines.database.warehouse import UnreachableError, Warehouse
from convo_pipelines.engine import capture, change_log
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES, HISTORIES_SESSIONS, REGISTRY
from convo_pipelines.settings import Settings, settings

SHORTEST_WAIT = timedelta(minutes=10)
OLDEST_TRANSACTION = timedelta(minutes=10)
LONGEST_LOCK = timedelta(minutes=1)
LONGEST_FAILURE = timedelta(minutes=1)
LONGEST_WITHOUT_LAKE = timedelta(days=1)
LEAST_FREE = 0.1
"""The fraction of the disk that must be free."""
AWAY = "the database is away"
SCHEMA = "the schema is outdated"
RELEASED = "the views of app are released"
MISSING_RIGHT = "a right is missing"

REMEDIES = {
    AWAY: "Start it, or correct CONVO_DATABASE_URL. Nothing is lost: the next tick reads what changed meanwhile.",
    "a table is locked": "End the transaction that holds the lock: until then ticks fail, and are repeated.",
    "the disk is nearly full": "Free or add space before PostgreSQL stops: see what grows, WAL and logs included.",
    "a table is behind": "Check the daemon, the schedule and its last run; `convo-pipelines tick` refreshes it now.",
    "a table fails": "The error says why. Correct that: the next tick tries again, `convo-pipelines tick` now.",
    "a table was never built": "See why its last run failed; `convo-pipelines tick` builds it now.",
    "a crew is behind": "See the crew's line in `convo-pipelines status`: the error names the remedy.",
    "a table is not captured": "If it is a view, `convo-pipelines adopt install`; if a table, `capture on`.",
    "rows of a child are left out": "Foreign keys see no row of a table that inherits (INHERITS). Move the rows to the "
    "parent, or make the table a partition; or run `convo-pipelines migrate up --without-foreign-keys`, then "
    "`convo-pipelines reconcile`.",
    MISSING_RIGHT: "Run `{run_this}`: until then ticks fail; if a log cannot be written, all tables are read anew.",
    "a log is large": "The ticks of some table do not run: see the other findings.",
    "the lake is behind": "`convo-pipelines lake write` writes it now. If there is no lake any more, run "
    "`convo-pipelines lake unfollow`: until then logs are kept for it, up to five million rows of each.",
    "a transaction holds snapshots back": "End it, or roll it back if it is prepared: ticks cannot read past it.",
    "the database came from another server": "Nothing, if it was restored on purpose: the next tick rebuilds it.",
    SCHEMA: "Run `convo-pipelines migrate up --only analytics`.",
    RELEASED: "Run `convo-pipelines adopt restore`: until then ticks fail. They read later what is written now.",
    "alerts are not delivered": "Check the receiver and ALERT_URLS; delivery is retried at every health check.",
}
"""What to do about each kind of finding."""


@dataclass(frozen=True)
class Finding:
    """A problem.

    Attributes:
        kind: one of the keys of REMEDIES.
        subject: the table, crew or transaction concerned.
        since: its beginning, UTC; None if it is not known.
        found: the details.
        run_this: a statement that ends it, if there is one.

    """

    kind: str
    subject: str
    since: datetime | None
    found: str
    run_this: str | None = None

    @property
    def remedy(self) -> str:
        """What to do."""
        return REMEDIES[self.kind].format(run_this=self.run_this)

    def as_row(self) -> dict[str, Any]:
        """Return the finding and its remedy as values that JSON supports."""
        since = self.since and self.since.isoformat(timespec="seconds")
        return {
            "kind": self.kind, "subject": self.subject, "since": since, "found": self.found, "remedy": self.remedy,
        }  # fmt: skip


@dataclass(frozen=True)
class Disk:
    """The disk of the database's data directory, in bytes."""

    path: str
    free: int
    total: int


def look(warehouse: Warehouse) -> list[Finding]:
    """Return all problems; if the database is away, lacks migrations or may not be read, only that."""
    try:
        warehouse.ping()
    except UnreachableError as error:
        return [Finding(AWAY, warehouse.name, None, str(error).removeprefix(f"{AWAY}: "))]
    try:
        missing = record.missing(warehouse.url)
    except ViewsReleasedError:
        return [Finding(RELEASED, "app", None, "`convo-pipelines adopt release` dropped them")]
    except psycopg.ProgrammingError:  # the role may not read which are applied
        missing = ()
    if missing:
        return [Finding(SCHEMA, "analytics", None, f"missing: {', '.join(m.name for m in missing)}")]
    with warehouse.connection() as connection:
        rights = [
            Finding(MISSING_RIGHT, right.subject, None, right.failure, right.run_this)
            for right in capture.missing_rights(connection, REGISTRY)
        ]
    try:
        return _look(warehouse) + rights
    except psycopg.errors.InsufficientPrivilege:
        if not rights:
            raise
        return rights


def _look(warehouse: Warehouse) -> list[Finding]:
    """Return all problems but missing rights."""
    with warehouse.connection() as connection:
        rows = fetch(
            connection,
            "operations/health/findings",
            limits=json.dumps({table.name: allowed_wait(table).total_seconds() for table in DERIVED_TABLES}),
            largest_log_rows=change_log.LARGEST_LOG_ROWS // 2,
            lake_seconds=_allowed_without_lake().total_seconds(),
            oldest_seconds=OLDEST_TRANSACTION.total_seconds(),
            failing_seconds=LONGEST_FAILURE.total_seconds(),
        )
        crews = [
            Finding("a crew is behind", f"crew {row['crew']}", None, f"{row['limit_passed']}: {row['value']}")
            for row in fetch(
                connection, "tables/histories_sessions/checks/discovery_is_healthy", **discovery_limits(connection)
            )
        ]
        locks = [
            Finding("a table is locked", blocker.table, blocker.since, f"{blocker.text}: {blocker.remedy}")
            for blocker in blockers(connection)
            if blocker.since is None or datetime.now(UTC) - blocker.since > LONGEST_LOCK
        ]
        disk = disk_of(connection)
    full = (
        [Finding("the disk is nearly full", disk.path, None, f"{disk.free:,} of {disk.total:,} bytes are free")]
        if disk and disk.free < LEAST_FREE * disk.total
        else []
    )
    return locks + full + [Finding(**row) for row in rows] + crews


def disk_of(connection: Connection) -> Disk | None:
    """Return the disk of the database, if the server is on this machine and the role may see where its data is."""
    server = fetch_one(connection, "operations/health/server")
    if not (server["data_directory"] and _is_here(connection.info.host) and _is_here(server["address"])):
        return None
    try:
        usage = shutil.disk_usage(server["data_directory"])
    except OSError:
        return None
    return Disk(server["data_directory"], usage.free, usage.total)


def _is_here(address: str | None) -> bool:
    """Whether an address is a socket of this machine, or of its loopback interface."""
    if not address or address.startswith("/") or address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def discovery_limits(connection: Connection) -> dict[str, Any]:
    """Return the parameters of `sql/tables/histories_sessions/checks/discovery_is_healthy.sql`."""
    state = fetch(connection, "engine/change_log/position", asset_keys=[HISTORIES_SESSIONS.name])
    wait = allowed_wait(HISTORIES_SESSIONS)
    return {"unread_since": state[0]["unread_since"] if state else None, "wait_minutes": wait.total_seconds() / 60}


def allowed_wait(table: DerivedTable) -> timedelta:
    """Return how long a change may wait for a table's tick: 10 minutes, or since the last but one scheduled time."""
    name, now = f"{table.job}_cron", datetime.now(UTC)
    try:
        due = _last_but_one(table.cron or getattr(settings(), name), now)
    except CroniterError:
        due = _last_but_one(Settings.model_fields[name].default, now)
    return max(SHORTEST_WAIT, now - due)


def _allowed_without_lake() -> timedelta:
    """Return how long the lake may be behind: a day, or since the last but one time of a LAKE_CRON that is rarer."""
    cron, now = settings().lake_cron, datetime.now(UTC)
    due = _last_but_one(cron, now) if croniter.is_valid(cron) else now
    return max(LONGEST_WITHOUT_LAKE, now - due)


def _last_but_one(cron: str, now: datetime) -> datetime:
    times = croniter(cron, now)
    times.get_prev(datetime)
    return times.get_prev(datetime)


def report(findings: Sequence[Finding], **facts: object) -> str:
    """Return the findings as JSON, for probes, with more facts."""
    looked_at = datetime.now(UTC).isoformat(timespec="seconds")
    rows = [finding.as_row() for finding in findings]
    return json.dumps({"healthy": not rows, "looked_at": looked_at, "findings": rows, **facts}, indent=2)
