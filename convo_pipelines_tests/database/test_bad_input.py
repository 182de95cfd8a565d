"""Bad input, from the outside, as tables: each case has a clear result that names the thing and the remedy."""

import json
import logging
import shlex
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

from convo_pipelines.cli import main
from convo_pipelines.database import addresses
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import forget
from convo_pipelines_tests import oracle
from convo_pipelines_tests.commands import without
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.world import World, at

COLUMNS = "(id bigint, session_id text, message jsonb, created_at timestamptz)"
SETUP = f"""
create table app."Upper" {COLUMNS}; create table app."a""b" {COLUMNS}; create table app.{"x" * 63} {COLUMNS};
create view app.h_view as select * from app.histories_a; create view app.h_views as select * from app.h_view;
create materialized view app.h_stored as select * from app.histories_a;
create view app.h_own as select * from app.histories_b;
create function app.of_a() returns setof app.histories_a language sql begin atomic select * from app.histories_a; end;
create view app.h_function as select * from app.of_a();
create table app.h_parent (id bigint, session_id text, message jsonb, created_at timestamptz);
alter table app.histories_a inherit app.h_parent; create view app.h_parents as select * from app.h_parent;
create view app.h_clients as
select b.* from app.histories_b as b where exists (select from app.clients where client_code = 'C2');
create foreign data wrapper nothing; create server nothing foreign data wrapper nothing;
create foreign table app.h_foreign {COLUMNS} server nothing;
create table app.h_parts {COLUMNS} partition by range (created_at);
create table app.h_part partition of app.h_parts default;
create sequence app.h_sequence; create type app.h_type as {COLUMNS};
create table app.h_silent (id bigint, session_id text, created_at timestamptz);
create table app.h_numbers (id bigint, session_id bigint, message jsonb, created_at timestamptz);
create table app.h_text (id bigint, session_id text, message text, created_at timestamptz);
create table app.h_local (id bigint, session_id text, message jsonb, created_at timestamp);
create table app.h_short (id bigint, session_id varchar(20), message json, created_at timestamptz);
create table public.h_public {COLUMNS}; create unlogged table app.h_unlogged {COLUMNS};
"""
CHARACTERS = "use lower-case letters, digits and _ only, 63 at most"
NO_TABLE = "does not exist; create it, or correct histories_table_name of the crew"
WHOSE = "A of client C1; a histories table belongs to one client, and to one crew of it: correct histories_table_name"
OWN = "of client C2; a histories table belongs to one client, and to one crew of it: correct histories_table_name"
COLUMN = "(character or character varying or text); add it, or correct histories_table_name of the crew"
READ = ""
HISTORIES_TABLES = {
    "Upper": CHARACTERS,
    'a"b': CHARACTERS,
    "a'b": CHARACTERS,
    "": CHARACTERS,
    " ": CHARACTERS,
    "histories a": CHARACTERS,
    "histories_b\n": CHARACTERS,
    "app.histories_b": CHARACTERS,
    '"histories_b"': CHARACTERS,
    "../histories_b": CHARACTERS,
    "👩‍💻": CHARACTERS,
    "\u202ehistories_b": CHARACTERS,
    "x; drop table app.people": CHARACTERS,
    "%s": CHARACTERS,
    "{histories}": CHARACTERS,
    "x" * 64: CHARACTERS,
    "x" * 63: READ,
    "histories_a": WHOSE,
    "h_view": WHOSE,
    "h_views": WHOSE,
    "h_stored": WHOSE,
    "h_function": WHOSE,
    "h_parents": WHOSE,
    "h_own": f"app.h_own is also read by B {OWN}",
    "h_clients": f"app.h_clients is also read by B {OWN}",
    "clients": f"table app.clients has no column session_id {COLUMN}",
    "h_parts": OWN,
    "h_part": OWN,
    "h_short": READ,
    "h_unlogged": READ,
    "h_foreign": 'app.h_foreign: foreign-data wrapper "nothing" has no handler',
    "h_sequence": NO_TABLE,
    "h_type": NO_TABLE,
    "h_silent": "table app.h_silent has no column message (json or jsonb); add it",
    "h_numbers": "column app.h_numbers.session_id is bigint; it must be character or character varying or text",
    "h_text": "column app.h_text.message is text; it must be json or jsonb: alter it, or correct",
    "h_local": "h_local.created_at is timestamp without time zone; it must be timestamp with time zone: alter it",
    "nowhere": NO_TABLE,
    "h_public": NO_TABLE,
    "pg_class": NO_TABLE,
    "conversation_summaries": NO_TABLE,
    "people": f"table app.people has no column session_id {COLUMN}",
    "messages": f"table app.messages has no column session_id {COLUMN}",
}


