"""Worked queries of the lake answer what PostgreSQL does: on this machine, and on a Ray cluster that loses a worker."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from click.testing import CliRunner
from psycopg.rows import tuple_row

from convo_pipelines.cli import main
from convo_pipelines.lake import Query, refresh, store
from convo_pipelines.lake.tables import LAKE_TABLES
from convo_pipelines.orchestration.questions import Question, lake_query
from convo_pipelines_tests.clusters import Cluster, ray_cluster
from convo_pipelines_tests.processes import wait_until
from convo_pipelines_tests.world import World

SIZES = {"eu1": 60_000, "us1": 500}
"""Conversations of each cell."""
START, END = "2026-02-10", "2026-05-01"

ROWS = """
set session_replication_role = replica;
select setseed(0.5);
insert into analytics.conversation_summaries (
    conversation_id, source, channel, client_id, message_count, inbound_count, outbound_count, participant_count,
    started_at, ended_at, duration_seconds, first_response_seconds
)
select
    uuid_in(md5('c' || n)::cstring),
    'messages',
    (array['email', 'chat', 'whatsapp'])[n % 3 + 1],
    uuid_in(md5('client' || n % 7)::cstring),
    n % 5,
    1,
    1,
    2,
    timestamptz '2026-02-01 00:00+00' + n % 100 * interval '1 day' + random() * interval '1 day',
    '2026-06-01',
    0,
    case when n % 4 > 0 then round((random() ^ 4 * 200000)::numeric, 3) end
from generate_series(1, {size}) as n;
insert into analytics.conversation_days
select
    conversation_id, started_at::date + day, client_id, source, message_count, true, false, null, now()
from analytics.conversation_summaries
cross join generate_series(0, 1) as day;
insert into analytics.people_conversations (person_id, conversation_id)
select uuid_in(md5('p' || n % 1000 + who)::cstring), uuid_in(md5('c' || n)::cstring)
from generate_series(1, {size}) as n
cross join generate_series(0, 1) as who;
insert into analytics.project_conversations (project_id, conversation_id, added_at, added_by_is)
select uuid_in(md5('project' || n % 20)::cstring), uuid_in(md5('c' || n)::cstring), '2026-03-01', 'owner'
from generate_series(1, {size} + 5) as n;
"""
IN_POSTGRESQL = {
    Query.first_responses: """
        select client_id::text, to_char(started_at, 'YYYY-MM'), count(*),
            percentile_cont(0.5) within group (order by first_response_seconds),
            percentile_cont(0.9) within group (order by first_response_seconds)
        from analytics.conversation_summaries
        where first_response_seconds is not null and started_at >= %(start)s and started_at < %(end)s
        group by 1, 2
    """,
    Query.active_people: """
        select client_id::text, to_char(activity_date, 'YYYY-MM'), count(distinct person_id),
            count(distinct conversation_id)
        from analytics.conversation_days
        inner join analytics.people_conversations using (conversation_id)
        where message_count > 0 and activity_date >= %(start)s and activity_date < %(end)s
        group by 1, 2
    """,
    Query.projects: """
        select link.project_id::text, count(*), coalesce(sum(message_count), 0)::bigint
        from analytics.project_conversations as link
        left join analytics.conversation_summaries using (conversation_id)
        where added_at >= %(start)s and added_at < %(end)s
        group by 1
    """,
    Query.reply_funnel: """
        select channel, count(*), count(first_response_seconds), count(*) filter (where first_response_seconds <= 3600),
            count(*) filter (where first_response_seconds <= 86400)
        from analytics.conversation_summaries
        where started_at >= %(start)s and started_at < %(end)s
        group by 1
    """,
}


@pytest.fixture
def cells(
    new_world: Callable[..., World], tmp_path: Path, environment: Callable[..., object]
) -> Iterator[dict[str, World]]:
    """Two cells with generated rows, in one lake."""
    worlds = {cell: new_world() for cell in SIZES}
    for cell, world in worlds.items():
        world.connection.execute(ROWS.format(size=SIZES[cell]))
        environment(CONVO_CELL=cell, LAKE_URI=f"file://{tmp_path}", LAKE_CATALOG_URL=worlds["eu1"].url)
        store.catalog.cache_clear()
        for table in LAKE_TABLES:
            refresh.tick(world.warehouse, table)
    yield worlds
    store.catalog.cache_clear()


def in_postgresql(worlds: dict[str, World], query: Query) -> list[tuple[Any, ...]]:
    days = {"start": START, "end": END}
    return sorted(
        (cell, *map(rounded, row))
        for cell, world in worlds.items()
        for row in world.connection.cursor(row_factory=tuple_row).execute(IN_POSTGRESQL[query], days)
    )


def in_file(file: Path) -> list[tuple[Any, ...]]:
    return sorted(tuple(map(rounded, row)) for row in pd.read_parquet(file).itertuples(index=False))


def rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def test_queries_answer_what_postgresql_answers(cells: dict[str, World], tmp_path: Path) -> None:
    for query in Query:
        output = tmp_path / "answers" / f"{query}.parquet"
        options = ["--start", START, "--end", END, "--output", f"file://{output}"]
        done = CliRunner().invoke(main, ["lake", "query", query, *options])
        assert done.exit_code == 0, done.output
        assert in_file(output) == in_postgresql(cells, query) != [], query


def ask_on(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("convo-pipelines"), "lake", "query", *arguments]
    variables = cluster.environment | {"DAFT_RUNNER": "ray", "RAY_ADDRESS": cluster.address}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.long(60)
@pytest.mark.wide
def test_the_job_answers_on_a_cluster_that_loses_a_worker(
    cells: dict[str, World], tmp_path: Path, environment: Callable[..., object]
) -> None:
    variables = {"LAKE_URI": f"file://{tmp_path}", "LAKE_CATALOG_URL": cells["eu1"].url}
    with ray_cluster(**variables) as cluster:
        environment(LAKE_CLUSTER=cluster.url)
        asked = Question(query=Query.first_responses, start=START, end=END)
        config = dg.RunConfig(ops={"ask": asked}).to_config_dict()
        done = list[dg.ExecuteInProcessResult]()
        run = threading.Thread(target=lambda: done.append(lake_query.execute_in_process(run_config=config)))
        run.start()
        wait_until(lambda: cluster.computing() == 2, 120)
        cluster.lose_a_worker()
        assert not done
        run.join()
        nothing = ask_on(cluster, "reply_funnel", "--start", "2099-01-01")
        assert nothing.returncode == 0, nothing.stderr
        assert "0 of 0 rows" in nothing.stdout
    [result] = done
    assert result.success
    [answer] = (tmp_path / "answers").iterdir()
    assert in_file(answer) == in_postgresql(cells, Query.first_responses)
