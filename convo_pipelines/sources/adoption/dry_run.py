"""A dry run: the views of a file are created, looked at and rolled back."""

from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.declarations import Source, logs
from convo_pipelines.database.execution import fetch, fetch_one
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.derive import Way
from convo_pipelines.sources import views
from convo_pipelines.sources.adoption import triggers
from convo_pipelines.sources.adoption.creation import create_views
from convo_pipelines.sources.interface import HISTORIES, SOURCES, VALUES
from convo_pipelines.sources.views import ViewError

SECONDS_PER_ROW = 2e-5
"""What a first build takes for each row of a source, with two workers; see docs/reference/benchmarks.md."""


@dataclass(frozen=True)
class Checked:
    """What a view of a file shows, and how it is going to be read.

    Attributes:
        source: its name in `app`.
        rows: how many it shows.
        null_keys: rows without a key.
        double_keys: rows whose key another row has.
        unknown_values: rows with a direction, role or kind that the pipeline does not know, or with a null in a
            column that is not optional.
        captured: yes, or why not.
        read_again: the tables beneath of which a change has all of its rows read again, and why.
        seconds: about how long the first build takes for its rows.
        missing_indexes: the statements that create them.

    """

    source: str
    rows: int
    null_keys: int
    double_keys: int
    unknown_values: int
    captured: str
    read_again: str
    seconds: float
    missing_indexes: list[str]


@dataclass(frozen=True)
class Check:
    """What the views of a file show.

    Attributes:
        sources: each source.
        unread: the views that neither the pipeline nor another view reads, by their names in `app`.

    """

    sources: list[Checked]
    unread: list[str]

    @property
    def failures(self) -> list[str]:
        """What keeps the pipeline from reading anything useful, a sentence each."""
        return [
            *(
                f"app.{view.source}: {view.null_keys} rows have no key, {view.double_keys} that of another row"
                for view in self.sources
                if view.null_keys or view.double_keys
            ),
            *(
                f"app.{view.source}: in all {view.rows} rows, a direction, role or kind is unknown, or a value is null"
                for view in self.sources
                if view.rows and view.unknown_values == view.rows
            ),
            *(f"app.{name} is no source, and has not the columns of a crew's histories" for name in self.unread),
        ]


def check(warehouse: Warehouse, file: Path) -> Check:
    """Create the views of a file, look at what they show, and roll back.

    Raises:
        AdoptionError: the file fails, or a view is not what the pipeline reads.

    """
    with warehouse.connection() as connection, connection.transaction(force_rollback=True):
        created = create_views(connection, file)
        others = [*created - SOURCES.keys()]
        unread = fetch(connection, "sources/adoption/unread", names=others, columns=[*HISTORIES.columns])
        sources = [_checked(connection, name, SOURCES[name], name in created) for name in SOURCES]
        return Check(sources, [row["name"] for row in unread])


def _checked(connection: Connection, name: str, wanted: Source, is_in_file: bool) -> Checked:
    key = sql.SQL(", ").join(map(sql.Identifier, wanted.key))
    is_null = sql.SQL("({}) is null").format(key)
    if len(wanted.key) > 1:
        is_null = sql.SQL("not ({}) is not null").format(key)
    known = [
        sql.SQL("{} = any({}::text[])").format(sql.Identifier(column), sql.Literal([*VALUES[column]]))
        for column in wanted.columns.keys() & VALUES.keys() - {"channel"}  # which may be any
    ] + [
        sql.SQL("{} is not null").format(sql.Identifier(column))
        for column, described in wanted.columns.items()
        if not described.optional and column not in wanted.key
    ]
    view = sql.Identifier("app", name)
    names: dict[str, sql.Composable] = {"view": view, "key": key, "is_null": is_null}
    names["is_known"] = sql.SQL(" and ").join([sql.SQL("true"), *known])
    found = fetch_one(connection, "sources/adoption/quality", names)
    read_again, ways = "", list[Way]()
    try:
        shown = views.read(connection, view.as_string(), wanted.columns, wanted.logged)
        read_again, ways = (
            triggers.read_again(shown, logs()[name]),
            [way for joined in shown.joined for way in joined.ways],
        )
        captured = "yes" if is_in_file else "not in the file"
    except ViewError as error:
        captured = str(error)
    indexes = fetch(
        connection, "sources/adoption/missing_indexes", table_name=name, columns=[wanted.key[0], *wanted.looked_up_by]
    )
    for relation, expressions in (found_by for way in ways for found_by in way.found_by):
        indexes += fetch(connection, "sources/adoption/missing_index", relation=relation, expressions=[*expressions])
    missing = sorted({row["run_this"] for row in indexes})
    seconds = found["rows"] * SECONDS_PER_ROW
    return Checked(name, **found, captured=captured, read_again=read_again, seconds=seconds, missing_indexes=missing)
