"""What was measured, kept as JSON in `benchmarks/results/`, and the pages that are made of it."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import jinja2
import psycopg

from benchmarks.measure import FOLDER, console, fresh_database
from convo_pipelines.cli.terminal import print_table

RESULTS = FOLDER / "results"
DOCS = FOLDER.parent / "docs"
PAGES = {
    "page.md.j2": DOCS / "reference" / "benchmarks.md",
    "tables_elsewhere.md.j2": DOCS / "explanation" / "tables-elsewhere.md",
}
"""Where the page of a template is written."""

Row = Mapping[str, str]


def table(title: str, rows: Sequence[Row], note: str = "") -> dict[str, object]:
    """Print a table, and return it as data."""
    print_table(console, rows, title=title)
    return {"title": title, "note": note, "columns": list(rows[0]), "rows": [list(row.values()) for row in rows]}


def save(name: str, *tables: dict[str, object], **versions: str) -> None:
    """Keep the tables of a benchmark, and make the pages anew."""
    with fresh_database() as url, psycopg.connect(url) as connection:
        server = connection.info.parameter_status("server_version") or ""
    result = {
        "measured_on": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "versions": {
            "convo_pipelines": version("convo_pipelines"),
            "PostgreSQL": server,
            "Python": platform.python_version(),
            "Dagster": version("dagster"),
            **versions,
        },
        "tables": tables,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    for template, page in PAGES.items():
        page.write_text(filled(template))


def filled(template: str) -> str:
    """Return the text of a template with the tables of all results."""
    results = {file.stem: read(file.stem) for file in RESULTS.glob("*.json")}
    return render(
        template,
        table=lambda name, number=0: _markdown(results[name]["tables"][number]),
        section=lambda name, number: _with_note(results[name]["tables"][number]),
        tables=lambda name: "\n\n".join(_with_note(found) for found in results[name]["tables"]),
        measured=lambda name: _measured(results[name]),
    )


def read(name: str) -> dict[str, Any]:
    """Return what a benchmark has saved."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def render(template: str, **values: object) -> str:
    """Return a template of this folder, filled in; it is Markdown, not HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(template).render(**values)


def _markdown(found: dict[str, Any]) -> str:
    lines = [found["columns"], ["---"] * len(found["columns"]), *found["rows"]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _with_note(found: dict[str, Any]) -> str:
    return "\n\n".join(part for part in (f"### {found['title']}", found["note"], _markdown(found)) if part)


def _measured(result: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    return f"*Measured on {result['measured_on']}, commit {result['commit']}: {result['machine']}; {versions}.*"


def _commit() -> str:
    command = ["git", "describe", "--always", "--abbrev=7", "--exclude=*", "--dirty"]
    return subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=True).stdout.strip()
