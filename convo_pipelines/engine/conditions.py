"""What a query says of the rows that it reads: from which tables they are, and which of their columns are equal.

A query is read as alternatives. In each, a table occurs once for each time that it is read. Views and subqueries are
expanded, and a union is one of its branches. The rows of the query are those of all alternatives together.

An equality need not hold for every row that has an effect. One in the condition of an outer join says nothing of rows
that the join keeps anyway, and one in a subquery says nothing of rows outside of it. Such a place is a group. Each
occurrence has the groups that it lies in, and each equality those that it is said in.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, product

from google.protobuf.message import Message
from postgast import pg_query_pb2 as ast
from postgast.pg_query_pb2 import Node, SelectStmt

from convo_pipelines.database import trees
from convo_pipelines.database.trees import quoted
from convo_pipelines.engine import expressions
from convo_pipelines.engine.expressions import KEYS, ROW, Term
from convo_pipelines.errors import ConvoPipelinesError

MANY = 500
"""A query of more alternatives is refused."""
READERS = re.compile(r"(table|query|cursor|schema|database)_to_xml|ts_stat$|ts_rewrite$|currval$|nextval$|lastval$")
"""Functions that read tables."""
ALL = ""
"""Under this name, a scope has the columns of all its tables, as `*` shows them."""
AGAIN = "\0"
"""Ends the label of a column, if others before it have the same."""
Groups = frozenset[int]
Column = tuple[int, str]
"""A column of an occurrence."""


class ConditionsError(ConvoPipelinesError):
    """A query whose conditions cannot be read; the message says why."""


@dataclass(frozen=True)
class Alternative:
    """What holds for rows of a query in one of the ways in which they come about.

    Attributes:
        relations: by the number of their occurrence.
        groups: of each occurrence.
        equalities: pairs of equal terms, and the groups in which they are said.
        used: the columns on which the rows depend, and on which their number does.
        implied: groups, and those in which a row also is if it is in all of them.

    """

    relations: Mapping[int, str] = field(default_factory=dict[int, str])
    groups: Mapping[int, Groups] = field(default_factory=dict[int, Groups])
    equalities: tuple[tuple[Term, Term, Groups], ...] = ()
    used: frozenset[Column] = frozenset()
    implied: tuple[tuple[Groups, Groups], ...] = ()

    def groups_of(self, at: int) -> Groups:
        """Return the groups of an occurrence, with those that they imply."""
        found, before = self.groups[at], None
        while found != before:
            before = found
            found = found.union(*(more for said, more in self.implied if said <= found))
        return found


def conditions(
    query: str, columns: Mapping[str, Collection[str]], views: Mapping[str, str], functions: Collection[str] = ()
) -> list[Alternative]:
    """Return the alternatives of a query.

    Args:
        query: a SELECT that reads `keys`.
        columns: of each relation, as `schema.name`, and of `keys`.
        views: the definitions of views, by name; these are read in their place.
        functions: those outside of `pg_catalog` that read no tables, and return one value for each row.

    Raises:
        ConditionsError: it is recursive, has too many alternatives, or something that is not understood here.

    """
    reader = _Reader(columns, views, functions)
    found = reader.select(reader.checked(query), _State(), {}, frozenset())
    used = [reader.used(shown.values()) for _, shown in found]
    return [
        replace(state.alternative, used=state.alternative.used | more)
        for (state, _), more in zip(found, used, strict=True)
    ]


Shown = dict[str, Node | None]
"""The columns of a table in FROM, over those of occurrences; None: an aggregate, or another row decides."""
Scopes = tuple[Mapping[str, Shown], ...]
Ctes = Mapping[str, tuple[SelectStmt, Sequence[str], "Ctes", Scopes]]


@dataclass(frozen=True)
class _State:
    """An alternative as far as it has been read, and the tables that can be named, those of outer queries last."""

    alternative: Alternative = Alternative()
    scopes: Scopes = ({},)

    @property
    def all(self) -> Shown:
        return self.scopes[0].get(ALL, {})

    def named(self, name: str, shown: Shown) -> "_State":
        first, *outer = self.scopes
        both = _labelled([*self.all.items(), *shown.items()])
        return replace(self, scopes=({**first, name: shown, ALL: both}, *outer))

    def showing(self, columns: Iterable[tuple[str, Node | None]]) -> "_State":
        """Show these as all columns."""
        first, *outer = self.scopes
        return replace(self, scopes=({**first, ALL: _labelled(columns)}, *outer))


class _Reader:
    def __init__(self, columns: Mapping[str, Collection[str]], views: Mapping[str, str], functions: Collection[str]):
        self.columns, self.views, self.functions = columns, views, functions
        self.numbers = count(1)
        self.optional = set[int]()

    def checked(self, query: str) -> SelectStmt:
        """Return the tree of a query, if nothing in it reads tables unseen or aggregates unseen."""
        tree = trees.select_of(query)
        for call in trees.nodes(tree, ast.FuncCall):
            name = trees.joined(call.funcname)
            is_known = len(call.funcname) == 1 or name.startswith("pg_catalog.") or name in self.functions
            if not is_known or READERS.match(name.rpartition(".")[2]):
                raise ConditionsError(f"the function {name} may read tables, or several rows")
        if any(True for _ in trees.nodes(tree, ast.JsonAggConstructor)):
            raise ConditionsError("it has JSON_ARRAYAGG or JSON_OBJECTAGG: json_agg and json_object_agg are understood")
        return tree

    # Queries

    def select(self, tree: SelectStmt, outer: _State, ctes: Ctes, groups: Groups) -> list[tuple[_State, Shown]]:
        """Return the alternatives of a select within others, each with the columns that it shows."""
        if tree.with_clause.recursive:
            raise ConditionsError("it has a recursive WITH")
        ctes = dict(ctes)
        for cte in (node.common_table_expr for node in tree.with_clause.ctes):
            if not cte.ctequery.HasField("select_stmt"):
                raise ConditionsError(f"{cte.ctename} of its WITH is no SELECT")
            names = [name.string.sval for name in cte.aliascolnames]
            ctes[cte.ctename] = (cte.ctequery.select_stmt, names, dict(ctes), outer.scopes)
        limits = [node for node in (tree.limit_count, tree.limit_offset) if trees.is_given(node)]
        if tree.op != ast.SETOP_NONE:
            return self._union(tree, limits, outer, ctes, groups)
        if tree.values_lists:
            return self._values(tree, limits, outer, ctes, groups)
        is_one = tree.HasField("having_clause") or any(map(expressions.is_aggregate, expressions.calls(tree)))
        if any(node.HasField("grouping_set") for node in tree.group_clause) or (is_one and not tree.group_clause):
            groups = groups | {next(self.numbers)}  # it returns a row even if it reads none
        first = next(self.numbers)
        states = [replace(outer, scopes=({}, *outer.scopes))]
        for item in tree.from_clause:
            states = [after for state in states for after in self._from(item, state, ctes, groups)]
            self._check(states)
        if tree.HasField("where_clause"):
            states = self._where(tree.where_clause, states, ctes, groups)
        having = [tree.having_clause] if tree.HasField("having_clause") else []
        targets = [target.val for target in trees.targets(tree) if not _is_star(target)]
        distinct = list(filter(trees.is_given, tree.distinct_clause))
        found: list[tuple[_State, Shown]] = []
        for state in states:
            after = [state]
            for node in [*targets, *tree.group_clause, *tree.sort_clause, *distinct, *tree.window_clause, *having]:
                after = self._nested(node, after, ctes, groups)
            for node in limits:
                after = self._nested(node, after, ctes, groups)
            plain = self._plain(tree, state)
            shown = self._shown(tree, state, plain, first)
            marked = self.used_by([*having, *limits, *tree.window_clause], state)
            marked |= self.used_by((node for node in targets if self._resolved(node, state) is None), state)
            marked |= self._used_items(tree.group_clause, state, plain, is_label_first=False)
            marked |= self._used_items([*tree.sort_clause, *distinct], state, plain, is_label_first=True)
            if tree.distinct_clause:
                marked |= self.used(shown.values())
            found += [(_marked(replace(one, scopes=outer.scopes), marked), shown) for one in after]
        self._check(found)
        return found

    def _union(
        self, tree: SelectStmt, limits: Sequence[Node], outer: _State, ctes: Ctes, groups: Groups
    ) -> list[tuple[_State, Shown]]:
        left = self.select(tree.larg, outer, ctes, groups)
        right = self.select(tree.rarg, outer, ctes, groups)
        names = [name for _, shown in (left or right)[:1] for name, _ in _ordered(shown)]
        found = [
            *left,
            *((state, dict(zip(names, (of for _, of in _ordered(shown)), strict=True))) for state, shown in right),
        ]
        if limits or not (tree.op == ast.SETOP_UNION and tree.all):
            found = [(_marked(state, self.used(shown.values())), shown) for state, shown in found]
        if limits:
            found = [(state, dict.fromkeys(shown)) for state, shown in found]
        self._check(found)
        return self._limited(found, limits, ctes, groups)

    def _values(
        self, tree: SelectStmt, limits: Sequence[Node], outer: _State, ctes: Ctes, groups: Groups
    ) -> list[tuple[_State, Shown]]:
        rows = [row.list.items for row in tree.values_lists]
        states = [_marked(outer, self.used_by((item for row in rows for item in row), outer))]
        for item in (item for row in rows for item in row):
            states = self._nested(item, states, ctes, groups)
        shown: Shown = {f"column{number}": None for number in range(1, len(rows[0]) + 1)}
        return self._limited([(state, shown) for state in states], limits, ctes, groups)

    def _limited(
        self, found: list[tuple[_State, Shown]], limits: Sequence[Node], ctes: Ctes, groups: Groups
    ) -> list[tuple[_State, Shown]]:
        for node in limits:
            found = [
                (after, shown)
                for state, shown in found
                for after in self._nested(node, [_marked(state, self.used_by([node], state))], ctes, groups)
            ]
        return found

    def _plain(self, tree: SelectStmt, state: _State) -> Shown:
        """Return what a select shows, before rows decide about each other."""
        found: list[tuple[str, Node | None]] = []
        for number, target in enumerate(trees.targets(tree), 1):
            if not _is_star(target):
                found.append((_label(target) or f"?{number}", self._resolved(target.val, state)))
                continue
            tables = trees.names_of(target.val.column_ref)[:-1]
            found += (self._table(tables[-1], state) if tables else state.all).items()
        return _labelled(found)

    def _table(self, name: str, state: _State) -> Shown:
        for scope in state.scopes:
            if name in scope:
                return scope[name]
        raise ConditionsError(f"it reads {name}, which is none of its tables")

    def _shown(self, tree: SelectStmt, state: _State, plain: Shown, first: int) -> Shown:
        kept = self._deciding(tree, state, plain)
        if kept is None:
            return plain
        last = next(self.numbers)

        def of_any(node: Node | None) -> Node | None:
            return node if node is None or trees.expression(node) in kept else expressions.of_any(node, first, last)

        return {name: of_any(node) for name, node in plain.items()}

    def _deciding(self, tree: SelectStmt, state: _State, plain: Shown) -> set[str] | None:
        """Return what rows that decide about each other have in common; None: each decides on itself."""
        kept: set[str] | None = None

        def keep(nodes: Iterable[Node | None]) -> None:
            nonlocal kept
            found = {trees.expression(node) for node in nodes if node}
            kept = found if kept is None else kept & found

        if trees.is_given(tree.limit_count) or trees.is_given(tree.limit_offset):
            keep([])
        if any(map(trees.is_given, tree.distinct_clause)):
            keep(of for of, _ in self._items(tree.distinct_clause, state, plain, is_label_first=True))
        if any(node.HasField("grouping_set") for node in tree.group_clause):
            keep([])
        elif tree.group_clause:
            keep(plain.values())  # PostgreSQL requires that they are grouped by, or follow from a primary key that is
        elif tree.HasField("having_clause") or any(map(expressions.is_aggregate, expressions.calls(tree))):
            keep([])
        named = {window.window_def.name: window.window_def for window in tree.window_clause}
        nodes = [*tree.target_list, *tree.sort_clause, *tree.distinct_clause]
        for call in (call for node in nodes for call in trees.nodes(node, ast.FuncCall)):
            if call.HasField("over"):
                window = named.get(call.over.name or call.over.refname, call.over)
                keep(self._resolved(node, state) for node in window.partition_clause)
        return kept

    def _items(
        self, nodes: Iterable[Node], state: _State, plain: Shown, *, is_label_first: bool
    ) -> Iterator[tuple[Node | None, Node | None]]:
        """Return what GROUP BY and such list, which may be the number or the label of a column: that, or else it."""
        for node in expressions.flat(nodes):
            if node.HasField("a_const") and node.a_const.HasField("ival"):
                yield _ordered(plain)[node.a_const.ival.ival - 1][1], None
                continue
            names = trees.names_of(node.column_ref) if node.HasField("column_ref") else []
            is_label = len(names) == 1 and names[0] in plain and (is_label_first or names[0] not in state.all)
            yield (plain[names[0]], None) if is_label else (self._resolved(node, state), node)

    def _used_items(
        self, nodes: Iterable[Node], state: _State, plain: Shown, *, is_label_first: bool
    ) -> frozenset[Column]:
        found = list(self._items(nodes, state, plain, is_label_first=is_label_first))
        return self.used(of for of, _ in found) | self.used_by((node for _, node in found if node), state)

    # FROM

    def _from(self, item: Node, state: _State, ctes: Ctes, groups: Groups) -> list[_State]:
        if item.HasField("join_expr"):
            return self._join(item.join_expr, state, ctes, groups)
        if item.HasField("range_var"):
            table = item.range_var
            name = table.alias.aliasname or table.relname
            found = self._relation(table, state, ctes, groups)
            return [after.named(name, _renamed(shown, table.alias)) for after, shown in found]
        if item.HasField("range_subselect"):
            of = item.range_subselect
            outer = state if of.lateral else replace(state, scopes=({}, *state.scopes[1:]))
            found = self.select(of.subquery.select_stmt, outer, ctes, groups)
            name = of.alias.aliasname or f"?{next(self.numbers)}"
            return [
                replace(after, scopes=state.scopes).named(name, _renamed(shown, of.alias)) for after, shown in found
            ]
        if not item.HasField("range_function"):
            raise ConditionsError(f"it has a {item.WhichOneof('node')} in FROM")
        alias = item.range_function.alias
        names = [name.string.sval for name in alias.colnames]
        names = names or [node.column_def.colname for node in item.range_function.coldeflist]
        names = names or [alias.aliasname, trees.WHOLE_ROW]  # which columns it has is not known
        marked = self.used_by([item], state)
        return [
            _marked(one, marked).named(alias.aliasname or f"?{next(self.numbers)}", dict.fromkeys(names))
            for one in self._nested(item, [state], ctes, groups)
        ]

    def _relation(self, table: ast.RangeVar, state: _State, ctes: Ctes, groups: Groups) -> list[tuple[_State, Shown]]:
        name = f"{table.schemaname}.{table.relname}" if table.schemaname else table.relname
        if not table.schemaname and name in ctes:
            tree, names, inner, scopes = ctes[name]
            found = self.select(tree, replace(state, scopes=scopes), inner, groups)
            return [(replace(after, scopes=state.scopes), _relabelled(shown, names)) for after, shown in found]
        if name in self.views:
            found = self.select(self.checked(self.views[name]), replace(state, scopes=({},)), {}, groups)
            return [(replace(after, scopes=state.scopes), shown) for after, shown in found]
        if name == KEYS:
            return [(state, {column: trees.value(f"keys.{quoted(column)}") for column in self.columns[KEYS]})]
        if name not in self.columns:
            raise ConditionsError(f"the columns of {name} are not known")
        number = next(self.numbers)
        of = state.alternative
        alternative = replace(of, relations={**of.relations, number: name}, groups={**of.groups, number: groups})
        shown: Shown = {column: trees.value(f"{ROW}{number}.{quoted(column)}") for column in self.columns[name]}
        return [(replace(state, alternative=alternative), shown)]

    def _join(self, join: ast.JoinExpr, state: _State, ctes: Ctes, groups: Groups) -> list[_State]:
        if join.alias.aliasname or join.join_using_alias.aliasname:
            raise ConditionsError(f"{join.alias.aliasname or join.join_using_alias.aliasname} names a join")
        left_groups, right_groups = groups, groups
        if join.jointype in (ast.JOIN_RIGHT, ast.JOIN_FULL):
            left_groups = groups | {next(self.numbers)}
        if join.jointype in (ast.JOIN_LEFT, ast.JOIN_FULL):
            right_groups = groups | {next(self.numbers)}
        self.optional |= left_groups ^ right_groups
        said = left_groups | right_groups
        found: list[_State] = []
        for left in self._from(join.larg, state, ctes, left_groups):
            for both in self._from(join.rarg, left, ctes, right_groups):
                afters = self._merged(join, (state, left, both), said)
                if join.HasField("quals"):
                    afters = self._where(join.quals, afters, ctes, said)
                found += afters
        return found

    def _merged(self, join: ast.JoinExpr, states: tuple[_State, _State, _State], said: Groups) -> list[_State]:
        """Return the alternatives of a join after USING or NATURAL: with equal columns, which are shown once."""
        state, left, both = states
        names = [name.string.sval for name in join.using_clause]
        if not names and not join.is_natural:
            return [both]
        columns = [(label.rstrip(AGAIN), of) for label, of in _ordered(both.all)]
        first, second = len(state.all), len(left.all)
        before, new = dict(columns[first:second]), dict(columns[second:])
        names = [name for name in before if name in new] if join.is_natural else names
        afters, merged = [both], list[tuple[str, Node | None]]()
        for name in names:
            if name not in before or name not in new:
                raise ConditionsError(f"it joins USING {name}, which is not known on both sides")
            one, other = before[name], new[name]
            afters = [end for after in afters for end in self._equal(one, other, after, said)]
            merged.append(
                (
                    name,
                    {ast.JOIN_RIGHT: other, ast.JOIN_FULL: expressions.coalesced(one, other)}.get(join.jointype, one),
                )
            )
        marked = self.used([of[name] for name in names for of in (before, new)])
        shown = [*columns[:first], *merged, *(column for column in columns[first:] if column[0] not in names)]
        return [_marked(after, marked).showing(shown) for after in afters]

    # Conditions

    def _where(self, node: Node, states: list[_State], ctes: Ctes, groups: Groups) -> list[_State]:
        """Return the alternatives in which a condition holds."""
        if node.HasField("bool_expr") and node.bool_expr.boolop == ast.AND_EXPR:
            for part in node.bool_expr.args:
                states = self._where(part, states, ctes, groups)
            return states
        if node.HasField("bool_expr") and node.bool_expr.boolop == ast.OR_EXPR:
            states = [_marked(state, self.used_by([node], state)) for state in states]
            for part in node.bool_expr.args:
                states = self._disjunct(part, states, ctes, groups)
            return states
        found: list[_State] = []
        for state in states:
            marked = _marked(state, self.used_by([node], state))
            pairs = expressions.equal_parts(node)
            inner = expressions.member_of(node)
            if inner is not None:
                found += self._member(*inner, marked, ctes, groups)
                continue
            if pairs:
                here = [marked]
                for left, right in pairs:
                    here = [
                        end
                        for one in here
                        for end in self._equal(self._resolved(left, one), self._resolved(right, one), one, groups)
                    ]
            elif node.HasField("sub_link") and node.sub_link.sub_link_type == ast.EXISTS_SUBLINK:
                # A row outside has an effect only where there is one inside.
                tree = node.sub_link.subselect.select_stmt
                here = [replace(after, scopes=state.scopes) for after, _ in self.select(tree, marked, ctes, groups)]
                found += here
                continue
            else:
                here = [marked]
            found += self._nested(node, here, ctes, groups)
        self._check(found)
        return found

    def _member(
        self, left: Sequence[Node], select: SelectStmt, state: _State, ctes: Ctes, groups: Groups
    ) -> list[_State]:
        """Return the alternatives in which expressions are equal to a row of a subquery."""
        found: list[_State] = []
        for after, shown in self.select(select, state, ctes, groups):
            here = [_marked(replace(after, scopes=state.scopes), self.used(shown.values()))]
            for part, (_, of) in zip(left, _ordered(shown), strict=False):
                here = [end for one in here for end in self._equal(self._resolved(part, one), of, one, groups)]
            for part in left:
                here = self._nested(part, here, ctes, groups)
            found += here
        return found

    def _disjunct(self, node: Node, states: list[_State], ctes: Ctes, groups: Groups) -> list[_State]:
        """Return the alternatives with the tables of subqueries in a part of OR, and what holds for their rows."""
        if node.HasField("bool_expr") and node.bool_expr.boolop != ast.NOT_EXPR:
            for part in node.bool_expr.args:
                states = self._disjunct(part, states, ctes, groups)
            return states
        inner = expressions.member_of(node)
        if inner is None:
            return self._nested(node, states, ctes, groups)
        within = groups | {next(self.numbers)}
        return [after for state in states for after in self._member(*inner, state, ctes, within)]

    def _nested(self, node: Message, states: list[_State], ctes: Ctes, groups: Groups) -> list[_State]:
        """Return the alternatives with the tables that subqueries of an expression read."""
        for link in expressions.links(node):
            inner = groups | {next(self.numbers)}
            states = [
                replace(after, scopes=state.scopes)
                for state in states
                for after, shown in self.select(link.subselect.select_stmt, state, ctes, inner)
                for after in [_marked(after, self.used(shown.values()))]
            ]
            self._check(states)
        return states

    def _equal(self, one: Node | None, other: Node | None, state: _State, groups: Groups) -> list[_State]:
        """Return the alternatives in which two expressions are equal."""
        found: list[_State] = []
        is_null = False
        for left, right in product(expressions.alternatives(one), expressions.alternatives(other)):
            terms = expressions.term(left), expressions.term(right)
            if expressions.is_null(left) or expressions.is_null(right):
                is_null = is_null or all(term is None or term.at is not None for term in terms)
                continue
            if any(term and term.at is None for term in terms):  # a constant may be a column of a key
                terms = terms[0] or expressions.constant(left), terms[1] or expressions.constant(right)
            if terms[0] is None or terms[1] is None:
                found.append(state)
                continue
            alternative = state.alternative
            for term in terms:
                if term and term.at and term.text == f"{ROW}{term.at}.{next(iter(term.columns))}":
                    alternative = _there(alternative, term.at, groups, self.optional)
            said = (terms[0], terms[1], groups)
            alternative = replace(alternative, equalities=(*alternative.equalities, said))
            found.append(replace(state, alternative=alternative))
        return found or ([state] if is_null else [])

    # Expressions

    def _resolved(self, node: Node, state: _State) -> Node | None:
        """Return an expression over the columns of occurrences; None if it is not one of single rows."""
        copy = Node()
        copy.CopyFrom(node)
        return copy if expressions.replaced(copy, lambda reference: self._column(reference, state)) else None

    def _column(self, reference: ast.ColumnRef, state: _State) -> Node | None:
        columns, is_one = self._columns(reference, state)
        return columns[0] if is_one else None

    def _columns(self, reference: ast.ColumnRef, state: _State) -> tuple[list[Node | None], bool]:
        """Return the columns that a reference may read, and whether it reads just one: a row has all of its table."""
        *tables, name = trees.names_of(reference)
        if name == trees.WHOLE_ROW:
            return list((self._table(tables[-1], state) if tables else state.all).values()), False
        may_be_of_function = False
        for scope in state.scopes:
            shown = scope.get(tables[-1] if tables else ALL, {})
            if name in shown:
                return [shown[name]], not may_be_of_function
            if not tables and name in scope:
                return list(scope[name].values()), False
            may_be_of_function |= trees.WHOLE_ROW in shown
            if tables and tables[-1] in scope:
                break
        if may_be_of_function:
            return [], False
        raise ConditionsError(f"which table has {'.'.join([*tables, name])} is not known")

    def used_by(self, nodes: Iterable[Message], state: _State) -> frozenset[Column]:
        """Return the columns that expressions read, without those in subqueries."""
        references = (reference for node in nodes for reference in expressions.own_references(node))
        return self.used(of for reference in references for of in self._columns(reference, state)[0])

    def used(self, nodes: Iterable[Node | None]) -> frozenset[Column]:
        """Return the columns of occurrences that resolved expressions read."""
        references = [
            trees.names_of(reference) for node in nodes if node for reference in trees.nodes(node, ast.ColumnRef)
        ]
        return frozenset((int(name[0].removeprefix(ROW)), name[-1]) for name in references if name[0] != KEYS)

    def _check(self, found: Sequence[object]) -> None:
        if len(found) > MANY:
            raise ConditionsError(f"it has more than {MANY} alternatives: unions and COALESCE multiply them")


def _marked(state: _State, columns: frozenset[Column]) -> _State:
    return replace(state, alternative=replace(state.alternative, used=state.alternative.used | columns))


def _there(alternative: Alternative, at: int, groups: Groups, optional: set[int]) -> Alternative:
    """Return the alternative in which an occurrence is there, because a column of it is equal to something."""
    given = alternative.groups[at] - groups
    if not given or not given <= optional:
        return alternative
    return replace(alternative, implied=(*alternative.implied, (groups, given)))


def _label(target: ast.ResTarget) -> str:
    node = target.val
    while node.HasField("type_cast"):
        node = node.type_cast.arg
    if node.HasField("func_call"):
        return target.name or node.func_call.funcname[-1].string.sval
    return target.name or (trees.names_of(node.column_ref)[-1] if node.HasField("column_ref") else "")


def _is_star(target: ast.ResTarget) -> bool:
    return target.val.HasField("column_ref") and trees.names_of(target.val.column_ref)[-1] == trees.WHOLE_ROW


def _labelled(columns: Iterable[tuple[str, Node | None]]) -> Shown:
    """Return columns by their labels, which are made different."""
    found: Shown = {}
    for name, of in columns:
        label = name
        while label in found:
            label += AGAIN
        found[label] = of
    return found


def _ordered(shown: Shown) -> list[tuple[str, Node | None]]:
    """Return columns that are told apart by their order."""
    if any(label.rstrip(AGAIN) == trees.WHOLE_ROW for label in shown):
        raise ConditionsError("it counts the columns of a function in FROM that are not named there")
    return list(shown.items())


def _renamed(shown: Shown, alias: ast.Alias) -> Shown:
    return _relabelled(shown, [name.string.sval for name in alias.colnames])


def _relabelled(shown: Shown, names: Sequence[str]) -> Shown:
    if not names:
        return shown
    columns = _ordered(shown)
    return _labelled([*zip(names, (of for _, of in columns), strict=False), *columns[len(names) :]])
