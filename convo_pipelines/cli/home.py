"""DAGSTER_HOME: by default, the working directory."""

import os
from importlib.resources import files
from pathlib import Path

from convo_pipelines.cli.terminal import write
from convo_pipelines.database import addresses

TEMPLATES = files("convo_pipelines.orchestration")


def prepare() -> None:
    """Set the variables that Dagster reads, and write its configuration into DAGSTER_HOME if there is none."""
    addresses.export_environment()
    for name in ("dagster.yaml", "workspace.yaml"):
        file = Path(os.environ["DAGSTER_HOME"]) / name
        if not file.exists():
            file.write_text(TEMPLATES.joinpath(name).read_text())
            write(f"wrote {file}")
