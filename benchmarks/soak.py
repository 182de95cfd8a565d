"""Everything at once for half an hour: writers, ticks, backfills, killed workers, daemons and databases.

    python -m benchmarks.soak --minutes 30

It ends with what the tables differ by from the oracle, the drift that a reconcile finds, what is left in the logs, and
what each process took of memory.
"""

import logging
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import psutil
import psycopg
from sqlalchemy import make_url

from benchmarks import results
from benchmarks.measure import run_file
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines_tests import oracle
from convo_pipelines_tests.processes import STARTED, Units
from convo_pipelines_tests.servers import DebianServer
from convo_pipelines_tests.world import World

CLIENTS, CREWS, WRITERS = 5, 10, 5
TICK_SECONDS, BACKFILL_SECONDS, SAMPLE_SECONDS = 10, 40, 15
KILL_SECONDS, DAEMON_KILL_SECONDS, CRASHES = 60, 300, 2
SECONDS_DOWN = RESTART_SECONDS = 5
DAEMON = "convo-pipelines-daemon"
SAY = "insert into app.histories_crew_{crew:02} (session_id, message, created_at) values (%s, %s, now())"
ADDRESS = """
with message as (
    insert into app.messages (conversation_id, direction, sent_at) select %s, 'inbound', now() returning id
)
insert into app.message_recipients (message_id, contact_method_id, role) select id, %s, 'to' from message
"""


def any_of(table: str, condition: str = "true") -> str:
    return f"(select id from app.{table} where {condition} order by random() limit 1)"


OTHER = [
    f"update app.contact_methods set person_id = {any_of('people')} where id = %(one)s",
    "update app.contact_methods set person_id = null where id = %(one)s",
    "update app.contact_methods set value = 'person' || %(number)s || '@example.com' where id = %(one)s",
    f"update app.conversations set project_id = {any_of('projects')} where id = %(talk)s",
    f"update app.conversations set client_id = {any_of('clients')} where id = %(talk)s",
    f"update app.conversations set closed_at = now() where id = {any_of('conversations')}",
    "insert into app.conversations (channel, started_at) values ('email', now())",
    "delete from app.messages where id in (select id from app.messages where conversation_id = %(talk)s limit 3)",
    f"update app.messages set conversation_id = {any_of('conversations')} where conversation_id = %(talk)s",
    f"update app.message_recipients set contact_method_id = %(one)s where id = {any_of('message_recipients')}",
    f"delete from app.message_recipients where id = {any_of('message_recipients')}",
    f"delete from app.conversations where id in {any_of('conversations', 'crew_id is null')}",
    f"insert into app.people (client_id, name, email) "
    f"values ({any_of('clients')}, 'new', 'person' || %(number)s || '@example.com')",
    f"update app.people set email = 'person' || %(number)s || '@example.com' where id = {any_of('people')}",
    f"update app.people set client_id = {any_of('clients')} where id = {any_of('people')}",
    f"delete from app.people where id = {any_of('people', 'name = $$new$$')}",
    f"insert into app.projects (user_id, name, conversation_ids) select id, 'new', array[{any_of('conversations')}, "
    "gen_random_uuid()] from app.users",
    f"update app.projects set conversation_ids = array[{any_of('conversations')}] where id = {any_of('projects')}",
    f"delete from app.projects where id = {any_of('projects', 'name = $$new$$')}",
    f"update app.crews set is_active = not is_active where id = {any_of('crews')}",
    f"update app.crews set client_id = {any_of('clients')} where id = {any_of('crews')}",
]

Statement = tuple[str, Mapping[str, object] | Sequence[object]]


