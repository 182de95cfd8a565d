"""What others write, as external assets: the application's tables, and decisions by hand."""

import dagster as dg

DESCRIPTIONS = {
    "clients": "Customers (tenants), by client_code.",
    "crews": "Groups of AI agents of one client, each with its own histories table.",
    "people": "CRM contacts; each belongs to one client.",
    "contact_methods": "E-mail addresses, phone numbers and LinkedIn profiles, of a person or unresolved.",
    "conversations": "The hub row that everything links to.",
    "messages": "E-mail and chat messages.",
    "message_recipients": "Contact method x message, with a role (from, to, cc, bcc).",
    "projects": "Projects with their drifting, deprecated array of conversation ids.",
}

external_assets = [
    *(
        dg.AssetSpec(
            ["app", table], description=text, group_name="app", kinds={"postgres"}, owners=["team:application"]
        )
        for table, text in DESCRIPTIONS.items()
    ),
    dg.AssetSpec(
        ["curation", "participant_decisions"],
        description="Whose contact methods are, and are not, by somebody's decision.",
        group_name="participants",
        kinds={"postgres"},
        owners=["team:data"],
    ),
]
