"""Participants: the canonical forms of the identifiers of contact methods, persons and session ids.

Canonical forms need libraries, so they are computed here, once per spelling; the rest is SQL.
"""

from convo_pipelines.database.statements import statement
from convo_pipelines.database.warehouse import Connection, execute, fetch_one
from convo_pipelines.engine.identifiers import canonical

BATCH_ROWS = 10_000


def prepare(connection: Connection, is_everything_new: bool) -> int:
    """Normalize the identifiers of the sources in `keys`; return how many were different.

    Creates the temporary table `touched_identifiers`: those whose contact methods have to be resolved anew.

    Args:
        connection: in a transaction with the temporary table `keys`.
        is_everything_new: normalize all of them, not only those that changed.

    """
    execute(connection, "tables/participant_resolutions/sources")
    execute(connection, "tables/participant_resolutions/normalized")
    execute(connection, "tables/participant_resolutions/changed_identifiers")
    connection.execute("analyze pg_temp.places")
    _normalize(connection, is_everything_new)
    changed = fetch_one(connection, "tables/participant_resolutions/identifiers")["identifiers"]
    connection.execute("analyze pg_temp.touched_identifiers")
    return changed


def _normalize(connection: Connection, renormalize: bool) -> None:
    with connection.cursor("values") as spelled, connection.cursor() as writer:
        spelled.execute(statement("tables/participant_resolutions/values"), {"renormalize": renormalize})
        while batch := spelled.fetchmany(BATCH_ROWS):
            with writer.copy("copy pg_temp.normalized (kind, value, identifier) from stdin") as copy:
                for row in batch:
                    copy.write_row((row["kind"], row["value"], canonical(row["kind"], row["value"])))
    connection.execute("analyze pg_temp.normalized")
