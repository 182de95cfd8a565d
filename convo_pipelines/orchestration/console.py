"""What runs write to stderr: the lines of `convo_pipelines.logs`."""

import logging

import dagster as dg

from convo_pipelines import logs


@dg.logger(config_schema={}, description="One line an event, as text, or as JSON if LOG_FORMAT is json.")
def console(_context: dg.InitLoggerContext) -> logging.Logger:
    """Return a logger that is registered nowhere, as Dagster's are."""
    logger = logging.Logger("dagster", logging.INFO)
    logger.addHandler(logs.handler())
    return logger


TO_CONSOLE: dict[str, object] = {"loggers": {"console": {}}}
"""The config of runs that log so; others, such as those launched in the UI, log in Dagster's own format."""
