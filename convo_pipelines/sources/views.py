"""Views over the owner's tables: what they show of the rows that a statement changed.

A view is captured on the table beneath. Its definition is read with an empty search path, so that every name in it is
qualified, and the table is replaced in the parse tree by the rows that a trigger is given.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast

import psycopg
from pglast import ast, parse_sql, scan
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
BENEATH = "rows_beneath"
"""How the table beneath is named in a definition: as no variable of a trigger function is."""
WHOLE_ROW = "*"
NUMBER = "convo_row_number"
"""What tells the rows of a trigger apart: PostgreSQL keeps those of an update in one order, before and after it."""
UNNUMBERED, NUMBERED = f"SELECT 0 AS {NUMBER}", f"SELECT row_number() OVER () AS {NUMBER}"
PUT_TOGETHER = {"jsonb_build_object", "jsonb_build_array", "json_build_object", "json_build_array", "concat"}
"""Functions that put values together: not immutable, because settings say how the values are written."""
SETTLED = {
    "bit",
    "bool",
    "bpchar",
    "bytea",
    "char",
    "date",
    "float4",
    "float8",
    "int2",
    "int4",
    "int8",
    "interval",
    "json",
    "jsonb",
    "numeric",
    "text",
    "timestamp",
    "timestamptz",
    "uuid",
    "varbit",
    "varchar",
}
"""Types whose literals, as PostgreSQL prints them, mean the same with any settings of a session."""
PINNED = "SET array_nulls TO 'on' SET lc_monetary FROM CURRENT"
"""What a function pins that has literals of other types: each costs it half a microsecond."""


class ViewError(ConvoPipelinesError):
    """A view that is not captured; the message says why."""


@dataclass(frozen=True)
class Joined:
    """A table that a view joins to the one beneath: its row of `relation.sql`, and the columns that are read."""

    table: Row
    columns: Sequence[str]


@dataclass(frozen=True)
class View:
    """A view over one table, or over such views.

    Attributes:
        oid: of the view.
        name: of the view, quoted.
        views: the oids of the view and of the views that it reads.
        base: the table beneath, a row of `relation.sql`; None: the view shows constants.
        tree: what it shows of the columns that the log needs; the table beneath is named `changed_rows`.
        joined: other tables that it reads, by LEFT JOIN; they decide neither those columns nor the filter.

    """

    oid: int
    name: str
    views: Sequence[int]
    base: Row | None
    tree: Node
    joined: Sequence["Joined"] = ()

    def of(self, rows: str, *, is_numbered: bool = False) -> str:
        """Return the query for what the view shows of rows, which have the columns of the table beneath.

        `is_numbered`: its last column is the number of the row, unless the view reads whole rows.
        """

        class Rename(Visitor):
            def visit_RangeVar(self, _ancestors: object, node: Node) -> None:  # noqa: N802
                node.relname = rows

        Rename()(self.tree)
        text = _written(self.tree)
        return text.replace(UNNUMBERED, NUMBERED) if is_numbered else text

    @property
    def pins(self) -> str:
        """What its trigger function sets, because settings of the writer's session change what a literal means."""
        names: set[str] = set()

        class Literals(Visitor):
            def visit_TypeCast(self, _ancestors: object, node: Node) -> None:  # noqa: N802
                if type(node.arg).__name__ == "A_Const":
                    names.add(node.typeName.names[-1].sval + "[]" * bool(node.typeName.arrayBounds))

        Literals()(self.tree)
        return PINNED if names - SETTLED else ""

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
        text = found["definition"].replace(
            "$function$", f"$function_{self.oid}$"
        )  # the view may have that in a literal
        text = text.replace(f"analytics.{log_function}()", f"analytics.{sql.Identifier(name).as_string()}()", 1)
        text = re.sub(r"\btg_relid\b", str(self.oid), text)
        text = re.sub(r"^(?=AS \$)", self.pins and f" {self.pins}\n", text, count=1, flags=re.MULTILINE)

        def shown(match: re.Match[str]) -> str:
            number, clause, rows = match.groups()
            query = f"{clause} ({self.of(rows, is_numbered=bool(number))}) as {rows}"
            return f"{NUMBER} as row_number {query}" if number else query

        return re.sub(r"\b(0 as row_number )?(from|join) ((?:old|new)_rows)\b(?!\.)", shown, text)


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
        found = fetch_one(connection, "sources/views/relation", relation=relation)
        if found["definition"] is None:
            raise ViewError(f"{found['name']} is not a view")
        tree = _parse(found["definition"])
        if _is_constant(tree):
            return View(found["oid"], found["name"], [found["oid"]], None, tree)
        reader = _Reader(connection, found["name"])
        tree = reader.expand(found, set(reads), set(logged))
        if unknown := fetch(connection, "sources/views/unknown_calls", views=list(reader.views)):
            names = ", ".join(row["name"] for row in unknown)
            raise ViewError(
                f"{found['name']} calls {names}: it cannot be known what that calls; "
                "write it in SQL or PL/pgSQL, without EXECUTE"
            )
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
    written: Sequence[str]
    shown: dict[str, Node]

    def names(self) -> dict[str, sql.Composable]:
        """Return the placeholders of the statements that create functions."""
        return {
            "table": sql.Identifier(self.base["schema_name"], self.base["relation_name"]),
            "table_name": sql.Literal(self.base["name"]),
            "alias": sql.Identifier(self.alias),
            "id": _sql(_written(self.shown["id"])),
        }


