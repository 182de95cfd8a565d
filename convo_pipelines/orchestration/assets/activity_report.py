"""The activity report: an HTML page for operations leads."""

import base64
from typing import Any

import dagster as dg
from pydantic import Field

from convo_pipelines import extras
from convo_pipelines.database.addresses import LOCAL
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.model import crews
from convo_pipelines.operations import alerts, schema
from convo_pipelines.orchestration.cells import key, pool
from convo_pipelines.orchestration.checks import one_snapshot
from convo_pipelines.orchestration.failures import plain_failures
from convo_pipelines.orchestration.resources import reader
from convo_pipelines.settings import settings

BACKFILL_TAG = "dagster/backfill"


class ReportConfig(dg.Config):
    """Run config of the report."""

    client: str | None = Field(
        default=None, description="Code of the client whose conversations to show; default: all."
    )


REPORT = dg.AssetSpec(
    key("activity_report"),
    description="One HTML page, readable offline: the last 30 days with messages, by client, crew and channel.",
    group_name="reports",
    kinds={"html", "matplotlib"},
    owners=["team:data"],
    deps=[
        key(name)
        for name in ("client_activity_daily", "conversation_days", "conversation_summaries", "participant_resolutions")
    ],
)


@dg.multi_asset(name="write_report", specs=[REPORT], pool=pool())  # an op must not have the name of a job
def activity_report(
    context: dg.AssetExecutionContext, config: ReportConfig, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[Any]:
    """Write the report, and send it to REPORT_URLS, unless the run does more or is part of a backfill."""
    with plain_failures(context):
        extras.require("report")
        from convo_pipelines.serving import report  # imports pandas and matplotlib, which takes seconds

        schema.require(warehouse)
        if config.client is not None:
            crews.select(warehouse, clients=[config.client])
        with reader(warehouse) as standby, one_snapshot(standby) as connection:
            activity = report.load(connection, config.client)
    charts = report.draw(activity)
    file = LOCAL / "reports" / (settings().convo_cell or "") / report.file_name(config.client)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(report.render(activity, charts), encoding="utf-8")
    tiles = {tile.name: tile for tile in report.tiles(activity)}
    context.log.info("%s: %d conversations", file, tiles["conversations"].total)
    urls = settings().report_urls.split() if _is_alone(context) else []
    body = "\n".join(
        f"{tile.total:,} {tile.name}; in the last 7 full days {tile.week:,}, in the 7 before {tile.week_before:,}"
        for tile in tiles.values()
    )
    if failures := alerts.send(urls, f"{activity.title}, {activity.period}", body, file):
        raise dg.Failure(f"delivery failed to {failures} of {len(urls)} receivers of REPORT_URLS; the report is {file}")
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(file),
            "last_message_at": str(activity.last_message_at),
            "conversations": tiles["conversations"].total,
            "unread_crews": activity.unread_crews,
            "sent_to": len(urls),
            "preview": dg.MetadataValue.md(
                "\n\n".join(_image(chart.title, chart.png) for section in charts.values() for chart in section)
            ),
        }
    )


def _is_alone(context: dg.AssetExecutionContext) -> bool:
    """Return whether somebody, or a schedule, asked for the report and nothing else."""
    return BACKFILL_TAG not in context.run.tags and context.job_def.asset_layer.selected_asset_keys == {REPORT.key}


def _image(title: str, png: bytes) -> str:
    return f"**{title}**\n\n![{title}](data:image/png;base64,{base64.b64encode(png).decode()})"
