"""What an adversary found: views that are captured without a remark, and are not right after the next tick."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from convo_pipelines.database import migrations
from convo_pipelines.sources import adoption
from convo_pipelines_tests import adopted
from convo_pipelines_tests.database.test_adopt import VIEWS, assert_right, modes, owner, refresh, world  # noqa: F401
from convo_pipelines_tests.world import World


def replaced(old: str, new: str, text: str = VIEWS) -> str:
    assert old in text
    return text.replace(old, new)


def view(name: str, definition: str, text: str = VIEWS) -> str:
    """The file, with another definition of a view."""
    head = f"create or replace view app.{name} as"
    before, after = text.split(head)
    _, rest = after.split(";", 1)
    return f"{before}{head} {definition};{rest}"


CONVERSATIONS = """
select analytics.uuid_of(chat.id) as id, {channel} as channel, analytics.uuid_of(chat.account_id) as client_id,
    analytics.uuid_of(chat.bot_id) as crew_id, chat.session::text as session_id, null::uuid as project_id,
    null::uuid as lead_id, null::uuid as customer_id, chat.topic as subject, chat.opened at time zone 'UTC' as started_at,
    null::timestamptz as closed_at, chat.opened at time zone 'UTC' as created_at,
    chat.opened at time zone 'UTC' as updated_at
