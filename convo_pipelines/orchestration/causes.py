"""What a failed run or check says, in a line: for alerts."""

import re
from collections.abc import Mapping
from typing import Any

import dagster as dg

from convo_pipelines.database.declarations import personal_columns

RUN_AGAIN = "The next run does what this one left undone; its log has the rest."
STOPPED = (
    "Its process was killed, did not start, or ran for too long: see the log of the code server, and the machine's "
    "memory. The next run does what this one left undone."
)
"""The remedies: if an error ended the run, and if Dagster's run monitoring did."""


def cause(instance: dg.DagsterInstance, run_id: str, failure: dg.DagsterEvent) -> tuple[str, str]:
    """Return the first error of a failed run with its step, and what to do."""
    data: Any = failure.event_specific_data
    if data is None or not (data.error or data.first_step_failure_event):
        last = instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)[-1:]
        said = [entry.dagster_event.message for entry in last if entry.dagster_event] + [failure.message]
        return " ".join(_first(message).partition(". ")[0].rstrip(".") + "." for message in said if message), STOPPED
    if data.first_step_failure_event is None:
        return _line(data.error), RUN_AGAIN
    step = data.first_step_failure_event
    failed = step.step_failure_data
    if failed.user_failure_data and failed.user_failure_data.description:
        return f"{step.step_key}: {_first(failed.user_failure_data.description)}", RUN_AGAIN
    return f"{step.step_key}: {_line(failed.error)}", RUN_AGAIN


def offenders(check: dg.AssetCheckEvaluation) -> str:
    """Return how many offenders a check found, and the first, without personal data."""
    sample = rows(check)
    first = line({name: value for name, value in sample[0].items() if name not in personal_columns()}) if sample else ""
    return number(check) + (f", the first: {first}" if first else "")


def number(check: dg.AssetCheckEvaluation) -> str:
    """Return how many offenders a check found."""
    found = check.metadata["offenders"].value if "offenders" in check.metadata else "some"
    return "1 offender" if found == 1 else f"{found} offenders"


def rows(check: dg.AssetCheckEvaluation) -> list[Mapping[str, Any]]:
    """Return the sample of a check's offenders."""
    sample = check.metadata.get("sample")
    return [record.data for record in sample.records] if isinstance(sample, dg.TableMetadataValue) else []


def line(row: Mapping[str, Any]) -> str:
    """Return a row as text."""
    return ", ".join(f"{name}: {value}" for name, value in row.items() if value is not None)


def _line(error: Any) -> str:
    """Return the first line of the error that caused an error of Dagster's, without the module of its class."""
    while error.cause:
        error = error.cause
    return re.sub(r"^(?:\w+\.)+(\w+: )", r"\1", _first(error.message))


def _first(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")
