"""What keeps a SELECT from being deterministic: it would return other rows for the same sources."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from google.protobuf.message import Message
from postgast import pg_query_pb2 as ast
from postgast.pg_query_pb2 import Node, SelectStmt

from convo_pipelines.authoring.declaration import Declaration
from convo_pipelines.database import trees

OF_THE_CLOCK = {
    "age", "clock_timestamp", "localtime", "localtimestamp", "now", "statement_timestamp", "timeofday",
    "transaction_timestamp",
}  # fmt: skip
OF_THE_SESSION = {"current_schema", "current_schemas", "current_setting", "pg_backend_pid", "txid_current"}
IN_ORDER = {
    "array_agg", "first_value", "json_agg", "json_object_agg", "jsonb_agg", "jsonb_object_agg", "lag", "last_value",
    "lead", "nth_value", "ntile", "row_number", "string_agg", "xmlagg",
}  # fmt: skip
"""Functions whose result depends on the order of rows."""
NOW = (
    "its result changes although no row does. Store the time itself, and compare it with now() where the table is read"
)


def check(declared: Declaration, keys: Mapping[str, Sequence[frozenset[str]]]) -> None:
    """Refuse a query that is not deterministic.

    Args:
        declared: the table.
        keys: of each relation, the sets of columns that no two rows share.

    Raises:
        RowsError: it calls a function that is not deterministic, or takes rows in an order that is not complete.

    """
    tree = declared.tree
    for select in trees.nodes(tree, SelectStmt):
        if select.HasField("with_clause") and select.with_clause.recursive:
            raise declared.error("WITH RECURSIVE is not supported: keys do not follow from it")
        if select.locking_clause:
            raise declared.error("FOR UPDATE and FOR SHARE are not supported: leave them out")
        if select.HasField("limit_count") or select.HasField("limit_offset"):
            _in_full_order(declared, select, select.sort_clause, (), keys, "LIMIT")
        if any(map(trees.is_given, select.distinct_clause)):
            _in_full_order(declared, select, select.sort_clause, select.distinct_clause, keys, "DISTINCT ON")
        for call in _own_calls(select):
            name = call.funcname[-1].string.sval
            if call.HasField("over") and name in IN_ORDER:
                order = call.over.order_clause or _window(select, call.over.name).order_clause
                partition = call.over.partition_clause or _window(select, call.over.name).partition_clause
                _in_full_order(declared, select, order, partition, keys, f"{name}()")
            elif name in IN_ORDER and not call.agg_order and not call.agg_distinct:
                raise declared.error(
                    f"{name}() without ORDER BY has no certain result: order it by a key", call.location
                )
    for value in trees.nodes(tree, ast.SQLValueFunction):
        name = ast.SQLValueFunctionOp.Name(value.op).removeprefix("SVFOP_").removesuffix("_N").lower()
        raise declared.error(f"{name} is not deterministic: {NOW}", value.location)
    for call in trees.nodes(tree, ast.FuncCall):
        name = call.funcname[-1].string.sval
        if name in OF_THE_CLOCK and not (name == "age" and len(call.args) == 2):
            raise declared.error(f"{name}() is not deterministic: {NOW}", call.location)
        if name in OF_THE_SESSION:
            raise declared.error(f"{name}() is not deterministic: its result depends on the session", call.location)


def _in_full_order(
    declared: Declaration,
    select: SelectStmt,
    order: Iterable[Node],
    more: Iterable[Node],
    keys: Mapping[str, Sequence[frozenset[str]]],
    what: str,
) -> None:
    """Refuse an order in which rows may be equal: of each table, all columns of a key have to be in it."""
    named = {tuple(trees.names_of(of)) for node in [*order, *more] for of in trees.nodes(node, ast.ColumnRef)}
    numbers = {int(node.sort_by.node.a_const.ival.ival) for node in order if node.sort_by.node.HasField("a_const")}
    shown = [target.val for target in trees.targets(select)]
    named |= {tuple(trees.names_of(shown[number - 1].column_ref)) for number in numbers if 0 < number <= len(shown)}
    for table, alias, place in _tables(select):
        columns = {name[-1] for name in named if name[0] == alias or len(name) == 1}
        if not any(key <= columns for key in keys.get(table, ())):
            wanted = next((f": add {', '.join(sorted(key))}" for key in keys.get(table, ())), "")
            said = f"{what} takes rows of {table or alias} in an order that is not complete{wanted}"
            raise declared.error(said, place)


def _tables(select: SelectStmt) -> Iterator[tuple[str, str, int]]:
    """Return the tables and subqueries of FROM: their names with the schema, aliases and places."""

    def of(node: Node) -> Iterator[tuple[str, str, int]]:
        if node.HasField("join_expr"):
            yield from of(node.join_expr.larg)
            yield from of(node.join_expr.rarg)
        elif node.HasField("range_var"):
            table = node.range_var
            yield f"{table.schemaname}.{table.relname}", table.alias.aliasname or table.relname, table.location
        elif node.HasField("range_subselect"):
            yield "", node.range_subselect.alias.aliasname, 0

    for node in select.from_clause:
        yield from of(node)


def _window(select: SelectStmt, name: str) -> ast.WindowDef:
    return next((of.window_def for of in select.window_clause if of.window_def.name == name), ast.WindowDef())


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
