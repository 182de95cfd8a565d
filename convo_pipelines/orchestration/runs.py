"""Runs that this process executes, for the command line: materializations, ticks and checks."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.crews import select
from convo_pipelines.engine.registry import DERIVED_TABLES
from convo_pipelines.engine.scopes import Window
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.orchestration import failures
from convo_pipelines.orchestration.assets.activity_report import activity_report
from convo_pipelines.orchestration.automation import schedules
from convo_pipelines.orchestration.console import TO_CONSOLE
from convo_pipelines.orchestration.partitions import days, keys_in, range_tags
from convo_pipelines.orchestration.storage import process_tags

DAILY_ASSETS = [table.name for table in DERIVED_TABLES]
REPORT = activity_report.key.to_user_string()
ASSETS = [*DAILY_ASSETS, REPORT]


class NothingSelectedError(ConvoPipelinesError, ValueError):
    """What to materialize does not exist: no such asset, no partition in the span, or a report of several clients."""


def materialize(
    defs: dg.Definitions,
    assets: Sequence[str],
    start: datetime | None = None,
    end: datetime | None = None,
    crews: Sequence[str] = (),
    clients: Sequence[str] = (),
) -> bool:
    """Materialize assets for the days that `[start, end)` overlaps, as one run of the instance; return its success.

    Args:
        defs: the definitions of the code location.
        assets: asset names.
        start: UTC, by default the start of the first partition.
        end: UTC, exclusive, by default now.
        crews: codes of the crews to restrict the run to.
        clients: codes of the clients to restrict the run to.

    Raises:
        NothingSelectedError: there is no such asset, or no partition in the span; or a report of several clients.
        CrewError: a code belongs to no client, or to no active crew.

    """
    if unknown := set(assets) - set(ASSETS):
        raise NothingSelectedError(f"no asset is called {', '.join(sorted(unknown))}; there are: {', '.join(ASSETS)}")
    if REPORT in assets and (crews or len(clients) > 1):
        raise NothingSelectedError(f"{REPORT} is of one client or of all: give it one --client at most, and no --crew")
    first = datetime.combine(days.start.date(), datetime.min.time(), UTC)
    window = Window.around(_utc(start or first), _utc(end or datetime.now(UTC)))
    keys = keys_in(window)
    if not keys:
        raise NothingSelectedError(
            f"no partition lies in [{window.start}, {window.end}); the first is {first:%Y-%m-%d}"
        )
    select(Warehouse(), crews, clients)
    report = (
        {"ops": {activity_report.op.name: {"config": {"client": clients[0]}}}} if clients and REPORT in assets else {}
    )
    job = defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            asset_selection=[dg.AssetKey(asset) for asset in assets],
            instance=instance,
            tags=range_tags(keys[0], keys[-1]) | process_tags(),
            run_config={
                **TO_CONSOLE,
                **report,
                "resources": {"narrowed": {"config": {"crews": list(crews), "clients": list(clients)}}},
            },
            raise_on_error=False,
        )
    return result.success


def tick(defs: dg.Definitions) -> bool:
    """Do what the tick schedules do when they are due; return whether anything was new.

    Raises:
        dagster.DagsterError: a run failed.

    """
    launched = False
    with dg.DagsterInstance.get() as instance:
        for schedule in (schedules.conversation_discovery_schedule, schedules.link_sync_schedule):
            request = schedule(warehouse=(defs.resources or {})["warehouse"])
            if isinstance(request, dg.RunRequest):
                launched = True
                defs.resolve_job_def(schedule.job_name).execute_in_process(
                    instance=instance, tags={**request.tags, **process_tags()}
                )
    return launched


def run_checks(defs: dg.Definitions) -> Sequence[dg.AssetCheckEvaluation]:
    """Run every asset check as one run of the instance; return the evaluations."""
    with dg.DagsterInstance.get() as instance:
        result = dg.materialize(
            [*(defs.assets or ()), *(defs.asset_checks or ())],  # type: ignore[list-item]
            selection=dg.AssetSelection.all_asset_checks(),
            resources=dict(defs.resources or {}),
            instance=instance,
            tags=process_tags(),
        )
    return result.get_asset_check_evaluations()


def failed(evaluations: Iterable[dg.AssetCheckEvaluation]) -> bool:
    """Whether a check of severity ERROR failed."""
    return any(not e.passed and e.severity is dg.AssetCheckSeverity.ERROR for e in evaluations)


def finding(evaluation: dg.AssetCheckEvaluation) -> str:
    """Return the result of a failed check as text: the number of offenders, and one line for each in the sample."""
    if evaluation.passed:
        return ""
    number = f"{evaluation.metadata['offenders'].value} offenders"
    return "\n".join([number, *map(failures.line, failures.rows(evaluation))])


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
