"""`convo-pipelines serve metrics`."""

import logging

import click

from convo_pipelines.cli.serve.options import HOST, PORT
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.serving import metrics as server

SCRAPE_SECONDS = 5
"""How long a scrape waits for a connection; Prometheus gives up after 10 s."""


@click.command()
@HOST
@click.option("--port", type=PORT, default=9464, show_default=True)
def metrics(host: str, port: int) -> None:
    """Serve metrics of the pipeline for Prometheus at /metrics; the webhook serves them, too."""
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    server.serve(Warehouse(wait_seconds=SCRAPE_SECONDS), host, port)
