"""The cron expressions of the schedules, from the environment."""

import logging

import dagster as dg

from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.settings import Settings, settings

_log = logging.getLogger(__name__)


def cron(name: str) -> str:
    """Return the cron expression of a setting; if it is invalid, log an error and return the default."""
    given = getattr(settings(), name)
    try:
        dg.ScheduleDefinition(name="probe", job_name="probe", cron_schedule=given)
    except dg.DagsterInvalidDefinitionError:
        default = Settings.model_fields[name].default
        _log.error("%s=%r is not a cron expression; using the default %r", name.upper(), given, default)
        return default
    return given


def cron_of(table: DerivedTable) -> str:
    """Return the cron expression of the job that ticks a table."""
    return table.cron or cron(f"{table.job}_cron")


def is_one_tick() -> bool:
    """Whether discovery and links are due at the same times: then one run makes both ticks, links last."""
    return cron("conversation_discovery_cron") == cron("link_sync_cron")
