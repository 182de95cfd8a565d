"""Which keys a changed row concerns: queries that follow from the query for a table's rows.

From the log of each source that the query reads, equalities lead to the keys (`conditions.py`). On the way, other
tables are joined, with the rows that they have now. No key is missed: if several rows of a combination have changed,
one of them is nearest to the keys, and all rows on its way are still there. If no single table gives all columns of a
key, this does not hold. Then tables are joined with the former rows in their logs, too.

The keys with activity in a window follow in the same way: from the rows of each source that lie in it, as they are now.
"""

import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count, pairwise
from types import MappingProxyType
from typing import LiteralString

from postgast import pg_query_pb2 as ast
from psycopg import sql

from convo_pipelines.database import trees
from convo_pipelines.database.statements import trusted
from convo_pipelines.database.trees import quoted
from convo_pipelines.engine.conditions import Alternative, ConditionsError, conditions
from convo_pipelines.engine.expressions import CONSTANT, ROW, Term
from convo_pipelines.errors import ConvoPipelinesError

CHANGE = "change"
LINE = 120
KEYS_BY_HAND, WINDOW_BY_HAND = "write keys.sql by hand", "correct `days`, or write window.sql by hand"
_IS_NEW = sql.SQL("analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)")
_NO_UPDATE, _DELETE = sql.SQL("change.operation <> 'update'"), sql.SQL("change.operation = 'delete'")
_ONE_OF, _GIVEN = sql.SQL("change.operation in ({})"), sql.SQL("{} is not null")
_EQUAL, _AS = sql.SQL("{} = {}"), sql.SQL("{} as {}")
_SINCE, _UNTIL = sql.SQL("{} >= {}"), sql.SQL("{} < {}")
_TIME, _DATE = sql.SQL("{}::timestamptz"), sql.SQL("({}::timestamptz at time zone 'UTC')::date")
_QUERY = sql.SQL("select{break_}{keys}\nfrom {rows}\n{joins}{where}")
_ROW_IDS = sql.SQL("select {id} from {change} {joins}")
_JOIN = sql.SQL("inner join {rows}{break_}on {conditions}\n")
_WITH_FORMER = sql.SQL(
    "(\n    select {columns} from {relation}\n    union all\n    select {columns} from {log} as former\n"
    "    where analytics.is_new(former.xid, %(from_snapshot)s::pg_snapshot, null)\n)"
)
"""Up to now: the statement sees a row no longer that has gone since the tick's snapshot."""
_ROWS = re.compile(rf"\b{ROW}(\d+)\b")


class NotDerivedError(ConvoPipelinesError):
    """Keys that do not follow from a query; the message says why, and what to do."""


@dataclass(frozen=True)
class Logged:
    """A relation whose changes are logged.

    Attributes:
        log: the table with its log, with its schema.
        columns: the logged columns.
        operations: those that are followed; none: all.
        key: the columns that no two rows share; none if the log does not have them.
        parents: of columns by which rows are deleted, unlogged, when a row of another source is: that source's log.

    """

    log: str
    columns: frozenset[str]
    operations: Sequence[str] = ()
    key: frozenset[str] = frozenset()
    parents: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Target:
    """The derived table: its relation, and its columns by the columns of its keys."""

    relation: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class KeysInWindow:
    """The query for the keys of a relation that have activity in a window, and their columns, which its rows share."""

    query: str
    columns: frozenset[str]


def derived_keys(
    query: str,
    target: Target,
    logged: Mapping[str, Logged],
    columns_of: Mapping[str, Collection[str]],
    views: Mapping[str, str],
    functions: Collection[str] = (),
    remedy: str = KEYS_BY_HAND,
) -> list[str]:
    """Return the queries for the keys that changes of the sources of a query concern.

    Args:
        query: a SELECT for the rows of `keys`, without parameters.
        target: the derived table.
        logged: the relations whose changes are logged, as `schema.name`.
        columns_of: of each relation.
        views: the definitions of views, by name.
        functions: those that read no tables and return one value, as `schema.name`.
        remedy: what to do if keys do not follow.

    Raises:
        NotDerivedError: the keys that changes of a source concern do not follow from the query.

    """
    ways = _ways(query, target, columns_of, views, functions, remedy)
    found = dict.fromkeys(one for way in ways for one in _Derivation(way, target, logged, remedy).queries())
    if not found:
        raise NotDerivedError("the keys do not follow from the query: no changes of what it reads are logged")
    return [query for query in found if not any(query != _without(of, query) in found for of in (_NO_UPDATE, _DELETE))]


