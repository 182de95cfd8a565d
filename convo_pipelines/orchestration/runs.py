"""Runs that this process executes, for the command line: materializations, ticks and checks."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import dagster as dg

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine.scopes import Window
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.model.crews import select
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.orchestration import causes
from convo_pipelines.orchestration.assets.activity_report import ReportConfig, activity_report
from convo_pipelines.orchestration.automation import schedules
from convo_pipelines.orchestration.automation.narrowed import OP, Narrowed, refresh_narrowed
from convo_pipelines.orchestration.cells import key, name_of, process_tags
from convo_pipelines.orchestration.console import TO_CONSOLE
from convo_pipelines.orchestration.partitions import days, keys_in, range_tags

DAILY_ASSETS = [table.name for table in DERIVED_TABLES]
REPORT = name_of(activity_report.key)
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
    """Refresh assets for the days that `[start, end)` overlaps, as one run of the instance.

    Return whether it succeeded, for all crews. Narrowed to crews or clients, it is a run of `refresh_narrowed`, and the
    report one of its own.

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
    with dg.DagsterInstance.get() as instance:
        if (crews or clients) and (tables := [asset for asset in assets if asset != REPORT]):
            config = Narrowed(
                crews=list(crews), clients=list(clients), tables=tables, first_day=keys[0], last_day=keys[-1]
            )
            done = defs.resolve_job_def(refresh_narrowed.name).execute_in_process(
                instance=instance,
                tags=process_tags(),
                run_config=dg.RunConfig(ops={OP: config}).to_config_dict() | TO_CONSOLE,
                raise_on_error=False,
            )
            if REPORT not in assets or not done.success:
                return done.success
            assets = [REPORT]
        report = {activity_report.op.name: ReportConfig(client=clients[0] if clients else None)}
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[key(asset) for asset in assets],
            instance=instance,
            tags=range_tags(keys[0], keys[-1]) | process_tags(),
            run_config=dg.RunConfig(ops=report if REPORT in assets else {}).to_config_dict() | TO_CONSOLE,
            raise_on_error=False,
        )
    return result.success and not any(map(_failed_crews, result.get_asset_materialization_events()))


def _failed_crews(event: dg.DagsterEvent) -> int:
    failed = event.step_materialization_data.materialization.metadata.get("crews_failed")
    return int(str(failed.value)) if failed else 0


def tick(defs: dg.Definitions) -> bool:
    """Do what the tick schedules do when they are due; return whether anything was new.

    Raises:
        dagster.DagsterError: a run failed.

    """
    launched, warehouse = False, Warehouse()
    with dg.DagsterInstance.get() as instance:
        for schedule in (schedules.conversation_discovery_schedule, schedules.link_sync_schedule):
            context = dg.build_schedule_context(instance, scheduled_execution_time=datetime.now(UTC))
            request = schedule(context, warehouse=warehouse)
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
    return "\n".join([causes.number(evaluation), *map(causes.line, causes.rows(evaluation))])


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
