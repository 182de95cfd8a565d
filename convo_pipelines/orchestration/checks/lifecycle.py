"""Integrity of app.conversations: violations of missing or bypassed constraints and indexes."""

import dagster as dg

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import fetch, fetch_one
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.orchestration.cells import key
from convo_pipelines.orchestration.checks import sql_check, verdict
from convo_pipelines.orchestration.resources import reader

RECENCY_QUERIES = {"messages": "conversation_id", "conversations": "customer_id"}
POPULATED_ROWS = 10_000


@dg.asset_check(
    asset=key("app/conversations"),
    name="recency_queries_use_their_index",
    description="Queries for a conversation's latest messages, or a customer's latest conversations, that do not use "
    f"their index. Only tables of at least {POPULATED_ROWS:,} rows are checked. Run `convo-pipelines migrate up`, or "
    "`analyze` the table. *_reads: scans of the index since statistics were reset.",
)
def recency_queries_use_their_index(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Inspect the plans of the queries."""
    offenders: list[Row] = []
    with reader(warehouse) as standby, standby.connection() as connection:
        usage = fetch_one(connection, "orchestration/checks/recency_index_usage")
        for table, key in RECENCY_QUERIES.items():
            if usage[f"{table}_rows"] < POPULATED_ROWS:  # of a view there are none
                continue
            plan = _plan(connection, table)
            if "Sort" in plan or f"Index Cond: ({key} =" not in plan:
                offenders.append({"table": table, "plan": plan.replace("\n", "; ")})
    return verdict(len(offenders), offenders, **usage)


def _plan(connection: Connection, table: str) -> str:
    return "\n".join(row["QUERY PLAN"] for row in fetch(connection, f"orchestration/checks/recency_of_{table}"))


lifecycle_checks = [
    sql_check("orchestration/checks/one_open_conversation_per_lead", "app/conversations"),
    sql_check("orchestration/checks/conversation_indexes_are_valid", "app/conversations"),
    recency_queries_use_their_index,
]
