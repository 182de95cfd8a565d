"""A schema for clients that sync with `@rocicorp/zero`, written from the live catalog."""

import re
from collections import defaultdict
from collections.abc import Iterator

from convo_pipelines.registry import LINK_TABLES
from convo_pipelines.warehouse import Connection, Row, fetch

BUILDERS = {
    "bool": "boolean()",
    "json": "json()",
    "jsonb": "json()",
    **dict.fromkeys(("uuid", "text", "varchar", "bpchar"), "string()"),
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8", "numeric"), "number()"),
    **dict.fromkeys(("timestamptz", "timestamp", "date"), "number()"),
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


def generate(connection: Connection) -> str:
    """Return TypeScript that declares `app`'s tables and the link tables, with relationships in both directions.

    Times are numbers, milliseconds since 1970 UTC, as Zero holds them. The same catalog gives the same text.
    """
    tables: dict[str, list[Row]] = defaultdict(list)
    for column in fetch(connection, "zero/columns", links=[table.name for table in LINK_TABLES]):
        tables[column["table_name"]].append(column)
    keys = [
        key for key in fetch(connection, "zero/foreign_keys") if {key["table_name"], key["target_table"]} <= set(tables)
    ]
    related = _relationships(keys)
    parts = [
        "// Written by `convo-pipelines zero-schema` from the database's catalog; do not edit.",
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
        builder = BUILDERS.get(column["type_name"])
        if builder is None or (column["is_array"] and builder not in ELEMENTS):
            yield f"    // {column['column_name']}: Zero does not sync {column['type_name']}"
            continue
        if column["is_array"]:
            builder = f"json<{ELEMENTS[builder]}[]>()"
        yield f"    {_key(column['column_name'])}: {builder}{'.optional()' if column['is_nullable'] else ''},"
    yield "  })"
    yield f"  .primaryKey({', '.join(repr(column) for column in first['primary_key'])});"


def _relationships(keys: list[Row]) -> dict[str, dict[str, list[str]]]:
    """Return, per table and name of a relationship, its kind and its hops.

    Through a link table the plain name, `conversations`, is one hop; a foreign key that would take the same name gets
    its column's: `conversations_by_client_id`.
    """
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    by_column = {(key["table_name"], key["column_name"]): key for key in keys}
    for table in LINK_TABLES:
        link, parents = table.name, [column for column, _ in table.targets[0].parents]
        column = next(column for column in parents if column != "conversation_id")
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
