"""The definitions in `sql/schema/`: a new database is made of all of them; `migrate up` applies changed code again.

Tables and indexes are state: they are created once, and changed by migrations. Functions, views, triggers and comments
are code: what differs from what was applied is applied again.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter

import psycopg
from psycopg import sql

from convo_pipelines.database import declarations, templates
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import execute, fetch, identifier
from convo_pipelines.database.statements import trusted
from convo_pipelines.errors import ConvoPipelinesError

SCHEMAS = {"app": ("app",), "analytics": ("curation", "analytics")}
"""The folders of `sql/schema/` whose code is recorded in each schema."""

CODE = "schema_migration_code"
"""The table, in each of these, that records what code is applied."""

_STATEMENT = re.compile(r"(?:\$(\w*)\$.*?\$\1\$|'[^']*'|--[^\n]*|[^;])+?;\n?", re.DOTALL)
_QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$|'[^']*'|--[^\n]*", re.DOTALL)
_MADE = re.compile(r"^-- makes: (.*)$", re.MULTILINE)
_KINDS = {
    kind: re.compile(pattern, re.DOTALL)
    for kind, pattern in {
        "function": r"(?:create or replace|comment on|revoke all on) function ([\w.]+)",
        "view": r"(?:create or replace|comment on) view ([\w.]+)",
        "trigger": r"create or replace trigger (?P<trigger>\w+) .*? on (?P<table>[\w.]+)",
        "enabled trigger": r"alter table (?P<table>[\w.]+) enable always trigger (?P<trigger>\w+)",
        "comment": r"comment on (?:schema|table|column) (\w+(?:\.\w+)?)",
        "state": r"(?:create (?:unlogged )?(?:schema|table)|create (?:unique )?index(?: if not exists)? \w+\s+on"
        r"|alter table|insert into)(?: if not exists)? ([\w.]+)",
    }.items()
}


class OtherVersionError(ConvoPipelinesError):
    """The code in the database is that of another version; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "the database was upgraded while this process ran: restart it with the version that was installed"
        )


@dataclass(frozen=True)
class Definition:
    """The statements of `sql/schema/` that define one object.

    Attributes:
        kind: state (a schema, or a table with its indexes), function, view, trigger, or comment (those of a table).
        name: of the object, with its schema; of a trigger, `<trigger> on <table>`.
        text: the statements.

    """

    kind: str
    name: str
    text: str

    @property
    def key(self) -> str:
        """The kind and the name."""
        return f"{self.kind} {self.name}"

    @property
    def is_code(self) -> bool:
        """Whether it is applied again when it changes."""
        return self.kind != "state"

    @property
    def checksum(self) -> str:
        """A checksum of the statements."""
        return _checksum(self.text)


@cache
def definitions(schema: str) -> Mapping[str, Definition]:
    """Return what is recorded in a schema, by key; each after those that have to be there to create it."""
    texts: dict[tuple[str, str], list[str]] = {}
    for file in _files(schema):
        for found in _STATEMENT.finditer(templates.text(file)):
            for kind, name in _objects(found[0]):
                is_views = kind == "comment" and ("view", name) in texts
                texts.setdefault(("view" if is_views else kind, name), []).append(found[0])
    found = {f"{kind} {name}": Definition(kind, name, "".join(parts)) for (kind, name), parts in texts.items()}
    needs = {key: needed_by(definition, found) for key, definition in found.items()}
    return {key: found[key] for key in TopologicalSorter(needs).static_order()}


def needed_by(definition: Definition, others: Mapping[str, Definition]) -> set[str]:
    """Return the keys of the definitions that one needs to be created: those that it names outside of quotes."""
    text = _QUOTED.sub("", definition.text)
    named = {definition.name, definition.name.partition(".")[0], *re.findall(r"\w+\.\w+", text)}
    keys = {f"{kind} {name}" for name in named for kind in ("state", "function", "view")}
    return keys & others.keys() - {definition.key}


def checksum(schema: str) -> str:
    """Return a checksum of all definitions that are recorded in a schema."""
    return _checksum("".join(map(templates.text, _files(schema))))


def _files(schema: str) -> list[str]:
    return [file for folder in SCHEMAS[schema] for file in declarations.definitions_of(folder)]


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def create(connection: Connection, schema: str) -> None:
    """Create everything that is defined, in an open transaction."""
    connection.execute("set local check_function_bodies = off")  # they name what is created later
    for definition in definitions(schema).values():
        connection.execute(trusted(definition.text))
    _record(connection, schema)


def apply_code(connection: Connection, schema: str) -> None:
    """Apply code whose text differs from what was applied, or that is gone, and drop what is no longer defined.

    Args:
        connection: in a transaction.
        schema: where it is recorded what was applied.

    Raises:
        psycopg.errors.DependentObjectsStillExist: objects that are not ours depend on what would be dropped.

    """
    connection.execute("set local check_function_bodies = off")
    code = _code(schema)
    applied = {row["name"]: row for row in fetch(connection, "database/schema/code", _record_of(schema))}
    due = {
        key
        for key, definition in code.items()
        if not (row := applied.get(key)) or row["checksum"] != definition.checksum or not row["is_there"]
    }
    former: list[str] = []
    for key, definition in code.items():
        if key in due:
            again, signatures = _replace(connection, definition, code)
            due |= again
            former += signatures
    if former:
        connection.execute(trusted(f"drop function {', '.join(former)}"))
    _drop(connection, [key for key in applied if key not in code])
    _record(connection, schema)


