"""What the pipeline reads of the application: the tables or views of schema `app`, and their columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a source: its type, and what it means. An optional one may be a constant, such as null."""

    type: str
    meaning: str
    is_optional: bool = False


VALUES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "direction": {"inbound": ("incoming", "received", "in"), "outbound": ("outgoing", "sent", "out")},
    "channel": {"chat": ("web", "widget"), "email": ("mail",), "whatsapp": (), "linkedin": (), "crew": ()},
    "role": {"from": ("sender", "author"), "to": ("recipient", "receiver"), "cc": (), "bcc": ()},
    "kind": {
        "email": ("mail", "email_address"),
        "phone": ("mobile", "phone_number", "whatsapp", "sms"),
        "linkedin": (),
    },
}
"""The values of columns, and the labels of enums that mean them. The first stands in where nothing is known."""


@dataclass(frozen=True)
class Source:
    """A table or view of `app`.

    Attributes:
        meaning: what a row is.
        columns: the columns that are read, by name.
        key: what no two rows share.
        looked_up_by: columns by which rows are found; each needs an index.
        logged: the columns that the change log names.
        without: what is empty if the source is.

    """

    meaning: str
    columns: Mapping[str, Column]
    key: Sequence[str]
    looked_up_by: Sequence[str] = ()
    logged: Sequence[str] = ("id",)
    without: str = ""


def _id(what: str) -> Column:
    return Column("uuid", f"The key of the {what}.")


def _optional(of_type: str, meaning: str) -> Column:
    return Column(of_type, meaning, is_optional=True)


def is_like(found: str, wanted: str) -> bool:
    """Return whether a type is the wanted one; its precision does not matter."""
    return re.sub(r"\(\d+\)", "", found) == wanted


SOURCES: Mapping[str, Source] = {
    "clients": Source(
        "The customers of the application's owner; links never cross them.",
        {
            "id": _id("client"),
            "client_code": Column("text", "A short name that stays, for commands and pages."),
            "name": Column("text", "The name."),
            "is_active": Column("boolean", "Whether the histories of its crews are read."),
        },
        key=("id",),
    ),
    "crews": Source(
        "AI crews that write chat messages into histories tables.",
        {
            "id": _id("crew"),
            "client_id": Column("uuid", "Its client."),
            "crew_code": Column("text", "A short name that stays."),
            "name": Column("text", "The name."),
            "histories_table_name": Column("text", "Its histories table or view in app."),
            "is_active": Column("boolean", "Whether that is read."),
            "created_at": _optional(
                "timestamp with time zone", "When it was made; one that was not read since then is reported."
            ),
        },
        key=("id",),
        without="sessions, and the conversations of crews",
    ),
    "people": Source(
        "Persons, each of one client.",
        {
            "id": _id("person"),
            "client_id": Column("uuid", "Their client."),
            "name": Column("text", "The name."),
            "email": _optional("text", "An e-mail address."),
            "phone": _optional("text", "A telephone number."),
            "linkedin_urn": _optional("text", "A LinkedIn member or profile."),
        },
        key=("id",),
        looked_up_by=("client_id",),
        without="people_conversations",
    ),
    "contact_methods": Source(
        "Addresses and numbers that messages come from and go to.",
        {
            "id": _id("contact method"),
            "person_id": _optional("uuid", "The person it belongs to, if the application knows."),
            "kind": Column("text", "email, phone or linkedin."),
            "value": Column("text", "The address or number."),
        },
        key=("id",),
        looked_up_by=("person_id",),
        without="people_conversations",
    ),
    "conversations": Source(
        "Conversations of all channels; of crews, one of each session.",
        {
            "id": _id("conversation"),
            "channel": Column("text", "email, whatsapp, linkedin, chat or crew."),
            "client_id": _optional("uuid", "Its client; null: the one of its crew or of its participants."),
            "crew_id": _optional("uuid", "Its crew."),
            "session_id": _optional("text", "Its session in the crew's histories."),
            "project_id": _optional("uuid", "Its project."),
            "lead_id": _optional("uuid", "Its lead."),
            "customer_id": _optional("uuid", "Its customer."),
            "subject": _optional("text", "The subject."),
            "started_at": Column("timestamp with time zone", "When it began."),
            "closed_at": _optional("timestamp with time zone", "When it was closed; null: it is open."),
            "created_at": Column("timestamp with time zone", "When the row was made."),
            "updated_at": Column("timestamp with time zone", "When the row was last changed."),
        },
        key=("id",),
        looked_up_by=("started_at", "crew_id", "project_id"),
        logged=("id", "crew_id", "session_id", "project_id"),
    ),
    "messages": Source(
        "Messages of conversations that are not of crews.",
        {
            "id": _id("message"),
            "conversation_id": Column("uuid", "Its conversation."),
            "direction": Column("text", "inbound or outbound."),
            "sent_at": Column("timestamp with time zone", "When it was sent."),
        },
        key=("id",),
        looked_up_by=("conversation_id", "sent_at"),
        logged=("conversation_id",),
        without="the counts and days of conversations that are not of crews",
    ),
    "message_recipients": Source(
        "Who a message came from and went to.",
        {
            "message_id": Column("uuid", "The message."),
            "contact_method_id": Column("uuid", "The contact method."),
            "role": Column("text", "from, to, cc or bcc."),
        },
        key=("message_id", "contact_method_id", "role"),
        looked_up_by=("message_id", "contact_method_id"),
        logged=("message_id",),
        without="people_conversations",
    ),
    "projects": Source(
        "Projects, with arrays of their conversations where the application has them.",
        {
            "id": _id("project"),
            "user_id": Column("uuid", "Its owner."),
            "name": Column("text", "The name."),
            "conversation_ids": _optional("uuid[]", "Its conversations, as the application believes."),
        },
        key=("id",),
        without="project_conversations and project_link_inconsistencies",
    ),
    "users": Source(
        "The owners of projects.",
        {"id": _id("user"), "name": Column("text", "The name.")},
        key=("id",),
    ),
}

HISTORIES = Source(
    "The chat messages of one crew.",
    {
        "session_id": Column("text", "The session."),
        "message": Column("jsonb", "The message: an object with type (human or ai) and content, as n8n writes it."),
        "created_at": Column("timestamp with time zone", "When it was written."),
    },
    key=(),
    looked_up_by=("created_at",),
    logged=("session_id", "created_at"),
)
"""A histories table; which ones there are, `app.crews.histories_table_name` says."""
