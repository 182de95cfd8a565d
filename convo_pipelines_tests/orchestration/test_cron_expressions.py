"""Cron expressions that are none."""

import logging
from collections.abc import Callable

import pytest

from convo_pipelines.orchestration import crons
from convo_pipelines.settings import Settings
from convo_pipelines_tests.unit.test_settings import CRONS


@pytest.mark.parametrize("name", CRONS)
@pytest.mark.parametrize("value", ["every day", "* * * *", "61 * * * *", "* * * * * * *"])
def test_cron_expressions(
    environment: Callable[..., Settings], caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    environment(**{name.upper(): value})
    with caplog.at_level(logging.ERROR):
        assert crons.cron(name) == Settings.model_fields[name].default
    assert f"{name.upper()}={value!r} is not a cron expression; using the default" in caplog.text
