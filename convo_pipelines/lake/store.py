"""The lake's Iceberg tables: their catalog, their schemas, and turns of those who write to one of them."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from functools import cache
from typing import Any, cast
from uuid import uuid4

import psycopg
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import And, BooleanExpression, EqualTo, In
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DateType, IcebergType, IntegerType, LongType, NestedField, StringType
from sqlalchemy import make_url

from convo_pipelines.database.addresses import LOCAL, database_url
from convo_pipelines.database.connections import connect
from convo_pipelines.database.statements import statement
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.lake.tables import Column
from convo_pipelines.settings import settings

NAMESPACE = "convo_pipelines"
SCHEMA = "lake"
"""The schema of the catalog's own tables, if it is a PostgreSQL database."""
PLAIN_CELL = "default"
"""The cell's name in the lake without CONVO_CELL."""
_CATALOG = "convo_pipelines.catalog"
"""The property of a table that names the database of its catalog, which copies of this are not."""
PROPERTIES = {
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.metrics.default": "counts",  # bounds would keep values in files that outlive them
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
}
_OWN_FIELDS = (
    NestedField(1, "cell", StringType(), doc="The cell whose database has the row."),
    NestedField(2, "day", DateType(), doc="The row's UTC day, by which it is stored."),
)


class CatalogError(ConvoPipelinesError):
    """The catalog cannot be used; the message says why, and what to do."""


class NotInLakeError(ConvoPipelinesError, LookupError):
    """The lake has no such table, or nothing was written into it yet."""


def cell() -> str:
    """Return the name of this cell in the lake."""
    return settings().convo_cell or PLAIN_CELL


def catalog_url() -> str:
    """Return the address of the catalog: a PostgreSQL database, or a REST catalog."""
    return settings().lake_catalog_url or database_url()


def lake_uri() -> str:
    """Return where the files are."""
    return (settings().lake_uri or f"file://{LOCAL}/lake").rstrip("/")


@cache
def catalog() -> Catalog:
    """Return the catalog; of a PostgreSQL database, its tables are created in the schema `lake`.

    Other properties, such as those of the object store, are pyiceberg's own: `PYICEBERG_CATALOG__LAKE__S3__ENDPOINT`.

    Raises:
        CatalogError: the schema cannot be created.

    """
    warehouse, url = lake_uri(), catalog_url()
    if is_rest():
        named = {} if "PYICEBERG_CATALOG__LAKE__WAREHOUSE" in os.environ else {"warehouse": warehouse}
        loaded = load_catalog("lake", type="rest", uri=url, **named)
    else:
        _create_schema(url)
        address = make_url(url).set(drivername="postgresql+psycopg")
        address = address.update_query_dict({"options": f"-csearch_path={SCHEMA}"})
        uri = address.render_as_string(hide_password=False)
        loaded = load_catalog("lake", type="sql", uri=uri, warehouse=warehouse)
    loaded.create_namespace_if_not_exists(NAMESPACE)
    return loaded


def is_rest() -> bool:
    """Whether the catalog is a REST service."""
    return catalog_url().startswith("http")


@cache
def _identity(url: str) -> str:
    """Return what names the catalog's database, but no copy of it by dump or template; nothing of a REST catalog."""
    if is_rest():
        return ""
    with connect(url) as connection:
        [(identity,)] = connection.execute(statement("lake/identity")).fetchall()
    return identity


def _create_schema(url: str) -> None:
    with connect(url) as connection:
        if connection.execute("select to_regnamespace(%s) is null", [SCHEMA]).fetchone() == (True,):
            try:
                connection.execute(f"create schema if not exists {SCHEMA}")
            except psycopg.errors.InsufficientPrivilege:
                user = connection.info.user
                raise CatalogError(
                    f"the lake's catalog: {user} may not create the schema {SCHEMA}: run `create schema {SCHEMA} "
                    f"authorization {user}` as a role that may, or set LAKE_CATALOG_URL"
                ) from None


@contextmanager
def turn(name: str) -> Generator[Callable[[], object]]:
    """Wait for those who write to the same table: commits of several would fail each other.

    The lock is one of the catalog's database; without one, commits that fail each other are left to the next tick. What
    is yielded checks that the lock is still held, by asking its connection: others may have deleted files otherwise.

    Raises:
        CatalogError: the catalog names files of the table that are not there.

    """
    if is_rest():
        with _files_of(name):
            yield lambda: None
        return
    with connect(catalog_url()) as connection, _files_of(name):
        connection.execute(statement("lake/turn"))
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{NAMESPACE} lake {name}"])
        yield lambda: connection.execute("select 1")


