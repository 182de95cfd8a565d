"""A proposed file of views for `adopt install`: what the names and types of an application's tables tell.

The catalog is read, nothing else. What it does not tell, the file marks with TODO, beside a constant: the file can be
installed as it is, and corrected then.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.declarations import Column
from convo_pipelines.database.execution import fetch
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.sources.interface import HISTORIES, SOURCES, VALUES, is_like

TABLES: Mapping[str, Sequence[str]] = {
    "clients": ("client", "account", "company", "organization", "organisation", "tenant", "workspace"),
    "crews": ("crew",),
    "people": ("person", "contact", "customer", "user"),
    "contact_methods": ("contact_method", "contact_inbox"),
    "conversations": ("conversation", "chat", "thread", "ticket"),
    "messages": ("message", "msg", "chat_message"),
    "message_recipients": ("message_recipient", "recipient", "message_participant", "participant"),
    "projects": ("project",),
    "users": ("user",),
}
"""What the table of a source may be called, in the singular. Of several, the one that most foreign keys refer to."""
NEEDED: Mapping[tuple[str, str], str] = {
    ("people", "user"): "client_id",
    ("message_recipients", "participant"): "message_id",
    ("message_recipients", "recipient"): "message_id",
}
"""Names that say little: such a table is the source if it refers to this, and nothing else is."""
CONTENT = ("body", "content", "text")
"""A table with one of these columns, a time and a reference to conversations has messages, whatever its name is."""
OF_MESSAGES = {"from", "to", "cc", "subject", "direction", "message_id", "sender", "sender_id", "author_id"}
"""Of several such tables, the one with most of these columns has them."""
REFERENCES: Mapping[str, str] = {
    "client_id": "clients",
    "crew_id": "crews",
    "person_id": "people",
    "customer_id": "people",
    "lead_id": "leads",
    "conversation_id": "conversations",
    "message_id": "messages",
    "contact_method_id": "contact_methods",
    "project_id": "projects",
    "user_id": "users",
}
"""The sources that columns refer to; leads are none."""
COLUMNS: Mapping[str, Sequence[str]] = {
    "client_code": ("code", "slug", "subdomain"),
    "crew_code": ("code", "slug"),
    "user_id": ("owner_id",),
    "name": ("full_name", "display_name", "first_name last_name", "firstname lastname", "title", "username", "email"),
    "is_active": ("active", "is_enabled", "enabled"),
    "email": ("email_address",),
    "phone": ("phone_number", "mobile", "mobile_number", "telephone"),
    "linkedin_urn": ("linkedin_url", "linkedin"),
    "kind": ("type",),
    "value": ("address", "identifier", "source_id"),
    "histories_table_name": ("histories_table", "history_table"),
    "subject": ("topic", "title", "name"),
    "started_at": ("opened_at", "created_at", "inserted_at"),
    "closed_at": ("resolved_at", "ended_at", "finished_at", "close_at"),
    "sent_at": ("created_at", "inserted_at"),
    "created_at": ("inserted_at",),
    "updated_at": ("modified_at", "changed_at"),
}
"""What a column may be called otherwise, in snake case; the first that there is. Two names: both, with a space."""
CONSTANTS: Mapping[str, str] = {
    "text": "''",
    "boolean": "true",
    "timestamp with time zone": "'epoch'::timestamp with time zone",
}
"""What stands in for a column of this type; for others, null."""
ADDRESSES: Mapping[str, str] = {"email": "email", "phone": "phone", "linkedin_urn": "linkedin"}
"""Columns of people that are contact methods, and the kind of these."""
ROLES: Mapping[str, Sequence[str]] = {
    "from": ("sender_id", "author_id", "from_id"),
    "to": ("recipient_id", "receiver_id", "to_id"),
}
"""Columns of messages that refer to people."""
SOFT_DELETES = ("deleted_at", "discarded_at")
ONE_CLIENT = "analytics.uuid_of(1)"
"""The client of an application that has but one."""
INDENT = "    "
WIDTH = 120


class ProposalError(ConvoPipelinesError):
    """There is nothing to propose; the message says why, and where else to look."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table of the application.

    Attributes:
        oid: of the table.
        name: its name.
        relation: the same, with its schema and quoted.
        kind: its name in the singular and in snake case.
        columns: its columns, by their names in snake case.

    """

    oid: int
    name: str
    relation: str
    kind: str
    columns: Mapping[str, Row]

    @cached_property
    def key(self) -> Row | None:
        """The primary key, if that is one column."""
        return next((column for column in self.columns.values() if column["is_key"]), self.columns.get("id"))

    @cached_property
    def is_histories(self) -> bool:
        """Whether it has the columns of n8n's Postgres Chat Memory."""
        message = self.columns.get("message")
        return "session_id" in self.columns and message is not None and message["type"] in ("json", "jsonb")

    @cached_property
    def view_name(self) -> str:
        """The name of the histories view on it."""
        return f"{self.name}_histories" if self.name in SOURCES else self.name

    @cached_property
    def declarations(self) -> str:
        """Its columns, with their types."""
        return ", ".join(f"{column['quoted']} {column['declared_type']}" for column in self.columns.values())

    def filter(self) -> list[str]:
        """Return what is true of rows that are not deleted."""
        marks = [self.columns[name] for name in SOFT_DELETES if name in self.columns]
        return [f"{mark['quoted']} is null" for mark in marks if mark["type"].startswith("timestamp")]


