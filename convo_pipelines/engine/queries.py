"""The statements of a refresh, composed from the queries of a table and those of the engine.

The texts depend on the table only, not on the keys, so they are composed once. `rows.sql` and the others read their
keys from `keys`, which is a temporary table, or a query on arrays.
"""

from collections.abc import Sequence
from functools import lru_cache

from psycopg import sql

from convo_pipelines.database.execution import identifier
from convo_pipelines.database.statements import description, fragment
from convo_pipelines.engine import logs
from convo_pipelines.engine.keys import given
from convo_pipelines.engine.registry import DerivedTable

Columns = tuple[str, ...]
Part = tuple[str, str]
"""A relation that a reader reads: its schema and its name."""
KEPT_TEXTS = 100
"""So many statements are kept: those that read many parts are long, and of few parts each."""


def own(table: DerivedTable, statement: str) -> sql.SQL:
    """Return a table's own statement with this name, or the engine's, as part of another."""
    return fragment(_path(table, statement))


def _path(table: DerivedTable, statement: str) -> str:
    return table.own(statement) or f"engine/refresh/{statement}"


def day(table: DerivedTable) -> sql.Composable:
    """Return the expression that determines the UTC day of a row."""
    if not table.grain.has_days:
        return fragment("engine/refresh/no_day")
    if not table.day:
        return fragment(table.own("day") or f"keys/{table.grain.order[0]}/day")
    column, of = table.day
    step = "day_of_date" if of == "date" else "day_of_time"
    return fragment(f"engine/refresh/{step}").format(day=sql.Identifier(column))


def names_of(table: DerivedTable, columns: Sequence[str] = ()) -> dict[str, sql.Composable]:
    """Return the identifiers for the placeholders of the engine's statements.

    Args:
        table: the table.
        columns: those that a refresh computes, if the statement needs them.

    """
    rows = table.rows
    key = [sql.Identifier(name) for name in rows.key]
    same = sql.SQL("target.{name} = diff.{name}")
    assigned = [
        sql.SQL("{name} = excluded.{name}").format(name=sql.Identifier(name))
        for name in columns
        if name not in rows.key
    ]
    if rows.updated_at_column:
        assigned.append(sql.SQL("{} = now()").format(sql.Identifier(rows.updated_at_column)))
    compared = [sql.Identifier(name) if name in rows.key else sql.Identifier("wanted", name) for name in columns]
    return {
        "target": identifier(rows.relation),
        "key": sql.SQL(", ").join(key),
        "first_key": key[0],
        "same_key": sql.SQL(" and ").join(same.format(name=name) for name in key),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "compared": sql.SQL(", ").join(compared),
        "assignments": sql.SQL(", ").join(assigned),
        "keys": sql.SQL(", ").join(sql.Identifier(column) for column, _ in table.grain.keyed_by),
        "keyed": sql.SQL(", ").join(sql.Identifier(column) for _, column in table.grain.keyed_by),
        "part": sql.Identifier(table.part) if table.part else sql.SQL("null"),
    }


@lru_cache(KEPT_TEXTS)
def compare(
    table: DerivedTable, columns: Columns, parts: tuple[Part, ...], inherited: Columns, *, is_whole: bool
) -> bytes:
    """Return the statement that puts the differences of the keys into the temporary table `diff`.

    `inherited` are the columns with a foreign key to a table that has children: rows that refer to these are left out.
    """
    names = names_of(table, columns)
    queries = _queries(table, columns, parts, is_whole=is_whole)
    is_referable = [
        fragment("engine/refresh/is_referable").format(
            column=sql.Identifier(column), parent=identifier(f"app.{parent}")
        )
        for column, parent in table.rows.parents
        if column in inherited
    ]
    referable = sql.SQL(" and ").join(is_referable or [sql.SQL("true")])
    return fragment("engine/refresh/compare").format(**names, **queries, is_referable=referable).as_bytes()


