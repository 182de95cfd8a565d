"""`convo-pipelines serve follow`."""

import logging
import signal

import click

from convo_pipelines.cli.serve.options import HOST, INSECURE, PORT, secret
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.serving.follow import Follower


@click.command()
@click.option("--webhook", "serves", is_flag=True, help="Serve the webhook and the metrics in the same process.")
@HOST
@click.option("--port", type=PORT, default=8080, show_default=True, help="Of the webhook.")
@INSECURE
def follow(serves: bool, host: str, port: int, insecure: bool) -> None:
    """Keep every table right within a second of a commit, until SIGTERM.

    Schedules skip meanwhile; they take over within a minute if this process dies. Several may run: one works.
    """
    logging.getLogger("convo_pipelines").setLevel(logging.INFO)
    if serves:
        from convo_pipelines.serving import webhook as server  # a follower alone needs no web server

        logging.getLogger("uvicorn").setLevel(logging.INFO)
        server.run(host, port, secret(insecure), follows=True)
        return
    follower = Follower(Warehouse())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: follower.stop())
    follower.run()