@dataclass(frozen=True)
class Shown:
    """What a view shows as one column, and a comment on it."""

    expression: str
    comment: str = ""


@dataclass(frozen=True)
class Select:
    """A select of a view; without a table, one row of constants."""

    columns: Mapping[str, Shown]
    table: Table | None = None
    filter: Sequence[str] = ()

    def text(self) -> str:
        """Return the statement; each column on a line, with its comment."""
        lines: list[str] = []
        for number, (name, shown) in enumerate(self.columns.items(), 1):
            alias = "" if shown.expression == name else f" as {name}"
            comma = "," if number < len(self.columns) else ""
            comment = f"  {_comment(shown.comment)}" if shown.comment else ""
            lines.append(f"{INDENT}{shown.expression}{alias}{comma}{comment}")
        read_from = [f"from {self.table.relation}"] if self.table else []
        where = [f"where {' and '.join(self.filter)}"] if self.filter else []
        return "\n".join(["select", *lines, *read_from, *where])


def propose(warehouse: Warehouse, schema: str) -> str:
    """Return a file of views of `app` over the tables of a schema.

    Raises:
        ProposalError: there is no such schema, or no table in it.

    """
    with warehouse.connection() as connection:
        schemas = {row["name"]: row["has_tables"] for row in fetch(connection, "sources/adoption/schemas")}
        if not schemas.get(schema):
            why = f"schema {schema} has no tables" if schema in schemas else f"the application has no schema {schema}"
            others = ", ".join(name for name, has_tables in schemas.items() if has_tables) or "none"
            raise ProposalError(f"{why}: name another by --schema; schemas with tables: {others}")
        return _Proposal(schema, tables_of(connection, schema)).text()


def tables_of(connection: Connection, schema: str) -> list[Table]:
    """Return the tables of a schema."""
    rows = fetch(connection, "sources/adoption/tables", schema=schema)
    tables: list[Table] = []
    for oid, group in groupby(rows, lambda row: row["table_oid"]):
        first, *others = group
        columns = {_snake_case(first["name"]): first}
        for column in others:
            columns.setdefault(_snake_case(column["name"]), column)
        kind = _singular(_snake_case(first["table_name"]))
        tables.append(Table(oid, first["table_name"], first["relation"], kind, columns))
    return tables


