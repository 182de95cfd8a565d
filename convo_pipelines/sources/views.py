"""Views over the owner's tables: what they show of the rows that a statement changed.

A view is captured on the tables beneath. Its definition is read with an empty search path, so that every name in it is
qualified. In the parse tree, a table whose row decides that of the view is replaced by the rows that a trigger is
given. From rows of other tables, the equalities of the definition lead to those.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg
from google.protobuf.message import Message
from postgast import pg_query_pb2 as ast
from postgast import unwrap_node, walk
from postgast.pg_query_pb2 import Node, SelectStmt
from psycopg import sql

from convo_pipelines.database import trees
from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import execute, fetch, fetch_one
from convo_pipelines.database.statements import fragment, statement, trusted
from convo_pipelines.engine.derive import ROW_ID, NotDerivedError, Way, ways_to_rows
from convo_pipelines.errors import ConvoPipelinesError

ROWS = "changed_rows"
"""The name under which a definition reads the rows of a trigger."""
BENEATH = "rows_beneath"
"""How the table beneath is named in a definition: as no variable of a trigger function is."""
NUMBER = "convo_row_number"
"""What tells the rows of a trigger apart: PostgreSQL keeps those of an update in one order, before and after it."""
UNNUMBERED, NUMBERED = f"SELECT 0 AS {NUMBER}", f"SELECT row_number() OVER () AS {NUMBER}"
PUT_TOGETHER = {"jsonb_build_object", "jsonb_build_array", "json_build_object", "json_build_array", "concat"}
"""Functions that put values together: not immutable, because settings say how the values are written."""
BY_SETTINGS = {
    *PUT_TOGETHER,
    "to_char",
    "date_trunc",
    "date_part",
    "extract",
    "timezone",
    "date",
    "timestamptz",
    "to_json",
    "to_jsonb",
}
"""Functions that depend on their arguments and on settings only, which are the same whenever the pipeline reads."""
CLOCKS = {"now", "today", "tomorrow", "yesterday"}
"""Texts that are times when they are read as such."""
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


_KEYED = sql.SQL("select shown.* from keys inner join ({}) as shown on shown.ctid = keys.ctid")


class ViewError(ConvoPipelinesError):
    """A view that is not captured; the message says why."""


@dataclass(frozen=True)
class Joined:
    """A table that a view reads beside those that decide its rows.

    Attributes:
        table: its row of `relation` in `sql/sources/views.sql`.
        columns: those that are read.
        types: the types of its columns.
        ways: how its changed rows lead to rows that decide; none: everything has to be read again.
        remark: why there are none.

    """

    table: Row
    columns: Sequence[str]
    types: Mapping[str, str]
    ways: Sequence[Way] = ()
    remark: str = ""

    @property
    def found_by(self) -> list[str]:
        """The columns that lead to rows of the view."""
        return sorted({column for way in self.ways for column in way.columns})


@dataclass(frozen=True)
class Base:
    """A table each row of which decides rows of a view.

    Attributes:
        table: its row of `relation` in `sql/sources/views.sql`.
        tree: what the view shows of the columns that the log needs; the table is named `changed_rows`.

    """

    table: Row
    tree: SelectStmt

    def of(self, rows: str, *, is_numbered: bool = False) -> str:
        """Return the query for what the view shows of rows, which have the columns of the table.

        `is_numbered`: its last column is the number of the row, unless the view reads whole rows.
        """
        for table in trees.nodes(self.tree, ast.RangeVar):
            table.relname = rows
        text = trees.written(self.tree)
        return text.replace(UNNUMBERED, NUMBERED) if is_numbered else text

    @property
    def pins(self) -> str:
        """What a function with this query sets, because settings of a session change what a literal means."""
        names = {
            cast.type_name.names[-1].string.sval + "[]" * bool(cast.type_name.array_bounds)
            for cast in trees.nodes(self.tree, ast.TypeCast)
            if cast.arg.HasField("a_const")
        }
        return PINNED if names - SETTLED else ""


@dataclass(frozen=True)
class View:
    """A view whose rows are decided by those of tables, each by one; or over such views.

    Attributes:
        oid: of the view.
        name: of the view, quoted.
        views: the oids of the view and of the views that it reads.
        bases: the tables that decide its rows; none: the view shows constants.
        joined: other tables that it reads; they decide none of the columns that the log needs.
        is_alone: whether a row of a table that decides is shown whatever the others have.

    """

    oid: int
    name: str
    views: Sequence[int]
    bases: Sequence[Base] = ()
    joined: Sequence[Joined] = ()
    is_alone: bool = True

    def trigger_function(self, connection: Connection, base: Base, name: str, log_function: str) -> str:
        """Return the statement that creates a trigger function for a table that decides rows of the view.

        It is one of ours for tables of this kind, reading what the view shows of the changed rows; of a histories
        table, it logs the view's oid.

        Args:
            connection: of a role that may read the function.
            base: the table.
            name: of the function in `analytics`.
            log_function: that of ours in `analytics`.

        """
        [found] = fetch(connection, "sources/views/function", name=f"analytics.{log_function}()")
        text = found["definition"].replace(
            "$function$", f"$function_{self.oid}$"
        )  # the view may have that in a literal
        text = text.replace(f"analytics.{log_function}()", f"analytics.{sql.Identifier(name).as_string()}()", 1)
        text = re.sub(r"\btg_relid\b", str(self.oid), text)
        text = text.replace("is_alone boolean := true", f"is_alone boolean := {str(self.is_alone).lower()}")
        text = re.sub(r"^(?=AS \$)", base.pins and f" {base.pins}\n", text, count=1, flags=re.MULTILINE)

        def shown(match: re.Match[str]) -> str:
            number, clause, rows = match.groups()
            query = f"{clause} ({base.of(rows, is_numbered=bool(number))}) as {rows}"
            return f"{NUMBER} as row_number {query}" if number else query

        return re.sub(r"\b(0 as row_number )?(from|join) ((?:old|new)_rows)\b(?!\.)", shown, text)

    def look_up_function(self, joined: Joined, name: str, types: Mapping[str, str]) -> sql.Composed:
        """Return the statement that creates the function which finds the rows that changes of a joined table concern.

        Args:
            joined: the table.
            name: of the function in `analytics`.
            types: of the logged columns.

        """
        values = [
            sql.SQL("($1)[number][{}]::{} as {}").format(
                sql.Literal(number), trusted(joined.types[column]), sql.Identifier(column)
            )
            for number, column in enumerate(joined.found_by, 1)
        ]
        operations = ("update",) if self.is_alone else ("insert", "delete")

        def names(base: Base, row_ids: str) -> dict[str, sql.Composable]:
            return {
                "values": sql.SQL(", ").join(values),
                "table": trusted(base.table["name"]),
                "row_ids": trusted(row_ids),
                "columns": sql.SQL(", ").join(
                    sql.SQL("shown.{}::{}").format(sql.Identifier(column), trusted(of)) for column, of in types.items()
                ),
                "shown": trusted(base.of(ROWS)),
                "operations": sql.SQL(", ").join(sql.SQL("({})").format(sql.Literal(of)) for of in operations),
            }

        bases = {f"{base.table['schema_name']}.{base.table['relation_name']}": base for base in self.bases}
        reached = {way.leads_to: bases[way.leads_to] for way in joined.ways}
        return statement("sources/adoption/look_up").format(
            function=sql.Identifier("analytics", name),
            types=sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(c), trusted(of)) for c, of in types.items()
            ),
            rows=sql.SQL(";\n").join(
                fragment("sources/adoption/found_rows").format(**names(bases[way.leads_to], way.query))
                for way in joined.ways
            ),
            each=sql.SQL(";\n").join(
                fragment("sources/adoption/each_row").format(**names(base, "")) for base in reached.values()
            ),
            pins=trusted(next((base.pins for base in reached.values() if base.pins), "")),
            name=sql.Literal(self.name),
        )


def read(connection: Connection, relation: str, reads: Collection[str], logged: Collection[str]) -> View:
    """Return the view with this name.

    Args:
        connection: of a role that may create temporary tables.
        relation: its name, as `to_regclass` takes it.
        reads: the columns that the pipeline reads: each has to follow from the row alone, as the filter has.
        logged: those of them that the log names.

    Raises:
        ViewError: it is no view, or not a row of one table alone decides each of its rows.

    """
    with connection.transaction(force_rollback=True):
        found = fetch_one(connection, "sources/views/relation", relation=relation)
        if found["definition"] is None:
            raise ViewError(f"{found['name']} is not a view")
        tree = trees.select_of(found["definition"])
        if _is_constant(tree):
            return View(found["oid"], found["name"], [found["oid"]])
        reader = _Reader(connection, found["name"])
        shown, beneath = reader.expand(found, set(reads), set(logged))
        joined = reader.joined(beneath)
        if unknown := fetch(connection, "sources/views/unknown_calls", views=list(reader.views)):
            names = ", ".join(row["name"] for row in unknown)
            raise ViewError(
                f"{found['name']} calls {names}: it cannot be known what that calls; "
                "write it in SQL or PL/pgSQL, without EXECUTE"
            )
    bases = [Base(table, tree) for oid, table in reader.bases.items() if (tree := _only(shown, f"{ROWS}_{oid}"))]
    return View(found["oid"], found["name"], reader.views, bases, joined, reader.is_alone)


def _is_constant(tree: SelectStmt) -> bool:
    """Return whether a view shows the same rows until it is replaced: literals, and keys of them."""
    depends = any(isinstance(node, (ast.RangeVar, ast.SQLValueFunction)) for _, node in walk(tree))
    calls = {trees.joined(call.funcname) for call in trees.nodes(tree, ast.FuncCall)}
    return not depends and calls <= {"analytics.uuid_of"}


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
            "id": trusted(trees.expression(self.shown["id"])),
        }


def _plain(connection: Connection, relation: str) -> _Plain:
    """Read a view of one table, to which others may be joined, the first of FROM.

    Raises:
        ViewError: it is not.

    """
    with connection.transaction(force_rollback=True):
        found = fetch_one(connection, "sources/views/relation", relation=relation)
        tree = trees.select_of(found["definition"])
        is_select = tree.op == ast.SETOP_NONE and not tree.HasField("with_clause") and len(tree.from_clause) == 1
        node = tree.from_clause[0] if is_select else Node()
        while node.HasField("join_expr"):
            node = node.join_expr.larg
        base = (
            fetch_one(connection, "sources/views/relation", relation=_qualified(node))
            if node.HasField("range_var")
            else None
        )
        if base is None or not base["is_table"]:
            raise ViewError(f"{found['name']} is not a view of one table")
        columns = fetch_one(connection, "sources/views/columns", oid=base["oid"])
    _rename(tree, {_alias(node): BENEATH})
    null = trees.value("null")  # what a joined table shows is not written
    shown = {
        trees.name_of(target): target.val if {of for of, _ in _references([target.val])} <= {BENEATH} else null
        for target in trees.targets(tree)
    }
    return _Plain(base, BENEATH, columns["types"], columns["written"], shown)


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
        key=trusted(f"({key})::{plain.types[column]}"),
    )


def insert_function(
    connection: Connection, relation: str, name: str, trigger: str, columns: Collection[str], found_by: Collection[str]
) -> sql.Composed:
    """Return the statements that have a view's rows inserted into the table beneath.

    A column of the view is written if it is a column of the table, with or without a cast or a time zone. It is also
    written if it is the uuid of an integer column. An id that is no uuid has a default in the table, and is read back.

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
            written[inverse[0]] = trusted(f"({inverse[1]})::{plain.types[inverse[0]]}")
    return statement("sources/views/insert_function").format(
        **plain.names(),
        function=sql.Identifier("analytics", name),
        trigger=sql.Identifier(trigger),
        view=trusted(relation),
        columns=sql.SQL(", ").join(map(sql.Identifier, written)),
        values=sql.SQL(", ").join(written.values()),
    )


