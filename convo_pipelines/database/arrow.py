"""Reads PostgreSQL as Arrow columns, without a Python object per row."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, LiteralString, cast

import psycopg
from adbc_driver_postgresql import dbapi  # pyright: ignore[reportMissingTypeStubs]
from psycopg import sql
from sqlalchemy import make_url

from convo_pipelines.database.connections import is_pooled, session_settings
from convo_pipelines.database.statements import statement


@contextmanager
def reading(url: str, mode: str = "read only", idle_timeout: str | None = None) -> Generator[Any]:
    """Open a transaction with the settings of our sessions; yield its cursor, whose rows are fetched as Arrow.

    The driver queries the catalog when it connects. So the search path is empty from the start of the connection,
    except behind a pooler, which takes no settings at the start.

    Args:
        url: the database.
        mode: of the transaction.
        idle_timeout: how long the transaction may be idle; by default as every other.

    """
    limits = session_settings(is_local=True)
    with psycopg.connect(url, client_encoding="utf8") as probe:
        address = url if is_pooled(probe) else _with_empty_path(url)
        settings = bound(
            probe, "database/session/settings", **limits | {"idle_timeout": idle_timeout or limits["idle_timeout"]}
        )
    with dbapi.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(f"set transaction {mode}")
        cursor.execute("set local search_path = ''")
        cursor.execute(settings.as_string())
        yield cursor


def bound(connection: psycopg.Connection[Any], name: str, **parameters: object) -> sql.SQL:
    """Return the statement `name` with its parameters as literals: ADBC does not take psycopg's placeholders."""
    text = psycopg.ClientCursor(connection).mogrify(statement(name), parameters)
    return sql.SQL(cast("LiteralString", text.rstrip().removesuffix(";")))


def _with_empty_path(url: str) -> str:
    address = make_url(url)
    options = " ".join([*address.normalized_query.get("options", ()), "-csearch_path="])
    return address.update_query_dict({"options": options}).render_as_string(hide_password=False)