def drop(connection: Connection, schema: str, *, but: Collection[str] = ()) -> None:
    """Drop everything that is defined, in an open transaction, except in the schemas `but`.

    Raises:
        psycopg.errors.DependentObjectsStillExist: objects that are not ours depend on it.

    """
    found = [d for d in definitions(schema).values() if d.name.rpartition(" ")[2].partition(".")[0] not in but]
    _drop(connection, [definition.key for definition in found if definition.is_code])
    tables = [definition.name for definition in found if definition.kind == "state" and "." in definition.name]
    connection.execute(sql.SQL("drop table if exists {}").format(sql.SQL(", ").join(map(identifier, tables))))


def create_again(connection: Connection, schema: str, definition: Definition) -> None:
    """Create an object again whose definition has not changed, in an open transaction.

    Raises:
        OtherVersionError: another version's definition of it is applied.

    """
    connection.execute(definition.text.encode())
    applied = fetch(connection, "database/schema/applied", _record_of(schema), name=definition.key)
    if [row["checksum"] for row in applied] != [definition.checksum]:  # it may have waited for `migrate up`
        raise OtherVersionError


def _code(schema: str) -> dict[str, Definition]:
    return {key: definition for key, definition in definitions(schema).items() if definition.is_code}


def _replace(
    connection: Connection, definition: Definition, code: Mapping[str, Definition]
) -> tuple[set[str], list[str]]:
    """Create an object, or replace it.

    A view of other columns, or a function that returns something else, cannot be replaced: it is dropped, and so is
    what depends on it.

    Returns:
        the keys of what has to be created again after it, and the signatures of functions of its name that it has not
        created: they take other arguments, and are dropped when nothing depends on them any more.

    """
    named = [definition.name] if definition.kind == "function" else []
    before = _functions(connection, named)
    try:
        with connection.transaction():
            connection.execute(trusted(definition.text))
    except (psycopg.errors.InvalidFunctionDefinition, psycopg.errors.InvalidTableDefinition):
        dependents = _dependents(definition, code)
        for key in [*code][::-1]:
            if key in dependents:
                _drop(connection, [key])
        connection.execute(trusted(definition.text))
        return dependents, []
    after = _functions(connection, named)
    former = [signature for signature in before if before[signature] == after[signature]]
    return _dependents(definition, code) if former else set(), former


def _dependents(definition: Definition, code: Mapping[str, Definition]) -> set[str]:
    """Return the key of a definition, and of all that need it, directly or not."""
    dependents = {definition.key}
    for key, other in code.items():
        if other.kind != "comment" and needed_by(other, code) & dependents:
            dependents.add(key)
    return dependents


def _functions(connection: Connection, named: Sequence[str]) -> dict[str, str]:
    """Return the signatures of the functions of these names, and a version of each."""
    return {row["signature"]: row["version"] for row in fetch(connection, "database/schema/functions", names=named)}


def _drop(connection: Connection, keys: Iterable[str]) -> None:
    """Drop code in any order: all views in one statement, and all functions, as they may depend on each other."""
    named: dict[str, list[str]] = {"trigger": [], "view": [], "function": [], "comment": []}
    for kind, name in (key.split(" ", 1) for key in keys):
        named[kind].append(name)
    for trigger, table in (name.split(" on ") for name in named["trigger"]):
        dropped = sql.SQL("drop trigger if exists {} on {}").format(sql.Identifier(trigger), identifier(table))
        connection.execute(dropped)
    if named["view"]:
        views = sql.SQL(", ").join(map(identifier, named["view"]))
        connection.execute(sql.SQL("drop view if exists {}").format(views))
    if functions := _functions(connection, named["function"]):
        connection.execute(trusted(f"drop function {', '.join(functions)}"))


def _record(connection: Connection, schema: str) -> None:
    code = _code(schema)
    checksums = [definition.checksum for definition in code.values()]
    execute(connection, "database/schema/record_code", _record_of(schema), names=[*code], checksums=checksums)


def _record_of(schema: str) -> dict[str, sql.Identifier]:
    return {"code": sql.Identifier(schema, CODE)}


def _objects(text: str) -> Iterator[tuple[str, str]]:
    """Return the kind and the name of the objects that a statement of `sql/schema/` defines, wholly or in part."""
    if made := _MADE.search(text):
        yield from (("function", name) for name in made[1].split(", "))
        return
    text = re.sub(r"^(?:--.*\n|\n)+", "", text)
    for kind, pattern in _KINDS.items():
        if found := pattern.match(text):
            if "trigger" in kind:
                trigger, table = found["trigger"], found["table"]
                yield "trigger", f"{trigger} on {table}"
            else:
                yield kind, found[1]
            return
    raise ValueError(f"sql/schema/ has a statement that defines nothing: {text}")
