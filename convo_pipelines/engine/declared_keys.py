"""The `keys.sql` and `window.sql` of a table that follow from its `rows.sql` and from what it declares."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from convo_pipelines.database.declarations import columns, sources
from convo_pipelines.database.schema import definitions
from convo_pipelines.database.statements import statement
from convo_pipelines.engine.derive import (
    WINDOW_BY_HAND,
    KeysInWindow,
    Logged,
    NotDerivedError,
    Target,
    derived_keys,
    derived_windows,
)
from convo_pipelines.engine.registry import OWN_WINDOW, DerivedTable

HEADER = "-- The keys whose rows may have changed. Derived from rows.sql by `make keys`: edit that."
WINDOW_HEADER = (
    "-- The keys with activity in a window. Derived from rows.sql and `days` in table.toml by `make keys`: edit these."
)
_VIEW = re.compile(r"^create or replace view (\S+) as\n(.*?);", re.DOTALL | re.MULTILINE)


def keys_of(table: DerivedTable) -> str:
    """Return the text of `keys.sql` of a table: what follows from its `rows.sql`.

    Raises:
        NotDerivedError: the keys that changes of a source concern do not follow from the query.

    """
    query, target = _rows_of(table)
    queries = derived_keys(query, target, logged(table), _known(table), _views(table), _functions())
    header = f"""{HEADER}
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: {", ".join(table.grain.columns)}
"""
    return header + _union(queries) + ";\n"


def window_of(table: DerivedTable) -> str:
    """Return the text of `window.sql` of a table: what follows from its `rows.sql`, and from the days that it declares.

    Raises:
        NotDerivedError: the keys that rows of a source concern do not follow from the query.

    """
    header = f"""{WINDOW_HEADER}
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: {", ".join(table.grain.columns)}
"""
    return header + _union(_windows_of(table)) + ";\n"


def _windows_of(table: DerivedTable) -> list[str]:
    days, windows = dict[str, Sequence[str]](), dict[str, KeysInWindow]()
    others = {other.target: other for other in table.registry if other.days and other is not table}
    for relation, by in table.days.items():
        if by != (OWN_WINDOW,):
            days[relation] = by
        elif other := others.get(relation):
            same = frozenset(key for key, column in other.grain.keyed_by if key == column)
            windows[relation] = KeysInWindow(_union(_windows_of(other)), same)
        else:
            raise NotDerivedError(f"{relation} is no other derived table with `days`; {WINDOW_BY_HAND}")
    query, target = _rows_of(table)
    return derived_windows(query, target, days, _known(table), _views(table), _functions(), windows)


def _union(queries: Iterable[str]) -> str:
    return "\nunion\n".join(queries)


def _rows_of(table: DerivedTable) -> tuple[str, Target]:
    """Return the query for the rows of a table, and the table."""
    return of_rows(statement(f"tables/{table.name}/rows").as_string()), Target(table.target, dict(table.grain.keyed_by))


def _known(table: DerivedTable) -> Mapping[str, Mapping[str, str]]:
    return {**columns(), "present": columns().get(table.target, {})}


def of_rows(text: str) -> str:
    """Return the text of `rows.sql` as PostgreSQL's parser reads it, with parameters that it knows."""
    return re.sub(r"%\(\w+\)s", "$1", text).replace("%%", "%").rstrip().removesuffix(";")


def logged(table: DerivedTable) -> dict[str, Logged]:
    """Return the relations whose changes a table follows, if they are there, and those whose are logged."""
    followed: dict[str, list[str]] = defaultdict(list)
    for change in table.changes:
        source, _, operation = change.partition(" ")
        followed[source] += [operation] if operation else []
    found: dict[str, Logged] = {}
    for name, said in sources().items():
        log, known = table.registry.logs[name], frozenset(said.logged)
        # A trigger function by hand says that values of a row were updated, too.
        key = frozenset[str](() if said.also_logged else said.key)
        found[said.table] = Logged(
            f"analytics.{log.changed}", known, followed[name], key if key <= known else frozenset()
        )
    for other in table.registry:
        if other.target == f"analytics.{other.name}" and other is not table:
            parents = {} if other.log.has_triggers else dict(other.rows.parents)
            found[other.target] = Logged(
                f"analytics.{other.log.name}",
                frozenset(other.log.columns) & {*columns()[other.target]},
                followed[other.name],
                parents={
                    column: f"analytics.{table.registry.logs[parent].changed}" for column, parent in parents.items()
                },
            )
    return found


def _views(table: DerivedTable) -> dict[str, str]:
    texts = [of.text for of in definitions("analytics").values() if of.kind == "view"]
    found = (found for text in texts for found in _VIEW.finditer(text))
    return {one[1]: one[2] for one in found if one[1] not in table.registry.logs}


def _functions() -> frozenset[str]:
    """Return the functions that read no tables, as they are immutable, and return one value."""
    functions = (of for of in definitions("analytics").values() if of.kind == "function")
    return frozenset(
        of.name
        for of in functions
        if re.search(r"\bimmutable\b", of.text) and not re.search(r"\breturns (setof|table)\b", of.text)
    )