@dataclass
class _Proposal:
    """The views over the tables of a schema.

    Attributes:
        schema: its name.
        tables: its tables.
        found: the table of each source that was found.

    """

    schema: str
    tables: Sequence[Table]
    found: dict[str, Table] = field(default_factory=dict[str, Table])

    def __post_init__(self) -> None:
        for source, names in TABLES.items():
            tables = {
                table: (source, name) not in NEEDED
                for name in names
                for table in self.tables
                if table.kind == name and self._may_be(source, table)
            }
            if tables:
                self.found[source] = max(tables, key=lambda table: (tables[table], self._times_referred_to(table)))

        like_messages = [table for table in self.tables if self._has_messages(table)]
        if like_messages and "messages" not in self.found:
            self.found["messages"] = max(like_messages, key=lambda table: len(OF_MESSAGES & table.columns.keys()))

    @cached_property
    def histories(self) -> list[Table]:
        """The histories tables."""
        return [table for table in self.tables if table.is_histories]

    def _may_be(self, source: str, table: Table) -> bool:
        needed = NEEDED.get((source, table.kind))
        refers = needed is None or self._referring(table, REFERENCES[needed], needed) is not None
        return refers and not table.is_histories

    def _has_messages(self, table: Table) -> bool:
        """Return whether a table of another name has the columns of messages."""
        return (
            table not in self.found.values()
            and any(name in table.columns and table.columns[name]["is_text"] for name in CONTENT)
            and plain(table, "sent_at", SOURCES["messages"].columns["sent_at"]) is not None
            and self._referring(table, "conversations", "conversation_id") is not None
        )

    def _times_referred_to(self, table: Table) -> int:
        return sum(column["referred_oid"] == table.oid for other in self.tables for column in other.columns.values())

    def text(self) -> str:
        """Return the file."""
        selects = {name: self._selects(name) for name in SOURCES}
        parts = [
            *(_view(name, selects[name]) if selects[name] else _left_out(name) for name in SOURCES),
            *(_histories_view(table) for table in self.histories),
        ]
        used = {table.oid for table in (*self.found.values(), *self.histories)}
        if others := [table.relation for table in self.tables if table.oid not in used]:
            parts.append(_wrapped(f"Tables that no view reads: {', '.join(others)}"))
        decide = "decide on each TODO" if any("-- TODO" in part for part in parts) else "read it"
        head = f"Schema app as views over the tables of schema {self.schema}, proposed by their names and types:"
        return (
            "\n\n".join([_wrapped(f"{head} {decide}, then run `convo-pipelines adopt install FILE`."), *parts]) + "\n"
        )

    def _selects(self, name: str) -> list[Select]:
        """Return the selects of the view of a source; none if nothing like it was found."""
        if table := self.found.get(name):
            person = self._referring(table, "people", "person_id") if name == "message_recipients" else None
            addresses = [_address_of(kind, person) for kind in self._addresses()] if person else []
            selects = [self._select(name, table, contact_method_id=address) for address in addresses]
            return selects or [self._select(name, table)]
        derived = {
            "clients": self._one_client,
            "crews": self._crews,
            "contact_methods": self._addresses_of_people,
            "message_recipients": self._senders,
        }
        return derived[name]() if name in derived else []

    def _one_client(self) -> list[Select]:
        """Return a client that stands for all, if anything else was found."""
        code = Shown("'main'", "TODO: no table of clients was found; this one stands for all.")
        columns = {"id": Shown(ONE_CLIENT), "client_code": code, "name": Shown("'main'"), "is_active": Shown("true")}
        return [Select(columns)] if self.found or self.histories else []

    def _crews(self) -> list[Select]:
        """Return a crew for each histories table."""
        unknown = _unknown("client_id", SOURCES["crews"].columns["client_id"])
        selects: list[Select] = []
        for histories in self.histories:
            name = _literal(histories.view_name)
            columns = dict.fromkeys(SOURCES["crews"].columns, Shown(name)) | {
                "id": Shown(f"analytics.uuid_of('crew', {name})"),
                "client_id": unknown if "clients" in self.found else Shown(ONE_CLIENT),
                "is_active": Shown("true"),
                "created_at": Shown("null::timestamptz"),
            }
            selects.append(Select(columns))
        return selects

    def _addresses_of_people(self) -> list[Select]:
        people = self.found.get("people")
        return [
            self._select(
                "contact_methods",
                people,
                [f"{value} <> ''"],
                id=_address_of(kind, people.key),
                person_id=_uuid_of("people", people.key),
                kind=f"'{kind}'",
                value=value,
            )
            for kind, value in self._addresses().items()
            if people and people.key
        ]

    def _senders(self) -> list[Select]:
        """Return the columns of messages that refer to people by a foreign key, as recipients."""
        people, messages = self.found.get("people"), self.found.get("messages")
        return [
            self._select(
                "message_recipients",
                messages,
                [f"{person['quoted']} is not null"],
                contact_method_id=_address_of(kind, person),
                message_id=_uuid_of("messages", messages.key),
                role=f"'{role}'",
            )
            for role, names in ROLES.items()
            if people and messages and messages.key
            for person in _foreign(messages, people)
            if _snake_case(person["name"]) in names
            for kind in self._addresses()
        ]

    def _select(self, name: str, table: Table, where: Sequence[str] = (), **given: str) -> Select:
        """Return what a table shows as a source; of some columns, the expression is given."""
        columns = {
            column: Shown(given[column]) if column in given else self._shown(name, table, column, described)
            for column, described in SOURCES[name].columns.items()
        }
        return Select(columns, table, [*where, *table.filter()])

    def _shown(self, source: str, table: Table, name: str, described: Column) -> Shown:
        if name == "id":
            found = Shown(_uuid_of(source, table.key)) if table.key else None
        elif name in REFERENCES:
            found = self._reference(table, name)
        else:
            found = plain(table, name, described) or self._instead(table, name)
        return found or _unknown(name, described)

    def _reference(self, table: Table, name: str) -> Shown | None:
        target, own = REFERENCES[name], table.columns.get(name)
        if column := self._referring(table, target, name):
            return Shown(_uuid_of(target, column))
        if target == "clients" and target not in self.found:
            loose = next((column for kind in TABLES[target] if (column := table.columns.get(f"{kind}_id"))), None)
            comment = f"TODO: {loose['quoted']} tells clients apart, but they have no table." if loose else ""
            return Shown(ONE_CLIENT, comment)
        if own and (target not in self.found or name == "customer_id"):
            return Shown(_uuid_of(name.removesuffix("_id"), own))
        return None

    def _referring(self, table: Table, target: str, name: str) -> Row | None:
        """Return the column of a table that refers to a source: by a foreign key, or by its name and type."""
        found = self.found.get(target)
        if not found or not found.key:
            return None
        names = (name, *COLUMNS.get(name, ()), f"{found.kind}_id")
        named = [table.columns[name] for name in names if name in table.columns]
        foreign = _foreign(table, found)
        if both := [column for column in named if column in foreign]:
            return both[0]
        if len(foreign) == 1 and name != "customer_id":
            return foreign[0]
        like = [column for column in named if not column["referred_oid"] and _family(column) == _family(found.key)]
        return like[0] if like else None

    def _addresses(self) -> dict[str, str]:
        """Return what people have as contact methods, by kind, unless these have a table."""
        people = self.found.get("people")
        if not people or not people.key or "contact_methods" in self.found:
            return {}
        columns = SOURCES["people"].columns
        shown = {kind: plain(people, name, columns[name]) for name, kind in ADDRESSES.items()}
        return {kind: found.expression for kind, found in shown.items() if found}

    def _instead(self, table: Table, name: str) -> Shown | None:
        """Return what serves where a table has no such column."""
        if name in ("client_code", "crew_code") and table.key:
            return Shown(f"{table.key['quoted']}::text")
        if name == "channel" and table.kind == "chat":
            return Shown("'chat'")
        if name == "updated_at" and (
            created := plain(table, "created_at", SOURCES["conversations"].columns["created_at"])
        ):
            return Shown(created.expression, "TODO: when the row was last changed, if a column says it.")
        return None