class Soak:
    """What runs beside each other, and what is counted."""

    per_second = 500

    def __init__(self, url: str, minutes: float):
        self.url, self.until = url, time.monotonic() + 60 * minutes
        self.counts: Counter[str] = Counter()
        self.memory: dict[str, list[float]] = defaultdict(list)
        self.longest: dict[int, tuple[float, str]] = {}
        with psycopg.connect(url) as connection:
            self.talks = [
                row[0] for row in connection.execute("select id from app.conversations where crew_id is null")
            ]
            self.contacts = [row[0] for row in connection.execute("select id from app.contact_methods")]

    def write(self, number: int) -> None:
        """Write at this thread's share of the rate; a statement that fails is counted, and the next one is tried."""
        rng, due = random.Random(number), time.monotonic()
        while time.monotonic() < self.until:
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    while time.monotonic() < self.until:
                        self.execute(connection, number, *self.statement(rng))
                        due += WRITERS / self.per_second
                        time.sleep(max(0.0, due - time.monotonic()))
            except psycopg.IntegrityError:
                self.counts["statements that met a deleted row"] += 1
            except psycopg.Error:
                self.counts["statements that failed"] += 1
                time.sleep(0.5)

    def execute(
        self,
        connection: psycopg.Connection[tuple],
        writer: int,
        query: str,
        values: Mapping[str, object] | Sequence[object],
    ) -> None:
        """Execute a statement; remember the longest of each writer."""
        started = time.monotonic()
        try:
            connection.execute(query, values)
        finally:
            self.longest[writer] = max(self.longest.get(writer, (0, "")), (time.monotonic() - started, query))

    def statement(self, rng: random.Random) -> Statement:
        crew, dice = rng.randint(1, CREWS), rng.random()
        table = f"app.histories_crew_{crew:02}"
        row = [rng.randint(1, 1 + self.counts["messages"] // CREWS)]
        if dice < 0.8:
            session = f"{datetime.now(UTC):%H:%M} {rng.randint(0, 20)}"
            kind = rng.choice(["human", "ai"])
            self.counts["messages"] += 1
            return SAY.format(crew=crew), [session, f'{{"type": "{kind}"}}']
        if dice < 0.88:
            self.counts["messages"] += 1
            return ADDRESS, [rng.choice(self.talks), rng.choice(self.contacts)]
        if dice < 0.94:
            self.counts["updates"] += 1
            return f"update {table} set session_id = session_id || '.' where id = %s", row
        if dice < 0.98:
            self.counts["deletes"] += 1
            return f"delete from {table} where id = %s", row
        return self.other(rng)

    def other(self, rng: random.Random) -> Statement:
        self.counts["other changes"] += 1
        values = {"one": rng.choice(self.contacts), "talk": rng.choice(self.talks), "number": rng.randint(1, 400)}
        return rng.choice(OTHER), values


def company(url: str) -> None:
    world = World(Warehouse(url))
    for number in range(1, CREWS + 1):
        world.crew(f"{number:02}", table=f"histories_crew_{number:02}", client=f"C{1 + number % CLIENTS}")
    with psycopg.connect(url, autocommit=True) as connection:
        run_file(connection, "soak")
    world.close()


def every(soak: Soak, seconds: float, work: Callable[[], None]) -> None:
    while time.monotonic() + seconds < soak.until:
        time.sleep(seconds)
        work()


def run(soak: Soak, server: DebianServer, units: Units, minutes: float) -> None:
    """Let all of it run until the time is up."""
    rng = random.Random(0)
    program = str(Path(sys.executable).with_name("convo-pipelines"))
    commands: dict[str, subprocess.Popen[bytes]] = {}

    def command(name: str, *arguments: str) -> None:
        if name in commands and commands[name].poll() is None:
            return
        with (units.folder / f"{name}.log").open("a") as log:
            commands[name] = subprocess.Popen(
                [program, *arguments], env=os.environ | units.environment, cwd=units.elsewhere, stdout=log, stderr=log
            )
        soak.counts[name] += 1

    def backfill() -> None:
        start = datetime.now(UTC).date() - timedelta(days=rng.randint(0, 20))
        tables = rng.sample([table.name for table in DERIVED_TABLES], 3)
        command("backfills", "refresh", ",".join(tables), "--start", str(start))

    def workers() -> dict[str, list[psutil.Process]]:
        server_of_code = psutil.Process(units.processes["convo-pipelines-code"].pid)
        alive = {name: [psutil.Process(one.pid)] for name, one in commands.items() if one.poll() is None}
        return alive | {"Dagster's run workers": server_of_code.children(recursive=True)}

    def kill() -> None:
        with suppress(psutil.NoSuchProcess, IndexError):
            name, processes = rng.choice([item for item in workers().items() if item[1]])
            rng.choice(processes).send_signal(signal.SIGKILL)
            soak.counts[f"killed: {name}"] += 1

    def kill_daemon() -> None:
        units.processes[DAEMON].kill()
        soak.counts["killed: the daemon"] += 1

    def crash() -> None:
        server.crash()
        time.sleep(SECONDS_DOWN)
        server.start(max_connections="200")
        soak.counts["killed: the database"] += 1

    def sample() -> None:
        with suppress(psutil.NoSuchProcess):
            alive = workers() | {name: [psutil.Process(one.pid)] for name, one in units.processes.items()}
            for name, processes in alive.items():
                soak.memory[name] += [process.memory_info().rss / 1e6 for process in processes]

    def restart() -> None:
        for unit in STARTED:
            if units.processes[unit.stem].poll() is not None:
                units.start(unit)
                soak.counts[f"started again: {unit.stem}"] += 1

    beside: list[tuple[float, Callable[[], None]]] = [
        (TICK_SECONDS, lambda: command("ticks", "tick")),
        (BACKFILL_SECONDS, backfill),
        (KILL_SECONDS, kill),
        (DAEMON_KILL_SECONDS, kill_daemon),
        (60 * minutes / (CRASHES + 1), crash),
        (SAMPLE_SECONDS, sample),
        (RESTART_SECONDS, restart),
    ]
    threads = [threading.Thread(target=every, args=[soak, *work]) for work in beside]
    threads += [threading.Thread(target=soak.write, args=[number]) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in commands.values():
        one.wait()


def difference(world: World) -> str:
    """Return what differs from the oracle; nothing: all is right."""
    try:
        oracle.assert_right(world)
        oracle.assert_links_right(world)
    except AssertionError as found:
        return f"NO: {str(found)[:200]}"
    return ""


def outcome(url: str) -> dict[str, object]:
    """Tick until nothing is new, and compare."""
    world = World(Warehouse(url))
    deadline = time.monotonic() + 600
    while ticks.have_news(world.warehouse, DERIVED_TABLES):
        assert time.monotonic() < deadline, "ticks do not catch up"
        for table in DERIVED_TABLES:
            ticks.tick(world.warehouse, table, logging.getLogger())
    found: dict[str, object] = {"equal to the oracle": difference(world) or "yes"}
    found["rows of drift"] = world.reconcile().drift.changed
    ticks.tick(world.warehouse, DERIVED_TABLES[0], logging.getLogger())
    logs = [row["relname"] for row in world.execute("select relname from pg_class where relname ~ '_changes$' and "
                                                    "relnamespace = 'analytics'::regnamespace")]  # fmt: skip
    left = [world.execute(f"select count(*) as rows from analytics.{log}")[0]["rows"] for log in logs]
    found["rows left in the logs"] = sum(left)
    world.close()
    return found


def memory_table(soak: Soak) -> list[dict[str, str]]:
    """Return what each process took, in MB: in the first and the last fifth of the time, and at most."""
    rows: list[dict[str, str]] = []
    for name, series in sorted((name, series) for name, series in soak.memory.items() if series):
        fifth = max(1, len(series) // 5)
        first, last = statistics.median(series[:fifth]), statistics.median(series[-fifth:])
        rows.append(
            {
                "process": name,
                "first fifth": f"{first:.0f} MB",
                "last fifth": f"{last:.0f} MB",
                "most": f"{max(series):.0f} MB",
            }
        )
    return rows


@click.command()
@click.option("--minutes", type=float, default=30, show_default=True)
def main(minutes: float) -> None:
    """Let everything run at once; print and keep how it ended."""
    server = DebianServer()
    server.start(max_connections="200")
    try:
        storage = make_url(server.url).set(database="dagster").render_as_string(hide_password=False)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("create database dagster")
        upgrade.up(url=server.url)
        company(server.url)
        every_minute = {"CONVERSATION_DISCOVERY_CRON": "* * * * *", "LINK_SYNC_CRON": "* * * * *"}
        with tempfile.TemporaryDirectory() as folder:
            soak = Soak(server.url, minutes)
            with Units(Path(folder), server.url, storage, **every_minute) as units:
                soak.until = time.monotonic() + 60 * minutes
                run(soak, server, units, minutes)
            found = outcome(server.url)
    finally:
        server.remove()
    longest, _ = max(soak.longest.values())
    facts = {
        "minutes": minutes,
        **dict(sorted(soak.counts.items())),
        "longest statement of a writer": f"{longest:.1f} s",
        **found,
    }
    rows = [{"what": name, "": str(value)} for name, value in facts.items()]
    results.save("soak", results.table("everything at once", rows), results.table("memory", memory_table(soak)))


if __name__ == "__main__":
    main()
