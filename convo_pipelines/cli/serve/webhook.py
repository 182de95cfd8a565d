"""`convo-pipelines serve webhook`."""

import logging

import click

from convo_pipelines.cli.serve.options import HOST, INSECURE, PORT, secret
from convo_pipelines.serving import webhook as server


@click.command()
@HOST
@click.option("--port", type=PORT, default=8080, show_default=True)
@INSECURE
def webhook(host: str, port: int, insecure: bool) -> None:
    """Serve the webhook: refresh all tables for a completed conversation before answering the request."""
    key = secret(insecure)
    logging.getLogger("convo_pipelines").setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    server.run(host, port, key)