from {tables}
where chat.deleted_at is null
"""


def right_if_captured(world: World, text: str, *writes: str) -> list[str]:
    remarks = adopted.install(world, text)
    refresh(world)
    for write in writes:
        world.execute(write)
    refresh(world)
    if remarks:
        world.reconcile()
        refresh(world)
    assert_right(world)
    return remarks


def everything(world: World) -> list[dict]:
    return [
        row
        for log in ("conversation_changes", "session_changes", "message_changes", "identifier_changes")
        for row in world.execute(f"select operation from analytics.{log} where operation = 'everything'")
    ]


# 1 virtual generated columns


def test_a_filter_by_a_virtual_column(owner: World) -> None:
    owner.execute("alter table shop.posts add is_shown boolean generated always as (kind in (0, 1)) virtual")
    text = replaced("from shop.posts\nwhere kind in (0, 1);", "from shop.posts\nwhere is_shown;")
    assert (
        right_if_captured(owner, text, "insert into shop.posts (chat_id, kind, posted) values (1, 0, '2026-03-12')")
        == []
    )


def test_an_id_by_a_virtual_column(owner: World) -> None:
    owner.execute("alter table shop.posts add talk bigint generated always as (chat_id) virtual")
    text = view(
        "messages",
        """select analytics.uuid_of(id) as id, analytics.uuid_of(talk) as conversation_id,
        case kind when 0 then 'inbound' else 'outbound' end as direction, posted at time zone 'UTC' as sent_at
        from shop.posts where kind in (0, 1)""",
    )
    assert (
        right_if_captured(owner, text, "insert into shop.posts (chat_id, kind, posted) values (1, 0, '2026-03-12')")
        == []
    )


# 2 joins over nested views


def test_a_join_over_a_view_that_computes_the_column_of_the_join(owner: World) -> None:
    owner.execute("truncate shop.chat_log")
    owner.execute("alter table shop.chats add override int")
    owner.execute("update shop.chats set override = 77 where id = 1")
    owner.execute(
        "create view shop.chats_seen as select id, account_id, bot_id, session, coalesce(override, inbox_id) "
        "as inbox_id, topic, opened, deleted_at from shop.chats"
    )
    text = view(
        "conversations",
        CONVERSATIONS.format(
            channel="coalesce(inbox.kind, 'chat')",
            tables="shop.chats_seen as chat left join shop.inboxes as inbox on inbox.id = chat.inbox_id",
        ),
    )
    remarks = right_if_captured(owner, text, "insert into shop.inboxes (id, kind) values (77, 'linkedin')")
    assert [remark for remark in remarks if "conversations" in remark] == []


def test_a_join_by_a_column_of_a_view_that_is_a_subquery(owner: World) -> None:
    owner.execute("truncate shop.chat_log")
    owner.execute("create table shop.routes (chat_id bigint, inbox_id int); insert into shop.routes values (1, 1)")
    owner.execute(
        "create view shop.chats_seen as select chat.id, chat.account_id, chat.bot_id, chat.session, "
        "(select max(route.inbox_id) from shop.routes as route where route.chat_id = chat.id) "
        "as inbox_id, chat.topic, chat.opened, chat.deleted_at from shop.chats as chat"
    )
    text = view(
        "conversations",
        CONVERSATIONS.format(
            channel="coalesce(inbox.kind, 'chat')",
            tables="shop.chats_seen as chat left join shop.inboxes as inbox on inbox.id = chat.inbox_id",
        ),
    )
    right_if_captured(owner, text, "update shop.routes set inbox_id = 2")


# 3 joined tables


def test_a_joined_row_whose_value_changes_to_an_equal_one(owner: World) -> None:
    owner.execute("alter table shop.inboxes add version numeric not null default 1.0")
    text = view(
        "conversations",
        CONVERSATIONS.format(
            channel="coalesce(inbox.version::text, 'chat')",
            tables="shop.chats as chat left join shop.inboxes as inbox on inbox.id = chat.inbox_id",
        ),
    )
    assert right_if_captured(owner, text, "update shop.inboxes set version = 1.00 where id = 1") == []


def test_joined_rows_that_change_their_number(owner: World) -> None:
    owner.execute(
        "create table shop.copies (id int, log_id bigint); insert into shop.copies values (1, 1), (2, 2), (3, 1)"
    )
    ida = """select log.session_id::text as session_id,
        jsonb_build_object('type', case log.role when 'user' then 'human' else 'ai' end) as message, log.created_at
        from shop.chat_log as log left join shop.copies as copy on copy.log_id = log.id where log.bot in ('ida', 'otto')"""
    text = view("log_ida", ida)
    assert right_if_captured(owner, text, "update shop.copies set log_id = case id when 1 then 2 else log_id end") == []


def test_a_joined_row_for_children_without_the_foreign_key(owner: World) -> None:
    owner.execute("create table shop.old_chats () inherits (shop.chats)")
    owner.execute("insert into shop.old_chats (id, account_id, inbox_id, opened) values (900, 1, 77, '2026-03-10')")
    owner.execute("insert into shop.posts (chat_id, kind, posted) select 1, 0, '2026-03-11'")
    owner.execute(
        "alter table shop.posts drop constraint posts_chat_id_fkey; update shop.posts set chat_id = 900 where id = 1"
    )
    assert right_if_captured(owner, VIEWS, "insert into shop.inboxes (id, kind) values (77, 'linkedin')") == []


def test_a_joined_row_after_a_load_as_replica(owner: World) -> None:
    assert (
        right_if_captured(
            owner,
            VIEWS,
            "set session_replication_role = replica; update shop.chats set inbox_id = 77 where id = 1; reset session_replication_role",
        )
        == []
    )
    owner.execute("insert into shop.inboxes (id, kind) values (77, 'linkedin')")
    refresh(owner)
    assert_right(owner)


def test_a_whole_row_of_a_joined_table(owner: World) -> None:
    text = view(
        "conversations",
        CONVERSATIONS.format(
            channel="coalesce(to_jsonb(inbox.*) ->> 'kind', 'chat')",
            tables="shop.chats as chat left join shop.inboxes as inbox on inbox.id = chat.inbox_id",
        ),
    )
    right_if_captured(owner, text, "update shop.inboxes set kind = 'linkedin' where id = 1")


# 4 what views use


def test_a_function_of_a_view_that_is_replaced(owner: World) -> None:
    owner.execute(
        "create function shop.direction(kind int) returns text immutable language sql "
        "return case kind when 0 then 'inbound' else 'outbound' end"
    )
    text = replaced(
        "case kind when 0 then 'inbound' else 'outbound' end as direction", "shop.direction(kind) as direction"
    )
    assert (
        right_if_captured(
            owner,
            text,
            "create or replace function shop.direction(kind int) returns text immutable language sql "
            "return case kind when 1 then 'inbound' else 'outbound' end",
        )
        == []
    )


def test_a_label_of_an_enum_that_is_renamed(owner: World) -> None:
    owner.execute(
        "create type shop.way as enum ('inbound', 'sent'); "
        "alter table shop.posts add way shop.way; update shop.posts set way = case kind when 0 then 'inbound' else 'sent' end::shop.way"
    )
    text = replaced("case kind when 0 then 'inbound' else 'outbound' end as direction", "way::text as direction")
    assert right_if_captured(owner, text, "alter type shop.way rename value 'sent' to 'outbound'")


def test_an_operator_that_reads_another_table(owner: World) -> None:
    owner.execute(
        "create table shop.ways (kind int, way text); insert into shop.ways values (0, 'inbound'), (1, 'outbound')"
    )
    owner.execute(
        "create function shop.way_of(int) returns text stable language sql as 'select way from shop.ways where kind = $1'; "
        "create operator shop.@@@ (rightarg = int, function = shop.way_of)"
    )
    text = replaced(
        "case kind when 0 then 'inbound' else 'outbound' end as direction", "operator(shop.@@@) kind as direction"
    )
    right_if_captured(owner, text, "update shop.ways set way = 'inbound'")


def test_a_cast_that_reads_another_table(owner: World) -> None:
    owner.execute(
        "create table shop.ways (kind int, way text); insert into shop.ways values (0, 'inbound'), (1, 'outbound'); "
        "create type shop.kind as (n int)"
    )
    owner.execute(
        "create function shop.way_of(shop.kind) returns text stable language sql as 'select way from shop.ways where kind = $1.n'; "
        "create cast (shop.kind as text) with function shop.way_of(shop.kind)"
    )
    text = replaced(
        "case kind when 0 then 'inbound' else 'outbound' end as direction", "row(kind)::shop.kind::text as direction"
    )
    right_if_captured(owner, text, "update shop.ways set way = 'inbound'")


def test_an_aggregate_of_json_over_a_window(owner: World) -> None:
    text = replaced(
        "case kind when 0 then 'inbound' else 'outbound' end as direction",
        "case when json_arrayagg(kind) over (partition by chat_id)::text like '%1%' then 'inbound' else 'outbound' end as direction",
    )
    right_if_captured(owner, text, "update shop.posts set kind = 1 where id = 12")


def test_a_clock_in_a_cast(owner: World) -> None:
    text = replaced(
        "null::timestamptz as closed_at",
        "case when chat.opened < ('now'::text)::timestamp then chat.opened at time zone 'UTC' end as closed_at",
    )
    owner.execute("update shop.chats set opened = (now() at time zone 'UTC') + interval '15 seconds' where id = 1")
    right_if_captured(owner, text, "select pg_sleep(15)")


# 5 insertion


def test_a_session_longer_than_the_column(owner: World) -> None:
    owner.execute("alter table shop.chats drop constraint chats_bot_id_session_key")
    assert adopted.install(owner, VIEWS) == []
    refresh(owner)
    for _ in range(3):
        owner.execute(
            "insert into shop.chat_log (bot, session_id, role, content) values ('ida', repeat('x', 120), 'user', 'x')"
        )
        refresh(owner)
    assert owner.execute(
        "select count(*) as n from shop.chats where session like 'xxx%%'",
    ) == [{"n": 0}]
    [odd] = owner.execute("select kind, rows from analytics.oddities where asset_key = 'crew_conversations'")
    assert odd["rows"] == 1


def test_rows_that_the_view_hides(owner: World) -> None:
    owner.execute(
        "alter table shop.chats add is_shown boolean not null default false; update shop.chats set is_shown = true; "
        "alter table shop.chats drop constraint chats_bot_id_session_key"
    )
    text = replaced("where chat.deleted_at is null", "where chat.deleted_at is null and chat.is_shown")
    assert adopted.install(owner, text) == []
    counts = []
    for _ in range(3):
        refresh(owner)
        counts.append(owner.execute("select count(*) as n from shop.chats")[0]["n"])
        owner.execute("insert into shop.chat_log (bot, session_id, role, content) values ('ida', 's0', 'user', 'x')")
    assert counts == [12, 12, 12]


def test_a_crew_that_cannot_be_written(owner: World) -> None:
    owner.execute("alter table shop.chats drop constraint chats_bot_id_session_key")
    text = replaced(
        "analytics.uuid_of(chat.bot_id) as crew_id", "analytics.uuid_of(coalesce(chat.bot_id, null)) as crew_id"
    )
    assert adopted.install(owner, text) == []
    counts = []
    for _ in range(3):
        refresh(owner)
        counts.append(owner.execute("select count(*) as n from shop.chats")[0]["n"])
        owner.execute("insert into shop.chat_log (bot, session_id, role, content) values ('ida', 's0', 'user', 'x')")
    assert counts == [12, 12, 12]


def test_no_column_can_be_written(owner: World) -> None:
    text = view(
        "conversations",
        """select analytics.uuid_of('chat', id::text) as id, 'email' as channel,
        null::uuid as client_id, null::uuid as crew_id, null::text as session_id, null::uuid as project_id,
        null::uuid as lead_id, null::uuid as customer_id, topic as subject,
        coalesce(deleted_at, opened) at time zone 'UTC' as started_at, null::timestamptz as closed_at,
        opened at time zone 'UTC' as created_at, opened at time zone 'UTC' as updated_at from shop.chats""",
    )
    adopted.install(owner, text)


# 6 installation


def test_a_view_with_a_common_table(owner: World) -> None:
    text = replaced(
        "from shop.contacts\nwhere deleted_at is null;",
        "from (select * from shop.contacts) as c\nwhere deleted_at is null;",
    )
    text = text.replace(
        "create or replace view app.people as\nselect",
        "create or replace view app.people as\nwith c as (select * from shop.contacts) select",
    ).replace("from (select * from shop.contacts) as c\n", "from c\n")
    assert [remark.split(":")[0] for remark in right_if_captured(owner, text)] == ["people"]


def test_a_view_over_a_materialized_view(owner: World) -> None:
    owner.execute("create materialized view shop.known as select * from shop.contacts")
    text = replaced("from shop.contacts\nwhere deleted_at is null;", "from shop.known\nwhere deleted_at is null;")
    right_if_captured(
        owner,
        text,
        "update shop.contacts set email = 'x@example.com' where id = 2",
        "refresh materialized view shop.known",
    )


def test_an_id_of_a_joined_table(owner: World) -> None:
    owner.execute(
        "create table shop.keys (key bigint primary key, contact_id bigint); insert into shop.keys select id + 100, id from shop.contacts"
    )
    text = view(
        "people",
        """select analytics.uuid_of(k.key) as id, analytics.uuid_of(c.account_id) as client_id, c.name, c.email, c.phone,
        null::text as linkedin_urn from shop.contacts as c left join shop.keys as k on k.contact_id = c.id where c.deleted_at is null""",
    )
    remarks = adopted.install(owner, text)
    assert [remark.split(":")[0] for remark in remarks] == ["people"]


def test_a_table_with_generated_keys_is_captured_and_locked(owner: World) -> None:
    for table in ("chats", "inboxes", "contacts"):
        owner.execute(f"alter table shop.{table} alter id set generated always")
    assert right_if_captured(owner, VIEWS) == []
    assert len(owner.execute("select proname from pg_proc where proname like 'lock\\_view\\_%'")) == 4


def test_a_literal_that_is_the_quote_of_functions(owner: World) -> None:
    text = replaced(
        "from shop.posts\nwhere kind in (0, 1);",
        "from shop.posts\nwhere kind in (0, 1) and concat(posted) <> '$function$';",
    )
    text = replaced(
        "from shop.posts\nwhere kind in (0, 1);",
        "from shop.posts\nwhere kind in (0, 1) and chat_id::text <> '$function$';",
    )
    assert right_if_captured(owner, text) == []


@pytest.mark.parametrize("column", ["operation", "keys", "tg_relid", "is_single", "old", "only_key"])
def test_columns_named_like_variables(owner: World, column: str) -> None:
    owner.execute(f"alter table shop.posts add {column} int default 0")
    owner.execute(f"alter table shop.chat_log add {column} int default 0")
    text = VIEWS.replace("where kind in (0, 1)", f"where kind in (0, 1) and {column} = 0").replace(
        "where bot =", f"where {column} = 0 and bot ="
    )
    assert right_if_captured(owner, text) == []
    owner.execute("insert into shop.posts (chat_id, kind) values (1, 0)")
    owner.execute("insert into shop.chat_log (bot, session_id, role, content) values ('ida', 's0', 'user', 'x')")
    assert everything(owner) == []
    refresh(owner)
    assert_right(owner)


def test_a_union_in_an_order(owner: World) -> None:
    text = view(
        "message_recipients",
        """select analytics.uuid_of(id) as message_id, analytics.uuid_of('email', contact_id::text) as contact_method_id,
        'from' as role from shop.posts where contact_id is not null union select analytics.uuid_of(id), analytics.uuid_of('phone', contact_id::text), 'from'
        from shop.posts where contact_id is not null order by 3, 2""",
    )
    assert right_if_captured(owner, text) == []
    owner.execute("insert into shop.posts (chat_id, contact_id, kind) values (1, 1, 0)")
    assert everything(owner) == []


# 7 release


def test_released_installed_and_released(world: World, tmp_path: Path) -> None:
    adoption.release(world.warehouse)
    assert adopted.install(world, VIEWS) == []
    adoption.release(world.warehouse)
    adoption.restore(world.warehouse)
    refresh(world)
    assert_right(world)


def test_an_owner_whose_name_is_quoted(world: World) -> None:
    world.execute('create role "Shop-Owner"; alter view app.users owner to "Shop-Owner"')
    try:
        adoption.release(world.warehouse)
        adoption.restore(world.warehouse)
    finally:
        world.execute('drop owned by "Shop-Owner" cascade; drop role "Shop-Owner"')


def test_options_rights_and_triggers_of_views_are_restored(world: World) -> None:
    world.execute(
        "create role shop_reader; grant select (id) on app.people to shop_reader; "
        "alter view app.people set (security_barrier = true); comment on column app.people.name is 'who'; "
        "alter view app.people alter name set default 'x'"
    )
    state = """select (select reloptions from pg_class where oid = 'app.people'::regclass) as options,
        has_column_privilege('shop_reader', 'app.people', 'id', 'select') as granted,
        col_description('app.people'::regclass, 3) as comment,
        (select count(*) from pg_attrdef where adrelid = 'app.people'::regclass) as defaults"""
    before = world.execute(state)
    try:
        adoption.release(world.warehouse)
        adoption.restore(world.warehouse)
        assert world.execute(state) == before
    finally:
        world.execute("drop owned by shop_reader; drop role shop_reader")


def test_views_that_read_newer_views_are_released(world: World) -> None:
    text = VIEWS.replace(
        "create or replace view app.clients as",
        "create or replace view app.base as select id, name, status from shop.accounts;\ncreate or replace view app.clients as",
    )
    text = text.replace("from shop.accounts;", "from app.base;", 2).replace(
        "select id, name, status from app.base;", "select id, name, status from shop.accounts;"
    )
    assert adopted.install(world, text) == []
    adoption.release(world.warehouse)
    adoption.restore(world.warehouse)
    refresh(world)
    assert_right(world)


# 8 rights


@pytest.fixture
def roles(owner: World):  # noqa: F811, ANN201
    yield owner
    owner.execute("reset role")
    for role in ("convo_pipeline", "convo_steward", "convo_analyst", "convo_observer", "shop_dev"):
        owner.execute(
            f"do $$ begin if to_regrole('{role}') is not null then reassign owned by {role} to postgres; drop owned by {role} cascade; end if; end $$"
        )
    for role in ("convo_pipeline", "convo_steward", "convo_analyst", "convo_observer", "shop_dev"):
        owner.execute(f"drop role if exists {role}")


def test_code_of_the_owner_of_a_table_is_not_run_by_the_installer(roles: World) -> None:
    roles.execute(
        "create role shop_dev; grant usage, create on schema shop to shop_dev; alter table shop.chats owner to shop_dev; "
        "create table shop.ran (by text); grant insert on shop.ran to public; "
        "grant references, select on shop.accounts, shop.bots, shop.inboxes to shop_dev"
    )
    migrations.up(url=roles.url)
    migrations.up(("roles",), url=roles.url)
    assert adopted.install(roles, VIEWS) == []
    roles.execute(
        "set role shop_dev; create function shop.evil() returns trigger language plpgsql as "
        "$$begin insert into shop.ran values (current_user); alter role shop_dev superuser; return new; end$$; "
        "create trigger evil before insert on shop.chats for each row execute function shop.evil(); reset role"
    )
    roles.execute("set role convo_pipeline")
    try:
        roles.execute(
            "insert into app.conversations (channel, client_id, crew_id, session_id, started_at) "
            "values ('crew', analytics.uuid_of(1), analytics.uuid_of(1), 'x', now())"
        )
    except psycopg.errors.InsufficientPrivilege:
        pass
    finally:
        roles.execute("reset role")
    assert roles.execute("select rolsuper from pg_roles where rolname = 'shop_dev'") == [{"rolsuper": False}]


def test_functions_and_types_of_a_schema_that_the_pipeline_may_not_use(roles: World) -> None:
    roles.execute(
        "create type shop.way as enum ('in', 'out', 'draft'); alter table shop.posts add way shop.way not null default 'in'"
    )
    text = replaced(
        "from shop.posts\nwhere kind in (0, 1);", "from shop.posts\nwhere kind in (0, 1) and way <> 'draft';"
    )
    migrations.up(url=roles.url)
    migrations.up(("roles",), url=roles.url)
    assert adopted.install(roles, text) == []
    refresh(roles)
    before = len(everything(roles))
    roles.execute("insert into shop.posts (chat_id, kind) values (1, 0)")
    assert len(everything(roles)) == before


def test_the_roles_line_after_the_adoption(roles: World) -> None:
    assert adopted.install(roles, VIEWS) == []
    migrations.up(("roles",), url=roles.url)
    refresh(roles)
    roles.execute(
        "insert into shop.posts (chat_id, kind) values (1, 0); update shop.contacts set email = 'q@example.com' where id = 2; "
        "update shop.inboxes set kind = 'linkedin' where id = 1"
    )
    refresh(roles)
    assert_right(roles)


def test_the_roles_line_before_the_adoption(roles: World) -> None:
    migrations.up(url=roles.url)
    migrations.up(("roles",), url=roles.url)
    assert adopted.install(roles, VIEWS) == []
    refresh(roles)
    roles.execute(
        "insert into shop.posts (chat_id, kind) values (1, 0); update shop.contacts set email = 'q@example.com' where id = 2; "
        "update shop.inboxes set kind = 'linkedin' where id = 1"
    )
    refresh(roles)
    assert_right(roles)
    roles.execute("set role convo_pipeline")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):  # convo_pipeline_discovers
        roles.execute(
            "insert into app.conversations (channel, client_id, started_at) values ('email', analytics.uuid_of(1), now())"
        )


# 9 more of the installation


def test_a_trigger_of_the_owner_that_inserts_conversations(world: World) -> None:
    world.execute(
        "create function shop.take() returns trigger language plpgsql as "
        "$$begin insert into shop.chats (account_id, topic) values (analytics.bigint_of(new.client_id), new.subject); return new; end$$; "
        "create trigger take instead of insert on app.conversations for each row execute function shop.take()"
    )
    assert adopted.install(world, VIEWS) == []
    world.execute(
        "insert into app.conversations (client_id, channel, started_at) values (analytics.uuid_of(1), 'chat', now())"
    )
    assert world.execute("select count(*) as n from shop.chats") == [{"n": 13}]


def test_a_view_whose_former_name_another_takes(world: World) -> None:
    world.execute(
        "alter view app.log_ida rename to log_ada; update shop.bots set name = 'ada' where name = 'ida'; "
        "insert into shop.bots (account_id, name) values (1, 'ida')"
    )
    text = VIEWS.replace("view app.log_ida as", "view app.log_ada as")
    new = (
        VIEWS[VIEWS.index("create or replace view app.log_otto") :]
        .replace("otto", "ida")
        .replace("bot = 'ida'", "bot = 'new ida'")
    )
    assert adopted.install(world, text + new) == []
    refresh(world)
    assert_right(world)


def test_a_key_beyond_the_type_of_the_key_it_refers_to(owner: World) -> None:
    owner.execute(
        "alter table shop.chats drop constraint chats_bot_id_fkey, drop constraint chats_account_id_fkey; alter table shop.chats alter bot_id type bigint; "
        "update shop.chats set bot_id = 3000000000, session = 's0' where id = 1"
    )
    right_if_captured(owner, VIEWS, "update shop.chats set bot_id = 4000000000, session = 's0' where id = 2")


def test_a_person_beyond_the_type_of_the_key_it_refers_to(owner: World) -> None:
    owner.execute(
        "create table shop.mails (id bigint, contact bigint, mail text); insert into shop.mails values (1, 3000000000, 'm@example.com'), (2, 2, 'n@example.com'); "
        "alter table shop.contacts alter id type int"
    )
    text = view(
        "contact_methods",
        "select analytics.uuid_of(id) as id, analytics.uuid_of(contact) as person_id, 'email' as kind, mail as value from shop.mails",
    )
    text = view(
        "message_recipients",
        "select analytics.uuid_of(id) as message_id, analytics.uuid_of(contact_id) as contact_method_id, 'from' as role from shop.posts where contact_id is not null",
        text,
    )
    right_if_captured(owner, text, "update shop.mails set contact = 3000000001 where id = 1")


def test_names_that_are_keywords_or_mixed_case(owner: World) -> None:
    owner.execute(
        'create schema "Shop Two"; alter table shop.posts set schema "Shop Two"; alter table "Shop Two".posts rename to "select"; '
        'alter table "Shop Two"."select" rename chat_id to "order"; alter table "Shop Two"."select" rename kind to "Kind""s"'
    )
    text = (
        VIEWS.replace("shop.posts", '"Shop Two"."select"')
        .replace("chat_id", '"order"')
        .replace("kind in", '"Kind""s" in')
        .replace("case kind when 0", 'case "Kind""s" when 0')
    )
    assert (
        right_if_captured(
            owner, text, """insert into "Shop Two"."select" ("order", "Kind""s", posted) values (1, 0, '2026-03-12')"""
        )
        == []
    )


@pytest.mark.parametrize("name", ["new_rows", "old_rows", "changed_rows", "changed", "key", "new", "old"])
def test_tables_named_like_ours(owner: World, name: str) -> None:
    owner.execute(
        f'alter table shop.posts rename to "{name}"; alter table shop.chat_log rename to "{name}_2"; alter table shop."{name}_2" set schema public; alter table public."{name}_2" rename to "{name}"; alter table shop.contacts rename to "{name}_3"'
    )
    text = (
        VIEWS.replace("shop.posts", f'shop."{name}"')
        .replace("shop.chat_log", f'public."{name}"')
        .replace("shop.contacts", f'shop."{name}_3"')
    )
    assert right_if_captured(owner, text) == []
    owner.execute(f'insert into shop."{name}" (chat_id, kind) values (1, 0)')
    owner.execute(
        f"update shop.\"{name}\" set kind = 1 - kind where id < 30 and kind < 2; insert into public.\"{name}\" (bot, session_id, role, content) values ('ida', 's0', 'user', 'x')"
    )
    assert everything(owner) == []
    refresh(owner)
    assert_right(owner)


@pytest.mark.parametrize("name", ["new", "old", "tg_op", "only_key", "key"])
def test_aliases_named_like_variables(owner: World, name: str) -> None:
    text = VIEWS.replace("as chat\n", f'as "{name}"\n').replace("chat.", f'"{name}".')
    assert right_if_captured(owner, text) == []
    owner.execute(
        "update shop.chats set deleted_at = now() where id = 3; insert into shop.chats (account_id) values (1)"
    )
    assert everything(owner) == []
    refresh(owner)
    assert_right(owner)


def test_restored_after_an_installation(world: World) -> None:
    adoption.release(world.warehouse)
    assert adopted.install(world, VIEWS) == []
    adoption.restore(world.warehouse)


def test_a_view_that_is_made_while_views_are_released(world: World) -> None:
    adoption.release(world.warehouse)
    world.execute("create view app.users as select null::uuid as id, null::text as name where false")
    adoption.release(world.warehouse)


def test_a_column_of_a_nested_view_is_a_whole_row(owner: World) -> None:
    owner.execute("create view shop.seen as select * from shop.contacts")
    text = view(
        "people",
        "select analytics.uuid_of(id) as id, analytics.uuid_of(account_id) as client_id, to_jsonb(seen.*) ->> 'name' as name, email, phone, null::text as linkedin_urn from shop.seen",
    )
    right_if_captured(owner, text, "update shop.contacts set email = 'x@example.com' where id = 2")


def test_merges_copies_conflicts_and_rolled_back_savepoints(owner: World) -> None:
    assert (
        right_if_captured(
            owner,
            VIEWS,
            "merge into shop.posts as p using (select generate_series(1, 200) as n) as s on p.id = s.n when matched and n % 3 = 0 then delete "
            "when matched then update set kind = (p.kind + 1) % 3, chat_id = 1 + n % 12 when not matched then insert (chat_id, kind, posted) values (1, 0, '2026-03-12')",
            "insert into shop.posts (id, chat_id, kind, posted) overriding system value values (2, 5, 0, '2026-03-14'), (9999, 6, 1, '2026-03-14') on conflict (id) do update set chat_id = 7, kind = 1",
            "with gone as (delete from shop.posts where id % 7 = 0 returning *), back as (insert into shop.posts (chat_id, kind, posted) select chat_id, 0, posted + interval '1 day' from gone returning id) update shop.chats set deleted_at = now() where id = 2",
            "begin; savepoint a; delete from shop.posts; rollback to a; update shop.posts set kind = 0 where id = 4; savepoint b; truncate shop.posts; rollback to b; commit",
            "set session_replication_role = replica; update shop.posts set chat_id = 4 where id < 20; delete from shop.chat_log where id < 9; reset session_replication_role",
            "delete from shop.contacts where id = 1; delete from shop.accounts where id = 2",
        )
        == []
    )


def test_partitions_of_a_joined_table_and_of_the_table_beneath(owner: World) -> None:
    owner.execute(
        "drop table shop.posts; create table shop.posts (id bigint, chat_id bigint not null, contact_id bigint, kind int not null, "
        "posted timestamp not null default '2026-03-11') partition by list (kind); create table shop.other partition of shop.posts default; "
        "create table shop.even (kind int not null, x int, posted timestamp not null, chat_id bigint not null, id bigint, contact_id bigint); alter table shop.even drop x; "
        "insert into shop.even values (0, '2026-03-12', 3, 3, 1)"
    )
    assert (
        right_if_captured(
            owner,
            VIEWS,
            "alter table shop.posts attach partition shop.even for values in (0)",
            "insert into shop.even values (0, '2026-03-12', 4, 4, 1)",
            "update shop.posts set kind = 1 where id = 3",
            "truncate shop.even",
            "insert into shop.posts values (7, 7, 1, 0)",
            "alter table shop.posts detach partition shop.even",
            "insert into shop.even values (0, '2026-03-12', 4, 8, 1)",
            "alter table shop.posts attach partition shop.even for values in (0)",
            "create table shop.kept () inherits (shop.chats); insert into shop.kept (id, account_id) values (70, 1); insert into shop.posts values (8, 70, 1, 0)",
            "update shop.kept set account_id = 2",
            "delete from shop.kept",
        )
        == []
    )


def test_a_self_join_and_a_table_joined_twice(owner: World) -> None:
    owner.execute(
        "alter table shop.chats add parent bigint, add second int references shop.inboxes; truncate shop.chat_log"
    )
    text = view(
        "conversations",
        CONVERSATIONS.format(
            channel="coalesce(inbox.kind, two.kind, parent.topic, 'chat')",
            tables="shop.chats as chat left join shop.inboxes as inbox on inbox.id = chat.inbox_id left join shop.inboxes as two on two.id = chat.second and two.kind <> 'x' "
            "left join shop.chats as parent on parent.id = chat.parent + 1 - 1",
        ),
    )
    assert (
        right_if_captured(
            owner,
            text,
            "update shop.chats set parent = 13 where id in (1, 3); update shop.chats set second = 2 where id = 3",
            "insert into shop.chats (id, account_id, topic) values (13, 1, 'top')",
            "update shop.chats set topic = 'other' where id = 13",
            "update shop.inboxes set kind = 'x' where id = 2",
            "delete from shop.chats where id = 13",
        )
        == []
    )


def test_an_assertion_in_a_function_of_a_view(owner: World) -> None:
    owner.execute(
        "create function shop.fine(kind int) returns boolean immutable language plpgsql as 'begin assert kind < 10, ''odd''; return true; end'"
    )
    text = replaced(
        "from shop.posts\nwhere kind in (0, 1);",
        "from shop.posts\nwhere kind in (0, 1) and shop.fine(kind + extract(year from posted)::int - 2026);",
    )
    assert right_if_captured(owner, text) == []
    owner.execute("insert into shop.posts (chat_id, kind, posted) values (1, 1, '2056-01-01')")  # of us, it fails


def test_two_installations_at_once(owner: World) -> None:
    from concurrent.futures import ThreadPoolExecutor

    adopted.install(owner, VIEWS)
    with ThreadPoolExecutor() as pool:
        done = [pool.submit(adopted.install, owner, VIEWS) for _ in range(4)]
    print([error for one in done if (error := one.exception())])
    refresh(owner)
    assert_right(owner)
    assert modes(owner) == {}
    assert [error for one in done if (error := one.exception())] == []


def test_a_writer_while_views_are_installed(owner: World) -> None:
    with psycopg.connect(owner.url) as late:
        late.execute(
            "update shop.posts set kind = 1 - kind where kind < 2; update shop.inboxes set kind = 'linkedin' where id = 1"
        )
        adopted.install(owner, VIEWS)
        refresh(owner)
    refresh(owner)
    owner.execute("update analytics.capture_state set retry_at = now() where retry_at is not null")
    owner.execute("update shop.posts set kind = 1 - kind where id = 3")
    refresh(owner)
    assert_right(owner)


def test_locks_of_rows_that_others_write(world: World) -> None:
    refresh(world)
    with psycopg.connect(world.url) as late:
        late.execute("delete from shop.accounts where id = 2")
        late.execute("update shop.chats set id = 500 where id = 3")
        world.execute("insert into shop.chat_log (bot, session_id, role, content) values ('otto', 'new', 'user', 'x')")
        refresh(world)
    refresh(world)
    assert_right(world)


def test_steps_that_are_not_reached(owner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from convo_pipelines.engine import binding, capture

    for module, name in ((binding, "bind_views"), (adoption, "_adopt"), (capture, "sync")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                adopted.install(owner, VIEWS)
        owner.execute("update shop.posts set kind = 1 - kind where id < 30 and kind < 2")
    assert adopted.install(owner, VIEWS) == []
    refresh(owner)
    assert_right(owner)
    owner.execute("create or replace view app.users as select analytics.uuid_of(id) as id, name from shop.accounts")
    with monkeypatch.context() as patched:
        patched.setattr(adoption, "_adopt", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            adopted.install(owner, VIEWS.replace("kind in (0, 1)", "kind in (0, 1, 2)"))
    refresh(owner)
    owner.execute("update shop.posts set kind = 2 where id < 9")
    refresh(owner)
    assert_right(owner)