def _inverse(shown: Node, value: str) -> tuple[str, str] | None:
    """Return the column that an expression shows, and what is written into it so that the expression is `value`."""
    match unwrap_node(shown):
        case ast.ColumnRef() as reference:
            return trees.names_of(reference)[-1], value
        case ast.TypeCast(type_name=type_name, arg=arg):
            if len(type_name.names) == 1 or type_name.names[0].string.sval == "pg_catalog":
                return _inverse(arg, value)
        case ast.FuncCall(funcname=funcname, args=arguments):
            function = trees.joined(funcname)
            if function == "analytics.uuid_of" and len(arguments) == 1:
                return _inverse(arguments[0], f"analytics.bigint_of({value})")
            if function.removeprefix("pg_catalog.") == "timezone" and len(arguments) == 2:
                return _inverse(arguments[1], f"{value} at time zone {trees.expression(arguments[0])}")
        case _:
            pass
    return None


class _Table(NamedTuple):
    """A table in FROM, and whether a join shows rows without one of it."""

    node: Node
    is_optional: bool


def _tables(nodes: Iterable[Node], *, is_optional: bool = False) -> Iterator[_Table]:
    """Return the tables in FROM."""
    for node in nodes:
        if node.HasField("join_expr"):
            join = node.join_expr
            yield from _tables([join.larg], is_optional=is_optional or join.jointype in (ast.JOIN_RIGHT, ast.JOIN_FULL))
            yield from _tables([join.rarg], is_optional=is_optional or join.jointype in (ast.JOIN_LEFT, ast.JOIN_FULL))
        else:
            yield _Table(node, is_optional)