def tick(world: World) -> None:
    for table in DERIVED_TABLES:
        ticks.tick(world.warehouse, table, logging.getLogger())


@both_servers
def test_names_of_histories_tables(world: World) -> None:
    world.crew("A", client="C1")
    world.crew("B", client="C2")
    for crew in "AB":
        world.say(f"of {crew}", "human", at(), crew)
    world.execute(SETUP)
    for number, name in enumerate(HISTORIES_TABLES):
        world.insert(
            "crews", client_id=world.client("C2"), crew_code=f"{number:02}", name="", histories_table_name=name
        )
    tick(world)
    said = {
        row["histories_table_name"]: row["last_error"] or READ
        for row in world.execute(
            "select crews.histories_table_name, last_error from app.crews "
            "inner join analytics.crew_discovery_state on crew_id = crews.id where crew_code not in ('A', 'B')"
        )
    }
    assert set(said) == set(HISTORIES_TABLES)
    unclear = {name: (said[name], text) for name, text in HISTORIES_TABLES.items() if text not in said[name]}
    assert unclear == {}
    assert [name for name, text in HISTORIES_TABLES.items() if text == READ and said[name]] == []
    foreign = "select from analytics.conversation_summaries as s join app.clients on clients.id = client_id where "
    assert world.execute(foreign + "session_id = 'of A' and client_code <> 'C1'") == []
    assert world.execute(foreign + "session_id = 'of B' and client_code <> 'C2'") == []
    assert len(world.execute(foreign + "session_id = 'of A'")) == 0 != len(world.execute(foreign + "true"))


