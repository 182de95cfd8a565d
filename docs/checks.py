"""Writes docs/checks.md, from the descriptions that the UI shows."""

from collections import defaultdict
from pathlib import Path

import dagster as dg

from convo_pipelines.definitions import defs
from convo_pipelines.engine.oddities import REMEDIES

HEAD = """# Checks

`convo-pipelines verify` runs them all. ERROR means that rows are wrong or will be; WARN, that somebody should look. A
check counts all offenders and shows ten. What awaits the next tick is no offender.

| check | of | | what it means, and what to do |
|---|---|---|---|
"""
ODD_ROWS = """
## Odd rows

`select * from analytics.oddities` lists them: by table and crew, the kind, how many (exact after each reconcile, at
least so many since), an example and what to do.

| kind | what happens, and what to do |
|---|---|
"""


def page() -> str:
    """Return the page."""
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
    odd = [f"| {kind} | {remedy} |" for kind, remedy in REMEDIES.items()]
    return HEAD + "\n".join(rows) + "\n" + ODD_ROWS + "\n".join(odd) + "\n"


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page(), encoding="utf-8")
