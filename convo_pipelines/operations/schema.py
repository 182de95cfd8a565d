"""Whether the database has every migration that this code needs."""

from contextlib import closing, suppress

import psycopg

from convo_pipelines.database import own_tables
from convo_pipelines.database.connections import open_connection
from convo_pipelines.database.migrations import record
from convo_pipelines.database.migrations.record import ViewsReleasedError
from convo_pipelines.database.own_tables import UnknownTablesError
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError

_up_to_date = set[str]()


class SchemaError(ConvoPipelinesError):
    """The database lacks migrations that this code needs; the message names them."""


def require(warehouse: Warehouse) -> None:
    """Check that the database has every migration that this code needs; once per process and database.

    Raises:
        SchemaError: migrations are missing, or the views of app are released.
        UnknownTablesError: CONVO_TABLES lacks the folder of a table that the database has.

    """
    if warehouse.url in _up_to_date:
        return
    if error := error_at(warehouse.url):
        raise error
    _up_to_date.add(warehouse.url)


def error_at(url: str) -> ConvoPipelinesError | None:
    """Return the error if the database at `url` lacks a migration that this code needs; None if it has them all.

    It is an UnknownTablesError if code differs because CONVO_TABLES lacks a folder. Also None for a role that may not
    read which migrations are applied: PostgreSQL reports the missing privileges.
    """
    try:
        missing = record.missing(url)
        if missing:
            with closing(open_connection(url)) as connection, suppress(psycopg.ProgrammingError):
                own_tables.require_all(connection)
    except ViewsReleasedError as error:
        return SchemaError(str(error))
    except UnknownTablesError as error:
        return error
    except psycopg.ProgrammingError:
        return None
    only = " --only analytics" if all(migration.line == "analytics" for migration in missing) else ""
    named = ", ".join(migration.name for migration in missing)
    return SchemaError(f"the database lacks {named}: run `convo-pipelines migrate up{only}`") if missing else None
