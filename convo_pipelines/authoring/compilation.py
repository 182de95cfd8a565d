"""From a declared table to what the engine reads: its `table.toml`, `table.sql`, `rows.sql`, `keys.sql` and others.

Columns and types are those of the SELECT, as the database describes it. Keys follow from it. What it reads is captured.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import tomlkit
from postgast import pg_query_pb2 as ast
from postgast.pg_query_pb2 import SelectStmt
from psycopg import sql

from convo_pipelines.authoring import determinism
from convo_pipelines.authoring.checks import checks
from convo_pipelines.authoring.declaration import JOBS, Declaration
from convo_pipelines.authoring.lineage import lineage
from convo_pipelines.database import declarations, own_tables, trees
from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import error_message, fetch
from convo_pipelines.database.statements import FORMAT, fragment, trusted
from convo_pipelines.database.templates import OF_ITS_OWN
from convo_pipelines.database.trees import quoted
from convo_pipelines.engine.declared_keys import of_rows
from convo_pipelines.engine.derive import Logged, NotDerivedError, Target, derived_keys
from convo_pipelines.engine.expressions import SETS
from convo_pipelines.engine.registry import Registry

OF_LOGS = {"operation", "xid", "logged_at", "snapshot", "xids", "beneath", "beneath_values"}
RESERVED = {
    "change", "convo_rows", "day_of_row", "is_news", "logged_at", "operation", "part", "present", "refreshed_at",
    "wanted", "xid",
}  # fmt: skip
"""Names that columns cannot have: the engine gives them to its own."""
OF_KEYS = {
    "crash_token", "definition", "is_everything", "keys", "operations", "taken_at", "to_snapshot", "written_at",
}  # fmt: skip
"""Names that columns of keys cannot have, either."""
_PLACEHOLDERS = {*"%{}"}
LONGEST = 48
"""Longer names of sources are shortened: with what is appended, PostgreSQL allows no more."""
OURS = declarations.of_ours()
REMEDY = (
    "if rows decide about each other, as in a window, declare the columns that these have in common, as "
    '`-- by = "client_id"`; or choose a key that equalities lead to'
)
NO_TABLE = {"m": "a materialized view", "f": "a foreign table"}


@dataclass(frozen=True)
class Compiled:
    """What is generated from a declared table.

    Attributes:
        declared: the table.
        columns: of its rows, with their types.
        files: the text of each generated file, by its name.
        reads: the sources whose triggers and logs are generated, and further columns of other logs, by their names.

    """

    declared: Declaration
    columns: dict[str, str]
    files: Mapping[str, str]
    reads: Mapping[str, Any]


def compiled(connection: Connection, declared: Declaration, registry: Registry) -> Compiled:
    """Compile a table.

    Args:
        connection: to a database that has what it reads.
        declared: the table.
        registry: the tables that are there, of which it may follow some.

    Raises:
        RowsError: the SELECT fails, is not deterministic, or keys do not follow from it.

    """
    with connection.transaction():
        connection.execute("set local search_path = ''")
        relations = _relations(connection, declared)
        _check_names(connection, declared)
        views = {name: trees.select_of(relations[name]["definition"]) for name in _views(relations)}
        with connection.transaction(force_rollback=True):
            stored = _stored(connection, declared)
            columns = _columns(connection, declared)
            functions = _functions(connection, declared, views)
        depends = own_tables.depends(connection, {*views, *functions})
    _check_declared(declared, columns)
    keys_of = {name: [frozenset(key) for key in of["keys"]] for name, of in relations.items()}
    determinism.check(declared, keys_of | _keys_of_derived(registry), views, stored)
    sources = _sources(declared, relations, registry)
    queries, logged = _Keys(declared, relations, functions, sources).derive()
    definitions = {name: relations[name]["definition"] for name in views}
    read = lineage(declared.tree, {name: list(of["columns"]) for name, of in relations.items()}, definitions)
    files = {
        "rows.sql": rows_of(declared),
        "keys.sql": _header("The keys whose rows may have changed.") + "\nunion\n".join(queries) + ";\n",
        "steps.sql": _every(declared),
    }
    if "day" in declared.said:
        files["window.sql"] = _window(declared, columns)
    definition = own_tables.digest("".join([str(columns), str(depends), *files.values()]))
    files["table.sql"] = _table(declared, columns)
    files["table.toml"] = _toml(declared, definition, depends, columns, sources, logged, read)
    files |= {f"checks/{check}.sql": text for check, text in checks(declared, columns).items()}
    return Compiled(declared, columns, files, _reads(declared, sources, logged))


# What it reads


def _relations(connection: Connection, declared: Declaration) -> dict[str, Row]:
    """Return what the catalog says of all relations that the query reads, also through views, by their names."""
    found = dict[str, Row]()
    trees_left: list[tuple[SelectStmt, bool]] = [(declared.tree, True)]
    while trees_left:
        tree, is_own = trees_left.pop()
        named = {table: place for table, place in _tables(declared, tree, is_own) if table not in found}
        rows = {row["name"]: row for row in fetch(connection, "authoring/compilation/relations", names=[*named])}
        for name, place in named.items():
            if name not in rows:
                raise declared.error(f"there is no table or view {name}", place if is_own else None)
            row = found[name] = rows[name]
            if name in _views({name: row}):
                trees_left.append((trees.select_of(row["definition"]), False))
            elif kind := NO_TABLE.get(row["kind"]):
                raise declared.error(
                    f"{name} is {kind}, whose changes cannot be captured: read the tables beneath it",
                    place if is_own else None,
                )
            elif row["is_histories"]:
                raise declared.error(
                    f"{name} is the histories table of a crew, of which only session ids and days are logged: read "
                    "analytics.histories_sessions, or a table of yours that a trigger on it fills",
                    place if is_own else None,
                )
    return found


def _check_declared(declared: Declaration, columns: Mapping[str, str]) -> None:
    """Refuse a personal column that is not there, and a day that is none."""
    if unknown := [name for name in declared.said.get("personal", []) if name not in columns]:
        raise declared.error(f"there is no column {unknown[0]}: the SELECT returns {', '.join(columns)}")
    day = declared.said.get("day")
    if day and not columns[day].startswith(("date", "timestamp")):
        raise declared.error(f"day = {day}: its values are {columns[day]}, neither days nor times")


def key_of(connection: Connection, relation: str) -> set[str]:
    """Return the columns of the primary key of a table that is there."""
    [found] = fetch(connection, "authoring/compilation/relations", names=[relation])
    return {*found["keys"][0]}


def _views(relations: Mapping[str, Row]) -> list[str]:
    """Return the views that are looked through: not those of the application in place of tables."""
    known = {source.table for source in OURS.values()}
    return [name for name, of in relations.items() if of["kind"] == "v" and name not in known]


def reads_of(declared: Declaration) -> set[str]:
    """Return the tables in `analytics` that a query names."""
    named = (table for table, _ in _tables(declared, declared.tree, is_own=True))
    return {name.partition(".")[2] for name in named if name.startswith("analytics.")}


def _tables(declared: Declaration, tree: SelectStmt, is_own: bool) -> Iterable[tuple[str, int]]:
    named = {of.ctename for of in trees.nodes(tree, ast.CommonTableExpr)}
    for table in trees.nodes(tree, ast.RangeVar):
        if "." in table.schemaname + table.relname:
            raise declared.error(f"{table.schemaname}.{table.relname} has a point in its name", table.location)
        if table.schemaname:
            yield f"{table.schemaname}.{table.relname}", table.location
        elif table.relname not in named and is_own:
            raise declared.error(
                f"{table.relname} has no schema: write, for example, app.{table.relname}", table.location
            )


def _check_names(connection: Connection, declared: Declaration) -> None:
    """Refuse a query that fails, or whose columns have no names of their own."""
    query = fragment("authoring/compilation/described").format(query=trusted(declared.query))
    try:
        with connection.transaction():
            described = connection.execute(query.as_bytes()).description or []
    except psycopg.Error as error:
        position = error.diag.statement_position
        at = len(query.as_string()[: int(position) - 1].encode()) - len(b"select * from (\n") if position else None
        hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
        if isinstance(error, psycopg.errors.UndefinedFunction | psycopg.errors.UndefinedObject):
            hint += "; what is not PostgreSQL's own needs its schema, as in app.name"
        raise declared.error(f"{error_message(error)}{hint}", at) from None
    names = [column.name for column in described]
    for number, name in enumerate(names, 1):
        if name == "?column?" or names.count(name) > 1:
            raise declared.error(f"column {number} has no name of its own: write `… as name`")
        if name in RESERVED or _PLACEHOLDERS & {*name} or (name in OF_KEYS and name in {*declared.key, *declared.by}):
            raise declared.error(f"{name} cannot be the name of a column: write `… as another_name`")
    for name in [*declared.key, *declared.by, *declared.comments, *filter(None, [declared.said.get("day")])]:
        if name in declared.key and declared.key.count(name) > 1:
            raise declared.error(f"{name} is twice in the key")
        if name not in names:
            several = json.dumps(re.split(r"\s*,\s*", name))
            hint = f"; several columns are written {several}" if "," in name else ""
            raise declared.error(f"there is no column {name}: the SELECT returns {', '.join(names)}{hint}")


def _stored(connection: Connection, declared: Declaration) -> SelectStmt:
    """Store the query as a temporary view; return what PostgreSQL understands."""
    query = fragment("authoring/compilation/store").format(query=trusted(declared.query))
    try:
        connection.execute(query.as_bytes())
    except psycopg.Error as error:
        raise declared.error(error_message(error)) from None
    [stored] = fetch(connection, "authoring/compilation/stored")
    return trees.select_of(stored["query"])


def _columns(connection: Connection, declared: Declaration) -> dict[str, str]:
    """Return the columns of the stored query and their types."""
    found = fetch(connection, "authoring/compilation/types")
    for of in found:
        name = of["name"]
        if not of["is_comparable"]:
            raise declared.error(f"values of {of['type']} cannot be compared: cast column {name} to jsonb or text")
        if of["collation"]:
            raise declared.error(f'{name} has a collation of its own: write `… collate "default" as {name}`')
        if of["is_array"] and name in {*declared.key, *declared.by}:
            raise declared.error(f"{name} is an array, which cannot be a key: use unnest(), or cast it to text")
    return {of["name"]: of["type"] for of in found}


OF_THE_CLOCK = {"now", "statement_timestamp", "transaction_timestamp"}
OF_THE_SESSION = {
    "current_database", "current_query", "current_schema", "current_schemas", "current_setting",
    "get_current_ts_config", "inet_client_addr", "inet_client_port", "inet_server_addr", "inet_server_port",
    "pg_backend_pid", "pg_column_size", "pg_conf_load_time", "pg_current_snapshot", "pg_current_xact_id",
    "pg_current_xact_id_if_assigned", "pg_postmaster_start_time", "pg_trigger_depth", "txid_current",
    "txid_current_if_assigned", "txid_current_snapshot", "version",
}  # fmt: skip


def _functions(connection: Connection, declared: Declaration, views: Iterable[str]) -> frozenset[str]:
    """Return the functions that read no tables, and return one value; refuse those that are not deterministic."""
    places = {call.funcname[-1].string.sval: call.location for call in trees.nodes(declared.tree, ast.FuncCall)}
    found = fetch(connection, "authoring/compilation/functions", views=[*views])
    for row in found:
        name, is_ours = row["name"], row["schema_name"] == "pg_catalog"
        said = ""
        if row["volatility"] == "v":
            said = "is volatile: its result is not certain"
        elif is_ours and (name in OF_THE_CLOCK or (name == "age" and row["arguments"] == 1)):
            said = f"is not deterministic: {determinism.NOW}"
        elif is_ours and name in OF_THE_SESSION:
            said = "is not deterministic: its result depends on the session"
        elif row["is_inexact"]:
            said = "of floating-point numbers depends on their order: cast them to numeric"
        elif row["kind"] != "f" and not is_ours:
            said = "is an aggregate whose keys are not known: use one of PostgreSQL's"
        elif is_ours and row["is_set"] and name not in SETS:
            said = f"returns several rows: use one of {', '.join(sorted(SETS))}"
        elif not is_ours and (row["volatility"] != "i" or row["is_set"]):
            said = "may read tables: write its query here, or declare it IMMUTABLE if it reads none"
        if said:
            shown = name if is_ours else f"{row['schema_name']}.{name}"
            raise declared.error(f"{shown}() {said}", places.get(name))
    return frozenset(f"{row['schema_name']}.{row['name']}" for row in found if row["schema_name"] != "pg_catalog")


def _keys_of_derived(registry: Registry) -> dict[str, list[frozenset[str]]]:
    return {table.target: [frozenset(table.rows.key)] for table in registry if table.target.startswith("analytics.")}


@dataclass(frozen=True)
class _Source:
    """A table or view whose changes a table follows.

    Attributes:
        name: of the source, or of the derived table.
        relation: as `schema.name`.
        types: of its columns.
        key: columns that no two rows share.
        log: the relation in `analytics` with its logged changes.
        logged: the columns that its log has anyway.
        is_new: whether its triggers and its log are generated.
        is_derived: whether it is a derived table.

    """

    name: str
    relation: str
    types: Mapping[str, str]
    key: Sequence[str]
    log: str
    logged: Sequence[str]
    is_new: bool = False
    is_derived: bool = False

    @property
    def logs_as_updates(self) -> bool:
        """Whether its log says of a row with other logged values, too, that it was updated."""
        return self.name in OF_ITS_OWN


def _sources(declared: Declaration, relations: Mapping[str, Row], registry: Registry) -> list[_Source]:
    """Return what it reads, and how it is logged."""
    derived = {table.target: table for table in registry if table.target == f"analytics.{table.name}"}
    ours = {of.table: name for name, of in OURS.items()}
    taken = {name: of.table for name, of in declarations.sources().items()}
    if source := taken.get(declared.name):
        raise declared.error(f"the log of {source} has the name {declared.name}_changes: rename the folder")
    found: list[_Source] = []
    for relation, of in relations.items():
        schema, _, table = relation.partition(".")
        types: dict[str, str] = of["columns"]
        key: list[str] = of["keys"][0] if of["keys"] else []
        if relation == f"analytics.{declared.name}":
            raise declared.error(f"{declared.name} reads itself")
        if followed := derived.get(relation):
            logged = [*declarations.tables()[followed.name]["logged"]]
            found.append(_Source(followed.name, relation, types, key, followed.log.name, logged, is_derived=True))
        elif name := ours.get(relation):
            log = declarations.logs()[name].changed
            found.append(_Source(name, relation, types, OURS[name].key, log, OURS[name].logged))
        elif of["kind"] != "v":
            if schema in ("pg_catalog", "information_schema"):
                raise declared.error(f"{relation} is a catalog, whose changes cannot be captured")
            if schema == "analytics":
                raise declared.error(f"{relation} is a table of the pipeline's own, whose changes are not logged")
            if not key:
                raise declared.error(f"{relation} has no primary key: add one, so that its changes can be captured")
            name = _name_of_log(table if schema == "app" else f"{schema}_{table}")
            if taken.setdefault(name, relation) != relation or name in registry.tables or name == declared.name:
                raise declared.error(f"{relation} would be logged by the name of another, {name}: rename one of them")
            found.append(_Source(name, relation, types, key, f"{name}_changes", key, is_new=True))
    return sorted(found, key=lambda source: source.name)


def _name_of_log(relation: str) -> str:
    """Return the name under which a relation is logged, which needs no quotes."""
    name = re.sub(r"\W", "_", relation.lower())
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


# The keys


def _keyed(declared: Declaration, query: str) -> str:
    """Return the query, narrowed to `keys`: by single columns, which PostgreSQL can push down, and as a whole."""
    columns = [sql.SQL("rows.{name} = any(array(select {name} from keys))").format(name=name) for name in _by(declared)]
    of_rows = sql.SQL(", ").join(sql.SQL("rows.{}").format(name) for name in _by(declared))
    whole = sql.SQL("({}) in (select {} from keys)").format(of_rows, sql.SQL(", ").join(_by(declared)))
    conditions = sql.SQL("\n    and ").join([*columns, *([whole] if len(columns) > 1 else [])])
    return _composed("keyed", query=trusted(query), conditions=conditions)


def _by(declared: Declaration) -> list[sql.SQL]:
    return [trusted(quoted(name)) for name in declared.by]


def _composed(name: str, **names: sql.Composable) -> str:
    return fragment(f"authoring/compilation/{name}").format(**names).as_string()


@dataclass(frozen=True)
class _Keys:
    """Derives the keys of a table."""

    declared: Declaration
    relations: Mapping[str, Row]
    functions: frozenset[str]
    sources: Sequence[_Source]

    def derive(self) -> tuple[list[str], dict[str, list[str]]]:
        """Return the queries for the keys that changes concern, and the columns that the log of each source needs."""
        every = {source.name: frozenset(source.types) for source in self.sources}
        least = {of.name: every[of.name] if of.is_new else frozenset(of.logged) for of in self.sources}
        try:
            try:
                queries = self._queries(least)
            except NotDerivedError:
                queries = self._queries(every)
            needed = {source.name: self._read(source, queries) | frozenset(source.logged) for source in self.sources}
            queries = self._queries(needed)
        except NotDerivedError as error:
            raise self.declared.error(str(error)) from None
        columns = {source.name: [one for one in source.types if one in needed[source.name]] for source in self.sources}
        for source in self.sources:
            for column in columns[source.name]:
                self._check_logged(source, column)
        return queries, columns

    def _check_logged(self, source: _Source, column: str) -> None:
        """Refuse columns that a log cannot have."""
        if column in self.relations[source.relation]["vague"]:
            raise self.declared.error(
                f"the keys depend on {column} of {source.relation}, whose collation is not deterministic: "
                "choose another key"
            )
        if column in source.logged and not source.is_new:
            return
        of = source.types[column]
        if of.endswith("[]") or of in ("json", "xml", "point"):
            raise self.declared.error(
                f"the keys depend on {column} of {source.relation}, whose type {of} cannot be logged: "
                "choose another key"
            )
        if column in OF_LOGS or _PLACEHOLDERS & {*column}:
            raise self.declared.error(
                f"the keys depend on {column} of {source.relation}, a name that logs cannot have: choose another key"
            )

    def _queries(self, columns: Mapping[str, frozenset[str]]) -> list[str]:
        logged: dict[str, Logged] = {}
        for source in self.sources:
            key = frozenset(source.key)
            is_known = key <= columns[source.name] and not source.logs_as_updates
            logged[source.relation] = Logged(
                f"analytics.{source.log}", columns[source.name], key=key if is_known else frozenset[str]()
            )
        columns_of = {name: list(of["columns"]) for name, of in self.relations.items()}
        columns_of["keys"] = list(self.declared.by)
        views = {name: self.relations[name]["definition"] for name in _views(self.relations)}
        target = Target(f"analytics.{self.declared.name}", {name: name for name in self.declared.by})
        query = _keyed(self.declared, self.declared.query)
        return derived_keys(query, target, logged, columns_of, views, self.functions, REMEDY)

    @staticmethod
    def _read(source: _Source, queries: Sequence[str]) -> frozenset[str]:
        """Return the columns of the log of a source that queries read."""
        found = set[str]()
        for query in queries:
            tree = trees.select_of(of_rows(query))
            references = [trees.names_of(reference) for reference in trees.nodes(tree, ast.ColumnRef)]
            for table in trees.nodes(tree, ast.RangeVar):
                if (table.schemaname, table.relname) == ("analytics", source.log):
                    alias = table.alias.aliasname or table.relname
                    found |= {of[-1] for of in references if of[0] == alias}
        return frozenset(found) & frozenset(source.types)


def _reads(
    declared: Declaration, sources: Sequence[_Source], logged: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Any]]:
    """Return what `[reads]` says: the sources that are not the pipeline's own, and further columns of their logs."""
    found = dict[str, Any]()
    for source in sources:
        more = [column for column in logged[source.name] if source.is_new or column not in source.logged]
        if not source.is_derived and more:
            schema, _, relation = source.relation.partition(".")
            columns = {column: {"type": of, "meaning": "Of the application."} for column, of in source.types.items()}
            found[source.name] = {
                "meaning": f"Read by {declared.name}.",
                "schema": schema,
                "relation": relation,
                "key": list(source.key),
                "logged": more,
                "columns": columns,
            }
    return found


