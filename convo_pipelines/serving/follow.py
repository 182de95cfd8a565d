"""The follower: a process that keeps every table right within a second of a commit, without Dagster.

It asks the log what is new, again at once after news and otherwise every IDLE_SECONDS, and refreshes the tables that
follow it, by the same ticks as the schedules. It holds the leases of all tables, so that schedules skip; it yields them
to a process that asks for one, and takes them again afterwards.
"""

import logging
import time
from collections.abc import Callable
from threading import Event
from uuid import UUID, uuid4

import psycopg

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import error_message, fetch_one
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, change_log, refresh
from convo_pipelines.engine.change_log import LogPosition, Seen, Watermark, process
from convo_pipelines.engine.chunk_size import TooSlowError
from convo_pipelines.engine.leases import FOLLOWER, RENEW_SECONDS, Lease
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.work import Outcome
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model import histories
from convo_pipelines.model.tables import DERIVED_TABLES, HISTORIES_SESSIONS, REGISTRY, TABLES
from convo_pipelines.operations import schema
from convo_pipelines.serving.record import RECORD_SECONDS, Record

IDLE_SECONDS, BUSY_SECONDS = 0.25, 0.02
"""How long to pause before the next look: without news, and with."""
CATALOG_SECONDS = 5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 5.0
"""After how long a table or crew that failed, or has locked rows, is tried again; doubled each time it fails."""
WANTED_SECONDS = 0.25
"""How often a long refresh looks whether its lease is wanted."""
NEVER = float("inf")
CATALOG_SOURCES = ("crews ", "clients ")

_log = logging.getLogger(__name__)
_crew_log = logging.getLogger(f"{__name__}.crews")
"""Of each crew, only what is wrong."""
_crew_log.setLevel(logging.WARNING)


def _unknown(error: Exception) -> Exception | None:
    """Return an error that does not explain itself, whose traceback is logged."""
    return None if isinstance(error, (psycopg.Error, ConvoPipelinesError, TooSlowError)) else error


class _YieldError(Exception):
    """The work at hand is given up, because another process wants the lease, or this one ends."""


class _Retry:
    """When to try again what failed: after growing pauses."""

    def __init__(self) -> None:
        self.pause, self.retry_at = FIRST_PAUSE_SECONDS, NEVER

    def retry(self) -> None:
        """Try it again after a pause, twice as long as the one before."""
        self.retry_at = time.monotonic() + self.pause
        self.pause = min(2 * self.pause, LONGEST_PAUSE_SECONDS)


