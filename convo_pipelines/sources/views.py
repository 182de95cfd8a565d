"""Views over the owner's tables: what they show of the rows that a statement changed.

A view is captured on the table beneath. Its definition is read with an empty search path, so that every name in it is
qualified, and the table is replaced in the parse tree by the rows that a trigger is given.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast

import psycopg
from pglast import ast, parse_sql
from pglast.enums import SetOperation
from pglast.stream import RawStream
from pglast.visitors import Visitor
from psycopg import sql

from convo_pipelines.database.warehouse import Connection, Row, fetch, fetch_one
from convo_pipelines.errors import ConvoPipelinesError

Node = Any
"""A node of a parse tree. The types of pglast say of each attribute that it may be missing, so they help little."""
ROWS = "changed_rows"
"""The name under which a definition reads the rows of a trigger."""


class ViewError(ConvoPipelinesError):
    """A view that is not captured; the message says why."""


@dataclass(frozen=True)
class View:
    """A view over one table, or over such views.

    Attributes:
        oid: of the view.
        name: of the view, quoted.
        views: the oids of the view and of the views that it reads.
        base: the table beneath: oid, schema_name, relation_name, name (quoted); None: the view shows constants.
        tree: what it shows of the columns that the log needs; the table beneath is named `changed_rows`.

    """

    oid: int
    name: str
    views: Sequence[int]
    base: Row | None
    tree: Node

    def of(self, rows: str) -> str:
        """Return the query for what the view shows of rows, which have the columns of the table beneath."""

        class Rename(Visitor):
            def visit_RangeVar(self, _ancestors: object, node: Node) -> None:  # noqa: N802
                node.relname = rows

        Rename()(self.tree)
        return RawStream()(self.tree)

    def trigger_function(self, connection: Connection, name: str, log_function: str) -> str:
        """Return the statement that creates a trigger function for the table beneath.

        It is one of ours for tables of this kind, reading what the view shows of the changed rows; of a histories
        table, it logs the view's oid.

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


def read(connection: Connection, relation: str, reads: Collection[str], logged: Collection[str]) -> View:
    """Return the view with this name.

    Args:
        connection: of a role that may create temporary tables.
        relation: its name, as `to_regclass` takes it.
        reads: the columns that the pipeline reads: each has to follow from the row alone, as the filter has.
        logged: those of them that the log names.

    Raises:
        ViewError: it is no view over one table, or cannot be computed from the changed rows alone.

    """
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = ''")
        found = fetch_one(connection, "sources/views/relation", relation=relation)
        if found["definition"] is None:
            raise ViewError(f"{found['name']} is not a view")
        tree = _parse(found["definition"])
        if _is_constant(tree):
            return View(found["oid"], found["name"], [found["oid"]], None, tree)
        reader = _Reader(connection, found["name"])
        tree = reader.expand(found, set(reads), set(logged))
    return View(found["oid"], found["name"], reader.views, reader.base(), tree)


def _is_constant(tree: Node) -> bool:
    """Return whether a view shows the same rows until it is replaced: literals, and keys of them."""
    is_constant = True

    class Names(Visitor):
        def visit_RangeVar(self, _ancestors: object, _node: Node) -> None:  # noqa: N802
            nonlocal is_constant
            is_constant = False

        def visit_FuncCall(self, _ancestors: object, node: Node) -> None:  # noqa: N802
            nonlocal is_constant
            is_constant &= [name.sval for name in node.funcname] == ["analytics", "uuid_of"]

        def visit_SQLValueFunction(self, _ancestors: object, _node: Node) -> None:  # noqa: N802
            nonlocal is_constant
            is_constant = False

    Names()(tree)
    return is_constant


