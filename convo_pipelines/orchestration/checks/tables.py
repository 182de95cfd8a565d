"""The checks of the derived tables' own: each is a statement in `sql/tables/<table>/checks/` that finds offenders."""

import dagster as dg

from convo_pipelines.database.statements import header, names, statement
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.orchestration.checks import sql_check
from convo_pipelines.orchestration.checks.health import discovery_is_healthy, odd_row_checks


def _own(table: str) -> dict[str, dg.AssetChecksDefinition]:
    """Return the checks of a table by their statements; those that take more than keys have code of their own."""
    found = [name for name in names(f"tables/{table}/checks") if not _takes_parameters(name)]
    return {name: sql_check(name, table) for name in found}


def _takes_parameters(name: str) -> bool:
    text = statement(name).as_string()
    return "%(" in text or "{" in text


_by_statement = {name: check for table in DERIVED_TABLES for name, check in _own(table.name).items()}

table_checks = list(_by_statement.values())
tick_checks = [
    discovery_is_healthy,
    *odd_row_checks,
    *(check for name, check in _by_statement.items() if "runs after every tick" in header(name)),
]
"""Cheap enough to run after every tick."""
