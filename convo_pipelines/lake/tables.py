"""Which tables are in the lake, and what of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql
from pyiceberg.types import (
    BooleanType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    PrimitiveType,
    StringType,
    TimestamptzType,
)

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.declarations import personal_columns
from convo_pipelines.database.execution import fetch
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.settings import settings


def usable(day: str) -> str:
    """Return the SQL of a day from 0001-01-01 to 9999-12-31."""
    return f"greatest(least({day}, date '9999-12-31'), date '0001-01-01')"


@dataclass(frozen=True)
class _Type:
    """A PostgreSQL type: the SQL that converts it to one that Arrow has, and Iceberg's type."""

    as_sql: str
    iceberg: PrimitiveType


_TYPES = {
    "uuid": _Type("{}::text", StringType()),
    "text": _Type("{}", StringType()),
    "bool": _Type("{}", BooleanType()),
    "int4": _Type("{}", IntegerType()),
    "int8": _Type("{}", LongType()),
    "float8": _Type("{}", DoubleType()),
    "numeric": _Type("{}::float8", DoubleType()),
    "timestamptz": _Type("case when {0} >= '0001-01-02' and {0} < '9999-12-31' then {0} end", TimestamptzType()),
    "date": _Type("case when {0} >= '0001-01-01' and {0} <= '9999-12-31' then {0} end", DateType()),
}
_OTHER = _Type("{}::text", StringType())


@dataclass(frozen=True)
class Column:
    """A column of the lake: its name, the SQL of its values, its Iceberg type, and what it means.

    `identity` changes if the column is another one of the same name, or has another type.
    """

    name: str
    identity: str
    value: str
    type: PrimitiveType
    description: str | None


@dataclass(frozen=True)
class LakeTable:
    """A derived table that the lake has."""

    table: DerivedTable
    day: str
    """The SQL expression of a row's day."""

    @property
    def name(self) -> str:
        """Its name, in `analytics` and in the lake."""
        return self.table.name

    def columns(self, connection: Connection) -> Sequence[Column]:
        """Return its columns, without those that may hold personal data unless LAKE_PERSONAL_DATA is true."""
        left_out = [] if settings().lake_personal_data else [*personal_columns()]
        rows = fetch(connection, "lake/columns", relation=self.table.target, left_out=left_out)
        types = [_TYPES.get(row["type"], _OTHER) for row in rows]
        return [
            Column(
                row["name"],
                f"{row['name']} {row['number']} {row['type']}",
                kind.as_sql.format(f'"{row["name"]}"'),
                kind.iceberg,
                row["description"],
            )
            for row, kind in zip(rows, types, strict=True)
        ]


def _day(column: str, of: str) -> str:
    """Return the SQL of a row's UTC day, by a column with a day or a time."""
    name = sql.Identifier(column).as_string()
    return usable(name if of == "date" else f"({name} at time zone 'UTC')::date")


def in_lake(tables: Iterable[DerivedTable]) -> list[LakeTable]:
    """Return those of the tables that the lake has: their rows have a day."""
    return [LakeTable(table, _day(*table.lake_day)) for table in tables if table.lake_day]


LAKE_TABLES = in_lake(DERIVED_TABLES)
