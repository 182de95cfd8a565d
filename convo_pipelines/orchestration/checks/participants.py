"""Whom we do not know, and what must never be linked."""

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
        "Contact methods that nobody we know has, or that are no address at all: their conversations lack a link. "
        "Add the identifier to the person in the CRM, or set the contact method's person_id.",
    ),
    _status_check(
        "no_ambiguous_participants",
        "Contact methods that several persons have, and a conversation's client does not tell which: they are never "
        "linked by guess. Merge the persons in the CRM, or decide: `convo-pipelines link`.",
    ),
    sql_check(
        "no_cross_client_links",
        "people_conversations",
        "A person of one client in a conversation of another. We never match across clients, so either the "
        "application set the contact method's person_id to this person, or the row was written by hand: correct "
        "person_id, or the conversation's client_id.",
        leaves_out_pending=True,
    ),
    sql_check(
        "projects_agree_with_their_arrays",
        "project_link_inconsistencies",
        "The deprecated app.projects.conversation_ids disagrees with app.conversations.project_id, which is right. "
        "`convo-pipelines project-arrays --write` rewrites the arrays; better, drop the column.",
        dg.AssetCheckSeverity.WARN,
    ),
]
