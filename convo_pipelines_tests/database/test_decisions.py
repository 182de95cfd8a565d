"""Decisions by hand: whose a contact method is, whatever matches; from the next tick on, and longer than analytics."""

import json
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database import warehouse
from convo_pipelines.database.migrations import upgrade
from convo_pipelines.engine import chunk_size, chunks, refresh
from convo_pipelines.operations import decisions, forget
from convo_pipelines.operations.decisions import Decision
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers, both_servers_if_wide
from convo_pipelines_tests.world import World, sample

IN_FORCE = (
    "select contact_method_id, person_id, decision from curation.participant_decisions where revoked_at is null "
    "order by decided_at"
)

CAPTURING = (
    "select tgenabled::text, count(*) as times from pg_trigger where tgname like 'convo%%' "
    "and tgrelid = 'curation.participant_decisions'::regclass group by tgenabled"
)


LEFT_ALONE = ("curation.participant_decisions", "analytics.identifiers", "analytics.participant_resolutions")
WHY = ("--reason", "they said so")


@pytest.fixture
def command(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr(warehouse, "database_url", lambda: world.url)
    monkeypatch.setenv("USER", "ann")
    return lambda *arguments: CliRunner().invoke(main, ["people", *map(str, arguments)])


def in_force(world: World) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in world.execute(IN_FORCE)]


@both_servers
def test_a_link_wins_over_matching_in_all_conversations_from_the_next_tick_on(
    world: World, command: Callable[..., Result]
) -> None:
    ana, twin = (world.person(email="ana@example.com") for _ in range(2))
    contact = world.contact("ana@example.com")
    world.crew()
    world.say("4915112345678")
    world.person(phone="+4915112345678")
    talks = [world.conversation(), world.conversation(client=None)]
    for talk in talks:
        world.address(talk, contact)
    world.tick()
    world.sync()
    assert len(world.linked()) == 1
    assert not world.has_news(["participant_resolutions"])
    done = command("link", " Ana@EXAMPLE.com", ana, "--reason", "she told us")
    assert done.exit_code == 0, done.output
    assert "ann" in done.output
    assert world.has_news(["participant_resolutions"])
    world.sync()
    oracle.assert_links_right(world)
    assert {(ana, talk) for talk in talks} < world.linked()
    [resolved] = world.execute("select * from analytics.participant_resolutions")
    assert (resolved["person_id"], resolved["method"], resolved["confidence"]) == (ana, "decision", Decimal("1.00"))
    why = world.execute("select distinct method, confidence from analytics.conversation_people where via = 'recipient'")
    assert why == [{"method": "decision", "confidence": Decimal("1.00")}]
    assert world.reconcile().drift.changed == 0
    assert command("link", contact, twin, "--reason", "no, it was her sister").exit_code == 0
    world.sync()
    oracle.assert_links_right(world)
    assert {(twin, talk) for talk in talks} < world.linked()
    assert in_force(world) == [(contact, twin, "link")]
    assert len(world.execute("select from curation.participant_decisions where revoked_by = 'ann'")) == 1


@both_servers_if_wide
def test_never_takes_a_match_away_and_a_session_with_that_number_too(
    world: World, command: Callable[..., Result]
) -> None:
    world.crew()
    world.say("4915112345678")
    ben = world.person(phone="+4915112345678")
    contact = world.contact("+49 151 12345678", kind="phone")
    world.address(world.conversation(), contact)
    world.tick()
    world.sync()
    assert len(world.linked()) == 2
    assert command("unlink", "+4915112345678", ben, "--reason", "the office's number").exit_code == 0
    world.tick()
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == set()
    assert command("link", contact, ben, "--reason", "his, after all").exit_code == 0
    assert in_force(world) == [(contact, ben, "link")]
    world.sync()
    oracle.assert_links_right(world)
    assert len(world.linked()) == 2


def test_the_application_outranks_a_decision(world: World, command: Callable[..., Result]) -> None:
    ana, ben = world.person(), world.person()
    contact = world.contact("ana@example.com", ana)
    world.address(talk := world.conversation(), contact)
    decided = command("link", contact, ben, "--reason", "he told us")
    assert "the application has set the person of ana@example.com" in decided.output
    world.sync()
    assert world.linked() == {(ana, talk)}
    world.execute("update app.contact_methods set person_id = null")
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == {(ben, talk)}


