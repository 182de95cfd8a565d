"""`convo-pipelines serve`: processes that run until they are stopped."""

import click

from convo_pipelines.cli.groups import LazyGroup

SECTIONS = {
    "Commands": {
        "follow": "Keep every table right within a second of a commit, until SIGTERM.",
        "webhook": "Serve the webhook: refresh all tables for a completed conversation before answering the request.",
        "metrics": "Serve metrics of the pipeline for Prometheus at /metrics; the webhook serves them, too.",
    }
}


@click.group(cls=LazyGroup, package=__name__, sections=SECTIONS)
def serve() -> None:
    """Start what runs until it is stopped: the follower, the webhook, the metrics."""
