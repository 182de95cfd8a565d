"""The keys of a chunk: composed from what a table says of its keys, and from pages, retries and selections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import Identifiers, execute, fetch, fetch_one, identifier, query_prepared
from convo_pipelines.database.statements import fragment, trusted
from convo_pipelines.engine import logs
from convo_pipelines.engine.registry import DerivedTable, Grain
from convo_pipelines.engine.scopes import EVERYTHING, Asked, Changes, Everything, Scope, Selection, Window, parameters

P = TypeVar("P")
"""The position that chunks have reached; for most tables the last key, as a row."""


@dataclass(frozen=True)
class Chosen(Generic[P]):
    """The keys of a chunk, in the temporary table `keys`.

    Attributes:
        keys: how many there are.
        next: where the next chunk begins; None: there is none.
        is_whole: whether they are whole days, not single keys.

    """

    keys: int
    next: P | None
    is_whole: bool = False


class ChunksOf(Protocol[P]):
    """Chooses the keys of chunk after chunk."""

    @property
    def start(self) -> P | None:
        """Where the first chunk begins; None: with the first key."""
        ...

    def choose(self, connection: Connection, table: DerivedTable, after: P | None, rows: int) -> Chosen[P]:
        """Choose the keys of a chunk: those after a position, about so many."""
        ...


FEW_KEYS = 1_000
"""So many keys at most travel as arrays; more are put into a temporary table."""


@dataclass(frozen=True)
class FewKeys:
    """The keys of a small scope, and what the log says of them.

    Attributes:
        keys: how many there are; if more than FEW_KEYS, not all of them.
        arrays: their columns, each as the parameter of `given`.
        news: a row of to_snapshot, taken_at, crash_token, is_everything, operations, written_at: see
            `arrays` in `sql/engine/keys.sql`.

    """

    keys: int
    arrays: Mapping[str, Sequence[Any]]
    news: Row


def choose_keys(
    connection: Connection,
    table: DerivedTable,
    scope: Scope,
    selection: Selection | None = None,
    after: Row | None = None,
    rows: int | None = None,
    query: sql.Composable | None = None,
    until: Row | None = None,
    **more: object,
) -> Chosen[Row]:
    """Create the temporary table `keys`: those of a scope, after a key, at most so many.

    Args:
        connection: in a transaction.
        table: the table to refresh.
        scope: what to refresh.
        selection: narrows the keys.
        after: the last key of the chunk before; None: begin with the first.
        rows: how many; None: all.
        query: finds the keys in place of the table's own statements.
        until: the last key of all; None: to the end.
        more: its parameters.

    """
    grain, names = table.grain, _names_of_keys(table.grain, is_narrowed=selection is not None)
    values = _page_parameters(grain, after, rows, until) | parameters(scope, selection) | more
    chosen = execute(
        connection,
        "engine/keys/choose",
        {**names, "keys": query or _keys(table, scope, names)},
        **values,
    ).rowcount
    connection.execute("analyze pg_temp.keys")
    if rows is None or chosen < rows:
        return Chosen(chosen, None)
    last: Identifiers = {
        "columns": sql.SQL(", ").join(map(sql.Identifier, grain.order)),
        "descending": sql.SQL(", ").join(
            sql.SQL("{} desc").format(_ordered(column, is_by_bytes=column in grain.by_bytes)) for column in grain.order
        ),
    }
    return Chosen(chosen, fetch_one(connection, "engine/keys/last", last))


def few_keys(
    connection: Connection, table: DerivedTable, scope: Scope, selection: Selection | None = None, **more: object
) -> FewKeys:
    """Choose the keys of a small scope as arrays, and read the log.

    Args:
        connection: in a transaction that has not written anything.
        table: the table to refresh.
        scope: changes, or what a caller names.
        selection: narrows the keys.
        more: further parameters.

    """
    [news] = query_prepared(
        connection,
        few(table, is_asked=isinstance(scope, Asked), is_narrowed=selection is not None),
        {
            **parameters(scope, selection),
            "snapshot_at": None,
            "most": FEW_KEYS + 1,
            **more,
        },
    )
    columns = table.grain.columns
    return FewKeys(news["keys"], {f"key_{name}": news[name] or [] for name in columns}, news)


@cache
def few(table: DerivedTable, *, is_asked: bool = False, is_narrowed: bool = False) -> bytes:
    """Return the statement of `few_keys`."""
    names = _names_of_keys(table.grain, is_narrowed=is_narrowed)
    array = sql.SQL("array_agg({name}) as {name}")
    return (
        fragment("engine/keys/arrays")
        .format(
            keys=_keys(table, Asked({}) if is_asked else Changes("", ""), names),
            arrays=sql.SQL(", ").join(array.format(name=sql.Identifier(name)) for name in table.grain.columns),
            is_selected=names["is_selected"],
            table=sql.Literal(table.name),
            news=fragment("engine/change_log/no_news") if is_asked else _news(table),
        )
        .as_bytes()
    )


def _news(table: DerivedTable) -> sql.Composable:
    return fragment("engine/change_log/news").format(changes=logs.changes(table))


def given(grain: Grain) -> sql.Composable:
    """Return the query that returns the keys of `FewKeys.arrays`."""
    arrays = [
        sql.SQL("{}::{}[]").format(sql.Placeholder(f"key_{name}"), trusted(of)) for name, of in grain.types.items()
    ]
    return sql.SQL("select * from unnest({}) as given ({})").format(
        sql.SQL(", ").join(arrays), sql.SQL(", ").join(map(sql.Identifier, grain.columns))
    )


def every_nth_key(
    connection: Connection, table: DerivedTable, scope: Scope, selection: Selection | None, nth: int
) -> list[Row]:
    """Return every nth key of a scope, in their order."""
    names = _names_of_keys(table.grain, is_narrowed=selection is not None)
    columns = sql.SQL(", ").join(map(sql.Identifier, table.grain.order))
    query: Identifiers = {**names, "columns": columns, "keys": _keys(table, scope, names)}
    return fetch(connection, "engine/keys/every_nth", query, nth=nth, **parameters(scope, selection))


def count_keys(connection: Connection, table: DerivedTable, scope: Scope = EVERYTHING, rows: int | None = None) -> int:
    """Count the keys of a scope.

    Args:
        connection: any.
        table: the table whose keys they are.
        scope: what to count.
        rows: of everything, stop after so many keys of each relation that has them; None: count all.

    """
    names = _names_of_keys(table.grain)
    values = _page_parameters(table.grain, None, rows) | parameters(scope)
    query: Identifiers = {"keys": _keys(table, scope, names)}
    return fetch_one(connection, "engine/keys/count", query, **values)["keys"]


def _names_of_keys(grain: Grain, *, is_narrowed: bool = False) -> dict[str, sql.Composable]:
    return {
        "key": sql.SQL(", ").join(_ordered(column, is_by_bytes=column in grain.by_bytes) for column in grain.order),
        "after": sql.SQL(", ").join(sql.Placeholder(f"after_{column}") for column in grain.order),
        "until": sql.SQL(", ").join(sql.Placeholder(f"until_{column}") for column in grain.order),
        "is_selected": fragment(grain.selected) if is_narrowed and grain.selected else sql.SQL("true"),
    }


def _page_parameters(grain: Grain, after: Row | None, rows: int | None, until: Row | None = None) -> dict[str, object]:
    position = {f"after_{column}": after and after[column] for column in grain.order}
    end = {f"until_{column}": until and until[column] for column in grain.order}
    return {"is_first": after is None, "is_to_end": until is None, "rows": rows, **position, **end}


def _ordered(column: str, *, is_by_bytes: bool) -> sql.Composable:
    return sql.SQL('{} collate "C"' if is_by_bytes else "{}").format(sql.Identifier(column))


def _keys(table: DerivedTable, scope: Scope, names: Identifiers) -> sql.Composable:
    """Return the query that finds the keys of a scope."""
    grain = table.grain
    match scope:
        case Everything():
            pages = [_page(relation, columns, grain.order, names) for relation, columns in _relations(table)]
            return sql.SQL("\nunion\n").join(pages) if pages else fragment(f"tables/{table.name}/every")
        case Asked() if table.asked:
            return fragment(table.asked)
        case Window():
            return fragment(f"tables/{table.name}/window")
        case _:
            own = fragment(f"tables/{table.name}/keys")
            return sql.SQL("{}\nunion\n{}").format(own, logs.retried(table, grain)) if grain.has_retries else own


def _relations(table: DerivedTable) -> list[tuple[str, tuple[str, ...]]]:
    """Return the relations that contain all keys of a table: its sources, and the table itself."""
    grain, column_of = table.grain, dict(table.grain.keyed_by)
    found = [grain.source] if grain.source else []
    if not found or table.rows.is_insert_only:
        return found
    return [*found, (table.target, tuple(column_of[column] for column in grain.order))]


def _page(relation: str, columns: Sequence[str], order: Sequence[str], names: Identifiers) -> sql.Composable:
    renamed = [
        sql.SQL("{} as {}").format(sql.Identifier(column), sql.Identifier(name))
        for column, name in zip(columns, order, strict=True)
    ]
    return fragment("engine/keys/page").format(
        **names, relation=identifier(relation), columns=sql.SQL(", ").join(renamed)
    )