def insert_function(connection: Connection, relation: str, name: str, columns: Sequence[str]) -> str:
    """Return the statement that creates a trigger function which inserts a view's rows into the table beneath.

    A column of the view is written if it is a column of the table, with or without a cast or a time zone, or the uuid
    of an integer column. The others, such as a key of which the table has a default, are read back.

    Args:
        connection: any.
        relation: the view, as `to_regclass` takes it.
        name: of the function in `analytics`.
        columns: the columns of the view that are inserted.

    Raises:
        ViewError: it is not a view of one table.

    """
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = ''")
        found = fetch_one(connection, "sources/views/relation", relation=relation)
        tree = _parse(found["definition"])
        sources = tree.fromClause or ()
        if tree.op != SetOperation.SETOP_NONE or len(sources) != 1 or not _is_relation(sources[0]):
            raise ViewError(f"{found['name']} is not a view of one table")
        base = fetch_one(connection, "sources/views/relation", relation=_qualified(sources[0]))
        types = fetch_one(connection, "sources/views/columns", oid=base["oid"])["types"]
    alias = sources[0].alias.aliasname if sources[0].alias else base["relation_name"]
    shown = {target.name or _last_name(target.val): target.val for target in tree.targetList}
    written: dict[str, str] = {}
    read_back: dict[str, str] = {}
    for column in columns:
        inverse = _inverse(shown[column], f"new.{sql.Identifier(column).as_string()}") if column in shown else None
        if inverse and inverse[0] in types:
            written[inverse[0]] = f"({inverse[1]})::{types[inverse[0]]}"
        elif column in shown and _columns([shown[column]]):
            read_back[column] = RawStream()(shown[column])
    quoted = [sql.Identifier(column).as_string() for column in written]
    returning = f"returning {', '.join(read_back.values())} into {', '.join(f'new.{c}' for c in read_back)}"
    return (
        f"create or replace function analytics.{name}() returns trigger language plpgsql\n"
        "security definer set search_path = pg_catalog, pg_temp as $function$\nbegin\n"
        f"insert into {base['name']} as {sql.Identifier(alias).as_string()} ({', '.join(quoted)})\n"
        f"values ({', '.join(written.values())}) {returning if read_back else ''};\nreturn new;\nend\n$function$"
    )


def _inverse(shown: Node, value: str) -> tuple[str, str] | None:
    """Return the column that an expression shows, and what is written into it so that the expression is `value`."""
    match type(shown).__name__:
        case "ColumnRef":
            return _last_name(shown), value
        case "TypeCast":
            return _inverse(shown.arg, value)
        case "FuncCall":
            function, arguments = ".".join(part.sval for part in shown.funcname), shown.args or ()
            if function == "analytics.uuid_of" and len(arguments) == 1:
                return _inverse(arguments[0], f"analytics.bigint_of({value})")
            if function.removeprefix("pg_catalog.") == "timezone" and len(arguments) == 2:
                return _inverse(arguments[1], f"{value} at time zone {RawStream()(arguments[0])}")
        case _:
            pass
    return None


