"""`make explain STATEMENT=tables/people_conversations/rows`: how PostgreSQL runs a statement, with real parameters.

Everything is ticked and compared, as reconcile does. The first statement that is STATEMENT, or contains it, is run
under EXPLAIN ANALYZE in a savepoint that is rolled back.
"""

import logging
import sys

import click
import psycopg
from psycopg import sql

from convo_pipelines.database import execution
from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import Identifiers
from convo_pipelines.database.statements import exists, fragment, statement
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import DERIVED_TABLES

log = logging.getLogger("explain")


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Explain the statement NAME, such as engine/refresh/write, on the database that CONVO_DATABASE_URL names."""
    wanted = name
    if not exists(wanted):
        raise click.ClickException(
            f"there is no statement {wanted}; convo_pipelines/database/statements.py says how they are named"
        )
    lines = [line for line in fragment(wanted).as_string().splitlines() if line.strip() and "{" not in line]
    plans: list[str] = []
    execute = execution.execute

    def explained(
        connection: Connection, name: str, identifiers: Identifiers | None = None, /, **parameters: object
    ) -> psycopg.Cursor[Row]:
        composed = statement(name).format(**(identifiers or {}))
        is_found = set(lines) <= set(composed.as_string(connection).splitlines())
        if not plans and (name == wanted or (lines and is_found)):
            query = sql.SQL("explain (analyze, buffers) ") + composed
            with connection.transaction(force_rollback=True):
                plans.extend(row["QUERY PLAN"] for row in connection.execute(query, parameters))
        return execute(connection, name, identifiers, **parameters)

    for module in [module for name, module in sys.modules.items() if name.startswith("convo_pipelines")]:
        if getattr(module, "execute", None) is execute:
            module.execute = explained  # type: ignore[attr-defined]
    here = Warehouse()
    for table in DERIVED_TABLES:
        for run in (ticks.tick, ticks.compare):
            if not plans:
                run(here, table, log)
    here.close()
    if not plans:
        raise click.ClickException(f"{wanted} is run by no tick and no comparison of this database")
    click.echo("\n".join(plans))


if __name__ == "__main__":
    main()
