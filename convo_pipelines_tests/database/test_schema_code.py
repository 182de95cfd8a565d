"""Functions, views, triggers and comments are applied again when they change; nobody else's object is dropped."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database import transactions
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.migrations import record, runner, upgrade, validation
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import schema
from convo_pipelines.serving.follow import Follower
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import Server, Tree, both_servers_if_wide
from convo_pipelines_tests.database.test_carry_over import restore
from convo_pipelines_tests.database.test_migrations import catalog
from convo_pipelines_tests.world import World, at

VERSIONS = """
select pg_describe_object(classid, oid, 0) as name, version from (
    select 'pg_proc'::regclass as classid, oid, xmin::text as version from pg_proc
    where pronamespace in ('analytics'::regnamespace, 'curation'::regnamespace)
    union all
    select 'pg_class'::regclass, ev_class, xmin::text from pg_rewrite where ev_class >= 16384
    union all
    select 'pg_trigger'::regclass, oid, xmin::text from pg_trigger
    where not tgisinternal and tgname not like 'convo_pipelines%'
) as objects
"""
MAIL = ("'%@%' then 'email'", "'%@%' then 'mail'")
PRICES = "create or replace view analytics.prices as select {columns};\n"
log = logging.getLogger("test")


@pytest.fixture
def world(empty_database: str, tree: Tree) -> Iterator[World]:  # noqa: ARG001
    upgrade.up(url=empty_database)
    world = World(Warehouse(empty_database))
    yield world
    world.close()


def up() -> Result:
    return CliRunner().invoke(main, ["migrate", "up", "--only", "analytics"])


def changed(world: World, change: Callable[[], object]) -> set[str]:
    """Apply a change; return the functions, views and triggers that were written, and those that are gone."""
    before = {(row["name"], row["version"]) for row in world.execute(VERSIONS)}
    change()
    assert (done := up()).exit_code == 0, done.output
    after = {(row["name"], row["version"]) for row in world.execute(VERSIONS)}
    assert up().exit_code == 0
    assert after == {(row["name"], row["version"]) for row in world.execute(VERSIONS)}, "applied twice"
    return {name for name, _ in before ^ after}


def comment_of(world: World, relation: str) -> str:
    return world.execute(f"select obj_description('{relation}'::regclass) as text")[0]["text"]


@both_servers_if_wide
def test_only_what_changed_is_applied_again(world: World, tree: Tree) -> None:
    def change() -> None:
        tree.edit(
            "analytics/matching", "when identifier like '%@%' then 'email'", "when identifier like '%@%' then 'mail'"
        )
        tree.edit("analytics/names", "'Names of clients", "'The names of clients")

    before = comment_of(world, "analytics.client_names")
    assert changed(world, change) == {"function analytics.kind_of(text)", "view analytics.client_names"}
    assert world.execute("select analytics.kind_of('a@b.example') as kind") == [{"kind": "mail"}]
    assert comment_of(world, "analytics.client_names") == before.replace("Names of", "The names of")


def test_what_somebody_dropped_comes_back(world: World) -> None:
    world.execute("drop view analytics.busiest_crews")
    assert changed(world, lambda: None) == {"view analytics.busiest_crews"}
    assert list(validation.validate()) == []


@both_servers_if_wide
def test_a_function_whose_arguments_or_result_change_is_replaced_with_what_depends_on_it(
    world: World, tree: Tree
) -> None:
    tree.define("analytics/price", PRICE.format(arguments="rows bigint", result="numeric"))
    tree.define(
        "analytics/prices",
        "create or replace view analytics.prices as select analytics.price(3) as price;\n"
        "comment on view analytics.prices is 'What it costs.';\n"
        "create or replace view analytics.high_prices as select price from analytics.prices;\n",
    )
    assert up().exit_code == 0
    again = {"view analytics.prices", "view analytics.high_prices"}

    def change_result() -> None:
        tree.define("analytics/price", PRICE.format(arguments="rows bigint", result="text"))

    assert changed(world, change_result) == {"function analytics.price(bigint)", *again}
    assert world.execute("select price from analytics.high_prices") == [{"price": "6"}]
    assert comment_of(world, "analytics.prices") == "What it costs."

    def change_arguments() -> None:
        tree.define("analytics/price", PRICE.format(arguments="rows int", result="text"))
        tree.edit("analytics/prices", "price(3)", "price(3::int)")

    assert {"function analytics.price(bigint)", "function analytics.price(integer)"} <= changed(world, change_arguments)
    assert len(world.execute("select from pg_proc where proname = 'price'")) == 1


PRICE = """
create or replace function analytics.price({arguments}) returns {result}
language sql immutable parallel safe return (2 * rows)::{result};
"""


def test_a_view_whose_columns_change_keeps_the_rights_of_the_roles(world: World, tree: Tree) -> None:
    upgrade.up(("roles",), url=world.url)
    tree.edit("analytics/names", "    id as client_id,", "    id as client_key,\n    id as client_id,")
    assert up().exit_code == 0
    assert world.execute("select client_key from analytics.client_names") == []
    rights = "select has_table_privilege('convo_analyst', 'analytics.client_names', 'select') as may"
    assert world.execute(rights) == [{"may": True}]


def test_what_is_no_longer_defined_is_dropped(world: World, tree: Tree) -> None:
    tree.define("analytics/price", PRICE.format(arguments="rows bigint", result="numeric"))
    tree.define("analytics/prices", "create or replace view analytics.prices as select analytics.price(3) as price;\n")
    tree.define("analytics/more", "create or replace view analytics.more as select price from analytics.prices;\n")
    assert up().exit_code == 0

    def change() -> None:
        for name in ("price", "prices", "more"):
            tree.define(f"analytics/{name}", "")

    gone = {"function analytics.price(bigint)", "view analytics.prices", "view analytics.more"}
    found = changed(world, change)
    assert len(found) == len(gone)
    assert world.execute("select from pg_class where relname in ('prices', 'more')") == []


@pytest.mark.parametrize(
    ("of_others", "named"),
    [
        ("create view public.mine as select price from analytics.prices", "view mine depends on view analytics.prices"),
        (
            "create function public.mine() returns bigint language sql "
            "begin atomic; select count(price) from analytics.prices; end",
            "function mine() depends on view analytics.prices",
        ),
    ],
)
@pytest.mark.parametrize("is_gone", [True, False])
def test_what_others_made_of_code_that_goes_is_named_and_nothing_is_done(
    world: World, tree: Tree, of_others: str, named: str, is_gone: bool
) -> None:
    tree.define("analytics/prices", PRICES.format(columns="3 as price, 4 as other"))
    assert up().exit_code == 0
    world.execute(of_others)
    before = catalog(world.url)
    tree.edit("analytics/matching", *MAIL)
    tree.define(
        "analytics/prices", "" if is_gone else "create or replace view analytics.prices as select 3 as price;\n"
    )
    refused = up()
    assert refused.exit_code == 1
    said = " ".join(refused.output.split()).replace("public.", "")
    assert f"analytics is not upgraded, other objects depend on what it drops: {named}" in said
    assert catalog(world.url) == before
    world.execute("drop view if exists public.mine; drop function if exists public.mine")
    assert up().exit_code == 0


def test_a_newer_database_is_refused_and_newer_code_is_not_replaced(world: World, tree: Tree) -> None:
    world.execute("update analytics.schema_migrations set checksum = '99.0 x' where name = 'code'")
    assert CliRunner().invoke(main, ["tick"]).exit_code == 0
    refused = up()
    assert refused.exit_code == 1
    assert "the database is newer than this version: it is at 99.0. Install that version" in refused.output
    tree.add("9999_future", "select", "select")
    world.execute("update analytics.schema_migrations set checksum = '0.1.0 x' where name = 'code'")
    assert "not applied: 9999_future" in "; ".join(validation.validate())
    assert up().exit_code == 0
    (tree.folder / "migrations" / "analytics" / "9999_future").rename(tree.folder / "elsewhere")
    for command in (["up"], ["up", "--only", "roles"], ["down", "--yes"]):
        refused = CliRunner().invoke(main, ["migrate", *command])
        assert refused.exit_code == 1
        assert "the database is newer than this version: it is at 9999_future" in refused.output


@both_servers_if_wide
def test_migrations_at_once_apply_each_one_once(world: World, tree: Tree) -> None:
    world.execute("create table public.counts as select 0 as number")
    tree.add("9001_count", "select pg_sleep(0.3); update public.counts set number = number + 1;", "select;")
    with ThreadPoolExecutor() as pool:
        done = [pool.submit(upgrade.up, ("analytics",), world.url) for _ in range(3)]
    assert [one.exception() for one in done] == [None] * 3
    assert world.execute("select number from public.counts") == [{"number": 1}]


@pytest.mark.parametrize("name", ["", "without_roles"])
def test_first_migrations_at_once_all_succeed(server: Server, name: str) -> None:
    url = server.create()
    if name:
        restore(url, name)
    with ThreadPoolExecutor() as pool:
        done = [pool.submit(upgrade.up, url=url) for _ in range(3)]
    assert [one.exception() for one in done] == [None] * 3
    assert record.missing(url) == []


def test_a_migration_that_waits_for_another_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "WAIT_SECONDS", 1)
    with runner.alone(world.url):
        for command in (["up"], ["down", "--yes"]):
            refused = CliRunner().invoke(main, ["migrate", *command])
            assert refused.exit_code == 1
            assert "another `migrate up` or `migrate down` is running on this database" in refused.output


def test_a_rollback_and_the_version_before_leave_nothing_of_the_later_one(world: World, tree: Tree) -> None:
    before = catalog(world.url)
    tree.add(
        "9001_mood",
        "alter table analytics.alerts add column mood text;",
        "drop view analytics.moods; alter table analytics.alerts drop column mood;",
    )
    tree.define("analytics/mood", MOOD)
    assert up().exit_code == 0
    assert CliRunner().invoke(main, ["migrate", "down", "--yes"]).output.endswith("rolled back 9001_mood\n")
    tree.define("analytics/mood", "")
    (tree.folder / "migrations" / "analytics" / "9001_mood").rename(tree.folder / "elsewhere")
    assert up().exit_code == 0
    assert catalog(world.url) == before
    assert list(validation.validate()) == []


MOOD = """
create or replace function analytics.set_mood() returns trigger
language plpgsql
as $$
begin
    new.mood := 'good';
    return new;
