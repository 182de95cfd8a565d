"""A conversation that the application's rules refuse is counted with the rule's name, and stops nothing else."""

from __future__ import annotations

from typing import NamedTuple

import psycopg
import pytest

from convo_pipelines.operations import forget
from convo_pipelines.serving.sessions import Refused, SessionKey, complete
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.world import World, at

LONG = "a session id that is long"


def trigger(when: str, body: str, *, kind: str = "trigger", more: str = "") -> str:
    """A trigger `guard` on app.conversations."""
    return (
        f"create function app.guard() returns trigger language plpgsql as $$ begin {body} end $$; "
        f"create {kind} guard {when} on app.conversations {more} for each row execute function app.guard()"
    )


def statement_trigger(body: str) -> str:
    """A trigger `guard` on app.conversations after each statement that inserts the rows `added`."""
    return (
        f"create function app.guard() returns trigger language plpgsql as $$ begin {body} return null; end $$; "
        "create trigger guard after insert on app.conversations referencing new table as added "
        "for each statement execute function app.guard()"
    )


class Rule(NamedTuple):
    """What refuses the conversation of a long session id, the name by which it is counted, and how it is lifted."""

    made: str
    named: str
    lifted: str


NO_TRIGGER = "drop trigger guard on app.conversations"
IF_LONG = "if length(new.session_id) > 20 then {} end if;"
RAISES = IF_LONG.format("raise exception 'no room for %', new.session_id;")
RULES = {
    "check": Rule(
        "alter table app.conversations add constraint short check (length(session_id) < 20)",
        "constraint short",
        "alter table app.conversations drop constraint short",
    ),
    "length": Rule(
        "alter table app.conversations alter external_id type varchar(20)",
        "error 22001",
        "alter table app.conversations alter external_id type text",
    ),
    "unique": Rule(
        "create unique index one on app.conversations (channel, external_id) where length(external_id) > 20",
        "constraint one",
        "drop index app.one",
    ),
    "not null": Rule(
        "alter table app.conversations add region text not null default 'eu'; "
        + trigger("before insert", IF_LONG.format("new.region := null;") + " return new;"),
        "column region",
        NO_TRIGGER,
    ),
    "domain": Rule(
        "create domain app.number as text constraint is_number check (length(value) < 20); "
        "alter table app.conversations alter external_id type app.number",
        "constraint is_number",
        "alter domain app.number drop constraint is_number",
    ),
    "generated": Rule(
        "alter table app.conversations add code smallint "
        "generated always as (case when length(session_id) > 20 then 70000 end) stored",
        "error 22003",
        "alter table app.conversations drop code",
    ),
    "trigger": Rule(trigger("before insert", RAISES + " return new;"), "trigger guard", NO_TRIGGER),
    "trigger with a code": Rule(
        trigger("after insert", IF_LONG.format("raise no_data_found;") + " return null;"), "trigger guard", NO_TRIGGER
    ),
    "assertion": Rule(
        trigger("before insert", IF_LONG.format("assert false;") + " return new;"), "trigger guard", NO_TRIGGER
    ),
    "broken trigger": Rule(
        trigger("before insert", IF_LONG.format("insert into app.nowhere values (1);") + " return new;"),
        "trigger guard",
        NO_TRIGGER,
    ),
    "suppressed": Rule(
        trigger("before insert", IF_LONG.format("return null;") + " return new;"), "trigger guard", NO_TRIGGER
    ),
    "renamed": Rule(
        trigger("before insert", "new.session_id := left(new.session_id, 20); return new;"), "trigger guard", NO_TRIGGER
    ),
    "deferred": Rule(
        trigger(
            "after insert",
            RAISES + " return null;",
            kind="constraint trigger",
            more="deferrable initially deferred",
        ),
        "trigger guard",
        NO_TRIGGER,
    ),
    "wrong state": Rule(
        "create sequence app.never_used; "
        + trigger("before insert", IF_LONG.format("perform currval('app.never_used');") + " return new;"),
        "trigger guard",
        NO_TRIGGER,
    ),
    "deleted again": Rule(
        trigger("after insert", IF_LONG.format("delete from app.conversations where id = new.id;") + " return null;"),
        "trigger guard",
        NO_TRIGGER,
    ),
    "renamed again": Rule(
        trigger(
            "after insert",
            "update app.conversations set session_id = left(session_id, 20) || id "
            "where id = new.id and length(session_id) > 20; return null;",
            kind="constraint trigger",
            more="deferrable initially deferred",
        ),
        "trigger guard",
        NO_TRIGGER,
    ),
    "deleted by a statement trigger": Rule(
        statement_trigger(
            "delete from app.conversations using added "
            "where added.id = conversations.id and length(added.session_id) > 20;"
        ),
        "trigger guard",
        NO_TRIGGER,
    ),
    "foreign key": Rule(
        "create table app.allowed (id text primary key); "
        "insert into app.allowed select 's' || n from generate_series(1, 9) as n; "
        "alter table app.conversations add constraint is_allowed foreign key (session_id) references app.allowed",
        "constraint is_allowed",
        "alter table app.conversations drop constraint is_allowed",
    ),
    "exclusion": Rule(
        "alter table app.conversations add constraint alone "
        "exclude (length(session_id) with =) where (length(session_id) > 20)",
        "constraint alone",
        "alter table app.conversations drop constraint alone",
    ),
    "size of an index": Rule(
        "create function app.noise(n int) returns text language sql immutable as "
        "$$ select string_agg(md5(i::text), '') from generate_series(1, n) as i $$; "
        "create index wide on app.conversations (app.noise(case when length(session_id) > 20 then 500 else 1 end))",
        "error 54000",
        "drop index app.wide",
    ),
}  # fmt: skip
DOUBLED = {"unique", "exclusion"}
"""Rules that refuse the second of two."""
COMMON = {"check", "length", "unique", "trigger", "suppressed", "renamed", "deferred"}
each_rule = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in COMMON else pytest.mark.wide) for name in RULES]
)


