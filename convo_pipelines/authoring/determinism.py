"""What keeps a SELECT from being deterministic: it would return other rows for the same sources."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message
from postgast import pg_query_pb2 as ast
from postgast.pg_query_pb2 import Node, SelectStmt

from convo_pipelines.authoring.declaration import Declaration, RowsError
from convo_pipelines.database import trees
from convo_pipelines.database.trees import quoted
from convo_pipelines.engine import expressions

IN_ORDER = {
    "any_value", "array_agg", "first_value", "json_agg", "json_object_agg", "jsonb_agg", "jsonb_object_agg", "lag",
    "last_value", "lead", "nth_value", "ntile", "row_number", "string_agg", "xmlagg",
}  # fmt: skip
"""Functions whose result depends on the order of rows."""
NOW = (
    "its result changes although no row does. Store the time itself, and compare it with now() where the table is read"
)
_ROWS = 4
"""The bit of FRAMEOPTION_ROWS in the options of a window's frame."""
_OF_THE_CLOCK = re.compile(r"\b(now|today|tomorrow|yesterday)\b", re.IGNORECASE)
Keys = Sequence[frozenset[str]]
"""Sets of columns that no two rows of a relation share."""


def check(declared: Declaration, keys: Mapping[str, Keys], views: Mapping[str, SelectStmt], stored: SelectStmt) -> None:
    """Refuse a query that is not deterministic.

    Args:
        declared: the table.
        keys: of each table.
        views: those that it reads.
        stored: the query as PostgreSQL stores it, with values in place of constants such as 'today'.

    Raises:
        RowsError: its result depends on the clock, or it takes rows in an order that is not complete.

    """
    of_clock = Counter(filter(_OF_THE_CLOCK.search, _texts(declared.tree)))
    if of_clock := of_clock - Counter(_texts(stored)):
        raise declared.error(f"'{next(iter(of_clock))}' is not deterministic: {NOW}")
    _Order(declared, declared.tree, keys, views).check()
    for name, tree in views.items():
        _Order(declared, tree, keys, views, name).check()


def _texts(tree: SelectStmt) -> Iterator[str]:
    return (constant.sval.sval for constant in trees.nodes(tree, ast.A_Const) if constant.HasField("sval"))


