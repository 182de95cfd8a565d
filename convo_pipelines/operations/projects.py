"""The deprecated arrays of projects: their differences from conversations' project_id, and rewriting them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import fetch, fetch_one
from convo_pipelines.database.transactions import transaction
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.chunk_size import ChunkSize, TooSlowError
from convo_pipelines.errors import ConvoPipelinesError

BATCH_PROJECTS = 200
NO_ARRAYS = "app.projects has no column conversation_ids: there is nothing to compare"


class NotAllowedError(ConvoPipelinesError):
    """The role lacks UPDATE on app.projects; the message names the role and the owner."""


@dataclass
class Rewritten:
    """Counts: projects rewritten, ids added and removed, and projects skipped because they were locked."""

    projects: int = 0
    added: int = 0
    removed: int = 0
    skipped: int = 0


def have_arrays(connection: Connection) -> bool:
    """Whether app.projects still has the column conversation_ids."""
    return fetch_one(connection, "operations/projects/have_arrays")["have_arrays"]


def differences(connection: Connection) -> list[Row]:
    """Return the differences between arrays and conversations: project, project_id, kind, ids, example, names."""
    return fetch(connection, "operations/projects/differences")


def rewrite(warehouse: Warehouse, projects: Sequence[UUID], progress: Callable[[int], object]) -> Rewritten:
    """Rewrite the arrays of projects from conversations' project_id, in batches that hold their locks briefly.

    Each array is read after its project is locked, so no concurrent write of the application is lost.

    Args:
        warehouse: the database.
        projects: their ids; correct arrays are not written.
        progress: called with the number of projects done since the last call.

    Raises:
        NotAllowedError: the role lacks UPDATE on app.projects.

    """
    done, size, first = Rewritten(), ChunkSize(BATCH_PROJECTS), 0
    with warehouse.connection() as connection:
        rights = fetch_one(connection, "operations/projects/rights")
        if not rights["may_write"]:
            raise NotAllowedError(
                f"{rights['role']} may not update app.projects: run the command as its owner, {rights['owner']}, or "
                f"grant update on app.projects to {rights['role']}"
            )
        while batch := projects[first : first + size.rows]:
            try:
                with transaction(connection), size.write():
                    size.limit(connection)
                    with size.choose():
                        locked = [row["id"] for row in fetch(connection, "operations/projects/lock", ids=batch)]
                    with size.refresh():
                        row = fetch_one(connection, "operations/projects/rewrite", ids=locked)
            except TooSlowError as error:
                size.back_off(error)
                continue
            done.projects += row["projects"]
            done.added += row["added"]
            done.removed += row["removed"]
            done.skipped += len(batch) - len(locked)
            progress(len(batch))
            first += len(batch)
            size.grow()
    return done