def refused(world: World) -> dict[str, int]:
    """How many conversations are refused, by what; the values of none are kept."""
    rows = world.execute("select * from analytics.oddities where asset_key = 'crew_conversations'")
    assert all(row["example"] is None and row["remedy"] for row in rows)
    return {row["kind"].removeprefix("conversations refused by "): row["rows"] for row in rows}


def tick(world: World) -> None:
    world.tick()
    world.sync()


def refuse(world: World) -> None:
    world.execute(RULES["check"].made)


def allow(world: World) -> None:
    world.execute(RULES["check"].lifted)


def assert_others_are_right(world: World, missing: int) -> None:
    lacking = oracle.without_conversation(world)
    assert len(lacking) == missing
    assert all(session.startswith(LONG) for _, session in lacking)
    oracle.assert_right(world, lacking)
    oracle.assert_links_right(world)


@pytest.mark.representatives(3)
@both_servers_if_wide
@each_rule
def test_a_refused_conversation_is_counted_and_everything_else_goes_on(world: World, name: str) -> None:
    rule = RULES[name]
    for crew in "AB":
        world.crew(crew)
        world.say("s1", "human", at(), crew)
    tick(world)
    world.execute(rule.made)
    world.say(LONG, "human", at(), "A")
    world.say(LONG, "human", at(), "B")
    for crew in "AB":
        world.say("s2", "human", at(), crew)
    talk = world.conversation()
    world.address(talk, world.contact("ana@example.com", world.person(email="ana@example.com")))
    tick(world)
    missing = 1 if name in DOUBLED else 2
    assert_others_are_right(world, missing)
    assert refused(world) == {rule.named: missing}
    assert world.reconcile().drift.changed == 0
    assert refused(world) == {rule.named: missing}
    assert not world.has_news()
    checks = world.checks("no_sessions_without_conversation", "crew_conversations/no_odd_rows")
    assert [check.passed for check in checks.values()] == [True, False]

    world.execute(rule.lifted)
    for crew in "AB":
        world.say(LONG, "ai", at(1), crew)
    tick(world)
    assert_others_are_right(world, 0)
    assert refused(world) == {}
    assert world.reconcile().drift.changed == 0


