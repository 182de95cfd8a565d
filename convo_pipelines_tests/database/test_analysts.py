"""What analysts read: the guide's queries run, the views add up, the frames have their types."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from statistics import median
from uuid import uuid4

import pandas as pd
import psycopg
import pytest
from sqlalchemy import make_url

from convo_pipelines.database.migrations import upgrade
from convo_pipelines.database.statements import names
from convo_pipelines.serving import read
from convo_pipelines.sources import sample_data
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT
from convo_pipelines_tests.world import World, at

GUIDE = (ROOT / "docs" / "how-to" / "analysts.md").read_text()
PAGES = (GUIDE, (ROOT / "README.md").read_text(), (ROOT / "docs" / "start" / "first-steps.md").read_text())
SQL, PYTHON = (re.compile(rf"```{language}\n(.*?)```", re.DOTALL) for language in ("sql", "python"))
QUERIES = [query for text in PAGES for fence in SQL.findall(text) for query in fence.split(";\n\n")]
SIZES = sample_data.Sizes(crews=4, sessions=80, conversations=80, people=60, projects=4, days=20)


@pytest.fixture
def company(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    sample_data.load(world.warehouse, SIZES, 1, datetime.now(UTC).date())
    world.tick()
    world.sync()
    upgrade.up(("roles",), url=world.url)
    monkeypatch.setattr(read, "read_url", lambda: analyst(world))
    return world


def analyst(world: World) -> str:
    """The database, as one who may read analytics alone."""
    return make_url(world.url).set(username="convo_analyst").render_as_string(hide_password=False)


def test_analysts_can_run_the_queries_of_the_pages_and_find_something(company: World) -> None:
    assert len(QUERIES) >= 18
    company.execute("update analytics.project_conversations set added_at = now()")
    company.execute("update app.messages set direction = 'inbound'")
    company.tick()
    with psycopg.connect(analyst(company)) as connection:
        for query in QUERIES:
            assert connection.execute(query).fetchall(), query


def test_analysts_can_run_the_guides_python_and_find_something(company: World) -> None:
    [lead] = company.execute("select lead_id as id from analytics.lead_conversations limit 1")
    [person] = company.execute("select person_id as id from analytics.people_conversations limit 1")
    [fence] = PYTHON.findall(GUIDE)
    defined: dict[str, object] = {}
    for node in ast.parse(fence.replace("1b7e…", str(lead["id"])).replace("6f0c…", str(person["id"]))).body:
        line = ast.unparse(node)
        if isinstance(node, ast.Expr):
            assert len(eval(line, defined)), line
        else:
            exec(line, defined)


def test_client_activity_adds_up(company: World) -> None:
    clients = {client["id"]: client["client_code"] for client in company.execute("select * from app.clients")}
    crews = {crew["id"]: crew["client_id"] for crew in company.execute("select * from app.crews")}
    messages, started, closed = defaultdict(int), defaultdict(int), defaultdict(int)
    sessions, waited = defaultdict(set), defaultdict(list)
    for row in oracle.histories(company).itertuples():
        key = clients[crews[row.crew_id]], row.at.date()
        messages[key] += 1
        sessions[key].add((row.crew_id, row.session_id))
    owner = {talk["id"]: clients[talk["client_id"]] for talk in company.execute("select * from app.conversations")}
    for message in company.execute("select * from app.messages"):
        messages[owner[message["conversation_id"]], message["sent_at"].date()] += 1
    for summary in (dict(zip(oracle.SUMMARY_COLUMNS, row, strict=True)) for row in oracle.summaries(company)):
        key = clients[summary["client_id"]], summary["started_at"].date()
        started[key] += 1
        if summary["closed_at"]:
            closed[key[0], summary["closed_at"].date()] += 1
        if summary["first_response_seconds"] is not None:
            waited[key].append(summary["first_response_seconds"])
    found = read.client_activity()
    keys = set(messages) | set(started) | set(closed)
    assert {(row.client_code, row.activity_date.date()) for row in found.itertuples()} == keys
    for row in found.itertuples():
        key = row.client_code, row.activity_date.date()
        assert (row.messages, row.sessions) == (messages[key], len(sessions[key]))
        assert (row.conversations_started, row.conversations_closed) == (started[key], closed[key])
        if waited[key]:
            assert row.first_response_median_seconds == pytest.approx(median(waited[key]))


def frames() -> Iterator[object]:
    yield read.summaries()
    yield read.sessions()
    yield read.client_activity()
    yield read.crew_activity()
    person, project = "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"
    yield read.person_timeline(person)
    yield read.participants(person)
    yield read.project_conversations(project)
    yield read.client_conversations("C001")
    yield read.open_conversation(person)
    yield read.lead_conversations(person)
    yield read.customer_conversations(person)
    yield read.conversations_per_project()


def test_types_are_the_same_with_and_without_rows(company: World) -> None:
    full = [frame.dtypes.to_dict() for frame in frames()]
    assert len(full) == len(names("serving/read"))
    assert len(read.summaries()) == len(company.execute("select from analytics.conversation_summaries"))
    company.execute("truncate app.clients cascade")
    empty = [frame.dtypes.to_dict() for frame in frames()]
    assert empty == full
    assert str(full[0]["started_at"]) == "datetime64[us, UTC]"
    assert str(full[0]["message_count"]) == "Int64"


def test_frames_are_narrowed_by_client_and_half_open_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "read_url", lambda: world.url)
    for client, day in (("C1", 0), ("C1", 1), ("C2", 0)):
        world.message(world.conversation(client=client), when=at(day, 0))
    world.tick()
    first, after = date(2026, 3, 10), date(2026, 3, 11)
    assert len(read.summaries()) == 3
    assert len(read.summaries(client="C1")) == 2
    assert len(read.summaries(client="C1", start=first, end=after)) == 1
    assert len(read.summaries(start=at(1, 0))) == 1
    assert len(read.summaries(end=at(1, 0).replace(tzinfo=None))) == 2


def test_a_person_and_a_project_have_their_conversations(company: World) -> None:
    [link] = company.execute("select * from analytics.people_conversations limit 1")
    timeline = read.person_timeline(link["person_id"])
    talks = company.execute("select from analytics.people_conversations where person_id = %s", link["person_id"])
    assert len(timeline) == len(talks)
    [link] = company.execute("select * from analytics.project_conversations limit 1")
    added = read.project_conversations(link["project_id"])
    assert str(link["conversation_id"]) in set(added["conversation_id"])
    assert added["added_at"].is_monotonic_increasing


def test_a_clients_conversations_come_by_pages_newest_first(company: World) -> None:
    lead, customer = uuid4(), uuid4()
    company.execute("update app.conversations set closed_at = now() where id::text < '8'")
    company.execute(
        "update app.conversations set lead_id = %s, customer_id = %s where id = "
        "(select id from app.conversations where closed_at is null and channel = 'crew' limit 1)",
        lead,
        customer,
    )
    company.tick()
    company.sync()
    links = company.table("analytics.clients_conversations")
    clients = {row["id"]: row["client_code"] for row in company.execute("select * from app.clients")}
    crews = {row["id"]: row["crew_code"] for row in company.execute("select * from app.crews")}
    client_id = links["client_id"].mode()[0]
    own = links[links["client_id"] == client_id].sort_values(["started_at", "conversation_id"], ascending=False)
    crew, project = own["crew_id"].dropna().iloc[0], own["project_id"].dropna().iloc[0]
    filters = [
        ({}, own),
        ({"channel": "crew"}, own[own["channel"] == "crew"]),
        ({"crew": crews[crew]}, own[own["crew_id"] == crew]),
        ({"project": project}, own[own["project_id"] == project]),
        ({"is_open": True}, own[own["closed_at"].isna()]),
        ({"is_open": False}, own[own["closed_at"].notna()]),
    ]
    for narrowed, wanted in filters:
        found: list[str] = []
        before = None
        while len(page := read.client_conversations(clients[client_id], **narrowed, before=before, rows=7)):
            found += list(page["conversation_id"])
            before = (page["started_at"].iloc[-1].to_pydatetime(), page["conversation_id"].iloc[-1])
        assert found == [str(talk) for talk in wanted["conversation_id"]], narrowed
        assert found
    [talk] = company.execute("select id from app.conversations where lead_id = %s", lead)
    assert list(read.open_conversation(lead)["conversation_id"]) == [str(talk["id"])]
    assert list(read.lead_conversations(lead)["conversation_id"]) == [str(talk["id"])]
    assert list(read.customer_conversations(customer)["conversation_id"]) == [str(talk["id"])]
    counts = links.loc[links["project_id"].notna()].groupby("project_id")["conversation_id"].nunique()
    assert read.conversations_per_project().set_index("project_id")["conversations"].to_dict() == {
        str(key): value for key, value in counts.items()
    }


def test_a_page_goes_on_among_conversations_of_the_same_instant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "read_url", lambda: world.url)
    world.crew()
    for number in range(20):
        world.say(f"s{number}", when=at(0))
    world.tick()
    world.sync()
    seen, before = [], None
    while len(page := read.client_conversations("C1", before=before, rows=3)):
        seen += list(page["conversation_id"])
        last = page.iloc[-1]
        before = (last["started_at"], last["conversation_id"])
    assert len(seen) == len(set(seen)) == 20


def test_a_leads_open_conversation_is_there_before_its_first_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "read_url", lambda: world.url)
    lead = uuid4()
    closed = world.conversation(lead_id=lead, closed_at=at(1))
    world.message(closed)
    world.tick()
    opened = world.conversation(lead_id=lead)
    assert list(read.open_conversation(lead)["conversation_id"]) == [str(opened)]
    assert list(read.open_conversation(lead)["message_count"]) == [0]
    assert list(read.lead_conversations(lead)["conversation_id"]) == [str(closed)]
    world.execute("update app.conversations set closed_at = now()")
    assert read.open_conversation(lead).empty


def test_conversations_of_a_person_and_a_customer_come_latest_message_first_and_those_without_one_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "read_url", lambda: world.url)
    customer, ana = uuid4(), world.person()
    contact = world.contact("ana@example.com", ana)
    long, short, silent = (world.conversation(customer_id=customer, started_at=at(day)) for day in (0, 1, 2))
    for talk, day in ((long, 0), (short, 1), (long, 3)):
        message = world.message(talk, when=at(day))
        world.insert("message_recipients", message_id=message, contact_method_id=contact, role="to")
    world.tick()
    world.sync()
    world.execute("delete from app.messages where conversation_id = %s", short)
    world.tick()  # not yet the links
    latest = [str(talk) for talk in (long, silent, short)]
    assert list(read.customer_conversations(customer)["conversation_id"]) == latest
    assert list(read.customer_conversations(customer)["message_count"]) == [2, 0, 0]
    assert list(read.customer_conversations(customer, rows=1)["conversation_id"]) == latest[:1]
    assert list(read.person_timeline(ana)["conversation_id"]) == [str(long), str(short)]
    assert list(read.person_timeline(ana)["message_count"]) == [2, 0]


def test_a_persons_contact_methods_say_how_each_was_resolved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "read_url", lambda: world.url)
    ana, ben = world.person(email="ana@example.com", phone="+49 30 1234567"), world.person(phone="+49301234567")
    world.contact("given@example.com", ana)
    world.contact("Ana@Example.com")
    world.decide(world.contact("decided@example.com"), ana)
    world.contact("+49301234567", kind="phone")
    world.contact("ben@example.com", ben)
    world.sync()
    found = read.participants(ana).set_index("value")
    assert {value: (row["status"], row["method"]) for value, row in found.astype(object).iterrows()} == {
        "given@example.com": ("resolved", "manual"),
        "decided@example.com": ("resolved", "decision"),
        "Ana@Example.com": ("resolved", "email"),
        "+49301234567": ("ambiguous", pd.NA),
    }
    assert found["decided_by"].dropna().to_dict() == {"decided@example.com": "postgres"}
    assert list(read.participants(ben)["value"]) == ["ben@example.com", "+49301234567"]


def test_names_that_there_are_not_are_named_with_those_that_there_are(company: World) -> None:
    [known] = company.execute("select client_code as code from app.clients order by 1 limit 1")
    for function in (
        read.summaries,
        read.sessions,
        read.client_activity,
        read.crew_activity,
        read.client_conversations,
    ):
        with pytest.raises(read.UnknownNameError, match=rf"no client NOBODY; there are: {known['code']}"):
            function("NOBODY")
    with pytest.raises(read.UnknownNameError, match=r"there is no channel fax; there are: .*email"):
        read.client_conversations(known["code"], channel="fax")
    with pytest.raises(read.UnknownNameError, match="there is no crew HAL; there are: "):
        read.client_conversations(known["code"], crew="HAL")
    assert read.summaries(known["code"], start=date(1999, 1, 1), end=date(1999, 1, 2)).empty
