"""Statements on the change logs: each source and each derived table has its own."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from psycopg import sql

from convo_pipelines.database.declarations import Log
from convo_pipelines.database.statements import fragment
from convo_pipelines.engine.registry import DerivedTable, Grain, Registry

ALL_OPERATIONS = ("insert", "update", "delete", "move", "truncate", "everything", "unusable", "beneath")


def names(table: DerivedTable, columns: Sequence[str] = ()) -> dict[str, sql.Composable]:
    """Return a table and its log, and those of its columns that the rows of a refresh have, for placeholders."""
    return {
        "relation": sql.Literal(table.target),
        "log": sql.Identifier("analytics", table.log.name),
        "logged": sql.SQL(", ").join(sql.Identifier(column) for column in table.log.columns if column in columns),
    }


@cache
def changes(table: DerivedTable, *, with_retries: bool = True, is_whole: bool = False) -> sql.Composable:
    """Return the query for the changes that a table follows.

    Args:
        table: the table.
        with_retries: those that it left to its next tick, too.
        is_whole: all changes of each source, even if it follows only some of them.

    """
    followed: dict[str, set[str]] = defaultdict(set)
    for change in table.changes:
        source, _, operation = change.partition(" ")
        followed[source] |= {operation, "beneath"} if operation and not is_whole else {*ALL_OPERATIONS}
    queries = [_changes(source, table.registry.logs[source], operations) for source, operations in followed.items()]
    if with_retries:
        queries += [
            _changes(f"{table.name} retry", table.log, {"retry"}),
            _changes(table.name, table.log, {"everything"}),
        ]
    return sql.SQL("\nunion all\n").join(queries)


def _changes(source: str, log: Log, operations: set[str]) -> sql.Composable:
    is_any = operations >= {*ALL_OPERATIONS}
    everything = ["everything", "truncate"] if is_any else ["everything"]
    is_followed = sql.SQL("operation <> 'retry'") if is_any else _is_one_of(sorted(operations))
    return fragment("engine/change_log/changes").format(
        source=sql.Literal(source),
        log=sql.Identifier(log.name),
        is_everything=_is_one_of(everything),
        is_followed=is_followed,
    )


def _is_one_of(operations: Sequence[str]) -> sql.Composable:
    return sql.SQL("operation in ({})").format(sql.SQL(", ").join(map(sql.Literal, operations)))


def retried(table: DerivedTable, grain: Grain) -> sql.Composable:
    """Return the query for the keys that the last tick of a table logged for retry."""
    if own := table.own("retried"):
        return fragment(own)
    renamed = [
        sql.SQL("{} as {}").format(sql.Identifier(logged), sql.Identifier(key)) for key, logged in grain.keyed_by
    ]
    return fragment("engine/keys/retried").format(keys=sql.SQL(", ").join(renamed), **names(table))


@cache
def trim(registry: Registry) -> bytes:
    """Return the statement that deletes from all logs what every table has read."""
    names = [log.name for log in registry.logs.values()]
    query, count = sql.SQL("{} as (\n{}\n)"), sql.SQL("select {}::text as log, count(*) as rows from {}")
    deleted = fragment("engine/change_log/trimmed")
    queries = [query.format(log, deleted.format(log=log)) for log in map(sql.Identifier, names)]
    queries += [
        query.format(sql.Identifier(f"of_{table.name}"), fragment(own))
        for table in registry
        if (own := table.own("trimmed"))
    ]
    counts = [count.format(sql.Literal(name), sql.Identifier(name)) for name in names]
    return (
        fragment("engine/change_log/trim")
        .format(logs=sql.SQL(",\n\n").join(queries), counts=sql.SQL("\nunion all\n").join(counts))
        .as_bytes()
    )
