"""One line an event, whoever reads it."""

import json
import logging
import re
from collections.abc import Callable

from convo_pipelines import logs


def line(record: logging.LogRecord) -> str:
    return logs.Formatter().format(record)


def record(error: Exception | None = None, **more: object) -> logging.LogRecord:
    found = logging.makeLogRecord({"name": "convo_pipelines.engine", "levelname": "INFO", "msg": "crew %s:\nfailed"})
    found.args, found.exc_info = ("Ä",), error and (type(error), error, None)
    found.__dict__.update(more)
    return found


def test_a_line_of_text_has_the_time_the_table_and_the_crew() -> None:
    with logs.about(table="histories_sessions"), logs.about(crew="Ä"):
        text = line(record())
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 INFO convo_pipelines.engine"
    assert re.fullmatch(rf"{pattern} table=histories_sessions crew=Ä: crew Ä:\\nfailed", text)
    assert "table" not in line(record())


def test_a_line_of_json_is_one_object(environment: Callable[..., None]) -> None:
    environment(LOG_FORMAT="json")
    with logs.about(table="histories_sessions", crew="Ä"):
        text = line(record(ValueError("it\nfailed"), dagster_meta={"run_id": "1a", "job_name": "j", "step_key": None}))
    assert "\n" not in text
    event = json.loads(text)
    assert event.pop("time").endswith("+00:00")
    assert event == {
        "level": "INFO",
        "logger": "convo_pipelines.engine",
        "job": "j",
        "run": "1a",
        "table": "histories_sessions",
        "crew": "Ä",
        "message": "crew Ä:\nfailed",
        "traceback": "ValueError: it\nfailed",
    }
