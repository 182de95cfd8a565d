"""Participants: whose each contact method is, and whom a session id names, by identifiers in their one canonical form.

The canonical form needs libraries, so it is computed here, once per spelling; the rest is SQL.
"""

from convo_pipelines.identifiers import canonical
from convo_pipelines.statements import statement
from convo_pipelines.warehouse import Connection, Row, execute, fetch_one

BATCH_ROWS = 10_000


def compare(connection: Connection, *, renormalize: bool) -> Row:
    """Resolve anew whatever has or had an identifier of the places in `keys`.

    Return how many resolutions were `present`, and how many `identifiers` were different.

    Args:
        connection: in a transaction with the temporary tables `keys` and `different`.
        renormalize: put all of their identifiers into canonical form again, not only those that changed.

    """
    execute(connection, "participants/places")
    execute(connection, "participants/normalized")
    execute(connection, "participants/touched_identifiers")
    connection.execute("analyze places")
    _normalize(connection, renormalize)
    different = fetch_one(connection, "participants/identifiers")
    connection.execute("analyze touched_identifiers")
    return fetch_one(connection, "refresh/participant_resolutions") | different


def _normalize(connection: Connection, renormalize: bool) -> None:
    with connection.cursor("values") as spelled, connection.cursor() as writer:
        spelled.execute(statement("participants/values"), {"renormalize": renormalize})
        while batch := spelled.fetchmany(BATCH_ROWS):
            with writer.copy("copy normalized (kind, value, identifier) from stdin") as copy:
                for row in batch:
                    copy.write_row((row["kind"], row["value"], canonical(row["kind"], row["value"])))
    connection.execute("analyze normalized")