@both_servers_if_wide
def test_few_or_all_of_many_are_refused(world: World) -> None:
    world.crew()
    query = "insert into app.histories_a (session_id, message) select %s || n, '{}' from generate_series(1, %s) as n"
    refuse(world)
    world.execute(query, "s", 1_000)
    world.execute(query, LONG, 3)
    tick(world)
    assert refused(world) == {"constraint short": 3}
    assert_others_are_right(world, 3)
    world.execute(query, f"{LONG} ", 1_000)
    tick(world)
    assert refused(world) == {"constraint short": 1_003}
    assert_others_are_right(world, 1_003)


@both_servers_if_wide
@pytest.mark.parametrize("sessions", [999, 1_001])
def test_few_and_many_that_a_trigger_deletes_again_are_refused(quiet: World, sessions: int) -> None:
    quiet.execute(RULES["deleted by a statement trigger"].made)
    query = "insert into app.histories_a (session_id, message) select %s || n, '{}' from generate_series(1, %s) as n"
    quiet.execute(query, "s", sessions - 9)
    quiet.execute(query, LONG, 9)
    tick(quiet)
    assert refused(quiet) == {"trigger guard": 9}
    assert_others_are_right(quiet, 9)
    assert quiet.execute("select from analytics.deleted_conversations") == []
    quiet.execute(NO_TRIGGER)
    assert quiet.reconcile().drift.changed == 0
    assert_others_are_right(quiet, 0)


def test_what_a_trigger_raises_is_its_rule_whatever_the_code(quiet: World) -> None:
    codes = ["40000", "42501", "53400", "55000", "55006", "57000", "58030", "XX000"]
    quiet.execute(
        "create function app.refuse(code text) returns void language plpgsql as "
        "$$ begin raise 'the quota is used up' using errcode = code; end $$; "
        + trigger("before insert", IF_LONG.format("perform app.refuse(right(new.session_id, 5));") + " return new;")
    )
    for session in ["s1", *(f"{LONG} {code}" for code in codes), "s2"]:
        quiet.say(session)
    tick(quiet)
    assert refused(quiet) == {"trigger guard": len(codes)}
    assert_others_are_right(quiet, len(codes))
    assert quiet.reconcile().drift.changed == 0
    quiet.execute(NO_TRIGGER)
    quiet.reconcile()
    assert_others_are_right(quiet, 0)


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03"])
def test_a_trigger_that_asks_for_a_retry_gets_it(quiet: World, code: str) -> None:
    quiet.execute(
        trigger("before insert", IF_LONG.format(f"raise 'try again' using errcode = '{code}';") + " return new;")
    )
    for session in ("s1", LONG, "s2"):
        quiet.say(session)
    tick(quiet)
    assert refused(quiet) == {}
    assert_others_are_right(quiet, 1)
    quiet.execute(NO_TRIGGER)
    tick(quiet)
    assert_others_are_right(quiet, 0)


def test_a_rule_that_is_lifted_is_noticed_by_reconcile_and_is_no_drift(quiet: World) -> None:
    refuse(quiet)
    quiet.say(LONG)
    tick(quiet)
    allow(quiet)
    tick(quiet)
    assert refused(quiet) == {"constraint short": 1}
    found = quiet.reconcile()
    assert (found.tables["crew_conversations"].counts.inserted, found.drift.changed) == (1, 0)
    assert_others_are_right(quiet, 0)
    assert refused(quiet) == {}


def test_what_refuses_it_may_change(quiet: World) -> None:
    refuse(quiet)
    quiet.say(LONG)
    tick(quiet)
    quiet.execute(RULES["trigger"].made)
    quiet.reconcile()
    assert refused(quiet) == {"trigger guard": 1}


def test_a_session_that_is_gone_is_refused_no_more(quiet: World) -> None:
    refuse(quiet)
    for session in ("gone", "forgotten", "inserted by the application"):
        quiet.say(f"{LONG}: {session}")
    tick(quiet)
    quiet.execute("delete from app.histories_a where session_id like '%: gone'")
    tick(quiet)
    assert len(quiet.execute("select from analytics.refused_conversations")) == 2
    quiet.execute("delete from app.histories_a where session_id like '%: forgotten'")
    forget.sessions(quiet.warehouse, "A", f"{LONG}: forgotten")
    assert len(quiet.execute("select from analytics.refused_conversations")) == 1
    allow(quiet)
    quiet.execute(
        "insert into app.conversations (channel, crew_id, session_id) "
        "select 'crew', crew_id, session_id from analytics.refused_conversations"
    )
    assert quiet.reconcile().drift.changed == 0
    assert quiet.execute("select from analytics.refused_conversations") == []
    assert_others_are_right(quiet, 0)