USABLE = "counted"
TOO_LONG, NO_SESSION = "rows with a session_id of more than 2,000 bytes", "rows without a session_id"
NO_TYPE, NO_TIME = "messages of no known type", "rows without a usable created_at"
HUMAN = '{"type": "human"}'
SESSION_IDS = {
    None: NO_SESSION,
    "": USABLE,
    " ": USABLE,
    "\t\n\x01\x7f": USABLE,
    "x" * 2_000: USABLE,
    "x" * 2_001: TOO_LONG,
    "é" * 1_001: TOO_LONG,
    "x" * 10_000: TOO_LONG,
    "👩‍💻": USABLE,
    "\u202eevil\u200f": USABLE,
    "e\u0301": USABLE,
    "\u00e9": USABLE,
    "%s {histories} [/red] '; --": USABLE,
    "null": USABLE,
}
MESSAGES = {
    HUMAN: USABLE,
    '{"type": "ai", "content": ' + json.dumps("x" * 10_000_000) + "}": USABLE,
    '{"type": "tool"}': USABLE,
    None: NO_TYPE,
    "null": NO_TYPE,
    "7": NO_TYPE,
    '"human"': NO_TYPE,
    "[]": NO_TYPE,
    '["type", "human"]': NO_TYPE,
    "{}": NO_TYPE,
    '{"type": null}': NO_TYPE,
    '{"type": 7}': NO_TYPE,
    '{"type": "HUMAN"}': NO_TYPE,
    '{"type": {"type": "human"}}': NO_TYPE,
    '{"type": ["human"]}': NO_TYPE,
    "[" * 1_000 + "]" * 1_000: NO_TYPE,
    '{"type": "human", "x": ' + "[" * 1_000 + "]" * 1_000 + "}": USABLE,
}
TIMES = {
    None: NO_TIME,
    "infinity": NO_TIME,
    "-infinity": NO_TIME,
    "9999-12-31 00:00+00": NO_TIME,
    "20260-01-01": NO_TIME,
    "0001-01-01 00:00+00": NO_TIME,
    "4713-01-01 BC": NO_TIME,
    "1970-01-01 00:00+00": date(1970, 1, 1),
    "0001-01-02 00:00+00": date(1, 1, 2),
    "9999-12-29 23:59:59+00": date(9999, 12, 29),
    "2023-12-31 23:59:59.999999+00": date(2023, 12, 31),
    "2024-01-01 00:00+00": date(2024, 1, 1),
    "2026-03-10 23:59:59.999999+00": date(2026, 3, 10),
    "2026-03-11 00:00+00": date(2026, 3, 11),
    "2026-03-29 01:59:59": date(2026, 3, 29),
    "2026-03-29 00:30:00": date(2026, 3, 28),
    "2026-10-25 02:30:00+02": date(2026, 10, 25),
    "2026-10-25 02:30:00+01": date(2026, 10, 25),
    "2026-10-25 00:30:00": date(2026, 10, 24),
}
sys.setrecursionlimit(10_000)  # for the oracle, which decodes nested messages


@pytest.fixture
def berlin(new_world: Callable[[], World]) -> Callable[[], World]:
    """Makes worlds with one crew, whose server lives with daylight saving."""

    def make() -> World:
        world = new_world()
        world.execute(f"alter database {world.connection.info.dbname} set timezone = 'Europe/Berlin'")
        world.crew()
        return world

    return make


def result(world: World) -> str | date:
    """What became of the one row: the kind of oddity, or the UTC day that it counts for."""
    tick(world)
    oddities = world.execute("select * from analytics.oddities")
    assert all(row["rows"] == 1 and row["remedy"] for row in oddities)
    days = world.execute("select activity_date, message_count from analytics.histories_sessions")
    kinds = [row["kind"] for row in oddities if row["asset_key"] == "histories_sessions"]
    if not kinds or kinds == [NO_TYPE]:
        [day] = days
        assert day["message_count"] == 1
        return kinds[0] if kinds else day["activity_date"]
    [kind] = kinds
    assert days == [], days
    return kind


@pytest.mark.parametrize(
    ("column", "cases"),
    [
        ("session_id", SESSION_IDS),
        pytest.param("message", MESSAGES, marks=pytest.mark.wide),
        pytest.param("created_at", TIMES, marks=pytest.mark.wide),
    ],
)
@pytest.mark.wide
def test_rows_of_histories_tables(berlin: Callable[[], World], column: str, cases: dict[str | None, object]) -> None:
    world = berlin()
    usual = {"session_id": "s1", "message": HUMAN, "created_at": "2026-03-10 12:00+00"}
    found: dict[str | None, object] = {}
    for value, expected in cases.items():
        row = usual | {column: value}
        world.execute("set timezone = 'Europe/Berlin'")
        world.execute(
            "insert into app.histories_a (session_id, message, created_at) values (%s, %s, %s)", *row.values()
        )
        world.execute("set timezone = 'UTC'")
        found[value] = result(world)
        if expected == USABLE:
            assert found[value] == date(2026, 3, 10)
            found[value] = USABLE
        oracle.assert_right(world)
        world.execute("delete from app.histories_a; delete from app.conversations")
        forget.sessions(world.warehouse, "A")
        world.reconcile()
        assert world.execute("select from analytics.oddities") == []
    assert {str(value)[:50]: kind for value, kind in found.items()} == {
        str(value)[:50]: kind for value, kind in cases.items()
    }