def test_a_contact_that_is_no_address_can_be_decided_on(world: World, command: Callable[..., Result]) -> None:
    ana = world.person()
    contact, other = world.contact("nobody"), world.contact("nobody")
    for one in (contact, other):
        world.address(world.conversation(), one)
    world.sync()
    refused = command("link", "nobody", ana, "--reason", "she told us")
    assert refused.exit_code == 1
    assert f"2 contact methods are spelled nobody; give the id of one: {min(contact, other)} (email)" in " ".join(
        refused.output.split()
    )
    assert command("link", contact, ana, "--reason", "she told us").exit_code == 0
    world.sync()
    oracle.assert_links_right(world)
    assert len(world.linked()) == 1


def test_a_decision_on_a_contact_that_clients_share_speaks_for_its_persons_client(world: World) -> None:
    of_c1, twin, of_c2 = (world.person(client, email="shared@example.com") for client in ("C1", "C1", "C2"))
    contact = world.contact("shared@example.com")
    talks = {client: world.conversation(client=client) for client in ("C1", "C2", None)}
    for talk in talks.values():
        world.address(talk, contact)
    world.decide(contact, twin)
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == {(twin, talks["C1"]), (of_c2, talks["C2"]), (twin, talks[None])}
    world.decide(contact, of_c1, "never")
    world.execute("update app.people set client_id = %s where id = %s", world.client("C3"), twin)
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == {(of_c2, talks["C2"]), (twin, talks[None])}


@both_servers_if_wide
def test_decisions_outlive_analytics(world: World) -> None:
    ana = world.person()
    contact = world.contact("ana@example.com")
    world.address(talk := world.conversation(), contact)
    world.decide(contact, ana)
    world.sync()
    world.execute("drop schema analytics cascade")
    world.decide(world.contact("ben@b.example"), ana)
    upgrade.up(("analytics",), url=world.url)
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == {(ana, talk)}
    world.execute("update curation.participant_decisions set revoked_at = now()")
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == set()


@pytest.mark.parametrize("wanted", ["what the application deletes", "a person who is forgotten"])
def test_a_decision_about_what_is_gone_does_no_harm(world: World, wanted: str) -> None:
    ana = world.person()
    contact = world.contact("ana@example.com")
    world.address(world.conversation(), contact)
    world.decide(contact, ana)
    world.sync()
    row = world.execute("select * from app.people")[0]
    world.execute("delete from app.people")
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == set()
    if wanted == "a person who is forgotten":
        assert forget.person(world.warehouse, ana)["decisions"] == 1
    world.insert("people", id=ana, client_id=row["client_id"], name=row["name"])  # loaded anew
    world.sync()
    oracle.assert_links_right(world)
    assert bool(world.linked()) == (wanted == "what the application deletes")


def test_a_decision_is_replaced_whatever_spelling_it_was_made_by(world: World, command: Callable[..., Result]) -> None:
    ana, twin = (world.person(email="ben@b.example") for _ in range(2))
    first = world.insert("contact_methods", id=UUID(int=2), kind="email", value="ben@b.example")
    world.address(talk := world.conversation(), first)
    world.sync()
    assert command("link", "ben@b.example", ana, "--reason", "she told us").exit_code == 0
    world.insert("contact_methods", id=UUID(int=1), kind="email", value="Ben@B.Example")
    world.sync()
    assert world.linked() == {(ana, talk)}
    assert command("link", "ben@b.example", twin, "--reason", "no, it was her sister").exit_code == 0
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == {(twin, talk)}
    assert command("unlink", "BEN@b.example", twin, "--reason", "not hers").exit_code == 0
    assert command("link", first, twin, "--reason", "hers, after all").exit_code == 0
    assert [(person, decision) for _, person, decision in in_force(world)] == [(twin, "link")]
    assert command("link", "ben@b.example", twin, "--reason", "again").exit_code == 0
    assert len(in_force(world)) == 1


