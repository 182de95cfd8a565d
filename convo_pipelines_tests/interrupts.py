"""Statements that last until they are cancelled, and signals that come while the server works on one."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from convo_pipelines.database.execution import execute
from convo_pipelines.database.transactions import allow_idle, transaction
from convo_pipelines_tests.processes import wait_until
from convo_pipelines_tests.world import World

AT_WORK = """
select pid from pg_stat_activity
where datname = current_database() and state = 'active' and wait_event in ('PgSleep', 'advisory')
"""


@contextmanager
def refreshes_wait(world: World, *locks: str) -> Iterator[None]:
    """Let refreshes wait, as behind others: of a table, or of a crew by `histories_sessions:<id>`."""
    with world.warehouse.connection() as connection, transaction(connection):
        allow_idle(connection)
        execute(connection, "database/session/lock", locks=list(locks), lock_timeout="0")
        yield


@contextmanager
def interrupted(
    world: World, number: int = signal.SIGUSR1, before: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Send a signal to this thread as soon as a statement lasts; do something right before."""
    main = threading.get_ident()

    def send() -> None:
        with psycopg.connect(world.url, autocommit=True) as connection:
            wait_until(lambda: connection.execute(AT_WORK).fetchall())
        before()
        signal.pthread_kill(main, number)

    sender = threading.Thread(target=send)
    sender.start()
    yield
    sender.join()


def assert_nothing_goes_on(world: World) -> None:
    wait_until(lambda: not world.execute(AT_WORK))
