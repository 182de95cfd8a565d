"""Rights: those that ticks need, with the statements that grant what is missing; those of the optional roles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from convo_pipelines.database.statements import statement
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.settings import settings

INSERTED = ("id", "channel", "external_id", "client_id", "crew_id", "session_id", "started_at")
"""The columns of app.conversations that crews' conversations are given."""


class MissingRightError(ConvoPipelinesError, psycopg.errors.InsufficientPrivilege):
    """A right is missing that ticks need; the message holds the statement that grants it."""


@dataclass(frozen=True)
class MissingRight:
    """A right that ticks need, and that a role lacks.

    Attributes:
        subject: the table, schema or function, with its schema.
        name: the same without its schema, as PostgreSQL's messages name it.
        failure: which role may not do what.
        run_this: the statement that grants it.

    """

    subject: str
    name: str
    failure: str
    run_this: str

    def __str__(self) -> str:
        """Return what is missing, and the remedy."""
        return f"{self.failure}: run `{self.run_this}`"


def lacking_rights(
    connection: psycopg.Connection[Any], sources: Sequence[str] = (), targets: Sequence[str] = ()
) -> list[MissingRight]:
    """Return the rights that ticks need, and that are missing, as far as the role may see that.

    Args:
        connection: of the role that runs ticks, or of one that may see its rights.
        sources: further tables of `app` that are read.
        targets: further tables of `analytics` that are written.

    """
    inserted = INSERTED if settings().create_conversations else ()

    def lacking(name: str, **parameters: object) -> list[MissingRight]:
        with connection.cursor(row_factory=class_row(MissingRight)) as cursor:
            return cursor.execute(statement(f"database/catalog/{name}"), parameters, prepare=None).fetchall()

    with connection.transaction():
        missing = lacking("needed_rights", sources=list(sources), targets=list(targets))
        try:
            with connection.transaction():
                return missing + lacking("known_rights", inserted=list(inserted)) + lacking("log_rights")
        except psycopg.errors.InsufficientPrivilege:
            if not missing:
                raise
            return missing


def grant_roles(connection: psycopg.Connection[Any]) -> None:
    """Grant the roles, if they exist, their ownership and rights."""
    for step in ("ownership", "grants"):
        connection.execute(statement(f"database/roles/{step}"))