@lru_cache(KEPT_TEXTS)
def few(table: DerivedTable, columns: Columns, parts: tuple[Part, ...]) -> bytes:
    """Return the statement that refreshes a few keys, which are parameters."""
    names = names_of(table, columns)
    queries = _queries(table, columns, parts)
    steps = [_step("keys", given(table.grain))]
    if more := table.own("given"):
        steps.append(fragment(more))
    steps += [
        _step("present", sql.SQL("select {columns} from {target} as target where {is_present}"), **names, **queries),
        _step("computed", queries["rows"], _path(table, "rows")),
        _step("wanted", sql.SQL("select {columns} from computed"), **names),
        _step("differences", queries["differences"], _path(table, "differences")),
    ]
    is_locked: list[sql.Composable] = []
    if not table.rows.is_insert_only:
        lock = lock_rows(table, "differences")
        steps.append(_step("free", lock["free_rows"], _path(table, "free_rows")))
        is_locked.append(lock["is_locked"])
    for column, _ in table.rows.parents:
        lock = lock_parents(table, column, "differences")
        steps.append(_step(f"free_{column}", lock["free_parents"], _path(table, "free_parents")))
        is_locked.append(lock["is_locked"])
    settled, locked = own(table, "settled"), sql.SQL(" or ").join(is_locked or [sql.SQL("false")])
    steps += [
        _step("diff", settled, _path(table, "settled"), **names, is_locked=locked),
        write(table, columns, "save"),
    ]
    if propagate := propagation(table):
        steps.append(_step("propagated", fragment(propagate), propagate, **logs.names(table, columns)))
    if table.grain.has_retries:
        steps.append(_step("retried", own(table, "retry"), _path(table, "retry"), **logs.names(table, columns)))
    steps += [
        _step("odd", queries["odd"], _path(table, "odd")),
        _step("counts", own(table, "counts"), _path(table, "counts"), **names),
    ]
    text = fragment("engine/refresh/few").format(
        **queries, queries=sql.SQL(",\n\n").join(steps), saved_keys=own(table, "saved_keys")
    )
    return text.as_bytes()


def write(table: DerivedTable, columns: Columns, saved: str) -> sql.Composable:
    """Return the queries that write the differences; `saved` is the table's own that inserts rows, or finds them."""
    queries = {"saved": own(table, saved).format(**names_of(table, columns))} if table.own(saved) else {}
    return own(table, "write").format(**names_of(table, columns), **queries)


def propagation(table: DerivedTable) -> str | None:
    """Return the statement that logs the changed rows of a table for those that follow it."""
    return table.own("propagate") or ("engine/refresh/propagate" if table.propagates else None)


def lock_rows(table: DerivedTable, diff: str) -> dict[str, sql.Composable]:
    """Return the query that locks the rows to change, and the condition under which one could not be locked."""
    names = names_of(table)
    return {
        "free_rows": own(table, "free_rows").format(**names, diff=sql.Identifier(diff)),
        "is_locked": own(table, "is_locked_row").format(**names),
    }


def lock_parents(table: DerivedTable, column: str, diff: str) -> dict[str, sql.Composable]:
    """Return the same for the rows of the application that new rows refer to by a column, and the query's name.

    The name of their table is the parameter `parent_<column>`.
    """
    names: dict[str, sql.Composable] = {
        "column": sql.Identifier(column),
        "parent": sql.Placeholder(f"parent_{column}"),
        "free": sql.Identifier(f"free_{column}"),
    }
    return {
        "free": names["free"],
        "free_parents": own(table, "free_parents").format(**names, diff=sql.Identifier(diff)),
        "is_locked": own(table, "is_locked_parent").format(**names),
    }


def _step(name: str, query: sql.Composable, of: str = "", /, **names: sql.Composable) -> sql.Composable:
    """Return a query with a name; what the header of its file `of` says becomes a comment."""
    text = query.format(**names) if isinstance(query, sql.SQL) else query
    said = description(of) if of else sql.SQL("")
    return sql.SQL("{}{} as materialized (\n{}\n)").format(said, sql.Identifier(name), text)


def _queries(
    table: DerivedTable, columns: Columns, parts: Sequence[Part], *, is_whole: bool = False
) -> dict[str, sql.Composable]:
    names = names_of(table, columns)
    read = [
        own(table, "part").format(part=sql.Placeholder(f"part_{number}"), relation=sql.Identifier(*part))
        for number, part in enumerate(parts)
    ]
    is_different = "is_shown_otherwise" if table.definition else "is_different"
    if table.rows.is_insert_only or table.rows.is_found_again:
        is_different = "is_missing" if table.rows.is_insert_only else "is_any"
    return {
        "rows": own(table, "rows").format(**names, parts=sql.SQL("\nunion all\n").join(read)),
        "is_present": own(table, "is_present_of_days" if is_whole else "is_present").format(**names),
        "differences": own(table, "differences").format(
            **names,
            is_different=own(table, is_different).format(**names),
            day=day(table),
            is_news=own(table, "is_news").format(**names),
        ),
        "present_counts": own(table, "present_counts").format(**names),
        "odd": own(table, "odd").format(**names),
        "rows_read": own(table, "rows_read").format(**names),
    }