def _histories_view(table: Table) -> str:
    shown = {name: plain(table, name, column) for name, column in HISTORIES.columns.items()}
    missing = [
        "-- TODO: run this first. It rewrites nothing. The messages that are there get no time, and are left out.",
        _comment(f"alter table {table.relation} add created_at timestamptz, alter created_at set default now();"),
    ]
    columns = {name: found or _unknown(name, HISTORIES.columns[name]) for name, found in shown.items()}
    columns["created_at"] = shown["created_at"] or Shown("created_at")
    view = _view(table.view_name, [Select(columns, table, table.filter())])
    return view if shown["created_at"] else "\n".join([*missing, view])


def _view(name: str, selects: Sequence[Select]) -> str:
    text = "\nunion all\n".join(select.text() for select in selects)
    tables = {select.table for select in selects if select.table and "-- TODO" in text}
    hints = [_wrapped(f"{table.relation} has: {table.declarations}") for table in tables]
    return "\n".join([*hints, f"create or replace view app.{_quoted(name)} as\n{text};"])


def _left_out(name: str) -> str:
    without = SOURCES[name].without
    return _wrapped(f"No table of {name} was found." + (f" Empty without it: {without}." if without else ""))


def plain(table: Table, name: str, described: Column) -> Shown | None:
    """Return the column of a table that has one of the names, converted to the type; two parts of a name joined."""
    for names in (name, *COLUMNS.get(name, ())):
        columns = [table.columns[part] for part in names.split() if part in table.columns]
        shown = [found for column in columns if (found := _converted(column, name, described))]
        if len(shown) != len(names.split()):
            continue
        if len(shown) > 1:
            parts = " || ' ' || ".join(f"coalesce({part.expression}, '')" for part in shown)
            return Shown(f"btrim({parts})")
        if name == "name" and columns[0]["is_nullable"]:
            return Shown(f"coalesce({shown[0].expression}, '')")
        return shown[0]
    return None


