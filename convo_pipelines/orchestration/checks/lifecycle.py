"""The integrity of the conversations themselves, where a constraint or an index is missing or was bypassed."""

import dagster as dg

from convo_pipelines.database.warehouse import Connection, Row, Warehouse, fetch, fetch_one
from convo_pipelines.orchestration.checks import sql_check, verdict

RECENCY_QUERIES = {"messages": "conversation_id", "conversations": "customer_id"}
POPULATED_ROWS = 10_000


@dg.asset_check(
    asset=dg.AssetKey(["app", "conversations"]),
    name="recency_queries_use_their_index",
    description="The latest messages of a conversation, the latest conversations of a customer: read in an index's "
    f"order, without a sort (judged from {POPULATED_ROWS:,} rows on). If not: run `convo-pipelines migrate up`, or "
    "`analyze` the table. *_reads: how often the index was read since statistics were reset.",
)
def recency_queries_use_their_index(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Ask the planner."""
    offenders: list[Row] = []
    with warehouse.connection() as connection:
        usage = fetch_one(connection, "orchestration/checks/recency_index_usage")
        for table, key in RECENCY_QUERIES.items():
            plan = _plan(connection, table)
            if usage[f"{table}_rows"] >= POPULATED_ROWS and ("Sort" in plan or f"Index Cond: ({key} =" not in plan):
                offenders.append({"table": table, "plan": plan.replace("\n", "; ")})
    return verdict(len(offenders), offenders, **usage)


def _plan(connection: Connection, table: str) -> str:
    return "\n".join(row["QUERY PLAN"] for row in fetch(connection, f"orchestration/checks/recency_of_{table}"))


lifecycle_checks = [
    sql_check(
        "one_open_conversation_per_lead",
        "app/conversations",
        "Leads with several open conversations: the unique index is missing or was bypassed. Close all but one of "
        "each, then run `convo-pipelines migrate up`.",
    ),
    sql_check(
        "conversation_indexes_are_valid",
        "app/conversations",
        "Indexes of the conversations' lifecycle that are missing or invalid: run `convo-pipelines migrate up`; "
        "where it was applied already, drop an invalid one and run the statement shown.",
    ),
    recency_queries_use_their_index,
]