def _plain(connection: Connection, relation: str) -> _Plain:
    """Read a view of one table, to which others may be joined.

    Raises:
        ViewError: it is not.

    """
    with connection.transaction(force_rollback=True):
        found = fetch_one(connection, "sources/views/relation", relation=relation)
        tree = _parse(found["definition"])
        is_select = tree.op == SetOperation.SETOP_NONE and not tree.withClause and len(tree.fromClause or ()) == 1
        node: Node = tree.fromClause[0] if is_select else None
        while type(node).__name__ == "JoinExpr":
            node = node.larg
        base = (
            fetch_one(connection, "sources/views/relation", relation=_qualified(node)) if _is_relation(node) else None
        )
        if base is None or not base["is_table"]:
            raise ViewError(f"{found['name']} is not a view of one table")
        columns = fetch_one(connection, "sources/views/columns", oid=base["oid"])
    alias = node.alias.aliasname if node.alias else base["relation_name"]

    class Rename(Visitor):
        def visit_ColumnRef(self, _ancestors: object, node: Node) -> None:  # noqa: N802
            *table, column = node.fields
            node.fields = (ast.String(BENEATH if not table or table[0].sval == alias else table[0].sval), column)

    Rename()(tree)
    return _Plain(
        base,
        BENEATH,
        columns["types"],
        columns["written"],
        {target.name or _last_name(target.val): target.val for target in tree.targetList},
    )


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
    if lost := [name for name in found_by if (_inverse(plain.shown[name], "") or ("", ""))[0] not in plain.written]:
        raise ViewError(f"{relation} shows no column of the table beneath as {', '.join(lost)}")
    written: dict[str, sql.Composable] = {}
    for column in plain.shown.keys() & columns:
        inverse = _inverse(plain.shown[column], f"new.{sql.Identifier(column).as_string()}")
        if inverse and inverse[0] in plain.written and (column != "id" or plain.types[inverse[0]] == "uuid"):
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
        case "TypeCast" if len(shown.typeName.names) == 1 or shown.typeName.names[0].sval == "pg_catalog":
            return _inverse(shown.arg, value)
        case "FuncCall":
            function, arguments = ".".join(part.sval for part in shown.funcname), shown.args or ()
            if function == "analytics.uuid_of" and len(arguments) == 1:
                return _inverse(arguments[0], f"analytics.bigint_of({value})")
            if function.removeprefix("pg_catalog.") == "timezone" and len(arguments) == 2:
                return _inverse(arguments[1], f"{value} at time zone {_written(arguments[0])}")
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
        if self._meaning(found["definition"]) != self._meaning(_written(tree)):
            raise ViewError(
                f"{self.view}: its definition means something else when it is written anew, as a cast to "
                '"bit" without a length does'
            )
        selects = list(self._selects(tree))
        tree.sortClause = None
        names = [target.name or _last_name(target.val) for target in selects[0].targetList]
        if WHOLE_ROW in reads:
            raise ViewError(f"{self.view} reads a whole row of the view {found['name']}")
        if missing := reads - {*names}:
            raise ViewError(f"{self.view} has no column {', '.join(sorted(missing))}")
        for select in selects:
            self._replace(select, names, reads, logged)
        return tree

    def _meaning(self, query: str) -> str:
        """Return how PostgreSQL reads a query."""
        name = sql.Identifier(BENEATH)
        with self.connection.transaction(force_rollback=True):
            execute(self.connection, "sources/views/copy_view", {"view": name, "query": _sql(query.rstrip(";"))})
            return fetch_one(self.connection, "sources/views/meaning", relation=f"pg_temp.{BENEATH}")["tree"]

    def _replace(self, select: Node, names: Sequence[str], reads: set[str], logged: set[str]) -> None:
        """Replace what a select reads by `changed_rows`, and keep only its logged columns."""
        joins = self._joins(select)
        read_from = joins[0].larg if joins else select.fromClause[0]
        sources = self._name(select, read_from, joins)
        source = sources[BENEATH]
        columns = {name: target.val for name, target in zip(names, select.targetList, strict=True)}
        kept = {name: columns[name] for name in names if name in logged}
        conditions = [join.quals for join in joins]
        self._require_beneath(kept, select.whereClause)
        proved = [(f"column {name}", node) for name, node in kept.items()]
        proved += [(f"column {name}", part) for name in sorted(reads - logged) for part in _proved_parts(columns[name])]
        proved += [(f"join {number}", node) for number, node in enumerate(conditions, 1)]
        self._prove(sources, proved, select.whereClause)
        read = [*(columns[name] for name in reads), *conditions]
        self.joined += [
            Joined(table, sorted(self._columns(read, name))) for name, table in sources.items() if name != BENEATH
        ]
        needed = self._columns([*kept.values(), select.whereClause], BENEATH)
        is_numbered = WHOLE_ROW not in needed  # a whole row would have one column more
        kept[NUMBER] = _value(f"{BENEATH}.{NUMBER}" if is_numbered else "0")
        select.targetList = tuple(ast.ResTarget(name=name, val=value) for name, value in kept.items())
        alias = ast.Alias(aliasname=BENEATH)
        if source["definition"] is not None:
            nested = self.expand(source, self._columns(read, BENEATH) | needed, needed)
            select.fromClause = (ast.RangeSubselect(subquery=nested, alias=alias),)
            return
        self.bases[source["oid"]] = source
        numbered = ast.RangeSubselect(subquery=_parse(f"{UNNUMBERED}, * FROM {ROWS}"), alias=alias)
        rows = ast.RangeVar(relname=ROWS, inh=True, relpersistence="p", alias=alias)
        select.fromClause = (numbered if is_numbered else rows,)

    def _name(self, select: Node, read_from: Node, joins: Sequence[Node]) -> dict[str, Row]:
        """Name the tables of a select as nothing else is named, in every column; return them, that beneath first."""
        nodes = {BENEATH: read_from} | {f"joined_{number}": join.rarg for number, join in enumerate(joins, 1)}
        if any(node.alias and node.alias.colnames for node in nodes.values()):
            raise ViewError(f"{self.view} names the columns of a table in FROM")
        new_names = {node.alias.aliasname if node.alias else node.relname: name for name, node in nodes.items()}

        class Rename(Visitor):
            def visit_ColumnRef(self, _ancestors: object, node: Node) -> None:  # noqa: N802
                *table, column = node.fields
                name = new_names.get(table[0].sval, table[0].sval) if table else BENEATH
                node.fields = (ast.String(name), column)

        Rename()(select)
        sources = {
            name: fetch_one(self.connection, "sources/views/relation", relation=_qualified(node))
            for name, node in nodes.items()
        }
        for name, source in sources.items():
            if not source["is_table"] and (source["definition"] is None or name != BENEATH):
                raise ViewError(f"{self.view} reads {source['name']}, which is not a table")
        return sources

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

    def _require_beneath(self, kept: dict[str, Node], where: Node) -> None:
        """Check that the table beneath decides the kept columns and the filter alone."""
        for what, node in {**{f"column {name}": node for name, node in kept.items()}, "its filter": where}.items():
            if {table for table, _ in _references([node])} - {BENEATH}:
                raise ViewError(f"{self.view}: a joined table decides {what}")

    def _columns(self, nodes: Collection[Node], table: str) -> set[str]:
        """Return the names of the columns of a table that expressions read."""
        names = {column for name, column in _references(nodes) if name == table}
        if WHOLE_ROW in names and table != BENEATH:
            raise ViewError(f"{self.view} reads a whole row of a joined table")
        return names

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

    def _prove(self, sources: dict[str, Row], columns: Sequence[tuple[str, Node]], where: Node) -> None:
        """Have PostgreSQL prove that columns and filter follow from a row alone, as it does for an index of them.

        Of several tables, the row is that of all of them, whose columns are named `table.column`.
        """
        indexes = [(what, f"(({_text(node, sources)}))") for what, node in columns]
        if where is not None:
            indexes.append(("its filter", f"((1)) where {_text(where, sources)}"))
        copy = sql.Identifier(BENEATH)
        with self.connection.transaction(force_rollback=True):
            execute(self.connection, "sources/views/copy", {"copy": copy, **self._all_columns(sources)})
            for what, index in indexes:
                try:
                    with self.connection.transaction():
                        self.connection.execute(sql.SQL("create index on pg_temp.{} {}").format(copy, _sql(index)))
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
    tree: Node = parse_sql(definition)[0].stmt

    class Bits(Visitor):
        """`B'101'` is printed as `'101'::"bit"`, which would be written as `bit`, of one bit."""

        def visit_TypeCast(self, _ancestors: object, node: Node) -> Node:  # noqa: N802
            is_string = type(node.arg).__name__ == "A_Const" and type(node.arg.val).__name__ == "String"
            if is_string and [name.sval for name in node.typeName.names] == ["bit"] and not node.typeName.typmods:
                return ast.A_Const(isnull=False, val=ast.BitString(bsval=f"b{node.arg.val.sval}"))
            return node

    Bits()(tree)
    return tree


