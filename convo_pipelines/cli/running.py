"""How a command runs: where its log lines go, and how errors are shown."""

import logging
from collections.abc import Callable
from typing import Any

import click
import psycopg

from convo_pipelines import logs
from convo_pipelines.cli.terminal import console
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.logs import visible
from convo_pipelines.operations import schema
from convo_pipelines.settings import SettingsError, settings

_log = logging.getLogger(__name__)


class _Lines(logging.Formatter):
    """Formats what people read: the message as it is, but for control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, with its traceback if there is one."""
        return visible(super().format(record))


def run(invoke: Callable[[], Any]) -> Any:
    """Invoke a command; an expected error is one line, a JSON object if LOG_FORMAT is `json`, and exit status 1."""
    try:
        _log_to_stderr()
        return invoke()
    except SettingsError as error:  # which may be about LOG_FORMAT
        raise click.ClickException(visible(str(error))) from None
    except click.UsageError as error:
        failure = error
    except click.ClickException as error:
        failure = click.ClickException(visible(error.format_message()))
    except (ConvoPipelinesError, psycopg.Error, OSError, UnicodeError) as error:
        failure = click.ClickException(visible(str(_schema_error(error) or error)))
    if settings().log_format == "text":
        raise failure
    _log.error("%s", failure.format_message())
    raise click.exceptions.Exit(failure.exit_code)


def _log_to_stderr() -> None:
    is_read_by_people = console.is_terminal and settings().log_format == "text"
    lines = logs.handler()
    if is_read_by_people:
        from rich.logging import RichHandler  # which loads pygments

        lines = RichHandler(console=console)
        lines.setFormatter(_Lines("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[lines])


def _schema_error(error: Exception) -> ConvoPipelinesError | None:
    """Return which migrations are missing, if PostgreSQL rejected a statement because of that."""
    if not isinstance(error, psycopg.ProgrammingError) or not error.sqlstate:
        return None
    return schema.error_at(Warehouse().url)