def _joins(nodes: Iterable[Node]) -> Iterator[ast.JoinExpr]:
    for join in (node.join_expr for node in nodes if node.HasField("join_expr")):
        yield from _joins([join.larg, join.rarg])
        yield join


def _parts(condition: Node) -> Iterator[Node]:
    """Return the conditions that a condition consists of, all of which have to hold."""
    if condition.HasField("bool_expr") and condition.bool_expr.boolop == ast.AND_EXPR:
        for part in condition.bool_expr.args:
            yield from _parts(part)
    elif trees.is_given(condition):
        yield condition


def _only(tree: SelectStmt, rows: str) -> SelectStmt | None:
    """Return what a query shows of one table, without the selects that read others; None: nothing."""
    copy = SelectStmt()
    copy.CopyFrom(tree)
    if tree.op == ast.SETOP_NONE:
        item = copy.from_clause[0]  # functions of its columns follow
        if item.HasField("range_var"):
            return copy if item.range_var.relname in (rows, ROWS) else None
        nested = item.range_subselect.subquery.select_stmt
        inner = _only(nested, rows)
        if inner is None:
            return None
        nested.CopyFrom(inner)
        return copy
    left, right = _only(tree.larg, rows), _only(tree.rarg, rows)
    if left is None or right is None:
        return left or right
    copy.larg.CopyFrom(left)
    copy.rarg.CopyFrom(right)
    return copy