@pytest.mark.parametrize("decision", ["link", "unlink"])
def test_two_stewards_decide_one_after_the_other(world: World, command: Callable[..., Result], decision: str) -> None:
    ana, ben = world.person(), world.person()
    who = {"link": ben, "unlink": ana}[decision]
    contact = world.contact("ana@example.com")
    decide = (
        "insert into curation.participant_decisions (contact_method_id, person_id, decision, reason) "
        "values (%s, %s, 'link', 'x')"
    )
    with psycopg.connect(world.url) as other:
        other.execute(decide, [contact, ana])
        later = threading.Thread(target=command, args=(decision, contact, who, "--reason", "x"))
        later.start()
        later.join(0.5)
        assert later.is_alive()
    later.join(30)
    assert in_force(world) == [(contact, who, {"link": "link", "unlink": "never"}[decision])]
    world.execute("update curation.participant_decisions set revoked_at = now() where revoked_at is null")
    world.execute(decide, contact, ana)
    with pytest.raises(psycopg.errors.UniqueViolation, match="is linked to another person of that client: revoke that"):
        world.execute(decide, contact, ben)
    threads = [
        threading.Thread(target=command, args=("link", contact, person, "--reason", "x")) for person in (ana, ben) * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(in_force(world)) == 1


@pytest.mark.representatives(1)
@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_no_decision_is_lost_between_two_chunks(world: World, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(refresh, "CHUNK_KEYS", chunk)
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    monkeypatch.setattr(chunk_size, "SMALLEST_CHUNK", 1)
    monkeypatch.setattr(chunk_size, "LARGEST_CHUNK", chunk)
    world.sync()
    people = [world.person(email="ana@example.com") for _ in range(4)]
    contacts = [world.contact(value) for value in ("ana@example.com", "nobody", "12")]
    for contact in contacts:
        world.address(world.conversation(), contact)
    for number, contact in enumerate(contacts):
        for person in people:
            world.decide(contact, person, "link" if person is people[number] else "never")
    world.sync()
    oracle.assert_links_right(world)
    world.execute("drop schema analytics cascade")
    upgrade.up(("analytics",), url=world.url)
    world.sync()
    oracle.assert_links_right(world)


@pytest.mark.parametrize(
    "around",
    [
        "truncate curation.participant_decisions",
        "set session_replication_role = replica",
        "alter table curation.participant_decisions disable trigger all",
        "alter table curation.participant_decisions enable trigger convo_pipelines_insert, "
        "enable trigger convo_pipelines_delete; set session_replication_role = replica",
    ],
)
def test_decisions_that_are_loaded_anew_are_read(world: World, around: str) -> None:
    ana, ben = world.person(), world.person(email="ben@b.example")
    contact = world.contact("ben@b.example")
    world.address(talk := world.conversation(), contact)
    decided = world.decide(contact, ana)
    world.sync()
    assert world.linked() == {(ana, talk)}
    world.execute(around)
    world.execute("delete from curation.participant_decisions")
    world.execute(
        "insert into curation.participant_decisions (id, contact_method_id, person_id, decision, reason) "
        "values (%s, %s, %s, 'never', 'x')",
        *(decided, contact, ana),
    )
    world.execute("reset session_replication_role")
    assert world.has_news(["participant_resolutions"])
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == {(ben, talk)}
    assert world.execute(CAPTURING) == [{"tgenabled": "A", "times": 4}]
    assert world.reconcile().drift.changed == 0


@pytest.mark.usefixtures("command")
def test_the_capture_of_decisions_can_be_switched_off_and_on(world: World) -> None:
    ana = world.person()
    world.address(world.conversation(), contact := world.contact("ana@example.com"))
    world.sync()
    assert CliRunner().invoke(main, ["capture", "off", "curation.participant_decisions"]).exit_code == 0
    assert world.execute(CAPTURING) == []
    world.decide(contact, ana)
    assert CliRunner().invoke(main, ["capture", "on", "participant_decisions"]).exit_code == 0
    world.sync()
    oracle.assert_links_right(world)
    assert len(world.linked()) == 1


def test_decisions_are_listed_revoked_and_kept(world: World, command: Callable[..., Result]) -> None:
    ana = world.person()
    world.address(world.conversation(), world.contact("ana@example.com"))
    command("link", "ana@example.com", ana, "--reason", "she told us", "--by", "Bob")
    [row] = world.execute("select id from curation.participant_decisions")
    listed = command("decisions").output
    assert all(said in listed for said in (str(row["id"]), "link", "ana@example.com", "C1", "she told us", "Bob"))
    assert command("decisions", "--revoke", row["id"]).exit_code == 0
    assert "she told us" not in command("decisions").output
    assert "ann" in command("decisions", "--all").output
    assert command("decisions", "--revoke", row["id"]).exit_code == 1


@both_servers_if_wide
def test_a_session_that_nobody_knows_is_seen_and_decided(world: World, command: Callable[..., Result]) -> None:
    world.crew()
    for number in ("4915112345678", "4915112345678@s.whatsapp.net"):
        world.say(number)
    world.say("not an identifier")
    twins = [world.person(email="shared@example.com") for _ in range(2)]
    world.say("SHARED@example.com")
    world.tick()
    world.sync()
    unknown = "select identifier, kind, status, messages from analytics.unknown_senders order by identifier"
    assert [tuple(row.values()) for row in world.execute(unknown)] == [
        ("+4915112345678", "phone", "unmatched", 2),
        ("shared@example.com", "email", "ambiguous", 1),
    ]
    checks = world.checks("no_unresolved_participants", "no_ambiguous_participants")
    [unmatched] = sample(checks["no_unresolved_participants"])
    [ambiguous] = sample(checks["no_ambiguous_participants"])
    assert (unmatched["kind"], unmatched["messages"]) == ("phone", 2)
    assert (ambiguous["kind"], ambiguous["candidate_count"]) == ("email", 2)
    ana = world.person()
    assert "2 links would be added, 0 removed" in command("link", "+49 151 12345678", ana, *WHY, "--dry-run").output
    assert world.execute("select from curation.participant_decisions") == []
    assert command("link", "+49 151 12345678", ana, *WHY).exit_code == 0
    [talk] = world.execute("select id from app.conversations where session_id = 'SHARED@example.com'")
    assert command("link", talk["id"], twins[0], *WHY).exit_code == 0
    assert not world.linked()
    world.sync()
    oracle.assert_links_right(world)
    assert len(world.linked()) == 3
    assert world.execute(unknown) == []
    assert all(
        check.passed for check in world.checks("no_unresolved_participants", "no_ambiguous_participants").values()
    )
    world.address(later := world.conversation(), world.contact("+4915112345678", kind="phone"))
    world.sync()
    assert (ana, later) in world.linked()
    assert "they said so" in command("decisions", "4915112345678").output
    assert command("unlink", "4915112345678@s.whatsapp.net", ana, *WHY).exit_code == 0
    assert [row["decision"] for row in world.execute(IN_FORCE)] == ["link", "never"]
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == {(twins[0], talk["id"])}


def test_what_is_no_identifier_is_refused(world: World, command: Callable[..., Result]) -> None:
    ana = world.person()
    world.crew()
    world.say("a chat")
    world.tick()
    [talk] = world.execute("select id from app.conversations")
    for named, why in (("a chat", "there is no contact method a chat"), (talk["id"], "the session a chat of")):
        for arguments in (("link", named, ana, *WHY), ("who", named), ("decisions", named)):
            refused = command(*arguments)
            assert refused.exit_code == 1
            assert why in " ".join(refused.output.split())
    with pytest.raises(psycopg.errors.CheckViolation):
        world.decide("a chat", ana)
    assert command("link", "ana@example.com", uuid4(), *WHY, "--dry-run").exit_code == 1


@both_servers_if_wide
def test_a_dry_run_shows_what_the_next_tick_would_change_and_leaves_nothing(
    world: World, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    ana, twin = (world.person(email="ben@b.example") for _ in range(2))
    other = world.person("C2", email="ben@b.example")
    contact = world.contact("Ben@B.Example")
    talks = {client: world.conversation(client=client) for client in ("C1", "C2", None)}
    for talk in talks.values():
        world.address(talk, contact)
    world.decide(contact, twin)
    world.sync()
    assert world.linked() == {(twin, talks["C1"]), (twin, talks[None]), (other, talks["C2"])}
    before = [world.execute(f"select * from {table}") for table in LEFT_ALONE]
    shown = command("link", "ben@b.example", ana, *WHY, "--dry-run").output
    assert "2 links would be added, 2 removed; nothing was decided" in " ".join(shown.split())
    assert str(talks["C1"]) in shown
    assert str(talks["C2"]) not in shown
    assert [world.execute(f"select * from {table}") for table in LEFT_ALONE] == before
    assert not world.has_news(["participant_resolutions", "people_conversations"])
    command("link", "ben@b.example", ana, *WHY)
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == {(ana, talks["C1"]), (ana, talks[None]), (other, talks["C2"])}
    assert "0 links would be added, 0 removed" in command("link", "ben@b.example", ana, *WHY, "--dry-run").output


def test_who_says_what_is_known_and_why(
    world: World, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    ana, twin = (world.person(phone="+49 151 12345678") for _ in range(2))
    given = world.person("C2")
    contacts = [world.contact("+4915112345678", who, kind="phone") for who in (given, None)]
    for client in ("C1", "C2"):
        world.address(world.conversation(client=client), contacts[1])
    world.crew()
    world.say("4915112345678")
    world.decide("+4915112345678", twin, "never")
    world.tick()
    world.sync()
    known = json.loads(command("who", "+49 (151) 12345678", "--json").output)
    assert known["identifier"] == "+4915112345678"
    assert [tuple(row.values()) for row in known["clients"]] == [
        ("C1", "resolved", str(ana), "…", "phone", 1, 2),
        ("C2", "resolved", str(given), "…", "phone", 1, 1),
    ]
    assert {(row["person_id"], row["because"].partition(" decision ")[0]) for row in known["persons"]} == {
        (str(ana), "the person's own phone"),
        (str(twin), "the person's own phone"),
        (str(twin), "excluded by"),
        (str(given), f"the application gave the person contact method {contacts[0]}"),
    }
    assert {row["method"]: row["status"] for row in known["contact_methods"]} == {
        "manual": "resolved",
        None: "ambiguous",
    }
    [session] = known["sessions"]
    assert (session["crew"], session["session_id"], session["person_id"]) == ("A", "4915112345678", str(ana))
    assert [row["decision"] for row in known["decisions"]] == ["never"]
    [talk] = world.execute("select id from app.conversations where crew_id is not null")
    for same in ("4915112345678", contacts[0], talk["id"]):
        assert json.loads(command("who", same, "--json").output) == known
    told = command("who", "4915112345678").output
    assert all(said in told for said in ("+4915112345678", "contact methods", "ambiguous", "excluded by decision"))
    nobody = json.loads(command("who", "x@example.com", "--json").output)
    assert nobody["identifier"] == "x@example.com"
    assert not any(rows for rows in nobody.values() if isinstance(rows, list))


def test_a_decision_is_not_changed_and_not_made_about_nothing(world: World) -> None:
    contact, person = world.contact("ana@example.com"), world.person()
    decided = world.decide(contact, person)
    with pytest.raises(psycopg.errors.RestrictViolation, match="a decision is not changed: revoke it"):
        world.execute("update curation.participant_decisions set decision = 'never' where id = %s", decided)
    with pytest.raises(psycopg.errors.UniqueViolation):
        world.decide(contact, person, "never")
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="there is no contact method"):
        world.decide(uuid4(), person)
    world.execute("update curation.participant_decisions set revoked_at = now()")
    with pytest.raises(psycopg.errors.RestrictViolation):
        world.execute("update curation.participant_decisions set revoked_at = null, revoked_by = null")


def test_a_number_wins_over_a_contact_that_is_misspelled(world: World) -> None:
    ana = world.person()
    world.contact("4915112345678", kind="email")
    assert (
        decisions.decide(world.warehouse, Decision("4915112345678", ana, "link", "…", "me")).identifier
        == "+4915112345678"
    )