def derived_windows(
    query: str,
    target: Target,
    days: Mapping[str, Sequence[str]],
    columns_of: Mapping[str, Mapping[str, str]],
    views: Mapping[str, str],
    functions: Collection[str] = (),
    windows: Mapping[str, KeysInWindow] = MappingProxyType({}),
) -> list[str]:
    """Return the queries for the keys with activity in a window, from %(window_start)s to before %(window_end)s.

    These are whole UTC days.

    Args:
        query: a SELECT for the rows of `keys`, without parameters.
        target: the derived table.
        days: the columns by which rows are in a window, by their relation: a source, or the target. Each is a day or a
            time. Two of them, as `first..last`, are a span, which is in all windows that it overlaps.
        columns_of: each relation: its columns, and their types.
        views: the definitions of views, by name.
        functions: those that read no tables and return one value, as `schema.name`.
        windows: of sources without days, the keys that have activity in the window.

    Raises:
        NotDerivedError: the keys that rows of a source concern do not follow from the query.

    """
    ways = _ways(query, target, columns_of, views, functions, WINDOW_BY_HAND)

    def starts(at: int, relation: str) -> list[_Start]:
        if relation in windows:
            return [_of_keys(at, relation, windows[relation])]
        return [_in_window(at, relation, columns_of[relation], said) for said in days[relation]]

    found: list[str] = []
    for relation in [*days, *windows]:
        queries = [
            _Derivation(way, target, {}, WINDOW_BY_HAND).query(start)
            for way in ([_own(target)] if relation == target.relation else ways)
            for at, read in way.relations.items()
            if read == relation
            for start in starts(at, relation)
        ]
        if not queries:
            raise NotDerivedError(f"the query does not read {relation}, which has days; {WINDOW_BY_HAND}")
        found += queries
    return [*dict.fromkeys(found)]


def _ways(
    query: str,
    target: Target,
    columns_of: Mapping[str, Collection[str]],
    views: Mapping[str, str],
    functions: Collection[str],
    remedy: str,
) -> list[Alternative]:
    try:
        return conditions(query, {**columns_of, "keys": list(target.columns)}, views, functions)
    except ConditionsError as error:
        raise NotDerivedError(f"the keys do not follow from the query: {error}; {remedy}") from None


def _own(target: Target) -> Alternative:
    """Return what holds for the rows of the target: which columns are those of their key."""
    equalities = tuple(
        (Term(None, name, frozenset()), Term(1, f"{ROW}1.{quoted(column)}", frozenset({column})), frozenset[int]())
        for name, column in target.columns.items()
    )
    return Alternative({1: target.relation}, {1: frozenset()}, equalities)


ROW_ID = "ctid"
"""The column that tells the rows of a table apart, as long as none of them changes."""


@dataclass(frozen=True)
class Way:
    """How a changed row of a table leads to the rows of another.

    Attributes:
        relation: the table whose row has changed, as `schema.name`.
        leads_to: the other table.
        columns: those of the changed row that lead there.
        query: the ids of the rows of the other table that rows of a relation `change` lead to; empty: none do.
        found_by: of each table on the way, and of the other, the expressions by one of which its rows are found.

    """

    relation: str
    leads_to: str
    columns: frozenset[str]
    query: str
    found_by: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Ways:
    """The ways of all tables that a query reads.

    Attributes:
        ways: one for each time that a table is read.
        used: the columns of each table on which the rows of the query depend.

    """

    ways: Sequence[Way]
    used: Mapping[str, frozenset[str]]