@dataclass(frozen=True)
class _Order:
    """The orders in which a query takes rows; `view` is the view whose query it is, if any."""

    declared: Declaration
    tree: SelectStmt
    keys: Mapping[str, Keys]
    views: Mapping[str, SelectStmt]
    view: str = ""

    def check(self) -> None:
        for value in trees.nodes(self.tree, ast.SQLValueFunction):
            name = ast.SQLValueFunctionOp.Name(value.op).removeprefix("SVFOP_").removesuffix("_N").lower()
            raise self.error(f"{name} is not deterministic: {NOW}", value.location)
        for select in trees.nodes(self.tree, SelectStmt):
            if select.HasField("with_clause") and select.with_clause.recursive:
                raise self.error("WITH RECURSIVE is not supported: keys do not follow from it")
            if select.locking_clause:
                raise self.error("FOR UPDATE and FOR SHARE are not supported: leave them out")
            is_limited = select.HasField("limit_count") or select.HasField("limit_offset")
            if is_limited and select.limit_option != ast.LIMIT_OPTION_WITH_TIES:
                self._require(select, self._sorted(select, select.sort_clause), "LIMIT", is_of_groups=True)
            if any(map(trees.is_given, select.distinct_clause)):
                order = self._sorted(select, [*select.sort_clause, *select.distinct_clause])
                self._require(select, order, "DISTINCT ON", is_of_groups=True)
            for call in _own_calls(select):
                self._check_call(select, call)

    def error(self, message: str, at: int | None = None) -> RowsError:
        if self.view:
            return self.declared.error(f"the view {self.view}: {message}")
        return self.declared.error(message, at)

    def _check_call(self, select: SelectStmt, call: ast.FuncCall) -> None:
        name = call.funcname[-1].string.sval
        if call.HasField("over"):
            named = _window(select, call.over.name or call.over.refname)
            frame = named.frame_options if call.over.name else call.over.frame_options
            if name in IN_ORDER or frame & _ROWS:
                nodes = [*call.over.order_clause, *named.order_clause, *call.over.partition_clause]
                order = [*expressions.flat([*nodes, *named.partition_clause])]
                self._require(select, order, f"{name}()", is_of_groups=True)
        elif name in IN_ORDER and not call.agg_distinct:
            if not call.agg_order:
                raise self.error(f"{name}() without ORDER BY has no certain result: order it by a key", call.location)
            order = [*expressions.flat(call.agg_order)]
            read = [of for of in call.args if not of.HasField("a_const")]
            if not {*map(trees.expression, read)} <= {*map(trees.expression, order)}:
                self._require(select, order, f"{name}()", is_of_groups=False)

    def _require(self, select: SelectStmt, order: Sequence[Node], what: str, *, is_of_groups: bool) -> None:
        """Refuse an order in which rows may be equal and differ otherwise: a key of each table has to be in it."""
        if select.op != ast.SETOP_NONE:
            labels = {trees.name_of(target) for target in trees.targets(_first(select))}
            if not labels <= {name for _, name in _columns(order)}:
                raise self.error(f"{what} takes rows of a union in an order that is not complete: add all columns")
            return
        if is_of_groups and select.group_clause:
            groups = [*self._sorted(select, select.group_clause)]
            if missing := [text for text in map(trees.expression, groups) if text not in map(trees.expression, order)]:
                raise self.error(f"{what} takes groups in an order that is not complete: add {', '.join(missing)}")
            return
        named = _columns(order)
        for alias, keys, place in self._from(select):
            if not any(all({(alias, one), ("", one)} & named for one in key) for key in keys):
                wanted = next((f": add {', '.join(sorted(key))}" for key in keys), "")
                table = self._name(select, alias)
                raise self.error(f"{what} takes rows of {table} in an order that is not complete{wanted}", place)

    @staticmethod
    def _name(select: SelectStmt, alias: str) -> str:
        tables = (table for node in select.from_clause for table in trees.nodes(node, ast.RangeVar))
        return next(
            (
                f"{table.schemaname}.{table.relname}"
                for table in tables
                if table.schemaname and alias == (table.alias.aliasname or table.relname)
            ),
            alias,
        )

    def _from(self, select: SelectStmt) -> Iterator[tuple[str, Keys, int | None]]:
        """Return what FROM names: the alias, the keys, and the place."""

        def of(node: Node) -> Iterator[tuple[str, Keys, int | None]]:
            if node.HasField("join_expr"):
                yield from of(node.join_expr.larg)
                yield from of(node.join_expr.rarg)
            elif node.HasField("range_var"):
                table = node.range_var
                yield table.alias.aliasname or table.relname, self._of_table(table), table.location
            elif node.HasField("range_subselect"):
                inner = node.range_subselect
                yield inner.alias.aliasname, self._of_select(inner.subquery.select_stmt, inner.alias), None
            elif node.HasField("range_function"):
                function = node.range_function
                names = [name.string.sval for name in function.alias.colnames]
                ordinal = (names or ["ordinality"])[-1]
                yield function.alias.aliasname, [frozenset({ordinal})] if function.ordinality else [], None

        for node in select.from_clause:
            yield from of(node)

    def _of_table(self, table: ast.RangeVar) -> Keys:
        name = f"{table.schemaname}.{table.relname}"
        if table.schemaname:
            return self._of_select(self.views[name], table.alias) if name in self.views else self.keys.get(name, ())
        named = [of for of in trees.nodes(self.tree, ast.CommonTableExpr) if of.ctename == table.relname]
        if len(named) != 1 or named[0].aliascolnames:
            return ()
        return self._of_select(named[0].ctequery.select_stmt, table.alias)

    def _of_select(self, select: SelectStmt, alias: ast.Alias) -> Keys:
        """Return the keys of the rows of a subquery, by its labels."""
        if alias.colnames:
            return ()
        targets = trees.targets(_first(select))
        labels = {trees.expression(target.val): trees.name_of(target) for target in targets}
        if select.op != ast.SETOP_NONE:
            return () if select.all else [frozenset(labels.values())]
        distinct = [*filter(trees.is_given, select.distinct_clause)]
        if distinct or select.group_clause:
            items = self._sorted(select, distinct or select.group_clause)
            found = [labels.get(trees.expression(item)) for item in items]
            return [frozenset(filter(None, found))] if all(found) else ()
        if select.distinct_clause:
            return [frozenset(labels.values())]
        if any(expressions.is_aggregate(call) and not call.HasField("over") for call in expressions.calls(select)):
            return [frozenset()]
        columns = {name: label for target in targets for name, label in _labelled(target)}
        key = set[str]()
        for table, keys, _ in self._from(select):
            is_all = bool({(table, trees.WHOLE_ROW), ("", trees.WHOLE_ROW)} & columns.keys())
            of = ([columns.get((table, one), columns.get(("", one), one * is_all)) for one in names] for names in keys)
            shown = next((names for names in of if all(names)), None)
            if shown is None:
                return ()
            key |= {*shown}
        return [frozenset(key)]

    @staticmethod
    def _sorted(select: SelectStmt, nodes: Iterable[Node]) -> list[Node]:
        """Return the expressions of ORDER BY, GROUP BY or DISTINCT ON, of which some name columns of the result."""
        targets = trees.targets(_first(select))
        labels = {target.name: target.val for target in targets if target.name and select.op == ast.SETOP_NONE}

        def of(node: Node) -> Node:
            if node.HasField("a_const") and 0 < node.a_const.ival.ival <= len(targets):
                target = targets[node.a_const.ival.ival - 1]
                return target.val if select.op == ast.SETOP_NONE else trees.value(quoted(trees.name_of(target)))
            names = trees.names_of(node.column_ref) if node.HasField("column_ref") else []
            return labels.get(names[0], node) if len(names) == 1 else node

        return [of(node) for node in expressions.flat(nodes)]


