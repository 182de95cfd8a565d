"""Generates docs/reference/checks.md from the descriptions of the checks."""

from collections import defaultdict
from pathlib import Path

import dagster as dg

from convo_pipelines.database.declarations import odd_kinds
from convo_pipelines.definitions import defs

HEAD = """# Checks

`convo-pipelines verify` runs all checks. ERROR: rows are wrong, or will be. WARN: a condition to review. A check counts
all offenders and shows the first ten; changes that no tick has read yet are not offenders.

| check | asset | severity | offenders, and what to do |
|---|---|---|---|
"""
ODD_ROWS = """
## Odd rows

`select * from analytics.oddities` lists them by table, crew and kind: their number (exact after each reconcile, a lower
bound until the next), an example, and what to do.

| kind | how they are read, and what to do |
|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    found = defaultdict[str, list[dg.AssetCheckSpec]](list)
    for check in defs.asset_checks or ():
        if isinstance(check, dg.AssetChecksDefinition):
            for spec in check.check_specs:
                found[spec.name].append(spec)
    rows = [
        f"| `{name}` | {', '.join(f'`{spec.asset_key.to_user_string()}`' for spec in specs)} "
        f"| {specs[0].metadata.get('severity', 'ERROR')} | {specs[0].description} |"
        for name, specs in found.items()
    ]
    odd = [f"| {kind} | {remedy} |" for kind, remedy in odd_kinds().items()]
    return HEAD + "\n".join(rows) + "\n" + ODD_ROWS + "\n".join(odd) + "\n"


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page(), encoding="utf-8")
