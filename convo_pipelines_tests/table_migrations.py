"""Writes the migration that creates a new derived table and its log; `make migration TABLE=<name>` runs it.

Foreign keys are left out: `migrate up` makes them where the application's table can have one.
"""

import re
import sys
from pathlib import Path

from psycopg import sql

from convo_pipelines.database import schema
from convo_pipelines.database.declarations import logs
from convo_pipelines.database.migrations import record
from convo_pipelines.database.statements import exists, trusted
from convo_pipelines.errors import ConvoPipelinesError

FOLDER = record.FOLDER / "analytics"
NAMED_IN = {
    "refresh_state": "asset_key", "oddities": "asset_key", "lake_state": "table_name", "latencies": "table_name",
    "live_refreshes": "table_name", "deferred_indexes": "table_name",
}  # fmt: skip
"""The tables with the state of derived tables, and their columns with the name of one."""
_REFERENCE = re.compile(r" references app\.\w+(?: \(\w+\))?(?: on delete (?:cascade|set null))?")
_ROLLBACK = trusted(Path(__file__).with_name("table_rollback.sql").read_text())


class NotWrittenError(ConvoPipelinesError):
    """A migration that cannot be written; the message says why."""


def write(table: str) -> Path:
    """Write the migration of a new table, and return its folder."""
    if not exists(f"tables/{table}/table"):
        raise NotWrittenError(f"sql/tables/{table}/table.sql is missing: TABLE=<name> names a folder of sql/tables/")
    created = [f"analytics.{table}", f"analytics.{logs()[table].name}"]
    files = sorted(FOLDER.glob("*/migration.sql"))
    for file in files:
        if file.parent.name[5:] == table or f"create table {created[1]} (" in file.read_text():
            raise NotWrittenError(f"{table} has a migration already: {file.parent.name}")
    folder = FOLDER / f"{int(files[-1].parent.name[:4]) + 1:04}_{table}"
    folder.mkdir()
    defined = schema.definitions("analytics")
    texts = [_REFERENCE.sub("", defined[f"state {name}"].text).strip() for name in created]
    header = f"-- Creates {created[0]} and its log.\n"
    (folder / "migration.sql").write_text(header + "\n\n".join(texts) + "\n")
    (folder / "rollback.sql").write_text(_rollback(table, *created))
    return folder


def _rollback(table: str, relation: str, log: str) -> str:
    views = ", ".join(_views_on({f"state {relation}", f"state {log}"}))
    delete = sql.SQL("delete from analytics.{} where {} = {};")
    deletions = [delete.format(*map(trusted, of), sql.Literal(table)) for of in NAMED_IN.items()]
    return _ROLLBACK.format(
        table=trusted(relation),
        log=trusted(log),
        views=trusted(f"drop view if exists {views};\n" if views else ""),
        deletions=sql.SQL("\n").join(deletions),
    ).as_string()


def _views_on(keys: set[str]) -> list[str]:
    """Return the views that read tables, but for that of all logs; those that others read come last."""
    defined, views = schema.definitions("analytics"), list[str]()
    for key, definition in defined.items():
        is_view = definition.kind == "view" and definition.name != "analytics.changes"
        if is_view and schema.needed_by(definition, defined) & keys:
            keys.add(key)
            views.insert(0, definition.name)
    return views


if __name__ == "__main__":
    try:
        print(write(sys.argv[1]))
    except NotWrittenError as error:
        sys.exit(str(error))
