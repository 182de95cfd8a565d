"""The environment file for systemd."""

from convo_pipelines.settings import Settings
from convo_pipelines_tests.processes import ENVIRONMENT

OF_THE_WORKSPACE = {"DAGSTER_CODE_HOST", "DAGSTER_CODE_PORT"}


def test_the_environment_file_names_every_variable() -> None:
    named = {line.removeprefix("#").split("=")[0] for line in ENVIRONMENT.read_text().splitlines() if "=" in line}
    assert named - OF_THE_WORKSPACE == {name.upper() for name in Settings.model_fields}
