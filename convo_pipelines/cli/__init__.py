"""The `convo-pipelines` command: its groups of commands, and how errors are shown."""

import logging
from typing import Any

import click
import psycopg
from rich.logging import RichHandler

from convo_pipelines import logs
from convo_pipelines.cli import adopt, capture, data, demo, lake, migrate, people, refresh, serve, status
from convo_pipelines.cli.terminal import console
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.logs import visible
from convo_pipelines.operations.health import SchemaError, schema_error
from convo_pipelines.settings import SettingsError, settings

_log = logging.getLogger(__name__)


class _Lines(logging.Formatter):
    """Formats what people read: the message as it is, but for control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, with its traceback if there is one."""
        return visible(super().format(record))


class _Group(click.Group):
    """Prints expected errors as one line, a JSON object if LOG_FORMAT is `json`, and exits with status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
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


def _schema_error(error: Exception) -> SchemaError | None:
    """Return which migrations are missing, if PostgreSQL rejected a statement because of that."""
    if not isinstance(error, psycopg.ProgrammingError) or not error.sqlstate:
        return None
    return schema_error(Warehouse().url)


@click.group(cls=_Group)
def main() -> None:
    """Sessions, conversation summaries and links, kept fresh in PostgreSQL by Dagster."""
    is_read_by_people = console.is_terminal and settings().log_format == "text"
    lines = logs.handler()
    if is_read_by_people:
        lines = RichHandler(console=console)
        lines.setFormatter(_Lines("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[lines])


for command in (
    migrate.migrate, adopt.adopt, capture.capture,
    refresh.tick, refresh.refresh, refresh.reconcile, refresh.compare, refresh.verify, status.status, status.health,
    status.alerts, people.link, people.unlink, people.decisions, people.who, people.forget,
    data.sample_data, data.import_histories, data.export_client, data.import_client, data.project_arrays,
    data.data_dictionary, data.zero_schema, lake.lake, lake.lake_query,
    serve.follow, serve.webhook, serve.metrics, serve.dagster, demo.demo,
):  # fmt: skip
    main.add_command(command)
