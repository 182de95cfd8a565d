"""Schema `app` as views over the owner's tables: installed, captured, released, restored."""

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines_tests import adopted, oracle
from convo_pipelines_tests.adopted import VIEWS, assert_right, modes, refresh
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.world import World


@pytest.fixture
def world(adopted_shop: World) -> World:
    return adopted_shop


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        (path := tmp_path / "views.sql").write_text(text)
        return str(path)

    return write


def adopt(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["adopt", *arguments])


@both_servers_if_wide
def test_a_shop_is_read_through_its_views(empty_database: str) -> None:
    with closing(World(Warehouse(empty_database))) as world:
        adopted.adopt_shop(world)
        assert modes(world) == {}
        refresh(world)
        assert_right(world)
        assert world.execute("select count(*) as n from analytics.conversation_summaries") == [{"n": 8 + 14}]
        assert world.execute("select count(*) as n from shop.chats where bot_id is not null") == [{"n": 14}]


def write(rng: random.Random) -> str:
    one = rng.randrange(1, 13)
    return rng.choice([
        f"update shop.chats set deleted_at = case when deleted_at is null then now() end where id = {one}",
        f"update shop.chats set account_id = 3 - account_id where id % 5 = {one % 5}",
        f"update shop.chats set inbox_id = nullif({one % 3}, 0) where id = {one}",
        f"update shop.inboxes set kind = case kind when 'email' then 'chat' else 'email' end where id = {1 + one % 2}",
        "insert into shop.inboxes (kind) values ('chat')",
        f"update shop.posts set kind = (kind + 1) % 3 where id % 12 = {one % 12}",
        f"update shop.posts set chat_id = {one} where id % 20 = {one}",
        f"update shop.posts set posted = posted + interval '1 day' where id % 30 = {one}",
        f"insert into shop.posts (chat_id, contact_id, kind) values ({one}, {1 + one % 3}, {one % 2})",
        f"delete from shop.posts where id % 40 = {one}",
        f"update shop.contacts set deleted_at = case when deleted_at is null then now() end where id = {1 + one % 3}",
        f"update shop.contacts set email = 'c{one}@example.com', phone = null where id = {1 + one % 3}",
        f"update shop.chat_log set bot = case bot when 'ida' then 'otto' else 'ida' end where id % 15 = {one}",
        f"update shop.chat_log set session_id = 't' || id where id % 25 = {one}",
        f"delete from shop.chat_log where id % 30 = {one}",
        f"insert into shop.chat_log (bot, session_id, role, content) values ('ida', 'n{one}', 'user', 'x')",
        f"update shop.accounts set status = 1 - status where id = {1 + one % 2}",
    ])  # fmt: skip


@pytest.mark.representatives(1)
@pytest.mark.parametrize(
    "seed", [1, 2, pytest.param(3, marks=pytest.mark.wide), pytest.param(4, marks=pytest.mark.wide)]
)
def test_whatever_the_owner_writes_is_right_after_the_next_tick(world: World, seed: int) -> None:
    rng = random.Random(seed)
    refresh(world)
    for _ in range(4):
        for _ in range(6):
            world.execute(write(rng))
        with psycopg.connect(world.url) as late:
            late.execute(write(rng))
            refresh(world)
        refresh(world)
        oracle.assert_right(world, deleted_of(world))
        oracle.assert_links_right(world)
    world.execute("update shop.accounts set status = 0")
    refresh(world)
    assert world.reconcile().drift.changed == 0


def deleted_of(world: World) -> set[tuple[object, object]]:
    rows = world.execute("select crew_id, session_id from analytics.deleted_conversations")
    return {(row["crew_id"], row["session_id"]) for row in rows}


def test_an_inbox_concerns_its_chats_if_what_the_view_shows_of_it_changes(world: World) -> None:
    refresh(world)
    log = "select source, operation from analytics.changes where operation in ('beneath', 'everything')"
    world.execute("update shop.inboxes set note = 'x' where id = 1")
    assert world.execute(log) == []
    world.execute("update shop.inboxes set kind = 'linkedin' where id = 1")
    assert world.execute(log) == [{"source": "conversations", "operation": "beneath"}]
    found = "select id from analytics.changed_conversations where operation = 'update' order by id"
    chats = "select analytics.uuid_of(id) as id from shop.chats where inbox_id = 1 order by 1"
    assert world.execute(found) == world.execute(chats)
    refresh(world)
    assert_right(world)