@dataclass
class _Reader:
    """Reads a view, and the views that it reads.

    Attributes:
        connection: in a transaction whose search path is empty.
        view: the name of the view that is read.
        views: the oids of all of them.
        bases: the tables that decide its rows, by oid.
        decided: their names, one for each select.
        is_alone: whether their rows are shown whatever other tables have.

    """

    connection: Connection
    view: str
    views: list[int] = field(default_factory=list[int])
    bases: dict[int, Row] = field(default_factory=dict[int, Row])
    decided: list[str] = field(default_factory=list[str])
    is_alone: bool = True

    def expand(self, found: Row, reads: set[str], logged: set[str]) -> tuple[SelectStmt, SelectStmt]:
        """Return what a view shows of the logged columns, over `changed_rows`; and what it reads, with row ids."""
        self.views.append(found["oid"])
        tree = trees.select_of(found["definition"])
        if self._meaning(found["definition"]) != self._meaning(trees.written(tree)):
            raise ViewError(f"{self.view}: its definition means something else when it is written anew")
        tree.ClearField("sort_clause")
        selects = list(self._selects(tree))
        beneath = SelectStmt()
        beneath.CopyFrom(tree)
        names = [trees.name_of(target) for target in trees.targets(selects[0])]
        if trees.WHOLE_ROW in reads:
            raise ViewError(f"{self.view} reads a whole row of the view {found['name']}")
        if missing := reads - {*names}:
            raise ViewError(f"{self.view} has no column {', '.join(sorted(missing))}")
        for select, with_ids in zip(selects, self._selects(beneath), strict=True):
            self._replace(select, with_ids, names, reads, logged)
        return tree, beneath

    def joined(self, beneath: SelectStmt) -> list[Joined]:
        """Return the tables that a view reads beside those that decide its rows."""
        read = [f"{table.schemaname}.{table.relname}" for table in trees.nodes(beneath, ast.RangeVar)]
        if sorted(read) == sorted(self.decided):
            return []
        tables, views = self._beneath(beneath)
        types = {
            name: fetch_one(self.connection, "sources/views/columns", oid=row["oid"]) for name, row in tables.items()
        }
        called = [
            trees.joined(call.funcname)
            for tree in [beneath, *views.values()]
            for call in trees.nodes(tree, ast.FuncCall)
        ]
        functions = [row["name"] for row in fetch(self.connection, "sources/views/functions", names=called)]
        try:
            ways = ways_to_rows(
                _KEYED.format(trusted(trees.written(beneath))).as_string(),
                {name: [*of["types"], ROW_ID] for name, of in types.items()},
                {name: trees.written(tree) for name, tree in views.items()},
                functions,
            )
        except NotDerivedError as error:
            raise ViewError(f"{self.view}: {error}") from None
        found: list[Joined] = []
        for name, table in tables.items():
            own = [way for way in ways.ways if way.relation == name]
            inexact = {column for way in own for column in way.columns} - {*types[name]["exact"]}
            remark = ""
            if not all(way.query for way in own):
                remark = "no equality leads from it to the rows of the view"
            elif inexact:
                remark = f"it is joined by {', '.join(sorted(inexact))}, whose type is not a number, a text or a uuid"
            if own:
                columns = sorted(ways.used[name])
                found.append(Joined(table, columns, types[name]["types"], () if remark else own, remark))
        return found

    def _beneath(self, tree: SelectStmt) -> tuple[dict[str, Row], dict[str, SelectStmt]]:
        """Return the tables and the views that a query reads, those that these views read with them, by name."""
        tables: dict[str, Row] = {}
        views: dict[str, SelectStmt] = {}
        queue = [tree]
        while queue:
            for table in trees.nodes(queue.pop(), ast.RangeVar):
                name = f"{table.schemaname}.{table.relname}"
                if not table.schemaname or name in tables or name in views:
                    continue
                row = fetch_one(self.connection, "sources/views/relation", relation=_qualified(Node(range_var=table)))
                if row["is_table"]:
                    tables[name] = row
                elif row["definition"] is None:
                    raise ViewError(f"{self.view} reads {row['name']}, which is not a table")
                else:
                    self.views.append(row["oid"])
                    views[name] = trees.select_of(row["definition"])
                    self._require_settled(f"view {row['name']}", views[name])
                    queue.append(views[name])
        return tables, views

    def _meaning(self, query: str) -> str:
        """Return how PostgreSQL reads a query."""
        name = sql.Identifier(BENEATH)
        with self.connection.transaction(force_rollback=True):
            copy = statement("sources/views/copy_view").format(view=name, query=trusted(query.rstrip(";")))
            self.connection.execute(copy)  # without parameters: a percent sign in a view is no placeholder
            return fetch_one(self.connection, "sources/views/meaning", relation=f"pg_temp.{BENEATH}")["tree"]

    def _replace(
        self, select: SelectStmt, beneath: SelectStmt, names: Sequence[str], reads: set[str], logged: set[str]
    ) -> None:
        """Replace what a select reads by `changed_rows`, and keep only its logged columns.

        In the same select again, `beneath`, keep the columns that are read, and add the ids of the rows that decide.
        """
        columns = {name: target.val for name, target in zip(names, trees.targets(select), strict=True)}
        kept = {name: columns[name] for name in names if name in logged}
        tables = {_alias(table.node): table for table in self._tables_of(select)}
        functions = self._functions_of(select)
        alias = self._deciding(tables, functions, kept)
        sources = self._name(select, tables, functions, alias)
        source = sources[BENEATH]
        joins = [join for join in _joins(select.from_clause) if not join.rarg.HasField("range_function")]
        conditions = [join.quals for join in joins if join.HasField("quals")]
        where = list(_parts(select.where_clause))
        own = [part for part in where if not _has_subquery(part) and {of for of, _ in _references([part])} <= {BENEATH}]
        self.is_alone &= own == where and all(join.jointype == ast.JOIN_LEFT for join in joins)
        self.is_alone &= sum(not node.HasField("range_function") for node in select.from_clause) == 1
        proved = [(f"column {name}", node) for name, node in kept.items()]
        proved += [(f"column {name}", part) for name in sorted(reads - logged) for part in _proved_parts(columns[name])]
        proved += [(f"join {number}", node) for number, node in enumerate(conditions, 1)]
        given = [argument for node in functions.values() for argument in _arguments(node)]
        proved += [("an argument of a function in FROM", argument) for argument in given]
        self._prove(sources, proved, where)
        read = [*(columns[name] for name in reads), *conditions, *where, *given]
        for table in sources:
            self._columns(read, table)
        needed = self._columns([*kept.values(), *own, *given], BENEATH)
        is_numbered = trees.WHOLE_ROW not in needed  # a whole row would have one column more
        kept[NUMBER] = trees.value(f"{BENEATH}.{NUMBER}" if is_numbered else "0")
        targets = [Node(res_target=ast.ResTarget(name=name, val=value)) for name, value in kept.items()]
        shown = {name: target.val for name, target in zip(names, trees.targets(beneath), strict=True) if name in reads}
        shown[ROW_ID] = trees.value(f"{sql.Identifier(alias).as_string()}.{ROW_ID}")
        with_ids = [Node(res_target=ast.ResTarget(name=name, val=value)) for name, value in shown.items()]
        nested: SelectStmt | None = None
        if source["definition"] is not None:
            nested, inner = self.expand(source, self._columns(read, BENEATH) | needed, needed)
            named = next(table.node for table in self._tables_of(beneath) if _alias(table.node) == alias)
            subquery = ast.RangeSubselect(subquery=Node(select_stmt=inner), alias=ast.Alias(aliasname=alias))
            named.CopyFrom(Node(range_subselect=subquery))
        else:
            self.bases[source["oid"]] = source
            self.decided.append(f"{source['schema_name']}.{source['relation_name']}")
            if is_numbered:
                nested = trees.select_of(f"{UNNUMBERED}, * FROM {ROWS}_{source['oid']}")
        as_beneath = ast.Alias(aliasname=BENEATH)
        name = f"{ROWS}_{source['oid']}"
        rows = Node(range_var=ast.RangeVar(relname=name, inh=True, relpersistence="p", alias=as_beneath))
        if nested:
            rows = Node(range_subselect=ast.RangeSubselect(subquery=Node(select_stmt=nested), alias=as_beneath))
        del select.target_list[:], select.from_clause[:], beneath.target_list[:]
        select.ClearField("where_clause")
        if own:
            select.where_clause.CopyFrom(_all_of(own))
        select.target_list.extend(targets)
        select.from_clause.append(rows)
        select.from_clause.extend(functions.values())
        beneath.target_list.extend(with_ids)

    def _tables_of(self, select: SelectStmt) -> list[_Table]:
        tables = [table for table in _tables(select.from_clause) if not table.node.HasField("range_function")]
        if not all(table.node.HasField("range_var") or table.node.HasField("range_subselect") for table in tables):
            raise ViewError(f"{self.view} has something else than tables, subqueries and functions in FROM")
        if any(table.node.range_var.alias.colnames for table in tables):
            raise ViewError(f"{self.view} names the columns of a table in FROM")
        return tables

    def _functions_of(self, select: SelectStmt) -> dict[str, Node]:
        """Return copies of the functions in FROM, by their names: each row is joined with what they make of it."""
        found: dict[str, Node] = {}
        for table in _tables(select.from_clause):
            if table.node.HasField("range_function"):
                function = Node()
                function.CopyFrom(table.node)
                name = f"function_{len(found) + 1}"
                self._require_settled(f"function {function.range_function.alias.aliasname}", function)
                found[function.range_function.alias.aliasname] = function
                function.range_function.alias.aliasname = name
                function.range_function.lateral = True
                if table.is_optional:
                    raise ViewError(f"{self.view} has an outer join with a function in FROM")
        joins = [join for join in _joins(select.from_clause) if join.rarg.HasField("range_function")]
        if any(join.HasField("quals") for join in joins):
            raise ViewError(f"{self.view} joins a function in FROM by a condition: write CROSS JOIN and WHERE")
        return found

    def _deciding(self, tables: Mapping[str, _Table], functions: Mapping[str, Node], kept: Mapping[str, Node]) -> str:
        """Return the name of the table whose row decides the kept columns alone."""
        if undecided := next((name for name, node in kept.items() if _has_subquery(node)), ""):
            raise ViewError(f"{self.view}: a subquery decides column {undecided}")
        required = [
            alias for alias, table in tables.items() if table.node.HasField("range_var") and not table.is_optional
        ]
        given = {name: {table for table, _ in _references(_arguments(node))} for name, node in functions.items()}
        decides = {
            name: set[str]().union(*(given.get(table, {table}) for table, _ in _references([node])))
            for name, node in kept.items()
        }
        for alias in required:
            if len(tables) == 1 or all(of <= {alias} for of in [*decides.values(), *given.values()]):
                return alias
        first = next(iter(tables))
        joined = next((name for name, of in decides.items() if of - {first}), "")
        raise ViewError(f"{self.view}: a joined table decides column {joined}")

    def _name(
        self, select: SelectStmt, tables: Mapping[str, _Table], functions: Mapping[str, Node], deciding: str
    ) -> dict[str, Row]:
        """Name the tables of a select as nothing else is named, in every column; return them, the deciding first."""
        others = [alias for alias in tables if alias != deciding]
        aliases = {deciding: BENEATH} | {alias: f"joined_{number}" for number, alias in enumerate(others, 1)}
        of_functions = {alias: node.range_function.alias.aliasname for alias, node in functions.items()}
        for tree in (select, *functions.values()):
            _rename(tree, aliases | of_functions)
        sources = {
            name: fetch_one(self.connection, "sources/views/relation", relation=_qualified(tables[alias].node))
            for alias, name in aliases.items()
            if tables[alias].node.HasField("range_var")
        }
        for table in tables.values():
            if table.node.HasField("range_subselect"):
                self._require_settled(f"subquery {_alias(table.node)}", table.node)
        for source in sources.values():
            if not source["is_table"] and source["definition"] is None:
                raise ViewError(f"{self.view} reads {source['name']}, which is not a table")
        return sources

    def _columns(self, nodes: Collection[Node], table: str) -> set[str]:
        """Return the names of the columns of a table that expressions read."""
        names = {column for name, column in _references(nodes) if name == table}
        if trees.WHOLE_ROW in names and table != BENEATH:
            raise ViewError(f"{self.view} reads a whole row of a joined table")
        return names

    def _selects(self, tree: SelectStmt) -> Iterator[SelectStmt]:
        """Return the selects of a union."""
        if tree.HasField("with_clause") or tree.HasField("limit_count") or tree.HasField("limit_offset"):
            raise ViewError(f"{self.view} has WITH or LIMIT")
        if tree.op == ast.SETOP_UNION:
            yield from self._selects(tree.larg)
            yield from self._selects(tree.rarg)
        elif tree.op != ast.SETOP_NONE:
            raise ViewError(f"{self.view} has INTERSECT or EXCEPT")
        elif tree.values_lists or not tree.from_clause:
            raise ViewError(f"{self.view} reads no table")
        elif tree.group_clause or tree.HasField("having_clause") or any(map(trees.is_given, tree.distinct_clause)):
            raise ViewError(f"{self.view} has GROUP BY, HAVING or DISTINCT ON")
        else:
            yield tree

    def _prove(self, sources: dict[str, Row], columns: Sequence[tuple[str, Node]], where: Sequence[Node]) -> None:
        """Have PostgreSQL prove that columns and filter follow from a row alone, as it does for an index of them.

        Of several tables, the row is that of all of them, whose columns are named `table.column`.
        """
        columns, nested = _apart(columns, sources)
        filters, nested_filters = _apart([("its filter", node) for node in where], sources)
        for what, node in [*nested, *nested_filters]:
            self._require_settled(what, node)
        indexes = [(what, f"(({_text(node, sources)}))") for what, node in columns]
        indexes += [(what, f"((1)) where {_text(node, sources)}") for what, node in filters]
        copy = sql.Identifier(BENEATH)
        with self.connection.transaction(force_rollback=True):
            execute(self.connection, "sources/views/copy", {"copy": copy, **self._all_columns(sources)})
            for what, index in indexes:
                try:
                    with self.connection.transaction():
                        created = sql.SQL("create index on pg_temp.{} {}").format(copy, trusted(index))
                        self.connection.execute(created)
                except psycopg.errors.UndefinedObject:  # a type without an order, such as json: nothing was refuted
                    continue
                except psycopg.Error as error:
                    raise ViewError(
                        f"{self.view}: {what} does not follow from the row alone: {error.diag.message_primary}"
                    ) from None

    def _require_settled(self, what: str, tree: Message) -> None:
        """Check that the same rows yield the same values at any time; a tick evaluates it, no trigger does."""
        if any(True for _ in trees.nodes(tree, ast.SQLValueFunction)) or any(
            constant.sval.sval.strip().lower() in CLOCKS for constant in trees.nodes(tree, ast.A_Const)
        ):
            raise ViewError(f"{self.view}: {what} depends on the time or on who asks")
        names = {trees.joined(call.funcname) for call in trees.nodes(tree, ast.FuncCall)}
        names = {name if "." in name else f"pg_catalog.{name}" for name in names}
        settled = [f"pg_catalog.{name}" for name in BY_SETTINGS]
        for row in fetch(self.connection, "sources/views/unsettled", names=[*names], settled=settled):
            raise ViewError(f"{self.view}: {what} calls {row['name']}, which is not IMMUTABLE")

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


