"""A schema for clients that sync with `@rocicorp/zero`, generated from the live catalog."""

import re
from collections import defaultdict
from collections.abc import Iterator

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import fetch
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model.tables import LINK_TABLES

BUILDERS = {
    "bool": "boolean()",
    "json": "json()",
    "jsonb": "json()",
    **dict.fromkeys(("uuid", "text", "varchar", "bpchar", "enum"), "string()"),
    **dict.fromkeys(("cidr", "inet", "macaddr", "macaddr8", "pg_lsn"), "string()"),
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8", "numeric"), "number()"),
    **dict.fromkeys(("timestamptz", "timestamp", "date", "timetz", "time"), "number()"),
}
ELEMENTS = {"string()": "string", "number()": "number", "boolean()": "boolean"}
IMPORTED = ("boolean", "createSchema", "json", "number", "relationships", "string", "table")
RESERVED = {
    *IMPORTED,
    "schema",
    "default",
    "delete",
    "export",
    "function",
    "import",
    "new",
    "package",
    "public",
    "return",
}


class PublicationError(ConvoPipelinesError, LookupError):
    """The publication does not exist, or publishes no table that a client can sync."""


def generate(connection: Connection, publication: str | None = None) -> str:
    """Return TypeScript that declares tables and their relationships in both directions.

    Times are numbers, as Zero represents them: milliseconds since 1970 UTC, or since midnight for a `time`. The same
    catalog gives the same text.

    Args:
        connection: to the database.
        publication: the one that zero-cache replicates: declare the tables of `app` and `analytics` that it
            publishes. By default all of `app` and the link tables.

    Raises:
        PublicationError: there is no table to declare.

    """
    links = [table.name for table in LINK_TABLES]
    columns = fetch(connection, "serving/zero_schema/columns", publication=publication, links=links)
    synced = {(column["table_name"], column["column_name"]) for column in columns if _builder(column)}
    tables: dict[str, list[Row]] = defaultdict(list)
    for column in columns:
        if all((column["table_name"], key) in synced for key in column["primary_key"]):
            tables[column["table_name"]].append(column)
    if not tables:
        raise PublicationError(
            f"nothing to sync is published by {publication!r}: docs/how-to/zero.md shows how to create it"
            if publication
            else "there are no tables to sync: run `convo-pipelines migrate up`"
        )
    keys = [
        key
        for key in fetch(connection, "serving/zero_schema/foreign_keys")
        if {key["table_name"], key["target_table"]} <= set(tables)
        and {(key["table_name"], key["column_name"]), (key["target_table"], key["target_column"])} <= synced
    ]
    related = _relationships(keys)
    parts = [
        "// Written by `convo-pipelines generate zero-schema` from the database's catalog; do not edit.",
        "import {" + ", ".join(IMPORTED) + "} from '@rocicorp/zero';",
        *("\n".join(_table(name, columns)) for name, columns in tables.items()),
        *("\n".join(_related(name, related[name])) for name in tables if name in related),
        "export const schema = createSchema({\n"
        f"  tables: [{', '.join(_variable(name) for name in tables)}],\n"
        f"  relationships: [{', '.join(_variable(name) + 'Relationships' for name in tables if name in related)}],\n"
        "});\n\nexport type Schema = typeof schema;",
    ]
    return "\n\n".join(parts) + "\n"


def _table(name: str, columns: list[Row]) -> Iterator[str]:
    first = columns[0]
    yield f"const {_variable(name)} = table('{name}')"
    yield f"  .from('{first['schema_name']}.{name}')"
    yield "  .columns({"
    for column in columns:
        if builder := _builder(column):
            yield f"    {_key(column['column_name'])}: {builder}{'.optional()' if column['is_nullable'] else ''},"
        else:
            yield f"    // {column['column_name']}: Zero does not sync {column['type_name']}"
    yield "  })"
    yield f"  .primaryKey({', '.join(repr(column) for column in first['primary_key'])});"


def _builder(column: Row) -> str | None:
    builder = BUILDERS.get(column["type_name"])
    if builder and column["is_array"]:
        return f"json<{ELEMENTS[builder]}[]>()" if builder in ELEMENTS else None
    return builder


def _relationships(keys: list[Row]) -> dict[str, dict[str, list[str]]]:
    """Return, per table and name of a relationship, its kind and its hops.

    A relationship through a link table is named after its target: `conversations`. A foreign key that would have the
    same name is qualified by its column: `conversations_by_client_id`.
    """
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    by_column = {(key["table_name"], key["column_name"]): key for key in keys}
    for table in LINK_TABLES:
        link, parents = table.name, [column for column, _ in table.rows.parents]
        column = next(column for column in parents if column != "conversation_id")
        if not {(link, column), (link, "conversation_id")} <= set(by_column):
            continue
        other, conversation = by_column[link, column], by_column[link, "conversation_id"]
        for near, far in ((other, conversation), (conversation, other)):
            found[near["target_table"]][far["target_table"]] = [
                "many",
                _hop(near["target_column"], near["column_name"], link),
                _hop(far["column_name"], far["target_column"], far["target_table"]),
            ]
    for key in keys:
        table, column, target = key["table_name"], key["column_name"], key["target_table"]
        one = column.removesuffix("_id") if column.endswith("_id") else f"{target}_by_{column}"
        found[table][one] = ["one", _hop(column, key["target_column"], target)]
        many = table if table not in found[target] else f"{table}_by_{column}"
        found[target][many] = ["many", _hop(key["target_column"], column, table)]
    return found


def _hop(source: str, destination: str, table: str) -> str:
    return f"{{sourceField: ['{source}'], destField: ['{destination}'], destSchema: {_variable(table)}}}"


def _related(name: str, related: dict[str, list[str]]) -> Iterator[str]:
    yield f"const {_variable(name)}Relationships = relationships({_variable(name)}, ({{one, many}}) => ({{"
    for relationship, (kind, *hops) in sorted(related.items()):
        yield f"  {_key(relationship)}: {kind}("
        yield from (f"    {hop}," for hop in hops)
        yield "  ),"
    yield "}));"


def _variable(name: str) -> str:
    plain = re.sub(r"\W", "_", name)
    return f"{plain}_" if plain in RESERVED else f"_{plain}" if plain[0].isdigit() else plain


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else repr(name)
