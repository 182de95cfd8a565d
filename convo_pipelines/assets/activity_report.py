"""The page an operations lead looks at."""

import base64
from typing import Any

import dagster as dg

from convo_pipelines.databases import LOCAL
from convo_pipelines.warehouse import Warehouse


@dg.asset(
    group_name="reports",
    kinds={"html", "matplotlib"},
    owners=["team:data"],
    deps=["histories_sessions", "conversation_summaries", "participant_resolutions"],
)
def activity_report(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[Any]:
    """One HTML page, readable offline: the last 30 days with messages, by client, crew and channel."""
    from convo_pipelines import report  # pandas and matplotlib take seconds to import: no other run waits for them

    with warehouse.connection() as connection:
        activity = report.load(connection)
    charts = report.draw(activity)
    file = LOCAL / "reports" / "activity.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(report.render(activity, charts), encoding="utf-8")
    context.log.info("%s: %d conversations", file, len(activity.summaries))
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(file),
            "last_day": str(activity.last_day and activity.last_day.date()),
            "conversations": len(activity.summaries),
            "preview": dg.MetadataValue.md("\n\n".join(_image(chart.title, chart.png) for chart in charts)),
        }
    )


def _image(title: str, png: bytes) -> str:
    return f"**{title}**\n\n![{title}](data:image/png;base64,{base64.b64encode(png).decode()})"
