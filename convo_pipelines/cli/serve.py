"""Commands that start servers: the webhook, metrics and Dagster."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import click

from convo_pipelines.cli import home
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.settings import settings

SCRAPE_SECONDS = 5
"""How long a scrape waits for a connection; Prometheus gives up after 10 s."""
HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
PORT = click.IntRange(1, 65_535)


@click.command()
@HOST
@click.option("--port", type=PORT, default=8080, show_default=True)
@click.option("--insecure", is_flag=True, help="Accept unsigned requests, without WEBHOOK_SECRET.")
def webhook(host: str, port: int, insecure: bool) -> None:
    """Serve the webhook: refresh all tables for a completed conversation before answering the request."""
    from convo_pipelines.serving import webhook as server

    secret = _secret(insecure)
    logging.getLogger("convo_pipelines").setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    server.run(host, port, secret)


@click.command()
@click.option("--webhook", "serves", is_flag=True, help="Serve the webhook and the metrics in the same process.")
@HOST
@click.option("--port", type=PORT, default=8080, show_default=True, help="Of the webhook.")
@click.option("--insecure", is_flag=True, help="Accept unsigned requests, without WEBHOOK_SECRET.")
def follow(serves: bool, host: str, port: int, insecure: bool) -> None:
    """Keep every table right within a second of a commit, until SIGTERM.

    Schedules skip meanwhile; they take over within a minute if this process dies. Several may run: one works.
    """
    from convo_pipelines.serving.follow import Follower

    logging.getLogger("convo_pipelines").setLevel(logging.INFO)
    if serves:
        from convo_pipelines.serving import webhook as server

        logging.getLogger("uvicorn").setLevel(logging.INFO)
        server.run(host, port, _secret(insecure), follows=True)
        return
    follower = Follower(Warehouse())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: follower.stop())
    follower.run()


def _secret(insecure: bool) -> str | None:
    secret = settings().webhook_secret
    if secret is None and not insecure:
        raise click.ClickException("WEBHOOK_SECRET is not set: set it, or pass --insecure")
    return None if insecure else secret


@click.command()
@HOST
@click.option("--port", type=PORT, default=9464, show_default=True)
def metrics(host: str, port: int) -> None:
    """Serve metrics of the pipeline for Prometheus at /metrics; the webhook serves them, too."""
    from convo_pipelines.serving import metrics as server

    logging.getLogger("uvicorn").setLevel(logging.INFO)
    server.serve(Warehouse(wait_seconds=SCRAPE_SECONDS), host, port)


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def dagster(arguments: Sequence[str]) -> None:
    """Run any `dagster` command with the database URLs in its environment: `dagster dev`, `dagster job …`.

    If DAGSTER_HOME, which is the working directory by default, has no `dagster.yaml` or `workspace.yaml`, it gets ours.
    """
    home.prepare()
    sys.exit(subprocess.call([sys.executable, "-m", "dagster", *arguments], env=os.environ))  # noqa: S603