def of_this_cell(days: Sequence[date] | None = None) -> BooleanExpression:
    """Return the filter of this cell's rows, of some days or of all."""
    ours: BooleanExpression = cast("Any", EqualTo)("cell", cell())
    return ours if days is None else And(ours, cast("Any", In)("day", days))


def existing(name: str) -> Table | None:
    """Return a table of the lake as it is now; None if there is none.

    Raises:
        CatalogError: its files are not there any more.

    """
    with _files_of(name):
        try:
            return catalog().load_table((NAMESPACE, name))
        except NoSuchTableError:
            return None


def required(name: str) -> Table:
    """Return a table of the lake as it is now.

    Raises:
        NotInLakeError: the lake has no such table, or nothing was written into it yet.
        CatalogError: its files are not there any more.

    """
    table = existing(name)
    if table is None:
        raise NotInLakeError(f"the lake has no table {name}; `convo-pipelines lake write` writes all tables")
    return table


@contextmanager
def _files_of(name: str) -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise CatalogError(
            f"lake/{name}: the catalog names a file that is not there, as after it was restored: {error}; "
            "`convo-pipelines lake write --anew` writes all tables again"
        ) from None


def of_ours(name: str) -> Table | None:
    """Return a table in order to write to it, or to delete files of it; None if there is none.

    Raises:
        CatalogError: it is not below LAKE_URI, or belongs to another catalog, of which this one may be a copy.

    """
    table = existing(name)
    if table is None:
        return None
    if not is_rest() and not table.location().startswith(f"{lake_uri()}/"):
        raise CatalogError(
            f"lake/{name} is at {table.location()}, and LAKE_URI is {lake_uri()}. If this catalog is a copy, "
            f"`drop schema {SCHEMA} cascade` in it. If the files were moved, run `convo-pipelines lake write --anew`"
        )
    if table.properties.get(_CATALOG) != _identity(catalog_url()):
        raise CatalogError(
            f"lake/{name} was created by the catalog of another database. If this one is a copy, `drop schema {SCHEMA} "
            "cascade` in it and set another LAKE_URI. If this is that database after an upgrade or a restore, run "
            "`convo-pipelines lake write --take-over`"
        )
    return table


def drop(name: str) -> None:
    """Forget a table: the next tick of each cell writes it again, elsewhere. Its files stay where they are."""
    with suppress(NoSuchTableError):
        catalog().drop_table((NAMESPACE, name))


def take_over(name: str) -> None:
    """Have a table belong to this catalog, whose database was another one before."""
    if table := existing(name):
        with table.transaction() as change:
            change.set_properties({_CATALOG: _identity(catalog_url())})


def with_columns(name: str, columns: Sequence[Column]) -> Table:
    """Return a table with these columns, which is created or altered; columns that are gone stay, without values."""
    table = of_ours(name)
    if table is None:
        fields = [
            NestedField(number, column.name, column.type, doc=column.description)
            for number, column in enumerate(columns, len(_OWN_FIELDS) + 1)
        ]
        by_cell_and_day = [
            PartitionField(field.field_id, 1000 + field.field_id, IdentityTransform(), field.name)
            for field in _OWN_FIELDS
        ]
        return catalog().create_table(
            (NAMESPACE, name),
            Schema(*_OWN_FIELDS, *fields),
            location=_new_location(name),
            partition_spec=PartitionSpec(*by_cell_and_day),
            properties=PROPERTIES | {_CATALOG: _identity(catalog_url())},
        )
    found = {field.name: field.field_type for field in table.schema().fields}
    if all(_holds(found.get(column.name), column.type) for column in columns):
        return table
    with table.update_schema() as update:
        for column in columns:
            if column.name not in found:
                update.add_column(column.name, column.type, column.description)
            elif _holds(column.type, found[column.name]):
                update.update_column(column.name, column.type)
            elif not _holds(found[column.name], column.type):
                raise CatalogError(
                    f"lake/{name}: the column {column.name} is of type {column.type}, and in the lake of type "
                    f"{found[column.name]}: `convo-pipelines lake write --anew` writes all tables again"
                )
    return table


def _new_location(name: str) -> str | None:
    """Return a folder that no other catalog has, whatever else is below LAKE_URI; a REST catalog chooses one."""
    return None if is_rest() else f"{lake_uri()}/{NAMESPACE}/{name}-{uuid4().hex[:12]}"


def _holds(wide: IcebergType | None, narrow: IcebergType) -> bool:
    """Whether a type has all values of another: another cell's column may be wider."""
    return wide == narrow or (isinstance(wide, LongType) and isinstance(narrow, IntegerType))
