"""What keeps the tables is killed every few seconds, beside writers of every table, a second one, ticks and backfills.

    python -m benchmarks.follow_storm --command "convo-pipelines serve follow" --seconds 600

It ends with status 0 if every table equals the oracle within a minute, without drift, and no statement of the writers
took more than a second.
"""

import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from benchmarks import soak
from benchmarks.freshness import WAYS
from benchmarks.measure import console, fresh_database
from convo_pipelines.cli.terminal import print_table
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.scopes import Window
from convo_pipelines.operations import pipeline
from convo_pipelines_tests.world import World

FOLLOWERS, KILL_SECONDS, TICK_SECONDS, BACKFILL_SECONDS = 2, 3, 10, 5
OTHER_SHARE = 0.3
EQUAL_SECONDS, LATEST_SECONDS, LONGEST_STATEMENT_SECONDS = 60, 300, 1.0
TODAY = datetime.now(UTC).date()


class Storm(soak.Soak):
    """Writers of whose statements a third changes other tables than the histories."""

    per_second = 100

    def statement(self, rng: random.Random) -> soak.Statement:
        return self.other(rng) if rng.random() < OTHER_SHARE else super().statement(rng)


class Commands:
    """Processes by name, each started again when it has ended."""

    def __init__(self, url: str, folder: Path, storm: Storm):
        self.folder, self.storm = folder, storm
        self.environment = os.environ | {
            "CONVO_DATABASE_URL": url,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: str) -> None:
        """Start it, unless it runs."""
        if name in self.processes and self.processes[name].poll() is None:
            return
        with (self.folder / f"{name}.log").open("a") as log:
            self.processes[name] = subprocess.Popen(shlex.split(command), env=self.environment, stdout=log, stderr=log)
        self.storm.counts[f"started: {name}"] += 1

    def end(self, name: str, number: signal.Signals) -> None:
        self.processes[name].send_signal(number)
        self.processes[name].wait()


def run(storm: Storm, commands: Commands, command: str, warehouse: Warehouse) -> None:
    """Let all of it run until the time is up; the followers go on."""
    rng = random.Random(0)
    followers = [f"follower {number}" for number in range(1, FOLLOWERS + 1)]
    for name in followers:
        commands.start(name, command)

    def backfill() -> None:
        pipeline.backfill(warehouse, Window.of_days(TODAY - timedelta(days=30), TODAY + timedelta(days=1)))
        storm.counts["backfills"] += 1

    def kill() -> None:
        name = rng.choice(followers)
        commands.end(name, signal.SIGKILL)
        commands.start(name, command)

    beside = [
        (KILL_SECONDS, kill),
        (TICK_SECONDS, lambda: commands.start("tick", "convo-pipelines tick")),
        (BACKFILL_SECONDS, backfill),
    ]
    threads = [threading.Thread(target=soak.every, args=[storm, *work]) for work in beside]
    threads += [threading.Thread(target=storm.write, args=[number]) for number in range(soak.WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in commands.processes.keys() - {*followers}:
        commands.processes[name].wait()


def seconds_until_equal(world: World) -> float:
    """Return how long it takes until every table equals the oracle, or infinity."""
    started = time.monotonic()
    while time.monotonic() < started + LATEST_SECONDS:
        if not (found := soak.difference(world)):
            return time.monotonic() - started
        time.sleep(1)
    console.print(found)
    return float("inf")


@click.command()
@click.option("--command", default=WAYS["follow"], show_default=True, help="What keeps the tables right.")
@click.option("--seconds", type=int, default=60, show_default=True)
def main(command: str, seconds: int) -> None:
    """Kill, and print how it ended."""
    with fresh_database() as url, tempfile.TemporaryDirectory() as folder:
        soak.company(url)
        world = World(Warehouse(url))
        pipeline.tick(world.warehouse)
        storm = Storm(url, seconds / 60)
        commands = Commands(url, Path(folder), storm)
        run(storm, commands, command, world.warehouse)
        until_equal = seconds_until_equal(world)
        for name in list(commands.processes):
            commands.end(name, signal.SIGTERM)
        drift = world.reconcile().drift.changed
        world.close()
    longest, statement = max(storm.longest.values())
    facts = {
        "seconds": seconds,
        **dict(sorted(storm.counts.items())),
        "equal to the oracle after": f"{until_equal:.0f} s",
        "rows of drift": drift,
        "longest statement of a writer": f"{longest:.2f} s: {statement}",
    }
    print_table(console, [{"what": name, "": str(value)} for name, value in facts.items()], title="follow storm")
    sys.exit(until_equal > EQUAL_SECONDS or drift > 0 or longest > LONGEST_STATEMENT_SECONDS)


if __name__ == "__main__":
    main()
