"""Expressions of a query, as trees: what they are equal to, which columns they read, and what is beneath them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from google.protobuf.message import Message
from postgast import pg_query_pb2 as ast
from postgast.pg_query_pb2 import Node, SelectStmt

from convo_pipelines.database import trees

KEYS = "keys"
"""The relation with the keys whose rows a query returns."""
ROW = "convo_row_"
"""What occurrences are named, with their numbers."""
CONSTANT = 0
OF_ANY = "convo_of_any_"
"""A function that stands for the value of one of several rows; its name ends with their first and last number."""
AGGREGATES = {
    "any_value", "array_agg", "avg", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "corr", "count",
    "covar_pop", "covar_samp", "every", "json_agg", "json_agg_strict", "json_object_agg", "json_object_agg_strict",
    "json_object_agg_unique", "json_object_agg_unique_strict", "jsonb_agg", "jsonb_agg_strict", "jsonb_object_agg",
    "jsonb_object_agg_strict", "jsonb_object_agg_unique", "jsonb_object_agg_unique_strict", "max", "min", "mode",
    "percentile_cont", "percentile_disc", "range_agg", "range_intersect_agg", "regr_avgx", "regr_avgy", "regr_count",
    "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "stddev", "stddev_pop",
    "stddev_samp", "string_agg", "sum", "var_pop", "var_samp", "variance", "xmlagg",
}  # fmt: skip
SETS = {
    "generate_series", "generate_subscripts", "json_array_elements", "json_array_elements_text", "json_each",
    "json_each_text", "json_object_keys", "json_populate_recordset", "json_to_recordset", "jsonb_array_elements",
    "jsonb_array_elements_text", "jsonb_each", "jsonb_each_text", "jsonb_object_keys", "jsonb_path_query",
    "jsonb_populate_recordset", "jsonb_to_recordset", "regexp_matches", "regexp_split_to_table", "string_to_table",
    "unnest",
}  # fmt: skip
"""Functions that return several rows."""


@dataclass(frozen=True)
class Term:
    """An expression over the columns of one occurrence, or a column of the keys.

    Attributes:
        at: the number of the occurrence; None: of the keys; CONSTANT: of none.
        text: the expression; columns are named `convo_row_<number>.<column>`, those of the keys by their name.
        columns: which columns it reads.
        others: the first and the last of the occurrences one of whose rows has this value, not each of them.

    """

    at: int | None
    text: str
    columns: frozenset[str]
    others: tuple[int, int] = (0, 0)


def of_any(node: Node, first: int, last: int) -> Node:
    """Return an expression whose value one of the rows of these occurrences has, not each of them."""
    name = [trees.string(f"{OF_ANY}{first}_{last}")]
    return Node(func_call=ast.FuncCall(funcname=name, args=[node], funcformat=ast.COERCE_EXPLICIT_CALL))


def flat(nodes: Iterable[Node]) -> Iterator[Node]:
    """Return the expressions of GROUP BY, DISTINCT ON or ORDER BY."""
    for node in nodes:
        if node.HasField("sort_by"):
            yield node.sort_by.node
        elif node.HasField("grouping_set"):
            yield from flat(node.grouping_set.content)
        elif node.HasField("row_expr"):
            yield from flat(node.row_expr.args)
        elif trees.is_given(node):
            yield node


def coalesced(one: Node | None, other: Node | None) -> Node | None:
    """Return the first of two expressions that is not null, as one."""
    return Node(coalesce_expr=ast.CoalesceExpr(args=[one, other])) if one and other else None


def equal_parts(node: Node) -> list[tuple[Node, Node]]:
    """Return what `=` compares, part by part."""
    if not node.HasField("a_expr") or trees.joined(node.a_expr.name) not in ("=", "pg_catalog.="):
        return []
    if node.a_expr.kind != ast.AEXPR_OP:
        return []
    left, right = node.a_expr.lexpr, node.a_expr.rexpr
    if left.HasField("row_expr") and right.HasField("row_expr"):
        return list(zip(left.row_expr.args, right.row_expr.args, strict=False))
    return [(left, right)]


def member_of(node: Node) -> tuple[list[Node], SelectStmt] | None:
    """Return the expressions and the subquery of `IN (SELECT …)`, or of `= any(array(SELECT …))`."""
    if node.HasField("sub_link") and node.sub_link.sub_link_type == ast.ANY_SUBLINK:
        link = node.sub_link
        if link.oper_name and trees.joined(link.oper_name) != "=":
            return None
        left = [*link.testexpr.row_expr.args] if link.testexpr.HasField("row_expr") else [link.testexpr]
        return left, link.subselect.select_stmt
    if node.HasField("a_expr") and node.a_expr.kind == ast.AEXPR_OP_ANY and trees.joined(node.a_expr.name) == "=":
        array = node.a_expr.rexpr
        if array.HasField("sub_link") and array.sub_link.sub_link_type == ast.ARRAY_SUBLINK:
            return [node.a_expr.lexpr], array.sub_link.subselect.select_stmt
    return None


def alternatives(node: Node | None) -> list[Node | None]:
    """Return the expressions one of which an expression is equal to."""
    if node is None:
        return [None]
    if node.HasField("coalesce_expr"):
        return [one for part in node.coalesce_expr.args for one in alternatives(part)]
    if node.HasField("case_expr"):
        results = [when.case_when.result for when in node.case_expr.args]
        results += [node.case_expr.defresult] if node.case_expr.HasField("defresult") else []
        return [one for part in results for one in alternatives(part)]
    if node.HasField("type_cast") and not node.type_cast.arg.HasField("a_const"):
        casts: list[Node | None] = []
        for part in alternatives(node.type_cast.arg):
            if part is None:
                casts.append(None)
                continue
            cast = Node()
            cast.CopyFrom(node)
            cast.type_cast.arg.CopyFrom(part)
            casts.append(cast)
        return casts
    return [node]


def is_null(node: Node | None) -> bool:
    """Whether an expression is the constant null."""
    if node is None:
        return False
    while node.HasField("type_cast"):
        node = node.type_cast.arg
    return node.HasField("a_const") and node.a_const.isnull


def constant(node: Node | None) -> Term | None:
    """Return a constant as a term; None if it is none."""
    if node is None:
        return None
    inner = node
    while inner.HasField("type_cast"):
        inner = inner.type_cast.arg
    return Term(CONSTANT, trees.expression(node), frozenset()) if inner.HasField("a_const") else None


def term(node: Node | None) -> Term | None:
    """Return an expression as a term; None if it reads columns of none or several occurrences."""
    if node is None:
        return None
    first, last = 0, 0
    while node.HasField("func_call") and node.func_call.funcname[-1].string.sval.startswith(OF_ANY):
        inner = map(int, node.func_call.funcname[-1].string.sval.removeprefix(OF_ANY).split("_"))
        first, last = tuple(inner) if last == 0 else (first, last)
        node = node.func_call.args[0]
    if any(call.funcname[-1].string.sval.startswith(OF_ANY) for call in trees.nodes(node, ast.FuncCall)):
        return None
    if any(
        trees.joined(of.name) in ("/", "%") and not of.rexpr.HasField("a_const") for of in trees.nodes(node, ast.A_Expr)
    ):
        return None  # what the query divides by may be 0 in rows that it does not read
    columns = [trees.names_of(reference) for reference in trees.nodes(node, ast.ColumnRef)]
    if {name[0] for name in columns} == {KEYS} and node.HasField("column_ref"):
        return Term(None, columns[0][-1], frozenset())
    if len({name[0] for name in columns}) != 1 or columns[0][0] == KEYS:
        return None
    return Term(
        int(columns[0][0].removeprefix(ROW)),
        trees.expression(node),
        frozenset(name[-1] for name in columns),
        (first, last),
    )


def replaced(node: Node, of: Callable[[ast.ColumnRef], Node | None]) -> bool:
    """Replace the columns of an expression; return False if it is not one of single rows."""
    if node.HasField("column_ref"):
        found = of(node.column_ref)
        if found is not None:
            node.CopyFrom(found)
        return found is not None
    if node.HasField("sub_link") or node.HasField("param_ref"):
        return False
    if node.HasField("func_call") and (
        is_aggregate(node.func_call) or trees.joined(node.func_call.funcname[-1:]) in SETS
    ):
        return False
    return all(replaced(part, of) for part in parts(node))


def is_aggregate(call: ast.FuncCall) -> bool:
    """Whether a function is called as an aggregate, or over a window."""
    is_marked = call.agg_star or call.agg_distinct or call.agg_within_group or call.HasField("agg_filter")
    return is_marked or bool(call.agg_order) or call.HasField("over") or trees.joined(call.funcname[-1:]) in AGGREGATES


def parts(message: Message) -> Iterator[Node]:
    """Return the nodes directly beneath one."""
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        for part in value if descriptor.is_repeated else [value]:
            if isinstance(part, Node):
                yield part
            else:
                yield from parts(part)


def links(message: Message) -> Iterator[ast.SubLink]:
    """Return the subqueries of an expression, without those inside of them."""
    if isinstance(message, Node) and message.HasField("sub_link"):
        yield message.sub_link
        yield from links(message.sub_link.testexpr)
        return
    for part in parts(message):
        yield from links(part)


def own_references(message: Message) -> Iterator[ast.ColumnRef]:
    """Return the columns that an expression reads, without those in its subqueries."""
    if isinstance(message, Node):
        if message.HasField("column_ref"):
            yield message.column_ref
            return
        if message.HasField("sub_link"):
            yield from own_references(message.sub_link.testexpr)
            return
        if message.HasField("select_stmt"):
            return
    for part in parts(message):
        yield from own_references(part)


def calls(tree: SelectStmt) -> Iterator[ast.FuncCall]:
    """Return the functions that a select calls once it has its rows, without those in subqueries."""

    def of(message: Message) -> Iterator[ast.FuncCall]:
        if isinstance(message, Node):
            if message.HasField("sub_link"):
                return
            if message.HasField("func_call") and not message.func_call.HasField("over"):
                yield message.func_call
        for part in parts(message):
            yield from of(part)

    for node in [*tree.target_list, *tree.sort_clause, tree.having_clause]:
        yield from of(node)
