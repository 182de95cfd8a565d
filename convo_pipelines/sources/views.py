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
from pglast.enums import JoinType, SetOperation
from pglast.stream import RawStream
from pglast.visitors import Visitor
from psycopg import sql

from convo_pipelines.database.statements import statement
from convo_pipelines.database.warehouse import Connection, Row, execute, fetch, fetch_one
from convo_pipelines.errors import ConvoPipelinesError

Node = Any
"""A node of a parse tree. The types of pglast say of each attribute that it may be missing, so they help little."""
ROWS = "changed_rows"
"""The name under which a definition reads the rows of a trigger."""


class ViewError(ConvoPipelinesError):
    """A view that is not captured; the message says why."""


@dataclass(frozen=True)
class Joined:
    """A table that a view joins to the one beneath.

    Attributes:
        table: oid, schema_name, relation_name, name (quoted).
        columns: those that are read.
        refers: the columns of the join, of the table beneath and of this one; None: it is not by one equation.

    """

    table: Row
    columns: Sequence[str]
    refers: tuple[str, str] | None


@dataclass(frozen=True)
class View:
    """A view over one table, or over such views.

    Attributes:
        oid: of the view.
        name: of the view, quoted.
        views: the oids of the view and of the views that it reads.
        base: the table beneath: oid, schema_name, relation_name, name (quoted); None: the view shows constants.
        tree: what it shows of the columns that the log needs; the table beneath is named `changed_rows`.
        joined: other tables that it reads, by LEFT JOIN; they decide neither those columns nor the filter.

    """

    oid: int
    name: str
    views: Sequence[int]
    base: Row | None
    tree: Node
    joined: Sequence["Joined"] = ()

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
    return View(found["oid"], found["name"], reader.views, reader.base(), tree, reader.joined)


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


@dataclass(frozen=True)
class _Plain:
    """A view that reads one table, and what the insertion and the locking of its rows need to know."""

    base: Row
    alias: str
    types: dict[str, str]
    shown: dict[str, Node]

    def names(self) -> dict[str, sql.Composable]:
        """Return the placeholders of the statements that create functions."""
        return {
            "table": sql.Identifier(self.base["schema_name"], self.base["relation_name"]),
            "alias": sql.Identifier(self.alias),
            "id": _sql(RawStream()(self.shown["id"])),
        }


def _plain(connection: Connection, relation: str) -> _Plain:
    """Read a view of one table, to which others may be joined.

    Raises:
        ViewError: it is not.

    """
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = ''")
        found = fetch_one(connection, "sources/views/relation", relation=relation)
        tree = _parse(found["definition"])
        is_select = tree.op == SetOperation.SETOP_NONE and len(tree.fromClause or ()) == 1
        node: Node = tree.fromClause[0] if is_select else None
        while type(node).__name__ == "JoinExpr":
            node = node.larg
        base = (
            fetch_one(connection, "sources/views/relation", relation=_qualified(node)) if _is_relation(node) else None
        )
        if base is None or base["definition"] is not None:
            raise ViewError(f"{found['name']} is not a view of one table")
        types = fetch_one(connection, "sources/views/columns", oid=base["oid"])["types"]
    alias = node.alias.aliasname if node.alias else base["relation_name"]
    return _Plain(base, alias, types, {target.name or _last_name(target.val): target.val for target in tree.targetList})


def lock_function(connection: Connection, relation: str, name: str) -> sql.Composed:
    """Return the statements that create a function which locks a view's rows in the table beneath, by their ids.

    Args:
        connection: any.
        relation: the view, as `to_regclass` takes it.
        name: of the function in `analytics`.

    Raises:
        ViewError: it is not a view of one table, or its id is not the table's key, as it is or as a uuid.

    """
    plain = _plain(connection, relation)
    inverse = _inverse(plain.shown["id"], "key")
    if inverse is None or inverse[0] not in plain.types:
        raise ViewError(f"{relation}: its id is not the key of a table")
    column, key = inverse
    return statement("sources/views/lock_function").format(
        **plain.names(),
        function=sql.Identifier("analytics", name),
        column=sql.Identifier(plain.alias, column),
        key=_sql(f"({key})::{plain.types[column]}"),
    )


