"""Sample data: a plausible company, loaded by COPY; the same seed and end date give the same rows."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from psycopg import sql

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.transactions import allow_idle
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.operations import projects
from convo_pipelines.sources import n8n

Values = tuple[object, ...]

CLIENTS = ["Alder Foods", "Birch Logistics", "Cedar Bank", "Dogwood Travel", "Elm Health", "Fir Energy", "Gorse Media"]
CREWS = ["Front desk", "Bookings", "Billing", "Returns", "Onboarding", "Night shift"]
FIRST_NAMES = ["Ana", "Ben", "Chloé", "Dmitri", "Eva", "Farid", "Grace", "Hugo", "Inês", "Jun", "Kofi", "Lena"]
LAST_NAMES = ["Almeida", "Berg", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jansen", "Kaya"]
SUBJECTS = ["Quote for next month", "Invoice question", "Delivery is late", "Renewal", "Change of address", "Thank you"]
QUESTIONS = [
    "Can you help me with my order?",
    "What are your opening hours?",
    "I need to change my booking.",
    "Thanks!",
]
ANSWERS = ["Of course: which one is it?", "We are open from 9 to 18.", "Done. Anything else?", "You are welcome."]


@dataclass(frozen=True)
class Sizes:
    """Numbers of rows to generate; about ten messages per session, and six per conversation."""

    clients: int = 5
    crews: int = 10
    sessions: int = 2_000
    conversations: int = 1_000
    people: int = 300
    projects: int = 20
    days: int = 90


class NotEmptyError(ConvoPipelinesError, ValueError):
    """The database already has clients; sample data is only for an empty one."""


def load(
    warehouse: Warehouse,
    sizes: Sizes,
    seed: int,
    end: date,
    progress: Callable[[str, int], object] = lambda _table, _rows: None,
) -> None:
    """Generate and load sample data in one transaction.

    Args:
        warehouse: a database with the reference `app` schema.
        sizes: numbers of rows to generate.
        seed: the same seed gives the same rows.
        end: UTC day, exclusive, of the last row.
        progress: called with each table and the number of rows written to it.

    Raises:
        NotEmptyError: `app.clients` has rows.

    """
    company = _Company(random.Random(seed), sizes, datetime.combine(end, time(), UTC))  # noqa: S311
    with warehouse.connection() as connection, connection.transaction():
        allow_idle(connection)
        if connection.execute("select from app.clients limit 1").rowcount:
            raise NotEmptyError("app.clients already has rows; sample data is only for an empty database")
        have_arrays = projects.have_arrays(connection)
        for table, columns, rows in company.tables():
            if table.startswith("histories_"):
                n8n.create_table(connection, table)
            if table == "projects" and not have_arrays:
                columns, rows = columns.removesuffix(" conversation_ids"), (row[:-1] for row in rows)
            progress(table, _copy(connection, table, columns, rows))
    with warehouse.connection() as connection:
        connection.execute("analyze")


def _copy(connection: Connection, table: str, columns: str, rows: Iterable[Values]) -> int:
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns.split())
    query = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier("app", table), names)
    with connection.cursor() as cursor:
        with cursor.copy(query) as copy:
            for row in rows:
                copy.write_row(row)
        return cursor.rowcount


class _Company:
    def __init__(self, rng: random.Random, sizes: Sizes, end: datetime):
        self.rng, self.sizes, self.end = rng, sizes, end
        self.client_ids = [self.uuid() for _ in range(sizes.clients)]
        self.people = [(self.uuid(), rng.choice(self.client_ids), self.name()) for _ in range(sizes.people)]
        self.project_ids = [self.uuid() for _ in range(sizes.projects)]
        self.conversation_ids = [self.uuid() for _ in range(sizes.conversations)]
        self.contacts_of: defaultdict[object, list[Values]] = defaultdict(list)
        self.project_of = {
            conversation: rng.choice(self.project_ids)
            for conversation in self.conversation_ids
            if self.project_ids and rng.random() < 0.3
        }

    def tables(self) -> Iterator[tuple[str, str, Iterable[Values]]]:
        yield "clients", "id client_code name", self.clients()
        crews = list(self.crews())
        yield "crews", "id client_id crew_code name histories_table_name", crews
        yield "people", "id client_id name email phone linkedin_urn", self.people_rows()
        yield "contact_methods", "id person_id kind value", self.contacts()
        user = self.uuid()
        yield "users", "id name", [(user, "Sam Sample")]
        yield "projects", "id user_id name conversation_ids", self.projects(user)
        talks = list(self.conversations())
        columns = (
            "id channel external_id client_id project_id lead_id customer_id subject started_at closed_at created_at"
        )
        yield "conversations", columns, talks
        messages = [message for talk in talks for message in self.messages(talk)]
        yield "messages", "id conversation_id direction sent_at", messages
        yield "message_recipients", "id message_id contact_method_id role", self.recipients(talks, messages)
        per_crew = self.sizes.sessions // max(1, len(crews))
        for crew in crews:
            yield str(crew[-1]), "session_id message created_at", self.histories(crew[1], per_crew)

    def clients(self) -> Iterator[Values]:
        for number, client in enumerate(self.client_ids):
            yield (
                client,
                f"C{number + 1:03}",
                f"{CLIENTS[number % len(CLIENTS)]} {number // len(CLIENTS) or ''}".strip(),
            )

    def crews(self) -> Iterator[Values]:
        for number in range(self.sizes.crews):
            code, name = f"CREW-{number + 1:02}", CREWS[number % len(CREWS)]
            client = self.client_ids[number % len(self.client_ids)]
            yield self.uuid(), client, code, name, f"histories_{code.lower().replace('-', '_')}"

    def people_rows(self) -> Iterator[Values]:
        """Every fiftieth has the address of the previous one, mostly of another client: these are ambiguous."""
        for number, (person, client, name) in enumerate(self.people):
            shared = number - 1 if number % 50 == 49 else number
            email, phone = _email(self.people[shared][2], shared), _phone(number)
            profile = f"urn:li:member:{100_000 + number}" if number % 2 else f"https://www.linkedin.com/in/p{number}/"
            yield person, client, name, email, phone, profile

    def contacts(self) -> list[Values]:
        """Half are assigned by the application; of the others, some have odd spellings, some match no person."""
        rows: list[Values] = []
        for number, (person, client, name) in enumerate(self.people):
            known = person if self.rng.random() < 0.5 else None
            email, phone = _email(name, number), _phone(number)
            profile = f"URN:LI:MEMBER:{100_000 + number}" if number % 2 else f"de.linkedin.com/in/P{number}?trk=mail"
            given = [
                (known, "email", f" {email.upper()} " if number % 7 == 0 else email),
                *([(None, "phone", f"+49 (0)30 / {phone[5:]}")] if number % 2 else []),
                *([(None, "linkedin", profile)] if number % 3 == 0 else []),
                *([(None, "email", f"{name} at home")] if number % 40 == 0 else []),
                *([(None, "email", f"stranger{number}@elsewhere.example")] if number % 10 == 0 else []),
            ]
            for contact in given:
                rows.append((self.uuid(), *contact))
                self.contacts_of[client].append(rows[-1])
        return rows

    def projects(self, user: UUID) -> Iterator[Values]:
        """Their arrays drift: a tenth of the ids are missing, some are stale, some belong to another project."""
        for number, project in enumerate(self.project_ids):
            ids = [talk for talk, owner in self.project_of.items() if owner == project and self.rng.random() < 0.9]
            strays = {0: [self.uuid()], 1: [talk for talk, owner in self.project_of.items() if owner != project][:1]}
            yield project, user, f"Project {number + 1}", [*ids, *strays.get(number % 4, [])]

    def conversations(self) -> Iterator[Values]:
        for number, talk in enumerate(self.conversation_ids):
            channel = self.rng.choice(["email", "email", "whatsapp", "linkedin"])
            started = self.moment()
            closed = started + timedelta(days=self.rng.randint(1, 20))
            if closed > self.end or self.rng.random() < 0.2:
                closed = None
            lead = self.uuid() if number % 5 == 0 else None
            client, project = self.rng.choice(self.client_ids), self.project_of.get(talk)
            subject = self.rng.choice(SUBJECTS) if channel == "email" else None
            name = f"{channel}-{number}"
            yield talk, channel, name, client, project, lead, self.uuid(), subject, started, closed, started

    def messages(self, talk: Values) -> Iterator[Values]:
        sent_at: datetime = talk[8]  # type: ignore[assignment]
        for number in range(self.rng.randint(1, 11)):
            yield self.uuid(), talk[0], "outbound" if number % 2 else "inbound", sent_at
            sent_at += timedelta(seconds=self.rng.expovariate(1 / 20_000))
            if sent_at >= self.end:
                break

    def recipients(self, talks: Iterable[Values], messages: Iterable[Values]) -> Iterator[Values]:
        """Each message has the same two to four contact methods, around the conversation's client."""
        parties: dict[object, list[Values]] = {}
        for talk in talks:
            contacts = self.contacts_of[talk[3]]
            parties[talk[0]] = self.rng.sample(contacts, min(len(contacts), self.rng.randint(2, 4)))
        for message, talk_id, *_ in messages:
            for role, contact in zip(("from", "to", "cc", "bcc"), parties[talk_id], strict=False):
                yield self.uuid(), message, contact[0], role

    def histories(self, client: object, sessions: int) -> Iterator[Values]:
        """Sessions, their rows interleaved in order of time."""
        numbers = [number for number, person in enumerate(self.people) if person[1] == client]
        talks = (self.session(self.session_id(n, numbers), self.moment()) for n in range(sessions))
        rows = [row for talk in talks for row in talk if row[2] < self.end]
        rows.sort(key=lambda row: row[2])  # type: ignore[arg-type, return-value]
        return iter(rows)

    def session_id(self, session: int, numbers: Sequence[int]) -> str:
        """Every tenth is a WhatsApp number, every tenth an e-mail address, of a person of the crew's client."""
        if numbers and session % 10 == 0:
            return _phone(self.rng.choice(numbers)).removeprefix("+")
        if numbers and session % 10 == 5:
            number = self.rng.choice(numbers)
            return _email(self.people[number][2], number)
        return f"{self.rng.getrandbits(64):016x}"

    def session(self, session_id: str, at: datetime) -> Iterator[tuple[str, str, datetime]]:
        rng = self.rng
        for _ in range(rng.randint(2, 7)):
            yield session_id, rng.choice(_HUMAN), at
            at += timedelta(seconds=1 + rng.random() * 20)
            if rng.random() < 0.15:
                yield session_id, rng.choice(_TOOL), at
                at += timedelta(seconds=1 + rng.random() * 5)
            yield session_id, rng.choice(_AI), at
            at += timedelta(seconds=5 + rng.expovariate(1 / 120))

    def moment(self) -> datetime:
        return self.end - timedelta(seconds=self.rng.random() * self.sizes.days * 86_400)

    def name(self) -> str:
        return f"{self.rng.choice(FIRST_NAMES)} {self.rng.choice(LAST_NAMES)}"

    def uuid(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128), version=4)


def _email(name: str, number: int) -> str:
    first, last = name.lower().split()
    return f"{first}.{last}{number}@example.com"


def _phone(number: int) -> str:
    return f"+4930{1_000_000 + number}"


def _message(kind: str, content: str, **more: object) -> str:
    return json.dumps({"type": kind, "content": content, "additional_kwargs": {}, "response_metadata": {}, **more})


_HUMAN = [_message("human", text) for text in QUESTIONS]
_AI = [_message("ai", text, tool_calls=[], invalid_tool_calls=[]) for text in ANSWERS]
_TOOL = [_message("tool", '{"orders": 2}', name="look_up_orders", tool_call_id=f"call_{number}") for number in range(9)]
