"""Decisions by hand: whose a contact method is, whatever matches; from the next tick on, and longer than analytics."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database import migrations, warehouse
from convo_pipelines.engine import chunks, refresh
from convo_pipelines.operations import forget
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers, both_servers_if_wide
from convo_pipelines_tests.world import World

IN_FORCE = (
    "select contact_method_id, person_id, decision from curation.participant_decisions where revoked_at is null "
    "order by decided_at"
)

CAPTURING = (
    "select tgenabled::text, count(*) as times from pg_trigger where tgname like 'convo%%' "
    "and tgrelid = 'curation.participant_decisions'::regclass group by tgenabled"
)


@pytest.fixture
def command(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr(warehouse, "database_url", lambda: world.url)
    monkeypatch.setenv("USER", "ann")
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


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
    migrations.up(("analytics",), url=world.url)
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


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_no_decision_is_lost_between_two_chunks(world: World, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(refresh, "CHUNK_KEYS", chunk)
    monkeypatch.setattr(chunks, "SMALLEST_CHUNK", 1)
    monkeypatch.setattr(chunks, "LARGEST_CHUNK", chunk)
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
    migrations.up(("analytics",), url=world.url)
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


def test_the_capture_of_decisions_can_be_switched_off_and_on(world: World, command: Callable[..., Result]) -> None:
    ana = world.person()
    world.address(world.conversation(), contact := world.contact("ana@example.com"))
    world.sync()
    assert command("capture", "off", "curation.participant_decisions").exit_code == 0
    assert world.execute(CAPTURING) == []
    world.decide(contact, ana)
    assert command("capture", "on", "participant_decisions").exit_code == 0
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