def _written(node: Node) -> str:
    """Return the text of what was parsed, which means the same with any standard_conforming_strings."""
    text = RawStream()(node)
    for token in reversed(scan(text)):
        literal = text[token.start : token.end + 1]
        if token.name == "SCONST" and literal.startswith("'") and "\\" in literal:
            escaped = literal.replace("\\", "\\\\")
            text = f"{text[: token.start]} E{escaped}{text[token.end + 1 :]}"
    return text


def _value(expression: str) -> Node:
    return _parse(f"select {expression}").targetList[0].val


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
            node.fields = (ast.String(".".join(_names(node))),)

    Rename()(copy)
    return RawStream()(copy.targetList[0].val)


def _proved_parts(node: Node) -> list[Node]:
    """Return what has to follow from the row: all of an expression, but for functions that only put values together.

    Those depend on settings, such as how times are written, which are the same whenever the pipeline reads the view.
    """
    match type(node).__name__:
        case "FuncCall" if ".".join(part.sval for part in node.funcname) in PUT_TOGETHER:
            parts = list(node.args or ())
        case "TypeCast" if type(node.arg).__name__ != "A_Const":
            parts = _proved_parts(node.arg)
            return parts if parts != [node.arg] else [node]
        case "A_Const":
            return []
        case _:
            return [node]
    return [proved for part in parts for proved in _proved_parts(part)]


def _names(reference: Node) -> list[str]:
    return [WHOLE_ROW if type(part).__name__ == "A_Star" else part.sval for part in reference.fields]


def _references(nodes: Collection[Node]) -> list[tuple[str, str]]:
    """Return the columns that expressions read, each with its table."""
    found: list[tuple[str, str]] = []

    class References(Visitor):
        def visit_ColumnRef(self, _ancestors: object, node: Node) -> None:  # noqa: N802
            found.append((_names(node)[0], _names(node)[-1]))

    for node in nodes:
        if node is not None:
            References()(node)
    return found


def _last_name(node: Node) -> str:
    return _names(node)[-1] if type(node).__name__ == "ColumnRef" else ""


def _qualified(node: Node) -> str:
    return sql.Identifier(node.schemaname, node.relname).as_string()
