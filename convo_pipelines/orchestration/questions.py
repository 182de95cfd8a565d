"""The job that answers a question from the lake: on this machine, or on the Ray cluster at LAKE_CLUSTER."""

import shlex
import sys
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from convo_pipelines import extras
from convo_pipelines.lake import Query, store
from convo_pipelines.orchestration.cells import tags
from convo_pipelines.orchestration.failures import RETRIES, plain_failures
from convo_pipelines.orchestration.metadata import table
from convo_pipelines.settings import settings

DAY = r"^\d{4}-\d{2}-\d{2}$"


class Question(dg.Config):
    """What is asked, of which days."""

    query: Query = Field(Query.first_responses, description="One of the worked queries of docs/how-to/lake.md.")
    start: str | None = Field(None, pattern=DAY, description="The first UTC day, such as 2026-03-01.")
    end: str | None = Field(None, pattern=DAY, description="The UTC day after the last.")

    def require_days(self) -> None:
        """Check that its days are days, and in order.

        Raises:
            dagster.Failure: they are not.

        """
        try:
            days = [date.fromisoformat(day) for day in (self.start, self.end) if day]
        except ValueError as error:
            raise dg.Failure(f"start or end is not a day: {error}") from None
        if len(days) == 2 and days[0] >= days[1]:
            raise dg.Failure(f"no day is between start ({self.start}) and end ({self.end})")

    def command(self, output: str) -> list[str]:
        """Return the arguments of `convo-pipelines` that answer it."""
        days = {"--start": self.start, "--end": self.end, "--output": output}
        return ["lake", "query", self.query, *(text for name, day in days.items() if day for text in (name, day))]


@dg.op
def ask(context: dg.OpExecutionContext, config: Question) -> None:
    """Has `convo-pipelines lake query` answer a question; the answer is a Parquet file below LAKE_URI."""
    with plain_failures(context):
        extras.require("cluster")
        store.required("conversation_summaries")
        config.require_days()
    output = f"{store.lake_uri()}/answers/{config.query}-{context.run_id}.parquet"
    [answer] = _run(context, config.command(output))
    context.add_output_metadata({"rows": answer["rows"], "first_rows": table(answer["first"]), "file": output})


def _run(context: dg.OpExecutionContext, arguments: list[str]) -> list[dict[str, Any]]:
    program = "convo-pipelines"
    if not (address := settings().lake_cluster):
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        try:
            return [*dg.PipesSubprocessClient().run(context=context, command=command).get_custom_messages()]
        except dg.DagsterError:
            raise dg.Failure("the query failed: see the run's stderr for the reason") from None
    from dagster_ray import PipesRayJobClient
    from dagster_ray.core.pipes import SubmitJobParams

    # A progress bar in the job's log would run into the messages of Dagster Pipes.
    variables = {"DAFT_RUNNER": "ray", "DAFT_PROGRESS_BAR": "0", "DO_NOT_TRACK": "1"}
    job = SubmitJobParams(entrypoint=shlex.join([program, *arguments]), runtime_env={"env_vars": variables})
    try:
        return [*PipesRayJobClient(address=address).run(context=context, submit_job_params=job).get_custom_messages()]
    except ConnectionError:
        raise dg.Failure("no Ray cluster answers at LAKE_CLUSTER") from None
    except RuntimeError as error:  # a worker that is lost takes the query with it
        if "STOPPED" in str(error):
            raise dg.Failure("the job was stopped on the cluster") from None
        raise dg.RetryRequested(RETRIES) from error


@dg.job(description="Answers a question about all cells from the lake.", tags=tags())
def lake_query() -> None:
    """Run the query."""
    ask()
