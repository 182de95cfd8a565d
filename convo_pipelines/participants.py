"""Participants: whose each contact method is, and whom a session id names, by identifiers in their one canonical form.

The canonical form needs libraries, so it is computed here, once per spelling; the rest is SQL.
"""

from convo_pipelines.identifiers import CANONICAL
from convo_pipelines.statements import statement
from convo_pipelines.warehouse import Connection, fetch, fetch_one

BATCH_ROWS = 10_000


def refresh(connection: Connection, *, renormalize: bool) -> int:
    """Resolve anew whatever has an identifier of the places in `keys`, or had; return how many resolutions there were.

    Args:
        connection: in a transaction with the temporary tables `keys` and `changed`.
        renormalize: put all of their identifiers into canonical form again, not only those that changed.

    """
    fetch(connection, "participants/places")
    fetch(connection, "participants/normalized")
    fetch(connection, "participants/touched_identifiers")
    connection.execute("analyze places")
    _normalize(connection, renormalize)
    fetch(connection, "participants/identifiers")
    connection.execute("analyze touched_identifiers")
    contacts = fetch_one(connection, "refresh/participant_resolutions")
    sessions = fetch_one(connection, "refresh/session_resolutions")
    return contacts["present"] + sessions["present"]


def _normalize(connection: Connection, renormalize: bool) -> None:
    with connection.cursor("values") as spelled, connection.cursor() as writer:
        spelled.execute(statement("participants/values"), {"renormalize": renormalize})
        while batch := spelled.fetchmany(BATCH_ROWS):
            with writer.copy("copy normalized (kind, value, identifier) from stdin") as copy:
                for row in batch:
                    copy.write_row((row["kind"], row["value"], CANONICAL[row["kind"]](row["value"])))
    connection.execute("analyze normalized")