def _logs(sources: Sequence[_Source], logged: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Return what `[logs]` says: further columns of the logs of derived tables."""
    found = {
        source.name: {column: source.types[column] for column in logged[source.name] if column not in source.logged}
        for source in sources
        if source.is_derived
    }
    return {name: columns for name, columns in found.items() if columns}


# The files


def _header(said: str) -> str:
    return f"-- {said} Generated from rows.sql by `convo-pipelines table apply`: edit that.\n"


def _escaped(text: str) -> str:
    """Return a part of a query as a statement of `sql/` writes it."""
    return text.replace("{", "{{").replace("}", "}}").replace("%", "%%")


def rows_of(declared: Declaration) -> str:
    """Return the generated `rows.sql`: the rows of `keys`."""
    personal = declared.said.get("personal", [])
    names = {
        "rows": trusted(_keyed(declared, _escaped(declared.query))),
        "key": sql.SQL(", ").join(trusted(quoted(name)) for name in declared.key),
        "named": trusted(_escaped(_literal(", ".join(declared.key)))),
        "shown": sql.SQL(", ").join(trusted("'…'" if name in personal else quoted(name)) for name in declared.key),
    }
    return f"{_header('The rows of the keys.')}{_composed('unique', **names)};\n"


def _table(declared: Declaration, columns: Mapping[str, str]) -> str:
    relation = f"analytics.{declared.name}"
    typed = [f"    {quoted(name)} {of}{' not null' * (name in declared.key)},\n" for name, of in columns.items()]
    personal = declared.said.get("personal", [])
    meanings = {name: declared.comments.get(name, f"See {declared.name}.") for name in columns}
    meanings = {name: meaning + " Personal data." * (name in personal) for name, meaning in meanings.items()}
    meanings["refreshed_at"] = "Start of the transaction that last wrote this row."
    comments = [
        f"comment on column {relation}.{quoted(name)} is\n{_literal(meaning)};\n" for name, meaning in meanings.items()
    ]
    said = _literal(declared.description or f"Rows of {declared.name}.")
    return (
        f"create table {relation} (\n{''.join(typed)}    refreshed_at timestamptz not null default now(),\n"
        f"    primary key ({', '.join(map(quoted, declared.key))})\n);\n"
        f"comment on table {relation} is\n{said};\n{''.join(comments)}"
    )


def _literal(text: str) -> str:
    return sql.Literal(text).as_string()


def _every(declared: Declaration) -> str:
    """Return the step `every`: all keys, page by page, of the query and of the table."""
    text = _composed("every", **_parts(declared))
    return f"-- name: every\n{_header('All keys, a page of them.')}{text};\n"


def _window(declared: Declaration, columns: Mapping[str, str]) -> str:
    day = declared.said["day"]
    step = "within_days" if columns[day] == "date" else "within_times"
    within = {"within": fragment(f"authoring/compilation/{step}").format(day=trusted(quoted(day)))}
    return f"{_header('The keys with activity in a window.')}{_composed('window', **_parts(declared), **within)};\n"


def _parts(declared: Declaration) -> dict[str, sql.Composable]:
    return {
        "key": sql.SQL(", ").join(_by(declared)),
        "query": trusted(_escaped(declared.query)),
        "table": trusted(f"analytics.{declared.name}"),
    }


def _toml(
    declared: Declaration,
    definition: str,
    depends: Mapping[str, str],
    columns: Mapping[str, str],
    sources: Sequence[_Source],
    logged: Mapping[str, Sequence[str]],
    read: Mapping[str, Sequence[str]],
) -> str:
    said, typed = declared.said, {name: columns[name] for name in declared.by}
    texts = [name for name, of in typed.items() if of in ("text", "name") or of.startswith("character")]
    values: dict[str, Any] = {
        "format": FORMAT,
        "rows_sql": own_tables.digest((declared.folder / "rows.sql").read_text()),
        "definition": definition,
        "description": declared.description or f"Rows of {declared.name}.",
        "group": said.get("group", "own"),
        "job": f"tick_{declared.name}" if "cron" in said else said.get("job", JOBS[0]),
        "cron": said.get("cron", ""),
        "sources": [source.relation.partition(".")[2] for source in sources if source.relation.startswith("app.")],
        "changes": [source.name for source in sources],
        "key": list(declared.key),
        "logged": {name: columns[name] for name in dict.fromkeys([*declared.key, *declared.by])},
        "personal": said.get("personal", []),
    }
    if "schema" in said:
        values["schema"] = said["schema"]
    if "day" in said:
        values["day"] = values["lake_day"] = {said["day"]: columns[said["day"]]}
    values["keys"] = {"columns": typed, "by_bytes": texts, "has_days": "day" in said}
    values["depends"] = dict(depends)
    values["columns"] = dict(columns)
    values["lineage"] = dict(read)
    values["reads"] = _reads(declared, sources, logged)
    values["logs"] = _logs(sources, logged)
    return tomlkit.dumps(values)