def ways_to_rows(
    query: str, columns_of: Mapping[str, Sequence[str]], views: Mapping[str, str], functions: Collection[str] = ()
) -> Ways:
    """Return how changed rows of the tables that a query reads lead to the rows of one of them.

    That row decides a row of the query: if it has changed itself, it is known. So the others lead to it by rows as
    they are now: if several of a combination have changed, the way of the nearest one has unchanged rows.

    Args:
        query: a SELECT that reads `keys`, whose `ctid` is equal to that of the deciding rows.
        columns_of: of each relation.
        views: the definitions of views, by name.
        functions: those that read no tables and return one value, as `schema.name`.

    Raises:
        NotDerivedError: the query cannot be read.

    """
    try:
        alternatives = conditions(query, {**columns_of, "keys": [ROW_ID]}, views, functions)
    except ConditionsError as error:
        raise NotDerivedError(str(error)) from None
    found: dict[tuple[str, str], Way] = {}
    used: dict[str, frozenset[str]] = defaultdict(frozenset)
    for way in alternatives:
        derivation = _Derivation(way, Target("", {ROW_ID: ROW_ID}), {})
        for at, relation in way.relations.items():
            used[relation] |= {column for number, column in way.used if number == at and column != ROW_ID}
            if one := derivation.way_from(at, frozenset(columns_of[relation])):
                found[relation, one.query] = one
    return Ways([*found.values()], used)


def _without(condition: sql.SQL, query: str) -> str:
    return query.replace(f"\n    and {condition.as_string()}", "")


@dataclass(frozen=True)
class _Start:
    """Rows from which the way begins.

    Attributes:
        at: their occurrence.
        rows: where they are, with their alias.
        alias: of them.
        columns: those that are known.
        conditions: which rows matter.
        renamed: columns that have another name there.
        is_gone: whether the row is deleted.

    """

    at: int
    rows: sql.Composable
    alias: str
    columns: frozenset[str]
    conditions: Sequence[sql.Composable] = ()
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    is_gone: bool = False


def _changed(at: int, log: str, columns: frozenset[str], condition: sql.Composable | None = None) -> _Start:
    conditions = [_IS_NEW, *([condition] if condition else [])]
    return _Start(at, _AS.format(trusted(log), trusted(CHANGE)), CHANGE, columns, conditions)


def _in_window(at: int, relation: str, columns_of: Mapping[str, str], said: str) -> _Start:
    """Return the rows of an occurrence that are in the window by a column, or by a span."""
    first, _, last = said.partition("..")
    if missing := {first, last or first} - columns_of.keys():
        raise NotDerivedError(f"{relation} has no column {', '.join(sorted(missing))}; {WINDOW_BY_HAND}")
    alias = quoted(relation.rpartition(".")[2])

    def compared(comparison: sql.SQL, column: str, bound: str) -> sql.Composable:
        kind = _DATE if columns_of[column] == "date" else _TIME
        return comparison.format(trusted(f"{alias}.{quoted(column)}"), kind.format(sql.Placeholder(bound)))

    conditions = [compared(_SINCE, last or first, "window_start"), compared(_UNTIL, first, "window_end")]
    return _Start(at, trusted(_named(relation)), alias, frozenset(columns_of), conditions)


def _of_keys(at: int, relation: str, keys: KeysInWindow) -> _Start:
    alias = quoted(relation.rpartition(".")[2])
    rows = sql.SQL("(\n    {}\n) as {}").format(trusted(keys.query.replace("\n", "\n    ")), trusted(alias))
    return _Start(at, rows, alias, keys.columns)


