"""Participants: the canonical forms of the identifiers of contact methods, persons and session ids.

Canonical forms need libraries, so they are computed here, once per spelling; the rest is SQL.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from psycopg import sql
from psycopg.types.json import Jsonb

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch_one, query_prepared
from convo_pipelines.database.statements import fragment, statement
from convo_pipelines.engine.hooks import Hooks
from convo_pipelines.model.identifiers import canonical, version

BATCH_ROWS = 10_000


_PLACES = "model/participants/places"


class Participants(Hooks):
    """What `participant_resolutions` does before it compares: identifiers are normalized."""

    @property
    def version(self) -> str:
        """That of the canonical forms."""
        return version()

    def prepare(self, connection: Connection, *, is_everything_new: bool) -> int:
        """Normalize the identifiers of the sources in `keys`; return how many were different.

        Creates the temporary table `touched_identifiers`: those whose contact methods have to be resolved anew.

        Args:
            connection: in a transaction with the temporary table `keys`.
            is_everything_new: normalize all of them, not only those that changed.

        """
        execute(connection, "model/participants/sources", {"places": fragment(_PLACES)})
        execute(connection, "model/participants/normalized")
        execute(connection, "model/participants/changed_identifiers")
        connection.execute("analyze pg_temp.places")
        _normalize(connection, is_everything_new)
        queries = fragment("model/participants/identifiers")
        identified = "model/participants/identified"
        done = fetch_one(connection, identified, {"queries": queries}, version=version(), written_at=None)
        connection.execute("analyze pg_temp.touched_identifiers")
        return done["identifiers"]

    def prepare_few(
        self, connection: Connection, given: sql.Composable, keys: Mapping[str, object]
    ) -> dict[str, object]:
        """Normalize the identifiers of a few sources; return those whose contact methods have to be resolved anew.

        Args:
            connection: in a transaction.
            given: the query that returns the keys.
            keys: its parameters.

        """
        text = given.as_string()
        of_version = {"version": version()}
        places = query_prepared(connection, _few(text, "places_of_few"), {**keys, **of_version})
        normalized = [
            {"kind": kind, "value": value, "ordinal": ordinal, "identifier": form}
            for kind, value in {(row["kind"], row["value"]) for row in places if row["is_new"]}
            for ordinal, form in _numbered_forms(kind, value)
        ]
        given_places = {"places": Jsonb([row["place"] for row in places]), "normalized": Jsonb(normalized)}
        values = {**keys, **of_version, **given_places}
        [done] = query_prepared(connection, _few(text, "identified_few"), values)
        return {"touched_identifiers": done["touched"] or []}


@cache
def _few(given: str, name: str) -> bytes:
    return (
        fragment(f"model/participants/{name}")
        .format(
            given=sql.SQL(given),  # pyright: ignore
            places=fragment(_PLACES),
            queries=fragment("model/participants/identifiers"),
        )
        .as_bytes()
    )


def _normalize(connection: Connection, renormalize: bool) -> None:
    with connection.cursor("values") as spelled, connection.cursor() as writer:
        spelled.execute(statement("model/participants/values"), {"renormalize": renormalize, "version": version()})
        while batch := spelled.fetchmany(BATCH_ROWS):
            with writer.copy("copy pg_temp.normalized (kind, value, ordinal, identifier) from stdin") as copy:
                for row in batch:
                    for form in _numbered_forms(row["kind"], row["value"]):
                        copy.write_row((row["kind"], row["value"], *form))
    connection.execute("analyze pg_temp.normalized")


def _numbered_forms(kind: str, value: str) -> Iterable[tuple[int, str | None]]:
    """Return the canonical forms of a value with their ordinals; of an invalid value, that it has none."""
    return enumerate(canonical(kind, value) or [None], 1)