def test_a_lock_on_a_joined_table_holds_nobody_up(world: World) -> None:
    with psycopg.connect(world.url) as other:
        other.execute("lock table shop.inboxes in access exclusive mode")
        world.execute("set lock_timeout = '1s'; update shop.chats set topic = 'x' where id = 1")


def test_conversations_that_cannot_be_inserted_are_counted(shop: World) -> None:
    views = VIEWS.replace("from shop.chats as chat", "from (select * from shop.chats) as chat")
    remarks = adopted.install(shop, views)
    assert [remark.split(":")[0] for remark in remarks] == ["conversations"]
    refresh(shop)
    assert shop.execute("select count(*) as n from shop.chats") == [{"n": 12}]
    [odd] = shop.execute("select kind, rows from analytics.oddities where asset_key = 'crew_conversations'")
    assert odd == {"kind": "conversations refused by view app.conversations", "rows": 14}


def test_without_create_conversations_sessions_join_those_that_are_there(
    world: World, environment: Callable[..., object]
) -> None:
    environment(CREATE_CONVERSATIONS="false")
    world.execute("insert into shop.chats (account_id, bot_id, session) values (1, 1, 's2')")
    refresh(world)
    [found] = world.execute(
        "select session_id, message_count from analytics.conversation_summaries where crew_id is not null"
    )
    assert found["session_id"] == "s2"
    assert world.execute("select count(*) as n from shop.chats where bot_id is not null") == [{"n": 1}]
    environment(CREATE_CONVERSATIONS="true")
    world.reconcile()
    assert world.execute("select count(*) as n from shop.chats where bot_id is not null") == [{"n": 14}]


# The file


def test_a_file_that_fails_changes_nothing(shop: World, file: Callable[[str], str]) -> None:
    before = shop.execute("select relname, relkind from pg_class where relnamespace = 'app'::regnamespace order by 1")
    for text, message in {
        "create view app.clients as select id from accounts": "qualify each name with its schema",
        VIEWS.replace("client_code", "code"): "app.clients has no column client_code (text: A short name",
        VIEWS.replace(
            "    null::text as linkedin_urn\n", "    null::int as linkedin_urn\n"
        ): "is of type integer, not text",
        VIEWS.replace(",\n    null::text as linkedin_urn\n", "\n"): "add null::text as linkedin_urn",
    }.items():
        result = adopt("install", file(text))
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
    after = shop.execute("select relname, relkind from pg_class where relnamespace = 'app'::regnamespace order by 1")
    assert before == after


def test_reference_tables_with_rows_are_kept(shop: World, file: Callable[[str], str]) -> None:
    shop.client()
    result = adopt("install", file(VIEWS))
    assert result.exit_code == 1
    assert "app.clients: these tables of the reference schema have rows" in result.output
    assert shop.execute("select client_code from app.clients") == [{"client_code": "C1"}]


def test_views_of_histories_are_captured_beside_reference_tables_with_rows(
    shop: World, file: Callable[[str], str]
) -> None:
    upgrade.up(("roles",), url=shop.url)
    for agent in ("ida", "otto"):
        shop.insert(
            "crews", client_id=shop.client(), crew_code=agent, name=agent, histories_table_name=f"{agent}_histories"
        )
        shop.tables[agent] = f"{agent}_histories"
    for agent in ("ida", "otto"):
        view = (
            f"create or replace view app.{agent}_histories as select session_id, "
            "jsonb_build_object('type', case role when 'user' then 'human' else 'ai' end) as message, created_at "
            f"from shop.chat_log where bot = '{agent}';"
        )
        result = adopt("install", file(view))
        assert result.exit_code == 0, result.output
    assert modes(shop) == {}
    [readable] = shop.execute("select has_table_privilege('convo_pipeline', 'app.ida_histories', 'select') as may")
    assert readable["may"]
    refresh(shop)
    shop.execute("insert into shop.chat_log (bot, session_id, role, content) values ('otto', 'new', 'user', 'x')")
    refresh(shop)
    assert_right(shop)
    [new] = shop.execute("select message_count from analytics.conversation_summaries where session_id = 'new'")
    assert new == {"message_count": 1}