class _Derivation:
    """The keys of one alternative."""

    def __init__(self, way: Alternative, target: Target, logged: Mapping[str, Logged], remedy: str = KEYS_BY_HAND):
        self.way, self.target, self.logged, self.remedy = way, target, logged, remedy

    def query(self, start: _Start) -> str:
        """Return the query for the keys that rows concern, as all rows are now."""
        return self._query(start, self._path(start))

    def queries(self) -> Iterator[str]:
        starts = list(self._starts())
        paths = [self._path(start) for start in starts]
        over: dict[int, set[int]] = defaultdict(set)
        for start, path in zip(starts, paths, strict=True):
            over[start.at] |= {at for at in path or () if self.way.relations[at] in self.logged} - {start.at}
        for start, path in zip(starts, paths, strict=True):
            # Of rows whose ways lead over each other, all may be gone.
            is_round = any(start.at in _reached(at, over) for at in over[start.at])
            yield self._query(start, None if is_round else path)

    def _starts(self) -> Iterator[_Start]:
        for at, relation in self.way.relations.items():
            source = self.logged.get(relation)
            if source is None:
                continue
            used = {column for number, column in self.way.used if number == at}
            is_same = source.key and source.key <= source.columns and used <= source.columns
            followed = _ONE_OF.format(sql.SQL(", ").join(map(sql.Literal, source.operations)))
            condition = followed if source.operations else _NO_UPDATE if is_same else None
            yield _changed(at, source.log, source.columns, condition)
            for column, log in source.parents.items():
                gone = _changed(at, log, frozenset({column}), _DELETE)
                yield replace(gone, renamed={column: "id"}, is_gone=True)

    def _asked(self, classes: Mapping[tuple[int | None, str], int]) -> tuple[dict[str, int], dict[int, Term], set[int]]:
        """Return the classes of the keys, those of constants, and those of keys that are none."""
        keys = {name: classes[None, name] for name in self.target.columns if (None, name) in classes}
        constants = {
            classes[term.at, term.text]: term
            for left, right, _ in self.way.equalities
            for term in (left, right)
            if term.at == CONSTANT and (term.at, term.text) in classes
        }
        return keys, constants, set(keys.values()) - constants.keys()

    def _path(self, start: _Start) -> list[int] | None:
        """Return the way to the keys, if a single table gives all of their columns."""
        classes = self._classes(start)
        keys, _, asked = self._asked(classes)
        return (
            self._to_one(start, self._terms(start, classes), asked)
            if keys.keys() == self.target.columns.keys()
            else None
        )

    def _query(self, start: _Start, path: Sequence[int] | None) -> str:
        classes = self._classes(start)
        terms = self._terms(start, classes)
        keys, constants, asked = self._asked(classes)
        if path is not None:
            found = terms[path[-1]] | constants
            return self._text(start, path, terms, {name: found[of] for name, of in keys.items()}, with_former=False)
        tree, nearest = self._to_all(start, terms)
        found = {of: terms[at][of] for of, at in nearest.items()} | constants
        provided = {name: found[of] for name, of in keys.items() if of in found}
        visited = {at for of in asked & nearest.keys() for at in self._line(tree, nearest[of])}
        joined = [at for at in tree if at in visited or at == start.at]
        if len(provided) == len(self.target.columns):
            return self._text(start, joined, terms, provided, with_former=True)
        if start.is_gone and provided:
            return self._text(start, joined, terms, provided, with_former=True)
        relation, missing = self.way.relations[start.at], sorted(self.target.columns.keys() - provided.keys())
        raise NotDerivedError(
            f"a row of {relation} does not lead to {', '.join(missing)}: no equality does from the columns that are "
            f"known of it ({', '.join(sorted(start.columns))}); {self.remedy}"
        )

    def way_from(self, at: int, columns: frozenset[str]) -> Way | None:
        """Return the way from changed rows of an occurrence to the row ids; None: they are its own."""
        start = _Start(at, trusted(CHANGE), CHANGE, columns)
        path, terms = self._path(start), self._terms(start, self._classes(start))
        if path == [at]:
            return None
        if path is None:
            return Way(self.way.relations[at], "", frozenset(), "")
        aliases = self._aliases(start, path)
        query = _ROW_IDS.format(
            id=trusted(f"{aliases[path[-1]]}.{ROW_ID}"),
            change=trusted(CHANGE),
            joins=sql.SQL("").join(self._joins(start, path, terms, aliases, with_former=False)),
        )
        text = query.as_string().replace("%%", "%")
        references = map(trees.names_of, trees.nodes(trees.select_of(text), ast.ColumnRef))
        read = frozenset(column for table, column in references if table == CHANGE)
        found_by = tuple(
            (
                _named(self.way.relations[to]),
                tuple(terms[to][of].text.replace(f"{ROW}{to}.", "") for of in terms[to].keys() & terms[before].keys()),
            )
            for before, to in pairwise(path)
        )
        return Way(self.way.relations[at], self.way.relations[path[-1]], read, text, found_by)

    def _classes(self, start: _Start) -> dict[tuple[int | None, str], int]:
        """Return which terms are equal wherever a row of the start has an effect, by the number of their class."""
        here = self.way.groups_of(start.at)
        found: dict[tuple[int | None, str], int] = {}
        members: dict[int, list[tuple[int | None, str]]] = {}
        for left, right, groups in self.way.equalities:
            if not groups <= here or not all(self._is_there(term, start) for term in (left, right)):
                continue
            for term in (left, right):
                if (term.at, term.text) not in found:
                    found[term.at, term.text] = len(members)
                    members[len(members)] = [(term.at, term.text)]
            one, other = found[left.at, left.text], found[right.at, right.text]
            if one != other:
                for member in members.pop(other):
                    found[member] = one
                    members[one].append(member)
                members[other] = []
        return found

    def _is_there(self, term: Term, start: _Start) -> bool:
        """Whether a term has a value where a row of the start has an effect, and can be read."""
        if term.others[0] <= start.at <= term.others[1]:
            return False
        if term.at in (None, CONSTANT):
            return True
        is_known = term.at != start.at or term.columns <= start.columns
        return is_known and self.way.groups[term.at] <= self.way.groups_of(start.at)

    def _terms(self, start: _Start, classes: Mapping[tuple[int | None, str], int]) -> dict[int, dict[int, Term]]:
        """Return the terms of each occurrence, by their class."""
        found: dict[int, dict[int, Term]] = defaultdict(dict)
        for left, right, _ in self.way.equalities:
            for term in (left, right):
                if term.at and (term.at, term.text) in classes and self._is_there(term, start):
                    found[term.at].setdefault(classes[term.at, term.text], term)
        found[start.at] = found.get(start.at, {})
        return found

    def _steps(self, at: int, terms: Mapping[int, Mapping[int, Term]]) -> Iterator[int]:
        return (other for other in sorted(terms) if other != at and terms[at].keys() & terms[other].keys())

    def _to_one(self, start: _Start, terms: Mapping[int, Mapping[int, Term]], asked: set[int]) -> list[int] | None:
        """Return the shortest way to an occurrence that has a term of each of these classes."""
        queue, seen = deque([[start.at]]), {start.at}
        while queue:
            path = queue.popleft()
            if asked <= terms[path[-1]].keys():
                return path
            for other in self._steps(path[-1], terms):
                if other not in seen:
                    seen.add(other)
                    queue.append([*path, other])
        return None

    def _to_all(
        self, start: _Start, terms: Mapping[int, Mapping[int, Term]]
    ) -> tuple[dict[int, int | None], dict[int, int]]:
        """Return from where each occurrence is reached, nearest first, and the nearest one that has each class."""
        tree: dict[int, int | None] = {start.at: None}
        nearest = dict.fromkeys(terms[start.at], start.at)
        queue = deque([start.at])
        while queue:
            at = queue.popleft()
            for other in self._steps(at, terms):
                if other not in tree:
                    tree[other] = at
                    queue.append(other)
                    nearest = dict.fromkeys(terms[other], other) | nearest
        return tree, nearest

    @staticmethod
    def _line(tree: Mapping[int, int | None], at: int | None) -> Iterator[int]:
        while at is not None:
            yield at
            at = tree[at]

    def _text(
        self,
        start: _Start,
        joined: Sequence[int],
        terms: Mapping[int, Mapping[int, Term]],
        provided: Mapping[str, Term],
        *,
        with_former: bool,
    ) -> str:
        aliases = self._aliases(start, joined)
        joins = self._joins(start, joined, terms, aliases, with_former=with_former)

        def said(term: Term) -> sql.Composable:
            return _said(term, start, aliases)

        selected = {name: said(term) for name, term in provided.items()}
        where = [*start.conditions, *(_GIVEN.format(said(term)) for term in provided.values() if term.at == start.at)]
        if missing := self.target.columns.keys() - provided.keys():
            present = {name: trusted(f"present.{quoted(column)}") for name, column in self.target.columns.items()}
            same = _and(_EQUAL.format(present[name], of) for name, of in selected.items())
            rows = trusted(_named(self.target.relation))
            joins.append(_join(rows, "present", same))
            selected |= {name: present[name] for name in missing}
        shown = [
            selected[name] if quoted(name) == column else _AS.format(selected[name], trusted(quoted(name)))
            for name in self.target.columns
            for column in [selected[name].as_string().rpartition(".")[2]]
        ]
        text = _QUERY.format(
            keys=sql.SQL(",\n    ").join(shown),
            break_=sql.SQL("\n    " if len(shown) > 1 else " "),
            rows=start.rows,
            joins=sql.SQL("").join(joins),
            where=sql.SQL("where {}" if where else "{}").format(_and(where, "\n    and ")),
        )
        return text.as_string().rstrip()

    def _joins(
        self,
        start: _Start,
        joined: Sequence[int],
        terms: Mapping[int, Mapping[int, Term]],
        aliases: Mapping[int, str],
        *,
        with_former: bool,
    ) -> list[sql.Composable]:
        """Return the joins of the occurrences after the first."""
        joins: list[sql.Composable] = []
        known = dict(terms[start.at])
        for at in joined[1:]:
            shared = sorted(terms[at].keys() & known.keys())
            needed = {column for of in terms[at].values() for column in of.columns}
            rows = self._rows(at, needed, with_former)
            equal = _and(
                _EQUAL.format(_said(terms[at][of], start, aliases), _said(known[of], start, aliases)) for of in shared
            )
            joins.append(_join(rows, aliases[at], equal))
            known = {**terms[at], **known}
        return joins

    def _aliases(self, start: _Start, joined: Sequence[int]) -> dict[int, str]:
        """Return the names of occurrences: those of their tables, with a number if one occurs twice."""
        found = {start.at: start.alias}
        for at in joined[1:]:
            name = self.way.relations[at].rpartition(".")[2]
            names = chain([name], (f"{name}_{number}" for number in count(2)))
            found[at] = next(one for one in map(quoted, names) if one not in found.values())
        return found

    def _rows(self, at: int, needed: set[str], with_former: bool) -> sql.Composable:
        """Return the rows of an occurrence; those that it had since the watermark, too, if this is asked for."""
        relation = self.way.relations[at]
        relation = self.target.relation if relation == "present" else relation
        source = self.logged.get(relation)
        if not with_former or source is None:
            return trusted(_named(relation))
        if source.parents:
            raise NotDerivedError(
                f"rows of {relation}, by which changes of other sources lead to the keys, may be deleted unlogged: "
                f"{self.remedy}"
            )
        if not needed <= source.columns:
            lost = ", ".join(sorted(needed - source.columns))
            raise NotDerivedError(
                f"the log of {relation} does not have {lost}, by which changed rows of other sources lead to the keys: "
                f"log it, too, choose other keys, or {self.remedy}"
            )
        return _WITH_FORMER.format(
            columns=sql.SQL(", ").join(trusted(quoted(column)) for column in sorted(needed)),
            relation=trusted(_named(relation)),
            log=trusted(source.log),
        )


