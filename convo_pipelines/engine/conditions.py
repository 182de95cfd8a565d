"""What a query says of the rows that it reads: from which tables they are, and which of their columns are equal.

A query is read as alternatives. In each, a table occurs once for each time that it is read. Views and subqueries are
expanded, and a union is one of its branches. The rows of the query are those of all alternatives together.

An equality need not hold for every row that has an effect. One in the condition of an outer join says nothing of rows
that the join keeps anyway, and one in a subquery says nothing of rows outside of it. Such a place is a group. Each
occurrence has the groups that it lies in, and each equality those that it is said in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, product

from google.protobuf.message import Message
from postgast import pg_query_pb2 as ast
from postgast.pg_query_pb2 import Node, SelectStmt

from convo_pipelines.database import trees
from convo_pipelines.errors import ConvoPipelinesError

KEYS = "keys"
"""The relation with the keys whose rows a query returns."""
ROW = "convo_row_"
"""What occurrences are named, with their numbers."""
CONSTANT = 0
OF_ANY = "convo_of_any_"
"""A function that stands for the value of one of several rows; its name ends with their first and last number."""
MANY = 500
"""A query of more alternatives is refused."""
AGGREGATES = {
    "array_agg", "avg", "bit_and", "bit_or", "bool_and", "bool_or", "count", "every", "json_agg", "json_object_agg",
    "jsonb_agg", "jsonb_object_agg", "max", "min", "mode", "percentile_cont", "percentile_disc", "range_agg",
    "regr_slope", "stddev", "stddev_pop", "stddev_samp", "string_agg", "sum", "var_pop", "var_samp", "variance",
    "xmlagg",
}  # fmt: skip

Groups = frozenset[int]
Column = tuple[int, str]
"""A column of an occurrence."""


class ConditionsError(ConvoPipelinesError):
    """A query whose conditions cannot be read; the message says why."""


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


@dataclass(frozen=True)
class Alternative:
    """What holds for rows of a query in one of the ways in which they come about.

    Attributes:
        relations: by the number of their occurrence.
        groups: of each occurrence.
        equalities: pairs of equal terms, and the groups in which they are said.
        used: the columns on which the rows depend, and on which their number does.

    """

    relations: Mapping[int, str] = field(default_factory=dict[int, str])
    groups: Mapping[int, Groups] = field(default_factory=dict[int, Groups])
    equalities: tuple[tuple[Term, Term, Groups], ...] = ()
    used: frozenset[Column] = frozenset()


def conditions(query: str, columns: Mapping[str, Sequence[str]], views: Mapping[str, str]) -> list[Alternative]:
    """Return the alternatives of a query.

    Args:
        query: a SELECT that reads `keys`.
        columns: of each relation, as `schema.name`, and of `keys`.
        views: the definitions of views, by name; these are read in their place.

    Raises:
        ConditionsError: it is recursive, or has too many alternatives.

    """
    reader = _Reader(columns, views)
    found = reader.select(trees.select_of(query), _State(), {}, frozenset())
    used = [reader.used(state, shown.values()) for state, shown in found]
    return [
        replace(state.alternative, used=state.alternative.used | more)
        for (state, _), more in zip(found, used, strict=True)
    ]


Shown = dict[str, Node | None]
"""The columns of a table in FROM, over those of occurrences; None: an aggregate, or another row decides."""
Ctes = Mapping[str, tuple[SelectStmt, Sequence[str], "Ctes"]]


@dataclass(frozen=True)
class _State:
    """An alternative as far as it has been read, and the tables that can be named, those of outer queries last."""

    alternative: Alternative = Alternative()
    scopes: tuple[Mapping[str, Shown], ...] = ({},)

    def named(self, name: str, shown: Shown) -> "_State":
        first, *outer = self.scopes
        return replace(self, scopes=({**first, name: shown}, *outer))


class _Reader:
    def __init__(self, columns: Mapping[str, Sequence[str]], views: Mapping[str, str]):
        self.columns, self.views = columns, views
        self.numbers = count(1)
        self.optional = set[int]()

    # Queries

    def select(self, tree: SelectStmt, outer: _State, ctes: Ctes, groups: Groups) -> list[tuple[_State, Shown]]:
        """Return the alternatives of a select within others, each with the columns that it shows."""
        if tree.with_clause.recursive:
            raise ConditionsError("it has a recursive WITH")
        ctes = dict(ctes)
        for cte in (node.common_table_expr for node in tree.with_clause.ctes):
            names = [name.string.sval for name in cte.aliascolnames]
            ctes[cte.ctename] = (cte.ctequery.select_stmt, names, dict(ctes))
        if tree.op != ast.SETOP_NONE:
            return self._union(tree, outer, ctes, groups)
        if tree.values_lists:
            width = len(tree.values_lists[0].list.items)
            return [(outer, {f"column{number}": None for number in range(1, width + 1)})]
        if not tree.group_clause and any(_is_aggregate(call) for call in _calls(tree)):
            groups = groups | {next(self.numbers)}  # it returns a row even if it reads none
        first = next(self.numbers)
        states = [replace(outer, scopes=({}, *outer.scopes))]
        for item in tree.from_clause:
            states = [after for state in states for after in self._from(item, state, ctes, groups)]
            self._check(states)
        if tree.HasField("where_clause"):
            states = self._where(tree.where_clause, states, ctes, groups)
        found: list[tuple[_State, Shown]] = []
        rest = [
            *tree.group_clause,
            *tree.sort_clause,
            *filter(trees.is_given, tree.distinct_clause),
            *tree.window_clause,
        ]
        rest += [node for node in (tree.having_clause, tree.limit_count, tree.limit_offset) if trees.is_given(node)]
        for state in states:
            shown = self._shown(tree, state, first)
            after = [replace(state, scopes=outer.scopes)]
            marked = self.used_by(rest, state)
            marked |= self.used_by([target.val for target in trees.targets(tree)], state, is_opaque=True)
            if tree.distinct_clause:
                marked |= self.used(state, shown.values())
            for node in [*(target.val for target in trees.targets(tree)), *rest]:
                after = self._nested(node, [replace(one, scopes=state.scopes) for one in after], ctes, groups)
            found += [(_marked(replace(one, scopes=outer.scopes), marked), shown) for one in after]
        self._check(found)
        return found

    def _union(self, tree: SelectStmt, outer: _State, ctes: Ctes, groups: Groups) -> list[tuple[_State, Shown]]:
        left = self.select(tree.larg, outer, ctes, groups)
        right = self.select(tree.rarg, outer, ctes, groups)
        names = list(left[0][1])
        found = [*left, *((state, dict(zip(names, shown.values(), strict=True))) for state, shown in right)]
        is_opaque = any(trees.is_given(node) for node in (tree.limit_count, tree.limit_offset))
        if not tree.all:
            found = [(_marked(state, self.used(state, shown.values())), shown) for state, shown in found]
        return [(state, dict.fromkeys(shown) if is_opaque else shown) for state, shown in found]

    def _shown(self, tree: SelectStmt, state: _State, first: int) -> Shown:
        shown: Shown = {}
        for number, target in enumerate(trees.targets(tree), 1):
            if target.val.HasField("column_ref") and trees.names_of(target.val.column_ref)[-1] == trees.WHOLE_ROW:
                tables = trees.names_of(target.val.column_ref)[:-1]
                for name, columns in state.scopes[0].items():
                    if name and (not tables or tables[-1] == name):
                        shown |= {column: of for column, of in columns.items() if column not in shown}
            else:
                label = _label(target) or f"?{number}"
                shown[f"?{number}" if label in shown else label] = self._resolved(target.val, state)
        kept = self._deciding(tree, state, shown)
        if kept is None:
            return shown
        last = next(self.numbers)

        def of_any(node: Node | None) -> Node | None:
            return node if node is None or trees.expression(node) in kept else _of_any(node, first, last)

        return {name: of_any(node) for name, node in shown.items()}

    def _deciding(self, tree: SelectStmt, state: _State, shown: Shown) -> set[str] | None:
        """Return what rows that decide about each other have in common; None: each decides on itself."""
        kept: set[str] | None = None

        def keep(nodes: Iterable[Node]) -> None:
            nonlocal kept
            found = {trees.expression(of) for node in nodes if (of := self._grouped(node, state, shown))}
            kept = found if kept is None else kept & found

        if trees.is_given(tree.limit_count) or trees.is_given(tree.limit_offset):
            keep([])
        if any(map(trees.is_given, tree.distinct_clause)):
            keep(tree.distinct_clause)
        if tree.group_clause:
            keep([] if any(node.HasField("grouping_set") for node in tree.group_clause) else tree.group_clause)
        elif tree.HasField("having_clause") or any(_is_aggregate(call) for call in _calls(tree)):
            keep([])
        named = {window.window_def.name: window.window_def for window in tree.window_clause}
        for call in (call for target in tree.target_list for call in trees.nodes(target, ast.FuncCall)):
            if call.HasField("over"):
                keep(named.get(call.over.name or call.over.refname, call.over).partition_clause)
        return kept

    def _grouped(self, node: Node, state: _State, shown: Shown) -> Node | None:
        """Return the expression of GROUP BY or such, which may be the number or the name of a column."""
        if node.HasField("a_const") and node.a_const.HasField("ival"):
            return list(shown.values())[node.a_const.ival.ival - 1]
        of = self._resolved(node, state)
        if of is None and node.HasField("column_ref"):
            return shown.get(trees.names_of(node.column_ref)[-1])
        return of

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
            found = self.select(of.subquery.select_stmt, state, ctes, groups)
            name = of.alias.aliasname or f"?{next(self.numbers)}"
            return [
                replace(after, scopes=state.scopes).named(name, _renamed(shown, of.alias)) for after, shown in found
            ]
        alias = item.range_function.alias if item.HasField("range_function") else ast.Alias()
        names = [name.string.sval for name in alias.colnames] or [alias.aliasname]
        marked = self.used_by([item], state)
        return [
            _marked(one, marked).named(alias.aliasname or "?", dict.fromkeys(names))
            for one in self._nested(item, [state], ctes, groups)
        ]

    def _relation(self, table: ast.RangeVar, state: _State, ctes: Ctes, groups: Groups) -> list[tuple[_State, Shown]]:
        name = f"{table.schemaname}.{table.relname}" if table.schemaname else table.relname
        if not table.schemaname and name in ctes:
            tree, names, inner = ctes[name]
            found = self.select(tree, replace(state, scopes=({},)), inner, groups)
            return [
                (
                    replace(after, scopes=state.scopes),
                    dict(zip(names, shown.values(), strict=False)) if names else shown,
                )
                for after, shown in found
            ]
        if name in self.views:
            found = self.select(trees.select_of(self.views[name]), replace(state, scopes=({},)), {}, groups)
            return [(replace(after, scopes=state.scopes), shown) for after, shown in found]
        if name == KEYS:
            return [(state, {column: trees.value(f"keys.{_quoted(column)}") for column in self.columns[KEYS]})]
        number = next(self.numbers)
        of = state.alternative
        alternative = replace(of, relations={**of.relations, number: name}, groups={**of.groups, number: groups})
        shown: Shown = {
            column: trees.value(f"{ROW}{number}.{_quoted(column)}") for column in self.columns.get(name, ())
        }
        return [(replace(state, alternative=alternative), shown)]

    def _join(self, join: ast.JoinExpr, state: _State, ctes: Ctes, groups: Groups) -> list[_State]:
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
                before = {name: of for name, of in left.scopes[0].items() if name not in state.scopes[0]}
                new = {name: of for name, of in both.scopes[0].items() if name not in left.scopes[0]}
                names = [name.string.sval for name in join.using_clause]
                if join.is_natural:
                    names = sorted({c for of in before.values() for c in of} & {c for of in new.values() for c in of})
                afters = [both]
                for name in names:
                    one = next((of[name] for of in before.values() if name in of), None)
                    other = next((of[name] for of in new.values() if name in of), None)
                    afters = [end for after in afters for end in self._equal(one, other, after, said)]
                    merged = {ast.JOIN_RIGHT: other, ast.JOIN_FULL: _coalesced(one, other)}.get(join.jointype, one)
                    afters = [after.named("", {**after.scopes[0].get("", {}), name: merged}) for after in afters]
                    marked = self.used(both, [one, other])
                    afters = [_marked(after, marked) for after in afters]
                if join.HasField("quals"):
                    afters = self._where(join.quals, afters, ctes, said)
                found += afters
        return found

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
            pairs = _equal_parts(node)
            inner = _member_of(node)
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
            here = [replace(after, scopes=state.scopes)]
            for part, of in zip(left, shown.values(), strict=False):
                here = [end for one in here for end in self._equal(self._resolved(part, one), of, one, groups)]
            found += here
        return found

    def _disjunct(self, node: Node, states: list[_State], ctes: Ctes, groups: Groups) -> list[_State]:
        """Return the alternatives with the tables of subqueries in a part of OR, and what holds for their rows."""
        if node.HasField("bool_expr") and node.bool_expr.boolop != ast.NOT_EXPR:
            for part in node.bool_expr.args:
                states = self._disjunct(part, states, ctes, groups)
            return states
        inner = _member_of(node)
        if inner is None:
            return self._nested(node, states, ctes, groups)
        within = groups | {next(self.numbers)}
        return [after for state in states for after in self._member(*inner, state, ctes, within)]

    def _nested(self, node: Message, states: list[_State], ctes: Ctes, groups: Groups) -> list[_State]:
        """Return the alternatives with the tables that subqueries of an expression read."""
        for link in _links(node):
            inner = groups | {next(self.numbers)}
            states = [
                replace(after, scopes=state.scopes)
                for state in states
                for after, shown in self.select(link.subselect.select_stmt, state, ctes, inner)
                for after in [_marked(after, self.used(after, shown.values()))]
            ]
            self._check(states)
        return states

    def _equal(self, one: Node | None, other: Node | None, state: _State, groups: Groups) -> list[_State]:
        """Return the alternatives in which two expressions are equal."""
        found: list[_State] = []
        for left, right in product(_alternatives(one), _alternatives(other)):
            if _is_null(left) or _is_null(right):
                continue
            terms = _term(left), _term(right)
            if any(term and term.at is None for term in terms):  # a constant may be a column of a key
                terms = terms[0] or _constant(left), terms[1] or _constant(right)
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
        return found

    # Expressions

    def _resolved(self, node: Node, state: _State) -> Node | None:
        """Return an expression over the columns of occurrences; None if it is not one of single rows."""
        copy = Node()
        copy.CopyFrom(node)
        return copy if _replaced(copy, lambda reference: self._column(reference, state)) else None

    def _column(self, reference: ast.ColumnRef, state: _State) -> Node | None:
        names = trees.names_of(reference)
        if names[-1] == trees.WHOLE_ROW:
            return None
        for scope in state.scopes:
            if len(names) > 1 and names[-2] in scope:
                return scope[names[-2]].get(names[-1])
            if len(names) == 1:
                if names[0] in scope.get("", {}):
                    return scope[""][names[0]]
                found = [of[names[0]] for of in scope.values() if names[0] in of]
                if found:
                    return found[0]
        return None

    def used_by(self, nodes: Iterable[Message], state: _State, *, is_opaque: bool = False) -> frozenset[Column]:
        """Return the columns that expressions read, without those in subqueries.

        `is_opaque`: only of expressions that are not of single rows: others are read where they are used.
        """
        found: frozenset[Column] = frozenset()
        for node in nodes:
            if is_opaque and isinstance(node, Node) and self._resolved(node, state) is not None:
                continue
            for reference in _own_references(node):
                if trees.names_of(reference)[-1] == trees.WHOLE_ROW:
                    tables = trees.names_of(reference)[:-1]
                    shown = [of for name, of in state.scopes[0].items() if not tables or tables[-1] == name]
                    if not is_opaque:
                        found |= self.used(state, [of for columns in shown for of in columns.values()])
                else:
                    found |= self.used(state, [self._column(reference, state)])
        return found

    def used(self, _state: _State, nodes: Iterable[Node | None]) -> frozenset[Column]:
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
    given = (alternative.groups[at] - groups) & optional
    if not given or given != alternative.groups[at] - groups:
        return alternative
    return replace(
        alternative,
        groups={number: of - given for number, of in alternative.groups.items()},
        equalities=tuple((left, right, of - given) for left, right, of in alternative.equalities),
    )


def _of_any(node: Node, first: int, last: int) -> Node:
    """Return an expression whose value one of the rows of these occurrences has, not each of them."""
    name = [trees.string(f"{OF_ANY}{first}_{last}")]
    return Node(func_call=ast.FuncCall(funcname=name, args=[node], funcformat=ast.COERCE_EXPLICIT_CALL))


def _label(target: ast.ResTarget) -> str:
    node = target.val
    while node.HasField("type_cast"):
        node = node.type_cast.arg
    return target.name or (trees.names_of(node.column_ref)[-1] if node.HasField("column_ref") else "")


def _renamed(shown: Shown, alias: ast.Alias) -> Shown:
    names = [name.string.sval for name in alias.colnames]
    return dict(zip([*names, *list(shown)[len(names) :]], shown.values(), strict=True)) if names else shown


def _coalesced(one: Node | None, other: Node | None) -> Node | None:
    return Node(coalesce_expr=ast.CoalesceExpr(args=[one, other])) if one and other else None


def _equal_parts(node: Node) -> list[tuple[Node, Node]]:
    """Return what `=` compares, part by part."""
    if not node.HasField("a_expr") or trees.joined(node.a_expr.name) not in ("=", "pg_catalog.="):
        return []
    if node.a_expr.kind != ast.AEXPR_OP:
        return []
    left, right = node.a_expr.lexpr, node.a_expr.rexpr
    if left.HasField("row_expr") and right.HasField("row_expr"):
        return list(zip(left.row_expr.args, right.row_expr.args, strict=False))
    return [(left, right)]


def _member_of(node: Node) -> tuple[list[Node], SelectStmt] | None:
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


def _alternatives(node: Node | None) -> list[Node | None]:
    """Return the expressions one of which an expression is equal to."""
    if node is None:
        return [None]
    if node.HasField("coalesce_expr"):
        return [one for part in node.coalesce_expr.args for one in _alternatives(part)]
    if node.HasField("case_expr"):
        results = [when.case_when.result for when in node.case_expr.args]
        results += [node.case_expr.defresult] if node.case_expr.HasField("defresult") else []
        return [one for part in results for one in _alternatives(part)]
    if node.HasField("type_cast") and not node.type_cast.arg.HasField("a_const"):
        casts: list[Node | None] = []
        for part in _alternatives(node.type_cast.arg):
            if part is None:
                casts.append(None)
                continue
            cast = Node()
            cast.CopyFrom(node)
            cast.type_cast.arg.CopyFrom(part)
            casts.append(cast)
        return casts
    return [node]


def _is_null(node: Node | None) -> bool:
    if node is None:
        return False
    while node.HasField("type_cast"):
        node = node.type_cast.arg
    return node.HasField("a_const") and node.a_const.isnull


def _constant(node: Node | None) -> Term | None:
    if node is None:
        return None
    inner = node
    while inner.HasField("type_cast"):
        inner = inner.type_cast.arg
    return Term(CONSTANT, trees.expression(node), frozenset()) if inner.HasField("a_const") else None


def _term(node: Node | None) -> Term | None:
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


def _replaced(node: Node, of: Callable[[ast.ColumnRef], Node | None]) -> bool:
    """Replace the columns of an expression; return False if it is not one of single rows."""
    if node.HasField("column_ref"):
        found = of(node.column_ref)
        if found is not None:
            node.CopyFrom(found)
        return found is not None
    if node.HasField("sub_link") or (node.HasField("func_call") and _is_aggregate(node.func_call)):
        return False
    return all(_replaced(part, of) for part in _parts(node))


def _is_aggregate(call: ast.FuncCall) -> bool:
    is_marked = call.agg_star or call.agg_distinct or call.agg_within_group or call.HasField("agg_filter")
    return is_marked or bool(call.agg_order) or call.HasField("over") or trees.joined(call.funcname[-1:]) in AGGREGATES


def _parts(message: Message) -> Iterator[Node]:
    """Return the nodes directly beneath one."""
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        for part in value if descriptor.is_repeated else [value]:
            if isinstance(part, Node):
                yield part
            else:
                yield from _parts(part)


def _links(message: Message) -> Iterator[ast.SubLink]:
    """Return the subqueries of an expression, without those inside of them."""
    if isinstance(message, Node) and message.HasField("sub_link"):
        yield message.sub_link
        yield from _links(message.sub_link.testexpr)
        return
    for part in _parts(message):
        yield from _links(part)


def _own_references(message: Message) -> Iterator[ast.ColumnRef]:
    """Return the columns that an expression reads, without those in its subqueries."""
    if isinstance(message, Node):
        if message.HasField("column_ref"):
            yield message.column_ref
            return
        if message.HasField("sub_link"):
            yield from _own_references(message.sub_link.testexpr)
            return
        if message.HasField("select_stmt"):
            return
    for part in _parts(message):
        yield from _own_references(part)


def _calls(tree: SelectStmt) -> Iterator[ast.FuncCall]:
    """Return the functions that the columns of a select call, without those in subqueries."""

    def of(message: Message) -> Iterator[ast.FuncCall]:
        if isinstance(message, Node):
            if message.HasField("sub_link"):
                return
            if message.HasField("func_call") and not message.func_call.HasField("over"):
                yield message.func_call
        for part in _parts(message):
            yield from of(part)

    for target in tree.target_list:
        yield from of(target)


def _quoted(name: str) -> str:
    return trees.expression(Node(column_ref=ast.ColumnRef(fields=[trees.string(name)])))
