"""External assets: the application's tables, and manual decisions."""

import dagster as dg

from convo_pipelines.orchestration.cells import key

DESCRIPTIONS = {
    "clients": "Customers (tenants), by client_code.",
    "crews": "Groups of AI agents of one client, each with its own histories table.",
    "people": "CRM contacts; each belongs to one client.",
    "contact_methods": "E-mail addresses, phone numbers and LinkedIn profiles, assigned to a person or not.",
    "conversations": "Conversations on every channel; messages, projects and links refer to them.",
    "messages": "E-mail and chat messages.",
    "message_recipients": "Contact method x message, with a role (from, to, cc, bcc).",
    "users": "Users of the application; each project belongs to one.",
    "projects": "Projects, with their deprecated array of conversation ids.",
    "histories": "The crews' histories tables: every message of every session, in one table per crew.",
}

external_assets = [
    *(
        dg.AssetSpec(
            key(f"app/{table}"), description=text, group_name="app", kinds={"postgres"}, owners=["team:application"]
        )
        for table, text in DESCRIPTIONS.items()
    ),
    dg.AssetSpec(
        key("curation/participant_decisions"),
        description="Manual decisions on which person a contact method belongs to, or does not.",
        group_name="participants",
        kinds={"postgres"},
        owners=["team:data"],
    ),
]
