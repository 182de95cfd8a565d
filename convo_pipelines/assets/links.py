"""Participants, and the link tables."""

from convo_pipelines.assets.common import table_asset
from convo_pipelines.assets.conversations import crew_conversations
from convo_pipelines.registry import (
    CLIENTS_CONVERSATIONS,
    PARTICIPANT_RESOLUTIONS,
    PEOPLE_CONVERSATIONS,
    PROJECT_CONVERSATIONS,
    PROJECT_LINK_INCONSISTENCIES,
)

participant_resolutions = table_asset(
    PARTICIPANT_RESOLUTIONS,
    "participants",
    "Whose each contact method is: set by the application, or the one person with the same identifier.",
    deps=[crew_conversations, ["app", "contact_methods"], ["app", "people"], ["app", "crews"]],
)

people_conversations = table_asset(
    PEOPLE_CONVERSATIONS,
    "links",
    "Who is in which conversation: the persons of its recipients, in any role, and whom a crew's session id names.",
    deps=[
        participant_resolutions, crew_conversations, ["app", "conversations"], ["app", "messages"],
        ["app", "message_recipients"], ["app", "people"],
    ],
)  # fmt: skip

clients_conversations = table_asset(
    CLIENTS_CONVERSATIONS,
    "links",
    "Whose people or crew are in which conversation.",
    deps=[people_conversations, crew_conversations, ["app", "people"], ["app", "crews"]],
)

project_conversations = table_asset(
    PROJECT_CONVERSATIONS,
    "links",
    "The project each conversation names, since when, and by whose hand.",
    deps=[["app", "conversations"], ["app", "projects"]],
)

project_link_inconsistencies = table_asset(
    PROJECT_LINK_INCONSISTENCIES,
    "links",
    "Where the deprecated app.projects.conversation_ids disagrees with app.conversations.project_id.",
    deps=[project_conversations, ["app", "conversations"], ["app", "projects"]],
)

link_assets = [
    participant_resolutions,
    people_conversations,
    clients_conversations,
    project_conversations,
    project_link_inconsistencies,
]
