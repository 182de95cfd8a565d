"""All summaries from all rows, by DuckDB or Polars over Arrow: `recompute.py duckdb|polars`."""

import os
import sys

import duckdb
import polars as pl
import pyarrow as pa
from adbc_driver_postgresql import dbapi

READ = "select crew_id::text, session_id, message ->> 'type' as type, created_at from plain.histories"

DUCKDB = """
select
    crew_id,
    session_id,
    count(*) as message_count,
    count(*) filter (where type = 'human') as inbound_count,
    count(*) filter (where type = 'ai') as outbound_count,
    min(created_at) as started_at,
    max(created_at) as ended_at,
    (epoch_us(max(created_at)) - epoch_us(min(created_at))) / 1e6 as duration_seconds,
    (
        epoch_us(min(created_at) filter (where type = 'ai' and created_at >= first_human_at))
        - epoch_us(min(first_human_at))
    ) / 1e6 as first_response_seconds
from (
    select *, min(created_at) filter (where type = 'human') over (partition by crew_id, session_id) as first_human_at
    from messages
)
group by all
"""

WRITE = (
    "create schema if not exists peers",
    "drop table if exists peers.summaries",
    "create table peers.summaries as select crew_id::uuid, session_id, message_count, inbound_count, outbound_count,"
    " started_at, ended_at, duration_seconds, first_response_seconds from incoming",
    "create unique index on peers.summaries (crew_id, session_id)",
    "create index on peers.summaries (ended_at)",
    "drop table incoming",
)


def by_duckdb(messages: pa.Table) -> pa.Table:
    return duckdb.register("messages", messages).sql(DUCKDB).to_arrow_table()


def by_polars(messages: pa.Table) -> pa.Table:
    keys, at, kind = ["crew_id", "session_id"], pl.col("created_at"), pl.col("type")
    frame = pl.from_arrow(messages).lazy()
    first_human_at = at.filter(kind == "human").min().over(keys).alias("first_human_at")
    answered_at = at.filter((kind == "ai") & (at >= pl.col("first_human_at"))).min()
    summaries = frame.with_columns(first_human_at).group_by(keys)
    return (
        summaries.agg(
            message_count=pl.len().cast(pl.Int64),
            inbound_count=(kind == "human").sum().cast(pl.Int64),
            outbound_count=(kind == "ai").sum().cast(pl.Int64),
            started_at=at.min(),
            ended_at=at.max(),
            duration_seconds=(at.max() - at.min()).dt.total_microseconds() / 1e6,
            first_response_seconds=(answered_at - pl.col("first_human_at").min()).dt.total_microseconds() / 1e6,
        )
        .collect()
        .to_arrow()
    )


def main() -> None:
    with dbapi.connect(os.environ["CONVO_DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute(READ)
        messages = cursor.fetch_arrow_table()
        summaries = {"duckdb": by_duckdb, "polars": by_polars}[sys.argv[1]](messages)
        cursor.adbc_ingest("incoming", summaries, mode="create")
        for statement in WRITE:
            cursor.execute(statement)
        connection.commit()


main()
