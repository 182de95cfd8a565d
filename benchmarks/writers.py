"""Writers of chats, mails, recipients, persons and projects, and what each commit has to change in each table."""

import random
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import TypeVar
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

Returned = TypeVar("Returned")

NEW_SESSIONS, NEW_TALKS, RECENT_SESSIONS, UNKNOWN_CONTACTS = 0.3, 0.5, 20, 20
DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
"""All that is written is of this day, whatever the time, so that nothing depends on midnight."""


@dataclass(frozen=True)
class Expected:
    """A row that has to appear in a derived table, or to vanish.

    Attributes:
        table: its name in the registry.
        crew_id: with `session_id`, names a session and its conversation.
        conversation_id: names any other conversation.
        other_id: a person, client, contact method or project.
        count: of messages at least; of links, 1 or 0; of a contact method, 1 if it names a person.
        committed: when the transaction that it follows from was committed, by `time.perf_counter()`.

    """

    table: str
    crew_id: UUID | None = None
    session_id: str | None = None
    conversation_id: UUID | None = None
    other_id: UUID | None = None
    count: int = 1
    committed: float = 0


@dataclass
class Talk:
    """A conversation by e-mail, and which of the client's persons its one recipient with a person is."""

    id: UUID
    message_id: UUID
    recipient_id: UUID
    person: int
    messages: int = 1
    messages_today: int = 0


