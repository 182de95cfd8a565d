"""Generates docs/reference/settings.md from the settings: their defaults, what is allowed, and what they mean."""

import ast
import inspect
from itertools import pairwise
from pathlib import Path

from pydantic_core import PydanticUndefined

from convo_pipelines.settings import Settings

HEAD = """# Settings

Environment variables, read once per process. One that is empty is not set; one that is invalid ends every command
with an error that names it. A cron expression that is invalid is logged, and the default is used.

| variable | default | allowed | meaning |
|---|---|---|---|
"""
OTHER_DEFAULTS = {"refresh_workers": "the cores of the machine, at most 4"}


def page() -> str:
    """Return the page as Markdown."""
    rows = [
        _row(name, ast.literal_eval(meaning.value))
        for settings in ast.parse(inspect.getsource(Settings)).body
        for field, meaning in pairwise(settings.body)
        if isinstance(field, ast.AnnAssign) and isinstance(meaning, ast.Expr)
        for name in [ast.unparse(field.target)]
    ]
    return HEAD + "".join(rows)


def _row(name: str, meaning: str) -> str:
    field = Settings.model_fields[name]
    default = OTHER_DEFAULTS.get(name) or "none"
    if field.default not in (None, "", PydanticUndefined):
        default = f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
    allowed = "a cron expression" if name.endswith("_cron") else field.description or ""
    return f"| `{name.upper()}` | {default} | {allowed} | {meaning} |\n"


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page(), encoding="utf-8")
