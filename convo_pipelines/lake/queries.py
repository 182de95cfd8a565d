"""Questions across cells that outgrow one machine, for Daft: on all cores of this one, or on a Ray cluster.

Daft runs on Ray if its own variable `DAFT_RUNNER` is `ray`. Each query returns a lazy frame: nothing is read before
`collect()`, `to_pandas()` and the like.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import daft as untyped_daft
import pyarrow.parquet  # pyright: ignore[reportMissingTypeStubs]

from convo_pipelines.lake import Query, store

daft, col = cast("Any", untyped_daft), cast("Any", untyped_daft.col)
parquet = cast("Any", pyarrow.parquet)

Frame = Any
"""A `daft.DataFrame`."""

HOUR, DAY = 3_600, 86_400
TASKS_PER_CORE = 2
"""Into how many parts a cluster divides what it groups, per core: Daft's 200 are for large clusters."""


@dataclass(frozen=True)
class Days:
    """The UTC days from `start` until before `end`; an end that is None is open."""

    start: date | None = None
    end: date | None = None


def first_responses(days: Days) -> Frame:
    """Return the seconds to the first answer by cell, client and month of the start: answered, median, p90."""
    seconds = col("first_response_seconds")
    answered = _rows("conversation_summaries", days).where(seconds.not_null())
    return (
        answered.with_column("month", _month)
        .groupby("cell", "client_id", "month")
        .agg(
            seconds.count().alias("answered"),
            seconds.median().alias("median_seconds"),
            seconds.percentile(0.9).alias("p90_seconds"),
        )
        .sort(["cell", "client_id", "month"])
    )


def active_people(days: Days) -> Frame:
    """Return how many persons had a conversation with messages, by cell, client and month: people, conversations."""
    active = _rows("conversation_days", days).where(col("message_count") > 0).with_column("month", _month)
    links = _rows("people_conversations").select("cell", "conversation_id", "person_id")
    return (
        active.select("cell", "client_id", "month", "conversation_id")
        .join(links, on=["cell", "conversation_id"])
        .groupby("cell", "client_id", "month")
        .agg(
            col("person_id").count_distinct().alias("people"),
            col("conversation_id").count_distinct().alias("conversations"),
        )
        .sort(["cell", "client_id", "month"])
    )


def projects(days: Days) -> Frame:
    """Return the conversations that were added to each project, and their messages: conversations, messages."""
    added = _rows("project_conversations", days).select("cell", "project_id", "conversation_id")
    messages = _rows("conversation_summaries").select("cell", "conversation_id", "message_count")
    return (
        added.join(messages, on=["cell", "conversation_id"], how="left")
        .groupby("cell", "project_id")
        .agg(
            col("conversation_id").count().alias("conversations"),
            col("message_count").sum().fill_null(0).alias("messages"),
        )
        .sort(["cell", "project_id"])
    )


def reply_funnel(days: Days) -> Frame:
    """Return how many conversations that began were answered, and how soon, by cell and channel.

    The columns are conversations, answered, within_an_hour, within_a_day.
    """
    seconds = col("first_response_seconds")
    begun = _rows("conversation_summaries", days).with_columns(
        {"is_quick": (seconds <= HOUR).cast("int64"), "is_slow": (seconds <= DAY).cast("int64")}
    )
    return (
        begun.groupby("cell", "channel")
        .agg(
            col("conversation_id").count().alias("conversations"),
            seconds.count().alias("answered"),
            col("is_quick").sum().fill_null(0).alias("within_an_hour"),
            col("is_slow").sum().fill_null(0).alias("within_a_day"),
        )
        .sort(["cell", "channel"])
    )


QUERIES: dict[Query, Callable[[Days], Frame]] = {
    Query.first_responses: first_responses,
    Query.active_people: active_people,
    Query.projects: projects,
    Query.reply_funnel: reply_funnel,
}


def answer(query: Query, days: Days, output: str | None = None) -> Frame:
    """Return the answer of a query, computed; `output` is a file to which it is written as Parquet.

    The file has the scheme of the lake's files, such as `s3://lake/answers/first_responses.parquet`.

    Raises:
        NotInLakeError: nothing was written into the lake yet.

    """
    if daft.get_or_infer_runner_type() == "ray":
        daft.get_or_create_runner()
        _divide()
    answered = QUERIES[query](days).collect()
    if output:
        file = store.required("conversation_summaries").io.new_output(output)
        with file.create(overwrite=True) as stream:
            parquet.write_table(answered.to_arrow(), stream)
    return answered


def _divide() -> None:
    import ray  # pyright: ignore[reportMissingTypeStubs]

    cores = cast("Any", ray).cluster_resources().get("CPU", 1)
    daft.set_execution_config(shuffle_aggregation_default_partitions=int(cores * TASKS_PER_CORE))


def _rows(table: str, days: Days = Days()) -> Frame:
    iceberg: Any = store.required(table)
    first, end = days.start or date.min, days.end or date.max
    found = iceberg.scan(row_filter=f"day >= '{first}' and day <= '{end}'").plan_files()
    if not any(True for _ in found):  # Daft on Ray groups no frame that has no files
        return daft.from_arrow(iceberg.schema().as_arrow().empty_table())
    rows = daft.read_iceberg(iceberg)
    if days.start:
        rows = rows.where(col("day") >= days.start)
    if days.end:
        rows = rows.where(col("day") < days.end)
    return rows


_month = col("day").strftime("%Y-%m")
