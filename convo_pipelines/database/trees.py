"""Parse trees of SQL, as PostgreSQL's own parser makes them."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from google.protobuf.message import Message
from postgast import deparse, parse, walk
from postgast import pg_query_pb2 as ast
from postgast.pg_query_pb2 import Node, SelectStmt

Kind = TypeVar("Kind", bound=Message)

WHOLE_ROW = "*"


def select_of(query: str) -> SelectStmt:
    """Return the tree of a SELECT."""
    return parse(query).stmts[0].stmt.select_stmt


def written(tree: SelectStmt) -> str:
    """Return the text of a query, which means the same with any standard_conforming_strings."""
    return deparse(ast.ParseResult(stmts=[ast.RawStmt(stmt=Node(select_stmt=tree))]))


def expression(node: Node) -> str:
    """Return the text of an expression."""
    target = Node(res_target=ast.ResTarget(val=node))
    return written(SelectStmt(target_list=[target])).removeprefix("SELECT ")


def quoted(name: str) -> str:
    """Return a name as a query writes it."""
    return expression(Node(column_ref=ast.ColumnRef(fields=[string(name)])))


def value(text: str) -> Node:
    """Return the tree of an expression."""
    [target] = targets(select_of(f"select {text}"))
    return target.val


def nodes(tree: Message, kind: type[Kind]) -> Iterator[Kind]:
    """Return the nodes of a kind."""
    return (node for _, node in walk(tree) if isinstance(node, kind))


def is_given(node: Node) -> bool:
    """Whether there is an expression: DISTINCT without ON has a list of nothing."""
    return node.WhichOneof("node") is not None


def targets(select: SelectStmt) -> list[ast.ResTarget]:
    """Return what a query selects."""
    return [target.res_target for target in select.target_list]


def name_of(target: ast.ResTarget) -> str:
    """Return the name of a column that a select shows."""
    is_column = target.val.HasField("column_ref")
    return target.name or (names_of(target.val.column_ref)[-1] if is_column else "")


def joined(names: Iterable[Node]) -> str:
    """Return a name with its schema."""
    return ".".join(name.string.sval for name in names)


def string(name: str) -> Node:
    """Return the node of a name."""
    return Node(string=ast.String(sval=name))


def names_of(reference: ast.ColumnRef) -> list[str]:
    """Return the parts of the name of a column."""
    return [WHOLE_ROW if part.HasField("a_star") else part.string.sval for part in reference.fields]
