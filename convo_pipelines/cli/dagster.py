"""`convo-pipelines dagster`: Dagster's own commands."""

import os
import subprocess
import sys
from collections.abc import Sequence

import click

from convo_pipelines.cli import home


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def dagster(arguments: Sequence[str]) -> None:
    """Run any `dagster` command with the database URLs in its environment: `dagster dev`, `dagster job …`.

    If DAGSTER_HOME, which is the working directory by default, has no `dagster.yaml` or `workspace.yaml`, it gets ours.
    """
    home.prepare()
    sys.exit(subprocess.call([sys.executable, "-m", "dagster", *arguments], env=os.environ))  # noqa: S603