class _Table(_Retry):
    """What the follower knows of a table whose lease it holds."""

    def __init__(self, table: DerivedTable, watermark: Watermark):
        """Start as if anything may be new."""
        super().__init__()
        self.table, self.watermark = table, watermark
        self.news: set[str] | None = None
        """The changes that it has not read, as `<source> <operation>`; None: unknown."""
        self.is_changed = True
        """Whether a table that it follows has changed, or may have."""
        self.not_before = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is to be refreshed."""
        now = time.monotonic()
        return now >= self.not_before and (self.is_changed or now >= self.retry_at)

    def retry(self) -> None:
        """Try what is left again, which this process logged itself, or with the next change."""
        super().retry()
        self.news = None

    def is_idle(self, now: Seen) -> bool:
        """Whether it has read everything that a look at everything showed, and nothing is left to be tried again."""
        return not self.is_changed and self.news == set() and self.retry_at == NEVER and self.is_behind(now)

    def is_behind(self, now: Seen) -> bool:
        """Whether its watermark is older than a look at everything: it is not if it was refreshed after that."""
        return self.watermark.taken_at is not None and self.watermark.taken_at < now.taken_at

    def fail(self) -> None:
        """Try all of it again, after growing pauses."""
        self.retry()
        self.is_changed, self.not_before = True, self.retry_at

    def reach(self, watermark: Watermark) -> None:
        """Note how far it has been refreshed."""
        self.watermark, self.news = watermark, set()


class _Every:
    """Something that is due every so many seconds."""

    def __init__(self, seconds: float):
        self.seconds, self._at = seconds, 0.0

    def is_due(self) -> bool:
        """Whether it is due; then it is due again after so many seconds."""
        if time.monotonic() < self._at:
            return False
        self._at = time.monotonic() + self.seconds
        return True

    def hurry(self) -> None:
        """Make it due now."""
        self._at = 0.0


class Follower:
    """Keeps all tables right until it is stopped."""

    def __init__(self, warehouse: Warehouse, record: Record | None = None):
        """Follow the application's changes in this database."""
        self._warehouse = warehouse
        self._record = record or Record(warehouse)
        self._stopped = Event()
        self._holder = f"{FOLLOWER}{process()}:{uuid4().hex[:8]}"
        self._tables: dict[str, _Table] = {}
        self._crews: dict[UUID, _Retry] = {}
        self._seen: str | None = None
        self._token: UUID | None = None
        self._own: list[str] = []
        self._catalog = _Every(CATALOG_SECONDS)
        self._upkeep, self._report, self._wanted = _Every(RENEW_SECONDS), _Every(RECORD_SECONDS), _Every(WANTED_SECONDS)
        self._waits_for: str | None = None

    def stop(self) -> None:
        """End after the transaction at hand."""
        self._stopped.set()

    def run(self) -> None:
        """Follow until stopped; if the database is away, wait for it.

        Raises:
            SchemaError: the database lacks migrations.

        """
        schema.require(self._warehouse)
        _log.info("following %s as %s", self._warehouse.name, process())
        while not self._stopped.is_set():
            try:
                pause = self.step()
            except Exception as error:
                missing = isinstance(error, psycopg.ProgrammingError) and schema.error_at(self._warehouse.url)
                text = error_message(missing or error)
                _log.warning("looking again in %d s: %s", LONGEST_PAUSE_SECONDS, text, exc_info=_unknown(error))
                change_log.record_failure(self._warehouse, list(self._tables), missing or error)
                self._forget()
                pause = LONGEST_PAUSE_SECONDS
            self._stopped.wait(pause)
        self.end()
        _log.info("stopped")

    def end(self) -> None:
        """Release the leases, and record what was done."""
        self._release(list(self._tables))
        self._record.write()

    def step(self) -> float:
        """Look once, and refresh what follows the news; return how long to pause before the next look."""
        with self._warehouse.connection() as connection:
            now = change_log.look_at_all(connection, self._seen, self._own)
        if self._token != now.crash_token:  # transaction ids may have been given out again
            self._forget()
        self._seen, self._token, self._own = now.to_snapshot, now.crash_token, []
        self._yield_leases(now)
        self._take_leases(now)
        if not self._tables:
            return IDLE_SECONDS
        if any(change.startswith(CATALOG_SOURCES) for change in now.operations):
            self._catalog.hurry()
        if self._catalog.is_due():
            capture.sync(self._warehouse, REGISTRY)
        for known in self._tables.values():
            news = now.of(known.table)
            known.is_changed = known.is_changed or bool(news)
            if known.news is not None:
                known.news |= news
        is_busy = self._refresh_due(now)
        if self._upkeep.is_due():
            self._keep_up(now)
        if self._report.is_due():
            self._record.write()
        return BUSY_SECONDS if is_busy else IDLE_SECONDS

    def _refresh_due(self, now: Seen) -> bool:
        """Refresh the tables with news, those that others are derived from first; return whether there were any."""
        is_busy = False
        for table in DERIVED_TABLES:
            known = self._tables.get(table.name)
            if known is None or not known.is_due:
                continue
            is_busy = is_busy or known.is_changed
            self._attempt(known, lambda lease, known=known: self._refresh(known, now, lease))
        return is_busy

    def _attempt(self, known: _Table, work: Callable[[Lease], Outcome]) -> None:
        """Do some work on a table; if it fails, the others go on."""
        lease = Lease(self._warehouse, list(self._tables), self._holder, self._check, time.monotonic())
        try:
            outcome = work(lease)
        except _YieldError:
            known.fail()
        except Exception as error:
            if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:  # the connection is gone
                raise
            text = error_message(error)
            _log.warning(
                "%s: %s; trying again in %.1f s", known.table.name, text, known.pause, exc_info=_unknown(error)
            )
            change_log.record_failure(self._warehouse, [known.table.name], error)
            known.fail()
        else:
            if outcome.keys:
                self._record.add({known.table.name: outcome})
                self._propagate(known.table)
            if outcome.locked:
                known.retry()

    def _propagate(self, table: DerivedTable) -> None:
        """Mark the tables that follow one that was refreshed: the process's own changes are not looked for."""
        for follower in REGISTRY.followers(table):
            if known := self._tables.get(follower.name):
                known.is_changed = True

    def _refresh(self, known: _Table, now: Seen, lease: Lease) -> Outcome:
        """Tick a table."""
        known.is_changed, known.retry_at = False, NEVER
        if known.table is HISTORIES_SESSIONS:
            return self._read_histories(known, now, lease)
        with self._warehouse.connection() as connection:
            done = refresh.tick_few(self._warehouse, connection, known.table, known.watermark, lease)
            if done is None:
                stored = change_log.watermark(connection, known.table)
                if stored.snapshot != known.watermark.snapshot:  # another run has moved it
                    done = refresh.tick_few(self._warehouse, connection, known.table, stored, lease)
            if done:
                outcome, reached = done
            else:
                outcome = refresh.tick_many(self._warehouse, connection, known.table, lease)
                reached = change_log.watermark(connection, known.table)
        self._reach(known, reached)
        if not outcome.locked:
            known.pause = FIRST_PAUSE_SECONDS
        return outcome

    def _reach(self, known: _Table, watermark: Watermark) -> None:
        known.reach(watermark)
        if watermark.xid and known.table.target.startswith("analytics."):  # triggers of the application write anything
            self._own.append(watermark.xid)
        if watermark.is_left:
            known.retry()

    def _read_histories(self, known: _Table, now: Seen, lease: Lease) -> Outcome:
        with self._warehouse.connection() as connection:
            if known.news is not None and known.is_behind(now):
                at = LogPosition.of(known.table, known.watermark, now, known.news)
            else:
                at = change_log.look(connection, known.table)
        left = [crew_id for crew_id, crew in self._crews.items() if time.monotonic() < crew.retry_at]
        done = histories.read_changes(self._warehouse, _crew_log, lease, at, left=left)
        if done.reached is None:
            known.fail()
            return done.outcome
        self._reach(known, done.reached)
        failed = {result.crew.id for result in done.results if result.error or not result.caught_up}
        self._crews = {crew: self._crews.get(crew) or _Retry() for crew in [*left, *failed]}
        for crew in failed:
            self._crews[crew].retry()
        if self._crews:
            known.news, known.retry_at = None, min(crew.retry_at for crew in self._crews.values())
        return done.outcome

    def _keep_up(self, now: Seen) -> None:
        """Renew the leases, move the watermarks of tables without news, and trim the logs."""
        idle = {name: known.watermark for name, known in self._tables.items() if known.is_idle(now)}
        with self._warehouse.connection() as connection:
            Lease(self._warehouse, list(self._tables), self._holder).renew(connection)
            moved = change_log.store_idle(connection, idle, now)
            for name in idle:
                if name in moved:
                    self._tables[name].watermark = Watermark(now.to_snapshot, now.taken_at)
                else:  # another run has moved it
                    self._tables[name] = _Table(
                        self._tables[name].table, change_log.watermark(connection, self._tables[name].table)
                    )
            change_log.trim(connection, REGISTRY)

    def _yield_leases(self, now: Seen) -> None:
        held = {name for name, lease in now.leases.items() if lease["holder"] == self._holder}
        self._tables = {name: known for name, known in self._tables.items() if name in held}
        wanted = [name for name in self._tables if now.leases[name]["is_wanted"]]
        if wanted:
            _log.info("yielding %s", ", ".join(wanted))
            self._release(wanted)

    def _take_leases(self, now: Seen) -> None:
        missing = [table for table in DERIVED_TABLES if table.name not in self._tables]
        holders = {table.name: now.leases.get(table.name, {"holder": None, "is_wanted": False}) for table in missing}
        mine = (None, self._holder)
        free = [name for name, lease in holders.items() if lease["holder"] in mine and not lease["is_wanted"]]
        if free:
            with self._warehouse.connection() as connection:
                change_log.watermarks(connection, missing)  # they may have no row yet
            taken = [TABLES[name] for name in Lease(self._warehouse, free, self._holder).take()]
            with self._warehouse.connection() as connection:
                for table in taken:
                    self._tables[table.name] = _Table(table, change_log.watermark(connection, table))
        others = {lease["holder"] for lease in holders.values()} - {*mine}
        waits_for = ", ".join(sorted(others)) or None
        if waits_for != self._waits_for:
            _log.info("waiting for %s", waits_for) if waits_for else _log.info("holding all leases")
            self._waits_for = waits_for

    def _release(self, names: list[str]) -> None:
        try:
            Lease(self._warehouse, names, self._holder).end()
        except psycopg.Error:  # the database is not reachable: the leases expire
            _log.warning("the leases could not be released; they expire within a minute")
        for name in names:
            self._tables.pop(name, None)

    def _check(self, connection: Connection) -> None:
        """Give up a long refresh if its lease is wanted."""
        if self._stopped.is_set():
            raise _YieldError
        wanted = "engine/leases/wanted"
        if self._wanted.is_due() and fetch_one(connection, wanted, asset_keys=list(self._tables))["is_wanted"]:
            raise _YieldError

    def _forget(self) -> None:
        """Start over: after an error, the watermarks are not known."""
        self._tables.clear()
        self._seen, self._own = None, []
        self._catalog.hurry()