def _alias(table: Node) -> str:
    return table.range_subselect.alias.aliasname or table.range_var.alias.aliasname or table.range_var.relname


def _apart(
    named: Iterable[tuple[str, Node]], sources: Collection[str]
) -> tuple[list[tuple[str, Node]], list[tuple[str, Node]]]:
    """Return the expressions over columns of tables, and those that have subqueries or read columns of these."""
    apart: tuple[list[tuple[str, Node]], list[tuple[str, Node]]] = ([], [])
    for what, node in named:
        is_nested = not {table for table, _ in _references([node])} <= {*sources} or _has_subquery(node)
        apart[is_nested].append((what, node))
    return apart


def _has_subquery(node: Node) -> bool:
    return any(True for _ in trees.nodes(node, ast.SubLink))


def _arguments(function: Node) -> list[Node]:
    """Return the arguments of a function in FROM."""
    return [argument for call in trees.nodes(function, ast.FuncCall) for argument in call.args]


def _rename(tree: SelectStmt | Node, new_names: Mapping[str, str]) -> None:
    """Rename the tables of all columns; a column without one is of the table beneath."""
    for reference in trees.nodes(tree, ast.ColumnRef):
        *table, column = reference.fields
        name = new_names.get(table[0].string.sval, table[0].string.sval) if table else BENEATH
        fields = [trees.string(name), Node()]
        fields[1].CopyFrom(column)
        del reference.fields[:]
        reference.fields.extend(fields)