def test_a_check_says_what_there_is_and_changes_nothing(shop: World, file: Callable[[str], str]) -> None:
    shop.execute("alter table shop.posts drop constraint posts_pkey; update shop.posts set id = 1 where id = 4")
    output = adopt("--check", file(VIEWS)).output
    assert "create index concurrently on shop.posts using btree ((analytics.uuid_of(chat_id)));" in output
    assert "create index concurrently on shop.chats ((inbox_id));" in output
    [messages] = [line for line in output.splitlines() if "│ messages " in line]
    assert [cell.strip() for cell in messages.split("│")][1:7] == ["messages", "80", "0", "1", "0", "yes"]
    assert shop.execute("select count(*) as n from pg_views where schemaname = 'app'") == [{"n": 0}]


def test_missing_indexes_are_named_and_used(world: World) -> None:
    missing = [row["run_this"] for row in world.execute("select run_this from analytics.missing_app_indexes")]
    assert "create index concurrently on shop.posts using btree ((analytics.uuid_of(chat_id)))" in missing
    assert (
        "create index concurrently on shop.posts using btree ((analytics.uuid_of('phone', (contact_id)::text)))"
        in missing
    )
    assert any(statement in CliRunner().invoke(main, ["migrate", "validate"]).output for statement in missing)
    for statement in missing:
        world.execute(statement)
    assert world.execute("select run_this from analytics.missing_app_indexes") == []


# Changes beneath


def test_columns_are_altered_between_release_and_restore(world: World) -> None:
    refresh(world)
    world.execute("create role shop_reader; grant select on app.conversations to shop_reader")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        world.execute("alter table shop.chats alter topic type varchar(500)")
    assert "conversations" in adopt("release").output
    world.execute("alter table shop.chats alter topic type varchar(500)")
    world.execute("insert into shop.posts (chat_id, kind) values (1, 0)")
    result = adopt("restore")
    assert result.exit_code == 0, result.output
    assert modes(world) == {}
    [granted] = world.execute("select has_table_privilege('shop_reader', 'app.conversations', 'select') as granted")
    assert granted["granted"]
    world.execute("drop owned by shop_reader; drop role shop_reader")
    refresh(world)
    assert_right(world)


def test_a_view_that_somebody_else_reads_is_not_released(world: World) -> None:
    world.execute("create view shop.mine as select * from app.people")
    result = adopt("release")
    assert result.exit_code == 1
    assert "view shop.mine depends on view app.people" in result.output
    assert modes(world) == {}


def test_a_table_that_is_exchanged_beneath_a_view_is_named(world: World) -> None:
    refresh(world)
    world.execute(
        "alter table shop.posts rename to old_posts; create table shop.posts (like shop.old_posts including all)"
    )
    refresh(world)
    assert "it reads what was shop.posts before that was exchanged" in str(modes(world)["messages"])
    world.execute("insert into shop.posts (chat_id, kind) values (1, 0)")
    assert adopted.install(world, VIEWS) == []
    refresh(world)
    assert_right(world)
    assert modes(world) == {}


def test_a_view_that_is_replaced_is_read_as_a_whole_and_captured_again_by_install(world: World) -> None:
    refresh(world)
    [_, people, *_] = VIEWS.split("create or replace view app.people as")
    definition = people.split(";")[0].replace("deleted_at is null", "id <> 1")
    world.execute(f"create or replace view app.people as{definition}")
    refresh(world)
    assert modes(world) == {"people": "its definition has changed: run `convo-pipelines adopt install`"}
    assert_right(world)
    assert adopt("install").exit_code == 0
    world.execute("update shop.contacts set email = 'z@example.com' where id = 2")
    refresh(world)
    assert modes(world) == {}
    assert_right(world)


