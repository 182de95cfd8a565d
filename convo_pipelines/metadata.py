"""Rows as Dagster shows them."""

from collections.abc import Sequence

import dagster as dg

from convo_pipelines.warehouse import Row

LONGEST_CELL = 200


def table(rows: Sequence[Row]) -> dg.TableMetadataValue:
    """Return rows of equal columns as a table; of long texts, their beginning."""
    names = list(rows[0]) if rows else []
    schema = dg.TableSchema([dg.TableColumn(name, _type_of(name, rows)) for name in names])
    records = [dg.TableRecord({name: _cell(value) for name, value in row.items()}) for row in rows]
    return dg.TableMetadataValue(records, schema)


def _type_of(name: str, rows: Sequence[Row]) -> str:
    values = [row[name] for row in rows if row[name] is not None]
    return next((kind.__name__ for kind in (bool, int, float) if values and isinstance(values[0], kind)), "string")


def _cell(value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + " …"