end
$$;
create or replace trigger mood before insert on analytics.alerts
for each row execute function analytics.set_mood();
create or replace view analytics.moods as select mood from analytics.alerts;
"""


def test_comments_and_rights_come_back_with_what_a_migration_makes_again(world: World, tree: Tree) -> None:
    upgrade.up(("roles",), url=world.url)
    before = catalog(world.url)
    again = tree.folder / "schema" / "analytics" / "deferred_indexes.sql"
    tree.add("9001_again", f"drop table analytics.deferred_indexes; {again.read_text()}", "select;")
    world.execute("drop function analytics.lock_parents, analytics.release, analytics.capture")
    assert up().exit_code == 0
    assert catalog(world.url) == before
    assert list(validation.validate()) == []


@pytest.mark.usefixtures("world")
def test_until_code_is_applied_commands_say_so(tree: Tree) -> None:
    tree.edit("analytics/names", "'Names of clients", "'The names of clients")
    ended = CliRunner().invoke(main, ["tick"])
    assert ended.exit_code == 1
    assert "the database lacks code: run `convo-pipelines migrate up --only analytics`" in " ".join(
        ended.output.split()
    )


@pytest.mark.long(20)
def test_an_upgrade_under_writers_ticks_and_a_follower_loses_nothing(world: World, tree: Tree) -> None:
    """All code changes, and a table gets a column, while the application writes and reads; then all is right."""
    for crew in ("A", "B"):
        world.crew(crew)
        world.say("s0", "human", at(0), crew)
    ana = world.person(email="ana@example.com")
    ticks.tick_all(world.warehouse, DERIVED_TABLES, log)
    stop, failures = threading.Event(), list[BaseException]()

    def write(crew: str) -> None:
        writer = World(Warehouse(world.url))
        writer.tables |= world.tables
        number = 0
        while not stop.is_set():
            number += 1
            writer.say(f"s{number % 7}", "human", at(number % 3, number % 24), crew)
            talk = writer.conversation(client="C1")
            writer.address(talk, writer.contact(f"ana+{crew}{number}@example.com", ana))
            writer.execute("select count(*) from analytics.person_timeline")
        writer.close()

    def tick() -> None:
        while not stop.is_set():
            with suppress(TableLockedError):  # the next tick does its work
                ticks.tick_all(world.warehouse, DERIVED_TABLES, log)

    def guarded(work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except BaseException as error:
            failures.append(error)

    schema.require(world.warehouse)  # processes of the version before go on
    follower = Follower(Warehouse(world.url))
    works = ((write, "A"), (write, "B"), (tick,), (follower.run,))
    threads = [threading.Thread(target=guarded, args=work) for work in works]
    for thread in threads:
        thread.start()
    for version in range(3):
        for file in sorted((tree.folder / "schema" / "analytics").glob("*.sql")):
            again = re.sub("^create or replace", "-- again\\ncreate or replace", file.read_text(), flags=re.MULTILINE)
            tree.define(f"analytics/{file.stem}", again)
        tree.add(f"000{version}_column", f"alter table analytics.alerts add column c{version} text;", "select;")
        assert (done := up()).exit_code == 0, done.output
    stop.set()
    follower.stop()
    for thread in threads:
        thread.join()
    assert failures == []
    ticks.tick_all(world.warehouse, DERIVED_TABLES, log)
    oracle.assert_right(world)
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0