def test_a_deleted_conversation_that_is_refused_with_new_messages_comes_back_once_it_may(quiet: World) -> None:
    quiet.say(LONG)
    tick(quiet)
    quiet.execute("delete from app.conversations")
    refuse(quiet)
    quiet.say(LONG, "human", at(1))
    tick(quiet)
    assert refused(quiet) == {"constraint short": 1}
    allow(quiet)
    quiet.reconcile()
    assert_others_are_right(quiet, 0)


@pytest.mark.parametrize(
    ("done", "condition"),
    [
        ("create table pg_catalog.mine ();", psycopg.errors.InsufficientPrivilege),
        (
            "perform from (select from generate_series(1, 100000) as n order by n) as sorted;",
            psycopg.errors.ConfigurationLimitExceeded,
        ),
        ("perform pg_describe_object(1, 1, 0);", psycopg.errors.InternalError_),
    ],
)
def test_what_is_nobodys_rule_fails(quiet: World, done: str, condition: type[psycopg.Error]) -> None:
    quiet.execute(trigger("before insert", f"{done} return new;"))
    quiet.execute(
        "alter function app.guard() set work_mem = '64kB'; alter function app.guard() set temp_file_limit = 0"
    )
    quiet.say("s1")
    with pytest.raises(condition):
        tick(quiet)
    quiet.execute(NO_TRIGGER)
    tick(quiet)
    assert_others_are_right(quiet, 0)
    assert refused(quiet) == {}


def test_the_webhook_refuses_that_one(quiet: World) -> None:
    refuse(quiet)
    quiet.crew("B")
    for session, crew in (("s1", "A"), (LONG, "A"), ("s1", "B")):
        quiet.say(session, "human", at(), crew)
    asked = [SessionKey("A", "s1"), SessionKey("A", LONG), SessionKey("B", "s1"), SessionKey("B", "none")]
    for _ in range(2):
        answers = complete(quiet.warehouse, asked).answers
        assert answers[SessionKey("A", LONG)] == Refused("app.conversations refuses it by constraint short")
        assert [type(answers[session]).__name__ for session in asked] == ["dict", "Refused", "dict", "Missing"]
    tick(quiet)
    assert refused(quiet) == {"constraint short": 1}
    allow(quiet)
    assert isinstance(complete(quiet.warehouse, asked[1:2]).answers[asked[1]], dict)


@both_servers_if_wide
def test_conversations_need_no_unique_key(quiet: World) -> None:
    quiet.execute("alter table app.conversations drop constraint conversations_crew_id_session_id_key")
    for session in ("s1", LONG):
        quiet.say(session)
    refuse(quiet)
    for _ in range(2):
        tick(quiet)
        assert complete(quiet.warehouse, [SessionKey("A", "s1")]).sessions == 1
        assert quiet.reconcile().drift.changed == 0
        assert_others_are_right(quiet, 1)
        quiet.say("s1", "ai", at(1))


@both_servers_if_wide
def test_a_column_that_the_application_generates_is_left_to_it(quiet: World) -> None:
    quiet.execute("alter table app.conversations drop external_id")
    quiet.execute("alter table app.conversations add external_id text generated always as (upper(session_id)) stored")
    quiet.say("s1")
    tick(quiet)
    assert quiet.execute("select external_id from app.conversations") == [{"external_id": "S1"}]


def test_a_trigger_of_the_application_runs_with_the_search_path_of_the_role(world: World) -> None:
    [database] = world.execute("select current_database() as name")
    world.execute(f"alter database {database['name']} set search_path = app")
    world.execute("create table app.audit (session_id text)")
    audit = "insert into audit values (new.session_id); return null;"
    world.execute(trigger("after insert", audit))
    world.crew()
    world.say("s1")
    world.tick()
    world.sync()
    assert world.execute("select session_id from app.audit") == [{"session_id": "s1"}]
    assert world.execute("select from analytics.refused_conversations") == []
    oracle.assert_right(world)
    oracle.assert_links_right(world)
