"""DAGSTER_HOME: by default, the working directory."""

import os
from pathlib import Path
from shutil import copyfile

from convo_pipelines import orchestration
from convo_pipelines.cli.terminal import write
from convo_pipelines.database import addresses

TEMPLATES = Path(orchestration.__file__).parent


def prepare() -> None:
    """Set the variables that Dagster reads, and write its configuration into DAGSTER_HOME if there is none."""
    addresses.export_environment()
    for name in ("dagster.yaml", "workspace.yaml"):
        file = Path(os.environ["DAGSTER_HOME"]) / name
        if not file.exists():
            copyfile(TEMPLATES / name, file)
            write(f"wrote {file}")