class Writer:
    """What one client's users do. Nobody else writes rows of the client, so it knows what each commit changes."""

    def __init__(self, url: str, number: int):
        self.rng = random.Random(number)
        self.connection = psycopg.connect(url)
        self.statement_seconds: list[float] = []
        self.commits = 0
        self.counts: Counter[UUID | str] = Counter()
        self.unknown: deque[tuple[UUID, str, Talk]] = deque()
        self.sessions: dict[UUID, list[str]] = {}
        code = f"C{number}"
        [[self.client]] = self.execute("select id from app.clients where client_code = %s", code)
        [[self.user]] = self.execute("select id from app.users")
        self.crews = self.execute("select id, histories_table_name from app.crews where client_id = %s", self.client)
        self.people = self.execute(
            "select person.id, contact.id from app.people as person "
            "join app.contact_methods as contact on contact.value = person.email "
            "where person.client_id = %s order by person.name::int",
            self.client,
        )
        [[self.nobody]] = self.execute(
            "select id from app.contact_methods where value = %s", f"{code}-nobody@example.com"
        )
        self.talks = deque(
            Talk(*row)
            for row in self.execute(
                "select conversation.id, message.id, recipient.id, conversation.external_id::int %% 200 "
                "from app.conversations as conversation "
                "join app.messages as message on message.conversation_id = conversation.id "
                "join app.message_recipients as recipient on recipient.message_id = message.id "
                "where conversation.client_id = %s order by conversation.external_id::int",
                self.client,
            )
        )
        self.connection.commit()
        self.kinds: dict[Callable[[], list[Expected]], int] = {
            self.chat: 50,
            self.mail: 25,
            self.change_recipient: 10,
            self.add_contact: 5,
            self.add_person: 5,
            self.move_to_project: 5,
        }

    def write(self, per_second: float, seconds: float, expected: SimpleQueue[Expected]) -> None:
        """Commit at this rate for so long, and put in the queue what that has to change."""
        due = time.perf_counter() + self.rng.random() / per_second
        until = time.perf_counter() + seconds
        self.statement_seconds.clear()
        while due < until:
            time.sleep(max(0.0, due - time.perf_counter()))
            [kind] = self.rng.choices(list(self.kinds), list(self.kinds.values()))
            made = kind()
            self.measured(self.connection.commit)
            committed = time.perf_counter()
            for one in made:
                expected.put(replace(one, committed=committed))
            self.commits += 1
            due += 1 / per_second

    def measured(self, work: Callable[[], Returned]) -> Returned:
        started = time.perf_counter()
        try:
            return work()
        finally:
            self.statement_seconds.append(time.perf_counter() - started)

    def execute(self, query: str | sql.Composed, *values: object) -> list[tuple]:
        cursor = self.measured(lambda: self.connection.execute(query, values))
        return cursor.fetchall() if cursor.description else []

    def insert(self, table: str, **values: object) -> UUID:
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
        query = sql.SQL("insert into app.{} ({}) values ({}) returning id").format(sql.Identifier(table), names, marks)
        [[row_id]] = self.execute(query, *values.values())
        return row_id

    def count(self, key: UUID | str) -> int:
        self.counts[key] += 1
        return self.counts[key]

    def now(self) -> datetime:
        return DAY + timedelta(milliseconds=self.commits)

    def next_talk(self) -> Talk:
        """The one that was not changed for longest, so that what the last change made has been seen."""
        self.talks.rotate(-1)
        return self.talks[-1]

    def chat(self) -> list[Expected]:
        crew, table = self.rng.choice(self.crews)
        sessions = self.sessions.setdefault(crew, [])
        if is_new := not sessions or self.rng.random() < NEW_SESSIONS:
            sessions.append(f"live {uuid4()}")
        session = sessions[-1] if is_new else self.rng.choice(sessions[-RECENT_SESSIONS:])
        message = '{"type": "human", "content": "lorem ipsum"}' if is_new else '{"type": "ai", "content": "dolor"}'
        self.insert(table, session_id=session, message=message, created_at=self.now())
        in_session, in_crew, in_client = self.count(session), self.count(crew), self.count(self.client)
        expected = [
            Expected("histories_sessions", crew, session, count=in_session),
            Expected("conversation_summaries", crew, session, count=in_session),
            Expected("conversation_days", crew, session, count=in_session),
            Expected("crew_activity_daily", crew, count=in_crew),
            Expected("client_activity_daily", other_id=self.client, count=in_client),
        ]
        if is_new:
            expected.append(Expected("crew_conversations", crew, session))
            expected.append(Expected("clients_conversations", crew, session, other_id=self.client))
        return expected

    def mail(self) -> list[Expected]:
        """A thread that begins, with a person, or an answer to one."""
        if self.rng.random() < NEW_TALKS:
            person = self.rng.randrange(len(self.people))
            talk_id = self.insert("conversations", channel="email", client_id=self.client, started_at=self.now())
            message = self.insert("messages", conversation_id=talk_id, direction="inbound", sent_at=self.now())
            recipient = self.insert(
                "message_recipients", message_id=message, contact_method_id=self.people[person][1], role="from"
            )
            talk = Talk(talk_id, message, recipient, person, messages=0)
            self.talks.append(talk)
            links = [
                Expected("people_conversations", conversation_id=talk.id, other_id=self.people[person][0]),
                Expected("clients_conversations", conversation_id=talk.id, other_id=self.client),
            ]
        else:
            talk, links = self.rng.choice(self.talks), []
            message = self.insert("messages", conversation_id=talk.id, direction="outbound", sent_at=self.now())
        self.insert("message_recipients", message_id=message, contact_method_id=self.nobody, role="to")
        talk.messages += 1
        talk.messages_today += 1
        return [
            *links,
            Expected("conversation_summaries", conversation_id=talk.id, count=talk.messages),
            Expected("conversation_days", conversation_id=talk.id, count=talk.messages_today),
            Expected("client_activity_daily", other_id=self.client, count=self.count(self.client)),
        ]

    def change_recipient(self) -> list[Expected]:
        talk = self.next_talk()
        before, talk.person = talk.person, (talk.person + 1) % len(self.people)
        self.execute(
            "update app.message_recipients set contact_method_id = %s where id = %s",
            self.people[talk.person][1],
            talk.recipient_id,
        )
        return [
            Expected("people_conversations", conversation_id=talk.id, other_id=self.people[talk.person][0]),
            Expected("people_conversations", conversation_id=talk.id, other_id=self.people[before][0], count=0),
        ]

    def add_contact(self) -> list[Expected]:
        """Somebody whom nobody knows takes part in a conversation."""
        talk, address = self.next_talk(), f"{uuid4()}@example.com"
        contact = self.insert("contact_methods", kind="email", value=address)
        self.insert("message_recipients", message_id=talk.message_id, contact_method_id=contact, role="cc")
        self.unknown.append((contact, address, talk))
        return [Expected("participant_resolutions", other_id=contact, count=0)]

    def add_person(self) -> list[Expected]:
        """Somebody becomes known."""
        if len(self.unknown) < UNKNOWN_CONTACTS:
            return self.add_contact()
        contact, address, talk = self.unknown.popleft()
        person = self.insert("people", client_id=self.client, name="new", email=address)
        return [
            Expected("participant_resolutions", other_id=contact),
            Expected("people_conversations", conversation_id=talk.id, other_id=person),
        ]

    def move_to_project(self) -> list[Expected]:
        """A conversation gets a project that does not name it in its array."""
        talk = self.next_talk()
        [[project]] = self.execute(
            "insert into app.projects (user_id, name) select id, 'new' from app.users returning id"
        )
        self.execute("update app.conversations set project_id = %s where id = %s", project, talk.id)
        return [
            Expected("project_conversations", conversation_id=talk.id, other_id=project),
            Expected("project_link_inconsistencies", conversation_id=talk.id, other_id=project),
        ]