def _labelled(target: ast.ResTarget) -> Iterator[tuple[tuple[str, str], str]]:
    if target.val.HasField("column_ref"):
        *table, name = trees.names_of(target.val.column_ref)
        yield (table[-1] if table else "", name), target.name or name


def _columns(nodes: Iterable[Node]) -> set[tuple[str, str]]:
    """Return the columns among expressions, with their tables if those are named."""
    names = [trees.names_of(node.column_ref) for node in nodes if node.HasField("column_ref")]
    return {(name[-2] if len(name) > 1 else "", name[-1]) for name in names}


def _first(select: SelectStmt) -> SelectStmt:
    """Return the branch of a union that names its columns."""
    return _first(select.larg) if select.op != ast.SETOP_NONE else select


def _window(select: SelectStmt, name: str) -> ast.WindowDef:
    return next((of.window_def for of in select.window_clause if name == of.window_def.name), ast.WindowDef())


def _own_calls(select: SelectStmt) -> Iterator[ast.FuncCall]:
    """Return the calls of a select, without those of its subqueries, which are selects of their own."""

    def of(message: Message) -> Iterator[ast.FuncCall]:
        for descriptor, value in message.ListFields():
            if descriptor.message_type is None:
                continue
            for part in value if descriptor.is_repeated else [value]:
                if isinstance(part, SelectStmt):
                    continue
                if isinstance(part, ast.FuncCall):
                    yield part
                yield from of(part)

    if select.op == ast.SETOP_NONE:
        yield from of(select)
