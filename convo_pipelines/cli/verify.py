"""`convo-pipelines verify`: every asset check."""

import sys

import click

from convo_pipelines.cli.terminal import console, print_table
from convo_pipelines.database import addresses
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import schema


@click.command()
def verify() -> None:
    """Run every asset check; exit status 1 if one of severity ERROR fails."""
    schema.require(Warehouse())
    addresses.export_environment()
    from convo_pipelines.definitions import defs
    from convo_pipelines.orchestration import runs

    evaluations = runs.run_checks(defs)
    print_table(
        console,
        [
            {
                "asset": evaluation.asset_key.to_user_string(),
                "check": evaluation.check_name,
                "result": "passed" if evaluation.passed else evaluation.severity.value,
                "finding": runs.finding(evaluation),
            }
            for evaluation in sorted(evaluations, key=lambda e: (e.asset_key, e.check_name))
        ],
    )
    if runs.failed(evaluations):
        sys.exit(1)
