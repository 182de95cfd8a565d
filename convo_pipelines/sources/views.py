"""Views over the owner's tables: what they show of the rows that a statement changed.

A view is captured on the table beneath. Its definition is read with an empty search path, so that every name in it is
qualified, and the table is replaced in the parse tree by the rows that a trigger is given.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import LiteralString, cast

import psycopg
from pglast import ast, parse_sql
from pglast.enums import SetOperation
from pglast.stream import RawStream
from pglast.visitors import Visitor
from psycopg import sql

from convo_pipelines.database.warehouse import Connection, fetch
from convo_pipelines.errors import ConvoPipelinesError

ROWS = "changed_rows"
"""The name under which a definition reads the rows of a trigger."""


class ViewError(ConvoPipelinesError):
    """A view that is not captured; the message says why."""


@dataclass(frozen=True)
class View:
    """A view over one table, or over such views.

    Attributes:
        oid: of the view.
        base: the table beneath, schema and name.
        tree: the definition, in which the tables beneath are named `changed_rows`.

    """

    oid: int
    base: tuple[str, str]
    tree: ast.SelectStmt

    def of(self, rows: str) -> str:
        """Return the query for what the view shows of rows, which have the columns of the table beneath."""

        class Rename(Visitor):
            def visit_RangeVar(self, _ancestors: object, node: ast.RangeVar) -> None:  # noqa: N802
                node.relname = rows

        Rename()(self.tree)
        return RawStream()(self.tree)

    def trigger_function(self, connection: Connection, name: str, log_function: str) -> str:
        """Return the statement that creates a trigger function for the table beneath.

        It is one of ours for tables of this kind, reading what the view shows of the changed rows; of a histories table, it
        logs the view's oid.

        Args:
            connection: of a role that may read the function.
            name: of the function in `analytics`.
            log_function: that of ours in `analytics`.

        """
        [found] = fetch(connection, "sources/views/function", name=f"analytics.{log_function}()")
        text = re.sub(
            r"\b(from|join) ((?:old|new)_rows)\b(?!\.)",
            lambda match: f"{match[1]} ({self.of(match[2])}) as {match[2]}",
            found["definition"],
        )
        text = text.replace(f"analytics.{log_function}()", f"analytics.{sql.Identifier(name).as_string()}()", 1)
        return re.sub(r"\btg_relid\b", str(self.oid), text)


def read(connection: Connection, relation: str, decisive: Sequence[str]) -> View:
    """Return the view with this name.

    Args:
        connection: of a role that may create temporary tables.
        relation: its name, as `to_regclass` takes it.
        decisive: the columns that the log has to name; only these, and the filters, have to be immutable.

    Raises:
        ViewError: it is no view over one table, or cannot be computed from the changed rows alone.

    """
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = ''")
        [found] = fetch(connection, "sources/views/relation", relation=relation)
        base, tree = _expand(connection, found, set(decisive), found["name"])
    return View(found["oid"], base, tree)


def _expand(
    connection: Connection, found: dict[str, object], decisive: set[str], view: object
) -> tuple[tuple[str, str], ast.SelectStmt]:
    """Return the table beneath a view, and the view's definition over `changed_rows`."""
    tree = cast("ast.SelectStmt", parse_sql(str(found["definition"]))[0].stmt)
    bases: set[tuple[str, str]] = set()
    for select in _selects(tree, view):
        if len(select.fromClause or ()) != 1 or not isinstance(select.fromClause[0], ast.RangeVar):
            raise ViewError(f"{view} joins tables")
        if select.withClause or select.limitCount or select.limitOffset:
            raise ViewError(f"{view} has WITH or LIMIT")
        read_from = select.fromClause[0]
        [source] = fetch(connection, "sources/views/relation", relation=_qualified(read_from))
        needed = _prove(connection, source, select, decisive, view)
        alias = read_from.alias or ast.Alias(aliasname=read_from.relname)
        if source["definition"] is None:
            bases.add((str(source["schema_name"]), str(source["relation_name"])))
            select.fromClause = (ast.RangeVar(relname=ROWS, inh=True, relpersistence="p", alias=alias),)
        else:
            base, nested = _expand(connection, source, needed, source["name"])
            bases.add(base)
            select.fromClause = (ast.RangeSubselect(subquery=nested, alias=alias),)
    if len(bases) != 1:
        raise ViewError(f"{view} reads several tables: {', '.join(sorted('.'.join(base) for base in bases))}")
    return bases.pop(), tree


def _selects(tree: ast.SelectStmt, view: object) -> Iterator[ast.SelectStmt]:
    """Return the selects of a union."""
    if tree.op == SetOperation.SETOP_NONE:
        if tree.valuesLists:
            raise ViewError(f"{view} reads no table")
        yield tree
    elif tree.op == SetOperation.SETOP_UNION:
        yield from _selects(tree.larg, view)
        yield from _selects(tree.rarg, view)
    else:
        raise ViewError(f"{view} has INTERSECT or EXCEPT")


def _prove(
    connection: Connection, source: dict[str, object], select: ast.SelectStmt, decisive: set[str], view: object
) -> set[str]:
    """Have PostgreSQL prove that columns and filter follow from a row alone, as it does for an index of them.

    Returns:
        The columns of the source that they are computed from.

    """
    expressions = {target.name or _last_name(target.val): target.val for target in select.targetList}
    if missing := decisive - expressions.keys():
        raise ViewError(f"{view} has no column {', '.join(sorted(missing))}")
    nodes = {name: expressions[name] for name in sorted(decisive)}
    indexes = {name: f"(({RawStream()(node)}))" for name, node in nodes.items()}
    if select.whereClause is not None:
        nodes["its filter"] = select.whereClause
        indexes["its filter"] = f"((1)) where {RawStream()(select.whereClause)}"
    read_from = select.fromClause[0]
    copy = sql.Identifier(read_from.alias.aliasname if read_from.alias else read_from.relname)
    for what, index in indexes.items():
        try:
            with connection.transaction(force_rollback=True):
                empty = sql.SQL("create temporary table {} as select * from {} with no data")
                connection.execute(empty.format(copy, sql.Identifier(source["schema_name"], source["relation_name"])))
                connection.execute(sql.SQL("create index on pg_temp.{} {}").format(copy, _sql(index)))
        except psycopg.Error as error:
            raise ViewError(
                f"{view}: {what} does not follow from the row alone: {error.diag.message_primary}"
            ) from None
    return _columns(list(nodes.values()))


def _sql(text: str) -> sql.SQL:
    """Return what PostgreSQL's own parser has parsed."""
    return sql.SQL(cast("LiteralString", text))


def _columns(nodes: Sequence[ast.Node]) -> set[str]:
    """Return the names of the columns that expressions read."""
    names: set[str] = set()

    class Columns(Visitor):
        def visit_ColumnRef(self, _ancestors: object, node: ast.ColumnRef) -> None:  # noqa: N802
            names.add(node.fields[-1].sval)

    for node in nodes:
        Columns()(node)
    return names


def _last_name(node: ast.Node) -> str:
    return node.fields[-1].sval if isinstance(node, ast.ColumnRef) else ""


def _qualified(node: ast.RangeVar) -> str:
    return sql.Identifier(node.schemaname, node.relname).as_string()
