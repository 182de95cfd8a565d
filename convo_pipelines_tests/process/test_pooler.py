"""Through PgBouncer, in either mode: connections that are lent for a session, or for a transaction."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from convo_pipelines.database.execution import fetch
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import health
from convo_pipelines.serving import read
from convo_pipelines_tests import oracle
from convo_pipelines_tests.servers import pooler
from convo_pipelines_tests.world import World, at

INSERT = """
insert into app.histories_a (session_id, message) values (gen_random_uuid()::text, '{"type": "human"}')
"""


@pytest.fixture(params=["transaction", pytest.param("session", marks=pytest.mark.wide)])
def pooled(request: pytest.FixtureRequest, world: World) -> Iterator[World]:
    """A world whose pipeline reaches the database through PgBouncer; the application does not."""
    world.warehouse.close()
    with pooler(world.url, request.param) as address:
        world.warehouse = Warehouse(address)
        yield world
        world.warehouse.close()


@pytest.mark.parametrize("server", ["debian"], indirect=True)
def test_everything_works_through_a_pooler(pooled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pooled.crew()
    pooled.say("s1", "human", at(0, 9))
    talk = pooled.conversation()
    pooled.address(talk, pooled.contact("ana@example.com", pooled.person()))

    def write() -> None:
        with psycopg.connect(pooled.url, autocommit=True) as connection:
            for _ in range(200):
                connection.execute(INSERT)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        pooled.tick()
        pooled.sync()
    writer.join()
    pooled.tick()
    pooled.sync()
    oracle.assert_right(pooled)
    oracle.assert_links_right(pooled)
    pooled.backfill(at(0).date(), at(1).date())
    assert pooled.reconcile().drift.changed == 0
    assert health.look(pooled.warehouse) == []
    assert [name for name, check in pooled.checks().items() if not check.passed] == []
    with pooled.warehouse.connection() as connection:
        assert fetch(connection, "cli/status/tables")
    monkeypatch.setattr(read, "read_url", lambda: pooled.warehouse.url)
    assert len(read.summaries()) == 202


@pytest.mark.parametrize("server", ["debian"], indirect=True)
def test_other_clients_of_the_pooler_keep_their_settings(pooled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "read_url", lambda: pooled.warehouse.url)
    names = ["search_path", "datestyle", "statement_timeout", "idle_in_transaction_session_timeout", "work_mem"]
    settings = "select name, setting from pg_settings where name = any(%s)"
    with psycopg.connect(pooled.warehouse.url, autocommit=True) as other:
        before = other.execute(settings, [names]).fetchall()
        pooled.tick()
        read.summaries()
        read.lag()
        health.look(pooled.warehouse)
        upgrade.up(url=pooled.warehouse.url)
        assert other.execute(settings, [names]).fetchall() == before
