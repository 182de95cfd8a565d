"""Options of what listens, and the secret of the webhook."""

import click

from convo_pipelines.settings import settings

HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
PORT = click.IntRange(1, 65_535)
INSECURE = click.option("--insecure", is_flag=True, help="Accept unsigned requests, without WEBHOOK_SECRET.")


def secret(insecure: bool) -> str | None:
    """Return the secret of the webhook; None if requests are not signed."""
    given = settings().webhook_secret
    if given is None and not insecure:
        raise click.ClickException("WEBHOOK_SECRET is not set: set it, or pass --insecure")
    return None if insecure else given
