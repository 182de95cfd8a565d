"""Rows, columns and statements as Dagster metadata."""

import hashlib
import re
import warnings
from collections.abc import Sequence
from typing import Any

import dagster as dg

from convo_pipelines.database.connections import Row
from convo_pipelines.database.declarations import columns, comments, personal_columns, sources, tables
from convo_pipelines.database.execution import fetch, fetch_one, identifier
from convo_pipelines.database.statements import STATEMENTS, line, path, source
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.orchestration.cells import key
from convo_pipelines.settings import settings

LONGEST_CELL = 200
COUNTED_BYTES = 32 * 1024**2
"""The rows of a table of up to this size are counted, in some 50 ms; larger tables show no row count."""


def table(rows: Sequence[Row]) -> dg.TableMetadataValue:
    """Return rows of equal columns as a table, without personal data, long texts truncated."""
    hidden = set[str]() if settings().preview_personal_data else personal_columns()
    names = [name for name in (rows[0] if rows else ()) if name not in hidden]
    schema = dg.TableSchema([dg.TableColumn(name, _type_of(name, rows)) for name in names])
    records = [dg.TableRecord({name: _cell(row[name]) for name in names}) for row in rows]
    return dg.TableMetadataValue(records, schema)


def described(warehouse: Warehouse, table: DerivedTable) -> dict[str, Any]:
    """Return a table as Dagster's metadata: its columns, how fresh it is and, unless it is large, its row count."""
    names = {"relation": identifier(table.target)}
    with warehouse.connection() as connection:
        columns = fetch(connection, "orchestration/columns", relation=table.target)
        rows = fetch_one(connection, "orchestration/rows", names, name=table.target, largest=COUNTED_BYTES)["rows"]
        freshness = fetch(connection, "orchestration/freshness", name=table.name)
    schema = dg.TableSchema(
        [
            dg.TableColumn(
                column["name"],
                column["type"],
                column["description"],
                dg.TableColumnConstraints(nullable=column["is_nullable"], unique=column["is_unique"]),
                {"personal": ""} if column["name"] in personal_columns() else {},
            )
            for column in columns
        ]
    )
    seconds = {f"seconds_until_visible_{name}": value for row in freshness for name, value in row.items() if value}
    counted = {} if rows is None else {"dagster/row_count": rows}
    return declared(table) | {"dagster/column_schema": schema} | seconds | counted


def declared(table: DerivedTable) -> dict[str, Any]:
    """Return the columns of a table, and of one's own, which columns of others each is computed from."""
    said = tables()[table.name]
    schema = columns_of(table.target)
    if "columns" not in said:
        return {"dagster/column_schema": schema}
    names = {other.target: name for name, other in table.registry.tables.items() if not other.rows.is_insert_only}
    deps = {
        column: [
            dg.TableColumnDep(key(names.get(relation) or relation.replace(".", "/")), of)
            for relation, of in (one.rsplit(".", 1) for one in read)
        ]
        for column, read in said.get("lineage", {}).items()
    }
    return {"dagster/column_schema": schema, "dagster/column_lineage": dg.TableColumnLineage(deps)}


def columns_of(relation: str) -> dg.TableSchema:
    """Return the columns that a table or source is declared with."""
    name = relation.rpartition(".")[2]
    read = {
        column: said.meaning for of in sources().values() if of.table == relation for column, said in of.columns.items()
    }
    personal = personal_columns()
    return dg.TableSchema(
        [
            dg.TableColumn(
                column,
                of,
                comments().get((name, column)) or read.get(column),
                tags={"personal": ""} if column in personal else {},
            )
            for column, of in columns().get(relation, {}).items()
        ]
    )


def version(statements: Sequence[str]) -> str:
    """Return a code version of statements: a hash that ignores comments and whitespace."""
    text = "\n".join(source(name) for name in statements)
    normalized = " ".join(re.sub("--[^\n]*", "", text).split())
    return hashlib.sha256(normalized.encode()).hexdigest()[:12]


def code(statements: Sequence[str]) -> dict[str, Any]:
    """Return references to the files of statements."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is currently in beta")
        files: list[dg.LocalFileCodeReference | dg.UrlCodeReference] = [
            dg.LocalFileCodeReference(file_path=str(path(name)), line_number=line(name), label=name)
            for name in statements
        ]
        return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=files)}


def at_git(assets: Sequence[dg.AssetsDefinition]) -> Sequence[dg.AssetsDefinition]:
    """Return the assets; if GIT_URL is set, their code references are links into the repository."""
    if not (url := settings().git_url):
        return assets
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is currently in (beta|preview)")
        mapping = dg.AnchorBasedFilePathMapping(STATEMENTS, "sql")
        linked = dg.link_code_references_to_git(assets, url, settings().git_branch, mapping)
    return [asset for asset in linked if isinstance(asset, dg.AssetsDefinition)]


def _type_of(name: str, rows: Sequence[Row]) -> str:
    values = [row[name] for row in rows if row[name] is not None]
    return next((kind.__name__ for kind in (bool, int, float) if values and isinstance(values[0], kind)), "string")


def _cell(value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + " …"
