"""The deprecated arrays of projects: where they differ from what conversations say, and rewriting them from that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from convo_pipelines.database.warehouse import Connection, Row, Warehouse, fetch, fetch_one, transaction
from convo_pipelines.engine.chunks import Size, TooSlowError
from convo_pipelines.engine.refresh import limit
from convo_pipelines.errors import ConvoPipelinesError

BATCH_PROJECTS = 200
NO_ARRAYS = "app.projects has no conversation_ids any more: nothing can disagree"


class NotAllowedError(ConvoPipelinesError):
    """The role may not update app.projects; the message names it, and who may."""


@dataclass
class Rewritten:
    """What became of arrays: projects rewritten, ids added and removed, and projects that somebody had locked."""

    projects: int = 0
    added: int = 0
    removed: int = 0
    skipped: int = 0


def have_arrays(connection: Connection) -> bool:
    """Whether app.projects still has the column conversation_ids."""
    return fetch_one(connection, "operations/projects/have_arrays")["have_arrays"]


def differences(connection: Connection) -> list[Row]:
    """Return where arrays differ from conversations now: project, project_id, kind, ids, example, names."""
    return fetch(connection, "operations/projects/differences")


def rewrite(warehouse: Warehouse, projects: Sequence[UUID], progress: Callable[[int], object]) -> Rewritten:
    """Rewrite the arrays of projects from what conversations say, in batches whose locks are held for a moment each.

    What the application writes to an array before its project is locked is read, and what it writes later comes after.

    Args:
        warehouse: the database.
        projects: their ids; one whose array is right is not written.
        progress: called with the number of projects done since the last call.

    Raises:
        NotAllowedError: the role may not update them.

    """
    done, size, first = Rewritten(), Size(BATCH_PROJECTS), 0
    with warehouse.connection() as connection:
        rights = fetch_one(connection, "operations/projects/rights")
        if not rights["may_write"]:
            raise NotAllowedError(
                f"{rights['role']} may not update app.projects: run it as {rights['owner']}, who owns the table, or "
                f"grant update on app.projects to {rights['role']}"
            )
        while batch := projects[first : first + size.rows]:
            try:
                with transaction(connection), size.write():
                    limit(connection, size)
                    with size.choose():
                        mine = [row["id"] for row in fetch(connection, "operations/projects/lock", ids=batch)]
                    with size.refresh():
                        row = fetch_one(connection, "operations/projects/rewrite", ids=mine)
            except TooSlowError as error:
                size.give_way(error)
                continue
            done.projects += row["projects"]
            done.added += row["added"]
            done.removed += row["removed"]
            done.skipped += len(batch) - len(mine)
            progress(len(batch))
            first += len(batch)
            size.grow()
    return done
