"""Log lines: one line an event, with its time, and the table and crew at work; as text or JSON (LOG_FORMAT)."""

import json
import logging
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from convo_pipelines.settings import settings

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and newline: a terminal would obey them. Of surrogates, no encoding has any."""
_about: ContextVar[dict[str, str]] = ContextVar("about", default={})  # noqa: B039


def visible(text: str) -> str:
    r"""Return text whose control characters are shown as in JSON, such as `\u001b`; all others stay as they are."""
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


@contextmanager
def about(**names: str) -> Generator[None]:
    """Add names, such as `table` and `crew`, to all lines that are logged inside."""
    token = _about.set(_about.get() | names)
    try:
        yield
    finally:
        _about.reset(token)


class Formatter(logging.Formatter):
    """Formats an event as one line: text, or a JSON object if LOG_FORMAT is `json`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time (UTC), level, logger, message, names of `about`, and the traceback if there is one."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        names, message = _cell() | _run_of(record) | _about.get(), record.getMessage()
        traceback = self.formatException(record.exc_info) if record.exc_info else None
        if settings().log_format == "json":
            event = {"time": time, "level": record.levelname, "logger": record.name, **names, "message": message}
            return visible(json.dumps(event | ({"traceback": traceback} if traceback else {}), ensure_ascii=False))
        named = "".join(f" {name}={value}" for name, value in names.items())
        text = "\n".join([message, traceback] if traceback else [message])
        return visible(f"{time} {record.levelname} {record.name}{named}: {text}").replace("\n", "\\n")


def _cell() -> dict[str, str]:
    cell = settings().convo_cell
    return {"cell": cell} if cell else {}


def _run_of(record: logging.LogRecord) -> dict[str, str]:
    """Return the job, run and step that Dagster has attached to an event of a run."""
    of_dagster: dict[str, str] = getattr(record, "dagster_meta", None) or {}
    named = {"job": "job_name", "run": "run_id", "step": "step_key"}
    return {name: of_dagster[key] for name, key in named.items() if of_dagster.get(key)}


def handler() -> logging.Handler:
    """Return a handler that writes such lines to stderr."""
    lines = logging.StreamHandler()
    lines.setFormatter(Formatter())
    return lines