def _said(term: Term, start: _Start, aliases: Mapping[int, str]) -> sql.Composable:
    """Return the text of a term, in a statement with parameters."""
    text = _ROWS.sub(lambda found: aliases[int(found[1])], term.text).replace("%", "%%")
    for column, logged in start.renamed.items() if term.at == start.at else ():
        text = text.replace(f"{start.alias}.{column}", f"{start.alias}.{logged}")
    return trusted(text)


def _named(relation: str) -> str:
    return ".".join(map(quoted, relation.split(".")))


def _reached(at: int, over: Mapping[int, set[int]]) -> set[int]:
    """Return what can be reached from there, with itself."""
    found, queue = {at}, [at]
    while queue:
        more = over.get(queue.pop(), set()) - found
        found |= more
        queue += more
    return found


def _join(rows: sql.Composable, alias: str, conditions: sql.Composable) -> sql.Composable:
    named = rows if rows.as_string().rpartition(".")[2] == alias else _AS.format(rows, trusted(alias))
    join = _JOIN.format(rows=named, break_=sql.SQL(" "), conditions=conditions)
    is_long = max(map(len, join.as_string().splitlines())) > LINE
    return _JOIN.format(rows=named, break_=sql.SQL("\n    "), conditions=conditions) if is_long else join


def _and(conditions: Iterable[sql.Composable], between: LiteralString = " and ") -> sql.Composable:
    return sql.SQL(between).join(conditions)