NO_CREW = "no active crew has the code NOBODY; there are: A"
NO_CLIENT = "no client has the code NOBODY; there are: C1"
SURPLUS = "Got unexpected extra argument (x)"
NIL = "00000000-0000-0000-0000-000000000000"
FORGET = "give exactly one of --crew, --client, --person; --session only with --crew"
COMMANDS = [
    ("nothing", 2, "No such command 'nothing'"),
    ("migrate sideways", 2, "No such command 'sideways'"),
    ("migrate up --only everything", 2, "'everything' is not one of 'app', 'analytics', 'roles'"),
    ("migrate down --only everything", 2, "'everything' is not one of"),
    ("migrate down", 1, "is not rolled back: "),
    ("migrate status x", 2, SURPLUS),
    ("migrate validate x", 2, SURPLUS),
    ("tick x", 2, SURPLUS),
    ("tick --crew", 2, "Option '--crew' requires an argument"),
    ("tick --crew NOBODY", 1, NO_CREW),
    ("tick --client NOBODY", 1, NO_CLIENT),
    ("tick --client C1 --crew NOBODY", 1, "no active crew of C1 has the code NOBODY; there are: A"),
    ("refresh", 2, "give exactly one of ASSET, --person, --conversation, --session"),
    ("refresh nothing", 1, "no asset is called nothing; there are: histories_sessions, crew_activity_daily"),
    ("refresh histories_sessions,", 1, "no asset is called ; there are:"),
    ("refresh histories_sessions --start yesterday", 2, "'yesterday' does not match the formats"),
    ("refresh histories_sessions --start 2026-03-02 --end 2026-03-01", 1, "no partition lies in"),
    ("refresh histories_sessions --start 1990-01-01 --end 1990-01-02", 1, "the first is 2024-01-01"),
    ("refresh histories_sessions --start 2999-01-01 --end 2999-01-02", 1, "no partition lies in"),
    ("refresh histories_sessions --crew NOBODY", 1, NO_CREW),
    ("refresh people_conversations --client NOBODY", 1, NO_CLIENT),
    ("refresh activity_report --client C1 --client C2", 1, "activity_report is of one client or of all"),
    ("refresh activity_report --crew A", 1, "give it one --client at most, and no --crew"),
    ("refresh activity_report --client NOBODY", 1, NO_CLIENT),
    (f"refresh people_conversations --person {NIL}", 2, "give exactly one of ASSET"),
    ("refresh --session s1", 2, "--session needs one --crew, the code of the crew whose session it is"),
    (f"refresh --person {NIL} --crew A", 2, "--start, --end, --client and --crew narrow an ASSET only"),
    (f"refresh --person {NIL}", 1, f"there is no person {NIL}"),
    (f"refresh --conversation {NIL}", 1, f"there is no conversation {NIL}"),
    ("refresh --session nothing --crew A", 1, "crew A has no session 'nothing'"),
    ("refresh --session s1 --crew NOBODY", 1, NO_CREW),
    ("data compare people_conversations", 2, "Missing option '--with'"),
    ("data compare nothing --with 'select 1'", 1, "no derived table is called nothing; there are: histories_sessions"),
    (
        "data compare people_conversations --with 'select 1'",
        1,
        "the query returns no column person_id, conversation_id",
    ),
    ("data compare people_conversations --with 'select nonsense'", 1, 'column "nonsense" does not exist'),
    ("data compare people_conversations --client NOBODY --with 'select 1'", 1, NO_CLIENT),
    ("adopt sideways", 2, "No such command 'sideways'"),
    ("adopt --check", 2, "Option '--check' requires an argument"),
    ("adopt --check nowhere.sql", 2, "File 'nowhere.sql' does not exist"),
    ("adopt --schema nowhere", 1, "the application has no schema nowhere"),
    ("adopt install nowhere.sql", 2, "File 'nowhere.sql' does not exist"),
    ("adopt release", 1, "schema app has no views"),
    ("adopt restore", 1, "no views are released"),
    ("adopt n8n x", 2, SURPLUS),
    ("adopt n8n --table nothing", 1, "there is no table nothing"),
    ("adopt n8n --yes", 1, "no table of chat messages was found; name one by --table"),
    ("capture sideways", 2, "No such command 'sideways'"),
    ("capture on nowhere", 1, "nowhere: not read by the pipeline; it reads clients"),
    ("capture on 'a;b'", 1, "a;b: not read by the pipeline"),
    ("capture off app.nowhere", 1, "nowhere: not read by the pipeline"),
    ("capture status nowhere", 1, "nowhere: not read by the pipeline"),
    ("data project-arrays x", 2, SURPLUS),
    (f"people link ana@example.com {NIL}", 2, "Missing option '--reason'"),
    ("people link ana@example.com ana --reason x", 2, "'ana' is not a valid UUID"),
    (f"people link nobody@example.com {NIL} --reason x --by me", 1, f"there is no person {NIL}"),
    (f"people unlink known@example.com {NIL} --reason x --by me", 1, f"there is no person {NIL}"),
    (f"people unlink '' {NIL} --reason x --by me", 1, "there is no contact method"),
    (f"people decisions --revoke {NIL} --by me", 1, f"there is no decision {NIL} in force"),
    ("people decisions x", 1, "there is no contact method x, and it is no phone number"),
    ("forget", 2, FORGET),
    ("forget --session s1", 2, FORGET),
    (f"forget --crew A --person {NIL}", 2, FORGET),
    ("forget --client C1 --crew A", 2, FORGET),
    ("forget --client C1 --session s1", 2, FORGET),
    ("forget --person Ana", 2, "'Ana' is not a valid UUID"),
    ("forget --crew NOBODY", 1, "no crew has the code NOBODY; there are: A"),
    ("forget --client NOBODY", 1, "no crew has the client code NOBODY; there are: C1"),
    ("forget --client C1", 1, "app.histories_a still has messages of sessions of crew A; delete them there first"),
    ("lake write --rebuild", 2, "No such option '--rebuild'"),
    ("table keys nothing", 2, "'nothing' is not one of 'histories_sessions'"),
    ("table plan nothing", 1, "CONVO_TABLES names no folder nothing that has a rows.sql; there are: none"),
    ("table apply nothing", 1, "CONVO_TABLES names no folder nothing that has a rows.sql; there are: none"),
    ("table check nothing", 1, "CONVO_TABLES names no folder nothing that has a rows.sql; there are: none"),
    ("table check nothing --seconds 0", 2, "0 is not in the range x>=1"),
    ("table remove nothing --yes", 1, "the database has no table of one's own that is named nothing"),
    ("table show nothing", 2, "'nothing' is not one of 'histories_sessions'"),
    ("lake unfollow now", 2, "Got unexpected extra argument (now)"),
    ("lake query", 2, "Missing argument '{first_responses|active_people|projects|reply_funnel}'"),
    ("lake query reply_funnel --start tomorrow", 2, "'tomorrow' does not match the format '%Y-%m-%d'"),
    ("lake query reply_funnel --start 2026-02-01 --end 2026-02-01", 2, "Invalid value for --end: it must be after"),
    ("lake query reply_funnel", 1, "the lake has no table conversation_summaries"),
    ("client export", 2, "Missing argument 'CODE'"),
    ("client export C9 /tmp/nothing", 1, "there is no client C9"),
    ("client import /nowhere", 2, "File '/nowhere' does not exist"),
    (f"client import {__file__}", 1, "is not a complete export of a client: export it again"),
    ("data import-histories", 2, "Missing argument 'FILE'"),
    ("data import-histories /nowhere.csv --crew A", 2, "File '/nowhere.csv' does not exist"),
    ("data import-histories / --crew A", 2, "File '/' is a directory"),
    (f"data import-histories {__file__} --crew NOBODY", 1, NO_CREW),
    (f"data import-histories {__file__} --crew A", 1, "it needs session_id, message, created_at"),
    ("data sample", 1, "app.clients already has rows; sample data is only for an empty database"),
    ("data sample --crews -1", 2, "-1 is not in the range x>=0"),
    ("data sample --days 0", 2, "0 is not in the range x>=1"),
    ("data sample --sessions many", 2, "'many' is not a valid integer"),
    ("data sample --end tomorrow", 2, "'tomorrow' does not match the format"),
    ("data sample --end 9999-12-31", 2, "9999-12-31 is not between 1971-01-01 and 2999-12-31"),
    ("reconcile x", 2, SURPLUS),
    ("verify x", 2, SURPLUS),
    ("status x", 2, SURPLUS),
    ("health x", 2, SURPLUS),
    ("alerts x", 2, "'x' is not 'test'"),
    ("people who", 2, "Missing argument 'IDENTIFIER'"),
    ("people who x", 1, "there is no contact method x"),
    ("serve metrics --port 0", 2, "0 is not in the range 1<=x<=65535"),
    ("generate data-dictionary x", 2, SURPLUS),
    ("serve follow --webhook", 1, "WEBHOOK_SECRET is not set"),
    ("serve webhook", 1, "WEBHOOK_SECRET is not set: set it, or pass --insecure"),
    ("serve webhook --port 0", 2, "0 is not in the range 1<=x<=65535"),
    ("serve webhook x", 2, SURPLUS),
    ("generate zero-schema --output /nowhere/schema.ts", 1, "No such file or directory: '/nowhere/schema.ts'"),
    (
        "generate zero-schema --publication none",
        1,
        "nothing to sync is published by 'none': docs/how-to/zero.md shows how to create it",
    ),
    ("generate zero-schema --output /", 2, "File '/' is a directory"),
    ("demo x", 2, SURPLUS),
    ("data psql -c 'select nonsense'", 1, ""),
    ("dagster nothing", 2, ""),
]


