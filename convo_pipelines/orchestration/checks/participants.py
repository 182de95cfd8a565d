"""Participants: unresolved contact methods, and links that must not exist."""

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse, fetch_one
from convo_pipelines.orchestration.checks import find, sql_check, statement_of, verdict


def _status_check(name: str, description: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name=name,
        asset="participant_resolutions",
        description=description,
        metadata={"severity": dg.AssetCheckSeverity.WARN.value},
    )
    def check(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        with warehouse.connection() as connection:
            statuses = fetch_one(connection, "tables/participant_resolutions/checks/participants_by_status")
            return verdict(
                *find(connection, statement_of(name, "participant_resolutions")), dg.AssetCheckSeverity.WARN, **statuses
            )

    return check


participant_checks = [
    _status_check(
        "no_unresolved_participants",
        "Contact methods that match no person, or are not valid addresses: their conversations lack a link. "
        "Add the identifier to the person in the CRM, or set the contact method's person_id.",
    ),
    _status_check(
        "no_ambiguous_participants",
        "Contact methods that match several persons, even within the conversation's client; they are not linked. "
        "Merge the persons in the CRM, or decide with `convo-pipelines link`.",
    ),
    sql_check(
        "no_cross_client_links",
        "people_conversations",
        "Links of a person of one client to a conversation of another. Matching never crosses clients, so either the "
        "application set the contact method's person_id to this person, or the row was modified by hand. Correct "
        "person_id, or the conversation's client_id.",
        leaves_out_pending=True,
    ),
    sql_check(
        "projects_agree_with_their_arrays",
        "project_link_inconsistencies",
        "Differences between the deprecated app.projects.conversation_ids and app.conversations.project_id, which is "
        "authoritative. Drop the column, or run `convo-pipelines project-arrays --write` to rewrite the arrays.",
        dg.AssetCheckSeverity.WARN,
    ),
]
