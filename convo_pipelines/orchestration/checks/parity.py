"""Parity: a random sample, recomputed from its sources, equals the table."""

from convo_pipelines.orchestration.checks import sql_check

SAMPLE_CONVERSATIONS = 1_000

parity_checks = [
    sql_check(
        name,
        asset,
        f"Of {SAMPLE_CONVERSATIONS:,} random conversations, those whose links differ from their sources: triggers were "
        "bypassed, or rows were modified by hand. Run `convo-pipelines reconcile`.",
        leaves_out_pending=True,
        sample=SAMPLE_CONVERSATIONS,
    )
    for name, asset in (
        ("people_links_equal_their_sources", "people_conversations"),
        ("client_links_equal_their_sources", "clients_conversations"),
        ("project_links_equal_their_sources", "project_conversations"),
    )
]
