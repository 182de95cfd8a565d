"""The queue of runs, as dagster.yaml configures it: ticks and health checks come before backfills."""

from pathlib import Path

import psycopg
import pytest
from dagster_graphql import DagsterGraphQLClient

from convo_pipelines.orchestration.partitions import days
from convo_pipelines_tests.conftest import Server
from convo_pipelines_tests.interrupts import AT_WORK, assert_nothing_goes_on, refreshes_wait
from convo_pipelines_tests.processes import DagsterDev, ask, wait_until
from convo_pipelines_tests.world import World

RUNS = 8
PRIORITY = """
select distinct value from runs inner join run_tags using (run_id)
where key = 'dagster/priority' and pipeline_name = %s
"""
TERMINATE = """
mutation Terminate($runs: [String!]!) {
  terminateRuns(runIds: $runs) {
    ... on TerminateRunsResult { terminateRunResults { __typename } }
    ... on PythonError { message }
  }
}
"""


@pytest.mark.long(90)
@pytest.mark.wide
def test_ticks_and_health_do_not_wait_for_the_runs_of_a_backfill_which_can_be_cancelled(
    world: World, server: Server, tmp_path: Path
) -> None:
    storage = server.create()
    never, every_minute = "0 0 1 1 *", "* * * * *"
    crons = {"CONVERSATION_DISCOVERY_CRON": every_minute, "HEALTH_CRON": every_minute}
    crons |= {f"{job}_CRON": never for job in ("LINK_SYNC", "RECONCILE", "REPORT")}
    dev = DagsterDev(tmp_path, world.url, storage, **crons)

    def runs(job: str, *statuses: str) -> list[str]:
        query = "select run_id from runs where pipeline_name = %s and status = any(%s)"
        with psycopg.connect(storage) as connection:
            return [row[0] for row in connection.execute(query, [job, list(statuses)])]

    with dev, refreshes_wait(world, "participant_resolutions"):
        client = DagsterGraphQLClient("127.0.0.1", port_number=int(dev.url.rpartition(":")[2]))
        for day in list(days.get_partition_keys())[-RUNS:]:  # as `dagster job backfill` does
            client.submit_job_execution("link_sync", tags={"dagster/backfill": "days", "dagster/partition": day})
        wait_until(lambda: len(world.execute(AT_WORK)) == 2, 240, dev)
        world.message(world.conversation())
        wait_until(lambda: world.execute("select from analytics.conversation_summaries"), 240, dev)
        wait_until(lambda: runs("health", "SUCCESS"), 240, dev)
        at_work = runs("link_sync", "STARTED")
        assert len(at_work) == 2
        assert len(runs("link_sync", "QUEUED")) == RUNS - 2
        with psycopg.connect(storage) as connection:
            for job, priority in (("health", "3"), ("conversation_discovery", "2"), ("link_sync", None)):
                assert {value for (value,) in connection.execute(PRIORITY, [job])} == (
                    {priority} if priority else set()
                )
        ask(dev.url, TERMINATE, runs=runs("link_sync", "QUEUED") + at_work)
        wait_until(lambda: set(runs("link_sync", "CANCELED")) >= set(at_work), 120, dev)
        assert_nothing_goes_on(world)
        assert len(runs("link_sync", "CANCELED")) == RUNS
    assert not world.execute("select from analytics.participant_resolutions")
