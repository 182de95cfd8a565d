"""What happens to the histories between two ticks, and what a tool has wrong after the next."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import psycopg
from psycopg import sql

from benchmarks.discovery import CREWS, SESSIONS_PER_DAY
from benchmarks.peers.tools import FOLDER, Runner, connect

NUMBERS = count()
OLD_DAYS, IMPORTED_DAYS = 5, 30
"""Beyond three days of lookback, but younger than what becomes archive; and weeks."""


class Histories:
    """The histories tables of all crews, as the application writes them."""

    def __init__(self, connection: psycopg.Connection[tuple], sessions: int):
        self.connection = connection
        self.last = sessions // CREWS

    def execute(self, query: str, **parameters: object) -> None:
        for crew in range(CREWS):
            table = sql.Identifier("app", f"histories_{crew}")
            named = {name: str(value).format(crew) for name, value in parameters.items()}
            self.connection.execute(sql.SQL(query).format(table=table), named)

    def add(self, at: datetime | None = None, seconds: float = 0.001) -> None:
        """Add a session of each crew; by default all of it now."""
        query = (FOLDER / "new_session.sql").read_text()
        self.execute(query, session=f"new-{next(NUMBERS)}", at=at or datetime.now(UTC), seconds=seconds)

    def session(self, number: int, days: int) -> str:
        """Return the id of one session of each crew, so many days old."""
        return f"session-{{}}-1-{self.last - SESSIONS_PER_DAY // CREWS * days - number}"

    def change(self, days: int) -> None:
        query = (FOLDER / "change.sql").read_text()
        for statement in query.split(";\n"):
            if statement.strip():
                self.execute(statement, retyped=self.session(10, days), moved=self.session(20, days))

    def delete_messages(self, days: int) -> None:
        newest = "select id from {table} where session_id = %(session)s order by id desc limit 3"
        self.execute(f"delete from {{table}} where id in ({newest})", session=self.session(30, days))

    def delete_sessions(self, days: int) -> None:
        self.execute("delete from {table} where session_id = %(session)s", session=self.session(40, days))

    @contextmanager
    def uncommitted(self) -> Iterator[None]:
        """Add a session of each crew in a transaction that commits at the end."""
        with connect(self.connection.info.dsn) as connection:
            Histories(connection, 0).add()
            yield


def measure(runner: Runner, histories: Histories) -> dict[str, str]:
    """Let everything happen, each followed by one tick; return what went wrong by that, in sessions."""
    scenarios: dict[str, Callable[[], object]] = {
        "committed late": lambda: commit_late(runner, histories),
        f"imported, {IMPORTED_DAYS} days old": lambda: histories.add(
            datetime.now(UTC) - timedelta(days=IMPORTED_DAYS), seconds=30
        ),
        "changed, of yesterday": lambda: histories.change(0),
        f"changed, {OLD_DAYS} days old": lambda: histories.change(OLD_DAYS),
        "messages deleted, of yesterday": lambda: histories.delete_messages(0),
        f"messages deleted, {OLD_DAYS} days old": lambda: histories.delete_messages(OLD_DAYS),
        "sessions deleted, of yesterday": lambda: histories.delete_sessions(0),
        f"sessions deleted, {OLD_DAYS} days old": lambda: histories.delete_sessions(OLD_DAYS),
    }
    row = {"tool": runner.tool.name}
    before = runner.wrong()
    assert not before, before
    for name, happen in scenarios.items():
        happen()
        runner.run(runner.tool.tick)
        after = runner.wrong()
        counts = Counter(what for _, what in after.items() - before.items())
        row[name] = ", ".join(f"{number} {what}" for what, number in counts.items()) or "0"
        before = after
    return row


def commit_late(runner: Runner, histories: Histories) -> None:
    """Commit rows after a tick that has read younger ones."""
    with histories.uncommitted():
        histories.add()
        runner.run(runner.tool.tick)
