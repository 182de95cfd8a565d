"""`migrate validate`: the database, compared with what its migrations define."""

import re
from collections.abc import Iterator

from convo_pipelines.database import catalog, own_tables
from convo_pipelines.database.connections import Connection
from convo_pipelines.database.migrations import record, runner
from convo_pipelines.database.migrations.record import LINES, SCHEMA_OF, Line, ViewsReleasedError
from convo_pipelines.database.rights import lacking_rights

ARRAYS = "column app.projects.conversation_ids"
OPTIONAL = {ARRAYS, "index app.projects_conversation_ids"}
"""Deprecated: an application may have dropped the column, and its index with it."""
DISCOVERS = "trigger convo_pipeline_discovers on app.conversations"
OF_ROLES = {DISCOVERS, "function analytics.refuse_undiscovered()"}


def validate() -> Iterator[str]:
    """Compare the database's catalog with what the definitions and migrations make; return one line per failure."""
    with runner.connect() as connection:
        if record.are_views_released(connection):
            yield str(ViewsReleasedError())
            return
        migrations = record.migrations(connection, LINES)
        lines: set[Line] = {migration.line for migration in migrations if migration.applied}
        for name in sorted(set(SCHEMA_OF.values())):
            yield from (
                f"the database is at {head}: run `convo-pipelines migrate up`"
                for head in record.former(connection, name)
            )
            yield from _edited(connection, name)
        yield from (
            f"not applied: {m.name}: run `convo-pipelines migrate up --only {m.line}`"
            for m in migrations
            if not m.applied and m.line in lines
        )
        expected, found = _expected(lines), catalog.listing(connection)
        absent = OPTIONAL if ARRAYS not in found else set[str]()
        if "view app.conversations" in found:  # which takes no trigger for each row
            absent = absent | {DISCOVERS}
        if "analytics" in lines:
            absent = absent | catalog.unwanted_foreign_keys(connection)
        if own := own_tables.rendered():
            absent, found = absent | own, {name: text for name, text in found.items() if name not in own}
        yield from catalog.differences({name: text for name, text in expected.items() if name not in absent}, found)
        if "analytics" in lines:
            yield from catalog.failures(connection, "lifecycle")
            yield from catalog.failures(connection, "app_indexes")
            yield from map(str, lacking_rights(connection))
        if "roles" in lines:
            yield from catalog.failures(connection, "rights")


def _edited(connection: Connection, name: str) -> Iterator[str]:
    applied = record.applied(connection, name)
    lines: list[Line] = [line for line in LINES if SCHEMA_OF[line] == name]
    for line in lines:
        for migration in record.names(line):
            known = {record.checksum(line, migration), *_former_checksums(line, migration)}
            if migration in applied and applied[migration] not in known:
                yield f"migration {migration} was edited after it was applied"


def _former_checksums(line: Line, name: str) -> list[str]:
    """Return the checksums of former texts of a migration that ended with the same catalog: `-- was: CHECKSUM`."""
    file = record.file_of(line, name)
    return re.findall(r"^-- was: (\w+)$", file.read_text(), re.MULTILINE) if file.exists() else []


def _expected(lines: set[Line]) -> catalog.Listing:
    """Return the listing of the objects that these lines define; of `app` only our own."""
    is_apps = re.compile(r"\w+ app\.|\w+ \w+ on app\.").match

    def is_expected(name: str) -> bool:
        if name in OF_ROLES:
            return "roles" in lines
        if name.startswith("comment on column app."):  # the application may have had the column before
            return False
        return ("app" if is_apps(name.removeprefix("comment on ")) else "analytics") in lines

    return {name: text for name, text in catalog.read(catalog.FILE).items() if is_expected(name)}
