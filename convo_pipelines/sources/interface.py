"""What the pipeline reads of the application: the tables or views of schema `app`, and their columns."""

import re
from collections.abc import Mapping, Sequence

from convo_pipelines.database.declarations import sources

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


def is_like(found: str, wanted: str) -> bool:
    """Return whether a type is the wanted one; its precision does not matter."""
    return re.sub(r"\(\d+\)", "", found) == wanted


SOURCES = {
    name: source
    for name, source in sources().items()
    if source.schema == "app" and name != "histories" and not source.is_own
}
HISTORIES = sources()["histories"]
"""A histories table; which ones there are, `app.crews.histories_table_name` says."""