def _text(node: Node, sources: Collection[str]) -> str:
    """Return an expression over the copy of tables: of several, `table.column` is the name of a column."""
    if len(sources) == 1:
        return trees.expression(node)
    copy = Node()
    copy.CopyFrom(node)
    for reference in trees.nodes(copy, ast.ColumnRef):
        name = ".".join(trees.names_of(reference))
        del reference.fields[:]
        reference.fields.append(trees.string(name))
    return trees.expression(copy)


def _proved_parts(node: Node) -> list[Node]:
    """Return what has to follow from the row: all of an expression, but for functions that only put values together.

    Those depend on settings, such as how times are written, which are the same whenever the pipeline reads the view.
    """
    match unwrap_node(node):
        case ast.FuncCall() as call if trees.joined(call.funcname) in PUT_TOGETHER:
            return [proved for part in call.args for proved in _proved_parts(part)]
        case ast.TypeCast(arg=arg) if not arg.HasField("a_const"):
            parts = _proved_parts(arg)
            return parts if parts != [arg] else [node]
        case ast.A_Const():
            return []
        case _:
            return [node]


def _references(nodes: Iterable[Node]) -> list[tuple[str, str]]:
    """Return the columns that expressions read, each with its table."""
    names = [trees.names_of(reference) for node in nodes for reference in trees.nodes(node, ast.ColumnRef)]
    return [(name[0], name[-1]) for name in names]


def _all_of(parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Node(bool_expr=ast.BoolExpr(boolop=ast.AND_EXPR, args=parts))


def _qualified(node: Node) -> str:
    return sql.Identifier(node.range_var.schemaname, node.range_var.relname).as_string()