def _converted(column: Row, name: str, described: Column) -> Shown | None:
    """Return a column as the type that is wanted, by a cast that depends on the value alone; None: there is none."""
    quoted, found, wanted = column["quoted"], column["type"], described.type
    comment = described.meaning if name in VALUES else ""
    if column["labels"]:
        return _labels(column, name, described)
    if wanted == "timestamp with time zone" and found in ("timestamp without time zone", "date"):
        cast = "::timestamp" if found == "date" else ""
        return Shown(f"{quoted}{cast} at time zone 'UTC'")
    if is_like(column["declared_type"], wanted):
        return Shown(quoted, comment)
    is_castable = found == wanted or (found, wanted) == ("json", "jsonb")
    if wanted == "text":
        is_castable = column["is_text"] or (name == "session_id" and _family(column) != "text")
    return Shown(f"{quoted}::{wanted}", comment) if is_castable else None


def _labels(column: Row, name: str, described: Column) -> Shown | None:
    """Return what the labels of an enum mean: a cast to text would depend on the catalog."""
    means = {word: value for value, words in VALUES.get(name, {}).items() for word in (value, *words)}
    known = {label: means[label.lower()] for label in column["labels"] if label.lower() in means}
    cases = " ".join(f"when {_literal(label)} then '{value}'" for label, value in known.items())
    unknown = ", ".join(label for label in column["labels"] if label not in known)
    comment = f"TODO: what do these mean: {unknown}? {described.meaning}" if unknown else ""
    return Shown(f"case {column['quoted']} {cases} end", comment) if known else None


def _unknown(name: str, described: Column) -> Shown:
    if described.optional:
        return Shown(f"null::{described.type}")
    value = f"'{next(iter(VALUES[name]))}'" if name in VALUES else CONSTANTS.get(described.type)
    return Shown(value or f"null::{described.type}", f"TODO: {described.meaning}")


def _foreign(table: Table, target: Table) -> list[Row]:
    """Return the columns of a table with a foreign key to the key of another."""
    key = target.key and target.key["name"]
    columns = table.columns.values()
    return [column for column in columns if (column["referred_oid"], column["referred_name"]) == (target.oid, key)]


def _family(column: Row) -> str:
    """Return of which kind keys of this type are."""
    if column["type"] in ("smallint", "integer", "bigint"):
        return "bigint"
    return "uuid" if column["type"] == "uuid" else "text"


def _uuid_of(source: str, key: Row) -> str:
    """Return the uuid of a key of a source, or of a reference to one."""
    if _family(key) == "bigint":
        return f"analytics.uuid_of({key['quoted']})"
    if _family(key) == "text":
        return f"analytics.uuid_of('{_singular(source)}', {key['quoted']}::text)"
    return key["quoted"] if key["declared_type"] == "uuid" else f"{key['quoted']}::uuid"


def _address_of(kind: str, person: Row) -> str:
    """Return the uuid of a contact method that is a column of people, by a column that names the person."""
    return f"analytics.uuid_of('{kind}', {person['quoted']}::text)"


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _singular(name: str) -> str:
    for ending, singular in (("people", "person"), ("ies", "y"), ("xes", "x"), ("sses", "ss"), ("ss", "ss"), ("s", "")):
        if name.endswith(ending):
            return name.removesuffix(ending) + singular
    return name


def _literal(text: str) -> str:
    return sql.Literal(text).as_string().strip()


def _quoted(name: str) -> str:
    """Quote a name unless it is plain; after a dot, a keyword is."""
    return name if re.fullmatch("[a-z_][a-z0-9_]*", name) else sql.Identifier(name).as_string()


def _comment(text: str) -> str:
    return f"-- {' '.join(text.split())}"


def _wrapped(text: str) -> str:
    return "\n".join(_comment(line) for line in textwrap.wrap(text, WIDTH))