def insert_function(
    connection: Connection, relation: str, name: str, trigger: str, columns: Collection[str], found_by: Collection[str]
) -> sql.Composed:
    """Return the statements that have a view's rows inserted into the table beneath.

    A column of the view is written if it is a column of the table, with or without a cast or a time zone, or the uuid
    of an integer column. An id that is no uuid has a default in the table, and is read back.

    Args:
        connection: any.
        relation: the view, as `to_regclass` takes it.
        name: of the function in `analytics`.
        trigger: its name.
        columns: the columns of the view that are inserted.
        found_by: those of them by which the rows are found again.

    Raises:
        ViewError: it is not a view of one table, or does not show such a column of it.

    """
    plain = _plain(connection, relation)
    if lost := [name for name in found_by if (_inverse(plain.shown[name], "") or ("", ""))[0] not in plain.types]:
        raise ViewError(f"{relation} shows no column of the table beneath as {', '.join(lost)}")
    written: dict[str, sql.Composable] = {}
    for column in plain.shown.keys() & columns:
        inverse = _inverse(plain.shown[column], f"new.{sql.Identifier(column).as_string()}")
        if inverse and inverse[0] in plain.types and (column != "id" or plain.types[inverse[0]] == "uuid"):
            written[inverse[0]] = _sql(f"({inverse[1]})::{plain.types[inverse[0]]}")
    return statement("sources/views/insert_function").format(
        **plain.names(),
        function=sql.Identifier("analytics", name),
        trigger=sql.Identifier(trigger),
        view=_sql(relation),
        columns=sql.SQL(", ").join(map(sql.Identifier, written)),
        values=sql.SQL(", ").join(written.values()),
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
        joined: the tables that are joined to it.

    """

    connection: Connection
    view: str
    views: list[int] = field(default_factory=list[int])
    bases: dict[int, Row] = field(default_factory=dict[int, Row])
    joined: list[Joined] = field(default_factory=list[Joined])

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
        kept = {name: columns[name] for name in names if name in logged}
        joins = self._joins(select)
        read_from = joins[0].larg if joins else select.fromClause[0]
        source = self._relation(read_from)
        alias: Node = read_from.alias or ast.Alias(aliasname=read_from.relname)
        proved = {
            f"column {name}": columns[name]
            for name in sorted(reads)
            if name in kept or not self._is_steady(columns[name])
        }
        if joins:
            sources = self._join(alias.aliasname, source, joins, kept, select.whereClause)
            conditions = {f"join {number}": join.quals for number, join in enumerate(joins, 1)}
            self._prove(sources, proved | conditions, select.whereClause)
            for join, joined in zip(joins, list(sources)[1:], strict=True):
                read = _columns([*(columns[name] for name in reads), *conditions.values()], joined)
                equation = _equation(join.quals, alias.aliasname, joined)
                self.joined.append(Joined(sources[joined], sorted(read), equation))
        else:
            self._prove({alias.aliasname: source}, proved, select.whereClause)
        select.targetList = tuple(ast.ResTarget(name=name, val=value) for name, value in kept.items())
        if source["definition"] is None:
            self.bases[source["oid"]] = source
            select.fromClause = (ast.RangeVar(relname=ROWS, inh=True, relpersistence="p", alias=alias),)
        else:
            needed = _columns([*kept.values(), select.whereClause])
            nested = self.expand(source, _columns([columns[name] for name in reads], alias.aliasname) | needed, needed)
            select.fromClause = (ast.RangeSubselect(subquery=nested, alias=alias),)

    def _is_steady(self, node: Node) -> bool:
        """Return whether an expression reads its row only, and no clock, so that it changes with the row.

        Unlike what the log names, it may depend on settings, which are the same whenever the pipeline reads it.
        """
        is_steady = True

        class Reads(Visitor):
            def visit_SubLink(self, _ancestors: object, _node: Node) -> None:  # noqa: N802
                nonlocal is_steady
                is_steady = False

            def visit_SQLValueFunction(self, _ancestors: object, _node: Node) -> None:  # noqa: N802
                nonlocal is_steady
                is_steady = False

            def visit_FuncCall(self, _ancestors: object, node: Node) -> None:  # noqa: N802
                nonlocal is_steady
                is_steady &= node.over is None
                names.append([part.sval for part in node.funcname])

        names: list[list[str]] = []
        Reads()(node)
        functions = [(["pg_catalog", *parts] if len(parts) == 1 else parts) for parts in names]
        return is_steady and all(
            fetch_one(self.connection, "sources/views/is_steady", schema_name=schema, name=name)["is_steady"]
            for schema, name in functions
        )

    def _relation(self, node: Node) -> Row:
        return fetch_one(self.connection, "sources/views/relation", relation=_qualified(node))

    def _joins(self, select: Node) -> list[Node]:
        """Return the joins of a select, that of the table beneath first; none if it reads one table."""
        joins: list[Node] = []
        [node, *more] = select.fromClause
        while type(node).__name__ == "JoinExpr":
            if node.jointype != JoinType.JOIN_LEFT or not _is_relation(node.rarg) or node.quals is None:
                raise ViewError(f"{self.view} joins tables otherwise than by LEFT JOIN … ON")
            joins.insert(0, node)
            node = node.larg
        if more or not _is_relation(node):
            raise ViewError(f"{self.view} reads several tables, and not by LEFT JOIN")
        return joins

    def _join(
        self, base: str, source: Row, joins: Sequence[Node], kept: dict[str, Node], where: Node
    ) -> dict[str, Row]:
        """Return all tables, by their names there; the one beneath has to decide what is kept, and the filter."""
        sources = {base: source}
        for join in joins:
            alias: Node = join.rarg.alias.aliasname if join.rarg.alias else join.rarg.relname
            sources[alias] = self._relation(join.rarg)
            if sources[alias]["definition"] is not None:
                raise ViewError(f"{self.view} joins the view {sources[alias]['name']}")
        for what, node in {**{f"column {name}": node for name, node in kept.items()}, "its filter": where}.items():
            if others := _aliases(node) - {base}:
                raise ViewError(f"{self.view}: a joined table decides {what}: {', '.join(sorted(others))}")
        return sources

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

    def _prove(self, sources: dict[str, Row], columns: dict[str, Node], where: Node) -> None:
        """Have PostgreSQL prove that columns and filter follow from a row alone, as it does for an index of them.

        Of several tables, the row is that of all of them, whose columns are named `table.column`.
        """
        indexes = {what: f"(({_text(node, sources)}))" for what, node in columns.items()}
        if where is not None:
            indexes["its filter"] = f"((1)) where {_text(where, sources)}"
        alias = next(iter(sources))
        with self.connection.transaction(force_rollback=True):
            execute(
                self.connection, "sources/views/copy", {"copy": sql.Identifier(alias), **self._all_columns(sources)}
            )
            for what, index in indexes.items():
                try:
                    with self.connection.transaction():
                        statement = sql.SQL("create index on pg_temp.{} {}").format(sql.Identifier(alias), _sql(index))
                        self.connection.execute(statement)
                except psycopg.errors.UndefinedObject:  # a type without an order, such as json: nothing was refuted
                    continue
                except psycopg.Error as error:
                    raise ViewError(
                        f"{self.view}: {what} does not follow from the row alone: {error.diag.message_primary}"
                    ) from None

    def _all_columns(self, sources: dict[str, Row]) -> dict[str, sql.Composable]:
        """Return the columns and tables of the copy that expressions are proved on."""
        tables = [
            sql.SQL("{} as {}").format(
                sql.Identifier(source["schema_name"], source["relation_name"]), sql.Identifier(alias)
            )
            for alias, source in sources.items()
        ]
        columns: list[sql.Composable] = [sql.SQL("*")]
        if len(sources) > 1:
            columns = [
                sql.SQL("{} as {}").format(sql.Identifier(alias, name), sql.Identifier(f"{alias}.{name}"))
                for alias, source in sources.items()
                for name in fetch_one(self.connection, "sources/views/columns", oid=source["oid"])["types"]
            ]
        return {"columns": sql.SQL(", ").join(columns), "tables": sql.SQL(" cross join ").join(tables)}


def _parse(definition: str) -> Node:
    return parse_sql(definition)[0].stmt


def _is_relation(node: Node) -> bool:
    return isinstance(node, ast.RangeVar)


def _sql(text: str) -> sql.SQL:
    """Return what PostgreSQL's own parser has parsed."""
    return sql.SQL(cast("LiteralString", text))


def _text(node: Node, sources: Collection[str]) -> str:
    """Return an expression over the copy of tables: of several, `table.column` is the name of a column."""
    if len(sources) == 1:
        return RawStream()(node)
    copy = _parse(f"select {RawStream()(node)}")

    class Rename(Visitor):
        def visit_ColumnRef(self, _ancestors: object, node: Node) -> None:  # noqa: N802
            node.fields = (ast.String(".".join(part.sval for part in node.fields)),)

    Rename()(copy)
    return RawStream()(copy.targetList[0].val)


def _references(nodes: Collection[Node]) -> list[list[str]]:
    """Return the columns that expressions read, each with its table where it is named."""
    found: list[list[str]] = []

    class References(Visitor):
        def visit_ColumnRef(self, _ancestors: object, node: Node) -> None:  # noqa: N802
            found.append([part.sval for part in node.fields])

    for node in nodes:
        if node is not None:
            References()(node)
    return found


def _columns(nodes: Collection[Node], table: str | None = None) -> set[str]:
    """Return the names of the columns that expressions read; of a table, if one is named."""
    return {names[-1] for names in _references(nodes) if table is None or len(names) == 1 or names[0] == table}


def _aliases(node: Node) -> set[str]:
    """Return the tables whose columns an expression reads."""
    return {names[0] for names in _references([node]) if len(names) > 1}


def _equation(condition: Node, base: str, alias: str) -> tuple[str, str] | None:
    """Return the columns of `base` and `alias` that a condition equates, if it is that and nothing else."""
    if type(condition).__name__ != "A_Expr" or [name.sval for name in condition.name] != ["="]:
        return None
    sides = {names[0]: names[1] for names in _references([condition.lexpr, condition.rexpr]) if len(names) == 2}
    is_plain = {type(condition.lexpr).__name__, type(condition.rexpr).__name__} == {"ColumnRef"}
    return (sides[base], sides[alias]) if is_plain and sides.keys() == {base, alias} else None


def _last_name(node: Node) -> str:
    return node.fields[-1].sval if type(node).__name__ == "ColumnRef" else ""


def _qualified(node: Node) -> str:
    return sql.Identifier(node.schemaname, node.relname).as_string()
