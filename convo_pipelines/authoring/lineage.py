"""Which columns of the tables that it reads each column of a query is computed from."""

from collections.abc import Iterator, Mapping, Sequence

from google.protobuf.message import Message
from postgast import pg_query_pb2 as ast
from postgast.pg_query_pb2 import Node, SelectStmt

from convo_pipelines.database import trees

Columns = frozenset[str]
"""Columns of tables, as `schema.table.column`."""
NONE = Columns()
Shown = Mapping[str, Columns]
"""What each column of a table in FROM, or of a query, is computed from."""
ROWS = ""
"""Under this name, what all columns of a function in FROM are computed from."""


def lineage(query: SelectStmt, columns: Mapping[str, Sequence[str]], views: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the columns, as `schema.table.column`, that each column of a query is computed from.

    Args:
        query: its tree.
        columns: of each relation, as `schema.name`.
        views: the definitions of views, by name; these are looked through.

    """
    shown = _Lineage(columns, views).select(query, {}, ())
    return {name: sorted(read) for name, read in shown.items() if name != ROWS}


class _Lineage:
    def __init__(self, columns: Mapping[str, Sequence[str]], views: Mapping[str, str]):
        self.columns, self.views = columns, views

    def select(
        self, tree: SelectStmt, ctes: Mapping[str, Shown], outer: Sequence[Mapping[str, Shown]]
    ) -> dict[str, Columns]:
        """Return what the columns of a select are computed from; `outer`: what outer queries can name."""
        ctes = dict(ctes)
        for node in tree.with_clause.ctes:
            cte = node.common_table_expr
            named = [name.string.sval for name in cte.aliascolnames]
            ctes[cte.ctename] = _renamed(self.select(cte.ctequery.select_stmt, ctes, outer), named)
        if tree.op != ast.SETOP_NONE:
            left, right = self.select(tree.larg, ctes, outer), self.select(tree.rarg, ctes, outer)
            pairs = zip(left.items(), right.values(), strict=False)
            return {name: read | more for (name, read), more in pairs}
        scope: dict[str, Shown] = {}
        for node in tree.from_clause:
            self._add(node, scope, ctes, outer)
        scopes = (scope, *outer)
        if tree.values_lists:
            rows = [[self._read(value, ctes, scopes) for value in row.list.items] for row in tree.values_lists]
            return {f"column{number}": NONE.union(*of) for number, of in enumerate(zip(*rows, strict=True), 1)}
        found: dict[str, Columns] = {}
        for number, target in enumerate(trees.targets(tree), 1):
            if (starred := _starred(target)) is not None:
                for alias, shown in scope.items():
                    if starred in ("", alias):
                        found |= {name: read for name, read in shown.items() if name != ROWS}
            else:
                found[_label(target) or f"column {number}"] = self._read(target.val, ctes, scopes)
        return found

    def _add(
        self, node: Node, scope: dict[str, Shown], ctes: Mapping[str, Shown], outer: Sequence[Mapping[str, Shown]]
    ) -> None:
        """Add a table in FROM to what can be named."""
        if node.HasField("join_expr"):
            self._add(node.join_expr.larg, scope, ctes, outer)
            self._add(node.join_expr.rarg, scope, ctes, outer)
        elif node.HasField("range_var"):
            table = node.range_var
            shown = (
                self._table(f"{table.schemaname}.{table.relname}") if table.schemaname else ctes.get(table.relname, {})
            )
            scope[table.alias.aliasname or table.relname] = _renamed(shown, _names(table.alias))
        elif node.HasField("range_subselect"):
            inner = node.range_subselect
            shown = self.select(inner.subquery.select_stmt, ctes, (scope, *outer))
            scope[inner.alias.aliasname] = _renamed(shown, _names(inner.alias))
        elif node.HasField("range_function"):
            read = self._read(node.range_function, ctes, (scope, *outer))
            alias = node.range_function.alias
            scope[alias.aliasname] = {ROWS: read, **dict.fromkeys([alias.aliasname, *_names(alias)], read)}

    def _table(self, name: str) -> Shown:
        if definition := self.views.get(name):
            return self.select(trees.select_of(definition), {}, ())
        return {column: frozenset({f"{name}.{column}"}) for column in self.columns.get(name, ())}

    def _read(self, message: Message, ctes: Mapping[str, Shown], scopes: Sequence[Mapping[str, Shown]]) -> Columns:
        """Return what an expression is computed from, subqueries in it included."""
        if isinstance(message, ast.ColumnRef):
            return self._column(trees.names_of(message), scopes)
        if isinstance(message, SelectStmt):
            return NONE.union(*self.select(message, ctes, scopes).values())
        return NONE.union(*(self._read(part, ctes, scopes) for part in _parts(message)))

    @staticmethod
    def _column(names: Sequence[str], scopes: Sequence[Mapping[str, Shown]]) -> Columns:
        *table, column = names
        for scope in scopes:
            for alias, shown in scope.items():
                if table and table[-1] != alias:
                    continue
                if column == trees.WHOLE_ROW or (not table and column == alias):
                    return NONE.union(*shown.values())
                if found := shown.get(column, shown.get(ROWS)):
                    return found
        return NONE


def _starred(target: ast.ResTarget) -> str | None:
    """Return the table of `table.*`, empty for `*`; None: it is another expression."""
    if not target.val.HasField("column_ref"):
        return None
    *table, column = trees.names_of(target.val.column_ref)
    return (table[-1] if table else "") if column == trees.WHOLE_ROW else None


def _label(target: ast.ResTarget) -> str:
    node = target.val
    while node.HasField("type_cast"):
        node = node.type_cast.arg
    if not target.name and node.HasField("func_call"):
        return node.func_call.funcname[-1].string.sval
    return trees.name_of(ast.ResTarget(name=target.name, val=node))


def _names(alias: ast.Alias) -> list[str]:
    return [name.string.sval for name in alias.colnames]


def _renamed(shown: Shown, names: Sequence[str]) -> dict[str, Columns]:
    pairs = list(shown.items())
    return dict([*zip(names, (read for _, read in pairs), strict=False), *pairs[len(names) :]])


def _parts(message: Message) -> Iterator[Message]:
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            yield from value if descriptor.is_repeated else [value]