@dataclass
class _Reader:
    """Reads a view, and the views that it reads.

    Attributes:
        connection: in a transaction whose search path is empty.
        view: the name of the view that is read.
        views: the oids of all of them.
        bases: the tables beneath, by oid.

    """

    connection: Connection
    view: str
    views: list[int] = field(default_factory=list[int])
    bases: dict[int, Row] = field(default_factory=dict[int, Row])

    def base(self) -> Row:
        """Return the table beneath."""
        if len(self.bases) != 1:
            names = ", ".join(sorted(base["name"] for base in self.bases.values()))
            raise ViewError(f"{self.view} reads several tables: {names}")
        [base] = self.bases.values()
        return base

    def expand(self, found: Row, reads: set[str], logged: set[str]) -> Node:
        """Return what a view shows of the logged columns, over `changed_rows`."""
        self.views.append(found["oid"])
        tree = _parse(found["definition"])
        selects = list(self._selects(tree))
        names = [target.name or _last_name(target.val) for target in selects[0].targetList]
        if missing := reads - {*names}:
            raise ViewError(f"{self.view} has no column {', '.join(sorted(missing))}")
        for select in selects:
            self._replace(select, names, reads, logged)
        return tree

    def _replace(self, select: Node, names: Sequence[str], reads: set[str], logged: set[str]) -> None:
        """Replace what a select reads by `changed_rows`, and keep only its logged columns."""
        columns = {name: target.val for name, target in zip(names, select.targetList, strict=True)}
        if len(select.fromClause or ()) != 1 or not _is_relation(select.fromClause[0]):
            raise ViewError(f"{self.view} joins tables")
        read_from = select.fromClause[0]
        source = fetch_one(self.connection, "sources/views/relation", relation=_qualified(read_from))
        alias: Node = read_from.alias or ast.Alias(aliasname=read_from.relname)
        self._prove(source, alias.aliasname, {name: columns[name] for name in sorted(reads)}, select.whereClause)
        select.targetList = tuple(ast.ResTarget(name=name, val=columns[name]) for name in names if name in logged)
        if source["definition"] is None:
            self.bases[source["oid"]] = source
            select.fromClause = (ast.RangeVar(relname=ROWS, inh=True, relpersistence="p", alias=alias),)
        else:
            needed = _columns([columns[name] for name in logged] + [select.whereClause])
            nested = self.expand(source, _columns([columns[name] for name in reads]) | needed, needed)
            select.fromClause = (ast.RangeSubselect(subquery=nested, alias=alias),)

    def _selects(self, tree: Node) -> Iterator[Node]:
        """Return the selects of a union."""
        if tree.withClause or tree.limitCount or tree.limitOffset:
            raise ViewError(f"{self.view} has WITH or LIMIT")
        if tree.op == SetOperation.SETOP_UNION:
            yield from self._selects(tree.larg)
            yield from self._selects(tree.rarg)
        elif tree.op != SetOperation.SETOP_NONE:
            raise ViewError(f"{self.view} has INTERSECT or EXCEPT")
        elif tree.valuesLists or not tree.fromClause:
            raise ViewError(f"{self.view} reads no table")
        elif tree.groupClause or tree.havingClause or any(tree.distinctClause or ()):
            raise ViewError(f"{self.view} has GROUP BY, HAVING or DISTINCT ON")
        else:
            yield tree

    def _prove(self, source: Row, alias: str, columns: dict[str, Node], where: Node) -> None:
        """Have PostgreSQL prove that columns and filter follow from a row alone, as it does for an index of them."""
        indexes = {f"column {name}": f"(({RawStream()(node)}))" for name, node in columns.items()}
        if where is not None:
            indexes["its filter"] = f"((1)) where {RawStream()(where)}"
        copy = sql.Identifier(alias)
        with self.connection.transaction(force_rollback=True):
            empty = sql.SQL("create temporary table {} as select * from {} with no data")
            self.connection.execute(empty.format(copy, sql.Identifier(source["schema_name"], source["relation_name"])))
            for what, index in indexes.items():
                try:
                    with self.connection.transaction():
                        self.connection.execute(sql.SQL("create index on pg_temp.{} {}").format(copy, _sql(index)))
                except psycopg.errors.UndefinedObject:  # a type without an order, such as json: nothing was refuted
                    continue
                except psycopg.Error as error:
                    raise ViewError(
                        f"{self.view}: {what} does not follow from the row alone: {error.diag.message_primary}"
                    ) from None


def _parse(definition: str) -> Node:
    return parse_sql(definition)[0].stmt


def _is_relation(node: Node) -> bool:
    return isinstance(node, ast.RangeVar)


def _sql(text: str) -> sql.SQL:
    """Return what PostgreSQL's own parser has parsed."""
    return sql.SQL(cast("LiteralString", text))


def _columns(nodes: Sequence[Node]) -> set[str]:
    """Return the names of the columns that expressions read."""
    names: set[str] = set()

    class Columns(Visitor):
        def visit_ColumnRef(self, _ancestors: object, node: Node) -> None:  # noqa: N802
            names.add(node.fields[-1].sval)

    for node in nodes:
        if node is not None:
            Columns()(node)
    return names


def _last_name(node: Node) -> str:
    return node.fields[-1].sval if type(node).__name__ == "ColumnRef" else ""


def _qualified(node: Node) -> str:
    return sql.Identifier(node.schemaname, node.relname).as_string()
