"""`make demo`: the whole project once through, with a backfill launched as the UI launches it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from convo_pipelines.cli.terminal import print_table
from convo_pipelines.database import addresses, migrations
from convo_pipelines.database.warehouse import Warehouse, fetch, fetch_one
from convo_pipelines.engine.scopes import Window
from convo_pipelines.orchestration import runs
from convo_pipelines.orchestration.partitions import keys_in
from convo_pipelines.sources import sample_data

ASSETS = runs.DAILY_ASSETS
SHOWN = (
    "summaries_by_channel", "latest_summaries", "latest_sessions", "participants_by_status", "people_in_conversations",
    "clients_conversations", "project_conversations", "project_link_inconsistencies", "rows",
)  # fmt: skip
START_SECONDS, BACKFILL_SECONDS = 120, 240

LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""
STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill {
      status
      assetBackfillData {
        assetBackfillStatuses { ... on AssetPartitionsStatusCounts { numPartitionsMaterialized numPartitionsFailed } }
      }
    }
    ... on PythonError { message }
  }
}
"""


def run(console: Console) -> None:
    """Migrate, load sample data, backfill through Dagster, tick, run every check, show the result.

    Raises:
        click.ClickException: a step failed.

    """
    console.rule("1 migrate")
    migrations.up()
    console.rule("2 sample data")
    with console.status("loading"):
        try:
            sample_data.load(Warehouse(), sample_data.Sizes(), seed=1, end=datetime.now(UTC).date())
            console.print("a company of 5 clients, 10 crews and 300 people, over 90 days")
        except sample_data.NotEmptyError as reason:
            console.print(str(reason))
    console.rule("3 backfill, as the Dagster UI launches it")
    _backfill(console)
    console.rule("4 a tick, as the schedule launches it")
    console.print("done" if runs.tick() else "nothing new")
    console.rule("5 every check")
    evaluations = runs.run_checks()
    for evaluation in evaluations:
        verdict = "[green]passed[/green]" if evaluation.passed else f"[red]{evaluation.severity.value}[/red]"
        console.print(f"{verdict} {evaluation.asset_key.to_user_string()}: {evaluation.check_name}")
    console.rule("6 what analysts read")
    _show_tables(console)
    if runs.materialize(["activity_report"], None, None):
        console.print(f"and a page: {addresses.LOCAL / 'reports' / 'activity.html'}")
    if runs.failed(evaluations):
        raise click.ClickException("a check of severity ERROR failed")


def _backfill(console: Console) -> None:
    with Warehouse().connection() as connection:
        first = fetch_one(connection, "cli/demo/first_message")["sent_at"]
    keys = keys_in(Window.around(first, datetime.now(UTC)))
    with _dagster_dev(console) as url, Progress(console=console) as progress:
        task = progress.add_task(f"{len(keys)} days x {len(ASSETS)} assets, one run", total=len(keys) * len(ASSETS))
        params = {"assetSelection": [{"path": [asset]} for asset in ASSETS], "partitionNames": keys}
        launched = ask(url, LAUNCH, params=params)["launchPartitionBackfill"]
        if "backfillId" not in launched:
            raise click.ClickException(f"the backfill was refused: {launched['message']}")
        deadline = time.monotonic() + BACKFILL_SECONDS
        while time.monotonic() < deadline:
            backfill = ask(url, STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
            data = backfill["assetBackfillData"]
            statuses: list[dict[str, int]] = data["assetBackfillStatuses"] if data else []
            progress.update(task, completed=sum(status["numPartitionsMaterialized"] for status in statuses))
            if backfill["status"] not in ("REQUESTED", "COMPLETED_SUCCESS") or any(
                status["numPartitionsFailed"] for status in statuses
            ):
                raise click.ClickException(f"the backfill ended as {backfill['status']}")
            if backfill["status"] == "COMPLETED_SUCCESS":
                return
            time.sleep(1)
    raise click.ClickException(f"the backfill did not end within {BACKFILL_SECONDS} s")


@contextmanager
def _dagster_dev(console: Console) -> Generator[str]:
    """Run the webserver and the daemon, schedules switched off; yield the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", port]
    log = addresses.LOCAL / "dagster-dev.log"
    with log.open("w") as output, console.status("starting Dagster"):
        server = subprocess.Popen(  # noqa: S603
            command, env=os.environ | {"ENABLE_BACKGROUND_JOBS": "false"}, stdout=output, stderr=subprocess.STDOUT
        )
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            if time.monotonic() > deadline or server.poll() is not None:
                server.terminate()
                raise click.ClickException(f"Dagster did not start; see {log}")
            time.sleep(1)
    try:
        yield url
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    try:
        return bool(ask(url, "query { version }"))
    except (urllib.error.URLError, ConnectionError):
        return False


def ask(url: str, query: str, **variables: object) -> dict[str, Any]:
    """Ask Dagster's webserver by GraphQL; return the data of its answer.

    Raises:
        click.ClickException: it answered with an error.

    """
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        answer = json.load(response)
    if "errors" in answer:
        raise click.ClickException(answer["errors"][0]["message"])
    return answer["data"]


def _show_tables(console: Console) -> None:
    with Warehouse().connection() as connection:
        for name in SHOWN:
            print_table(console, fetch(connection, f"cli/demo/{name}"), title=name.replace("_", " "))
