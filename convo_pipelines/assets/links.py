"""The link tables: one statement each, `sql/refresh/<table>.sql`."""

from convo_pipelines.assets.common import table_asset
from convo_pipelines.assets.crew_conversations import crew_conversations
from convo_pipelines.assets.participant_resolutions import participant_resolutions

people_conversations = table_asset(
    "people_conversations",
    "Who is in which conversation: the persons of its recipients, in any role, and whom a crew's session id names.",
    deps=[
        participant_resolutions, crew_conversations, ["app", "conversations"], ["app", "messages"],
        ["app", "message_recipients"], ["app", "people"],
    ],
)  # fmt: skip

clients_conversations = table_asset(
    "clients_conversations",
    "Whose people or crew are in which conversation.",
    deps=[people_conversations, crew_conversations, ["app", "people"], ["app", "crews"]],
)

project_conversations = table_asset(
    "project_conversations",
    "The project each conversation names, since when, and by whose hand.",
    deps=[["app", "conversations"], ["app", "projects"]],
)

project_link_inconsistencies = table_asset(
    "project_link_inconsistencies",
    "Where the deprecated app.projects.conversation_ids disagrees with app.conversations.project_id.",
    deps=[project_conversations, ["app", "conversations"], ["app", "projects"]],
)

link_assets = [people_conversations, clients_conversations, project_conversations, project_link_inconsistencies]