def test_partitions_with_another_order_of_columns_are_captured(shop: World) -> None:
    shop.execute("drop table shop.posts")
    shop.execute(
        "create table shop.posts (id bigint, chat_id bigint not null, contact_id bigint, kind int not null, "
        "posted timestamp not null default '2026-03-11') partition by list (kind)"
    )
    columns = "kind int not null, posted timestamp not null, chat_id bigint not null, id bigint, contact_id bigint"
    shop.execute(f"create table shop.even ({columns})")
    shop.execute("alter table shop.posts attach partition shop.even for values in (0)")
    shop.execute("create table shop.odd partition of shop.posts default")
    assert adopted.install(shop, VIEWS) == []
    refresh(shop)
    shop.execute("insert into shop.posts values (1, 1, 1, 0), (2, 2, 1, 1)")
    shop.execute("insert into shop.even values (0, '2026-03-12', 3, 3, 1)")
    refresh(shop)
    assert_right(shop)
    shop.execute("update shop.posts set kind = 1 - kind; delete from shop.odd where id = 3")
    refresh(shop)
    assert_right(shop)


def test_truncated_tables_leave_nothing(world: World) -> None:
    refresh(world)
    world.execute("truncate shop.posts; truncate shop.chat_log")
    refresh(world)
    assert_right(world)


# Whose code runs


def test_operators_of_others_are_not_used(shop: World, file: Callable[[str], str]) -> None:
    """An operator that a role has put into the search path of the owner is not what a view of the file means."""
    shop.execute("alter table shop.chat_log alter bot type varchar(20)")
    shop.execute(
        "create function public.evil(varchar, varchar) returns boolean immutable language plpgsql as "
        "'begin raise exception ''taken''; end'; "
        "create operator public.= (leftarg = varchar, rightarg = varchar, function = public.evil)"
    )
    with pytest.raises(psycopg.errors.RaiseException):
        shop.execute("select * from shop.chat_log where bot = 'ida'")
    result = adopt("install", file(VIEWS))
    assert result.exit_code == 0, result.output
    shop.execute("insert into shop.chat_log (bot, session_id, role, content) values ('ida', 'new', 'user', 'x')")
    logged = shop.execute("select session_id, operation from analytics.session_changes where session_id = 'new'")
    assert logged == [{"session_id": "new", "operation": "insert"}]


def test_a_broken_view_fails_no_statement_of_the_owner(world: World) -> None:
    refresh(world)
    world.execute("create function shop.half(n int) returns int immutable language sql return 1 / n")
    [_, messages, *_] = VIEWS.split("create or replace view app.messages as")
    definition = messages.split(";")[0].replace("kind in (0, 1)", "shop.half(kind) >= 0")
    world.execute(f"create or replace view app.messages as{definition}")
    world.execute("delete from shop.posts where kind = 0")
    assert adopt("install").exit_code == 0
    world.execute("insert into shop.posts (chat_id, kind) values (1, 0)")
    logged = world.execute("select operation from analytics.messages_changes")
    assert {"operation": "everything"} in logged


def test_two_crews_in_one_table_are_told_apart(world: World) -> None:
    refresh(world)
    world.execute(
        "insert into shop.chat_log (bot, session_id, role, content) values ('otto', 'only otto', 'user', 'x')"
    )
    refresh(world)
    bot = "select analytics.bigint_of(crew_id) as bot from analytics.histories_sessions where session_id = 'only otto'"
    assert world.execute(bot) == [{"bot": 2}]


def test_uuids_of_keys(world: World) -> None:
    keys = [0, 1, -1, 2**31, 2**63 - 1, -(2**63)]
    for key in keys:
        [row] = world.execute("select analytics.bigint_of(analytics.uuid_of(%s::bigint)) as key", key)
        assert row["key"] == key
    pairs = [("a", "1"), ("b", "1"), ("a", "2")]
    assert len({str(world.execute("select analytics.uuid_of(%s, %s) as id", *pair)[0]) for pair in pairs}) == 3