def test_a_role_that_may_not_create_dagsters_database_is_told_what_does(world: World) -> None:
    world.execute("create role keeper login")
    url = make_url(world.url).set(username="keeper").render_as_string(hide_password=False)
    with pytest.raises(addresses.StorageError, match=r"keeper may not create .* run `createdb --owner=keeper nobodys`"):
        addresses._create_if_missing(url, "nobodys")
    world.execute("drop role keeper")


def test_commands(connected: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    connected.crew()
    connected.say("s1")
    connected.contact("known@example.com")
    tick(connected)
    unclear: dict[str, str] = {}
    for line, code, text in COMMANDS:
        ended = CliRunner().invoke(main, shlex.split(line))
        output = " ".join(ended.output.split())
        if ended.exit_code != code or text not in output or not isinstance(ended.exception, SystemExit):
            unclear[line] = f"{ended.exit_code}: {output} {ended.exception!r}"
    assert unclear == {}
    assert without([line for line, _, _ in COMMANDS]) == set()
    oracle.assert_right(connected)


@pytest.mark.parametrize("line", ["tick", "reconcile", "forget --crew A"])
def test_commands_against_an_old_schema_do_nothing_and_say_so(connected: World, line: str) -> None:
    connected.crew()
    connected.execute("update analytics.schema_migrations set checksum = '0.0.1 x' where name = 'code'")
    before = connected.execute("select * from analytics.refresh_state order by asset_key")
    ended = CliRunner().invoke(main, shlex.split(line))
    assert ended.exit_code == 1
    assert "the database lacks code: run `convo-pipelines migrate up --only analytics`" in ended.output
    assert connected.execute("select * from analytics.refresh_state order by asset_key") == before
