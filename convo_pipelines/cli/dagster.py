"""`convo-pipelines dagster`: Dagster's own commands."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from convo_pipelines.database import addresses


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def dagster(arguments: Sequence[str]) -> None:
    """Run any `dagster` command with the database URLs in its environment: `dagster dev`, `dagster job …`."""
    addresses.export_environment()
    sys.exit(subprocess.call([str(Path(sys.executable).parent / "dagster"), *arguments], env=os.environ))  # noqa: S603
