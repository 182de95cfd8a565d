"""The activity report: one HTML page, readable offline, the same bytes for the same rows."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jinja2
import matplotlib as mpl
import pandas as pd
import psycopg
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convo_pipelines.read import frame

DAYS = 30
NAMED_CLIENTS = 7
STYLE: dict[Any, Any] = {
    "text.parse_math": False,
    "svg.hashsalt": "convo_pipelines",
    "figure.figsize": (9.0, 3.4),
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.alpha": 0.3,
    "font.size": 9.0,
}
PREVIEW_DPI = 80


@dataclass(frozen=True)
class Activity:
    """What the report shows: the `DAYS` UTC days up to the day of the last message; `last_day` is None without any."""

    last_day: datetime | None
    clients: pd.DataFrame
    crews: pd.DataFrame
    summaries: pd.DataFrame
    participants: pd.DataFrame

    @property
    def days(self) -> pd.DatetimeIndex:
        """The days, at midnight UTC, without a time zone."""
        last = self.last_day or datetime(1970, 1, 1)  # noqa: DTZ001
        return pd.date_range(end=last, periods=DAYS, freq="D", unit="us")


@dataclass(frozen=True)
class Chart:
    """One drawing: `svg` for the page, `png` for a preview."""

    title: str
    svg: str
    png: bytes


def load(connection: psycopg.Connection[Any]) -> Activity:
    """Read what the report shows."""
    found = frame(connection, "last_day")
    last_day: datetime | None = found["last_day"][0].to_pydatetime() if len(found) else None
    end = (last_day or datetime(1970, 1, 1)).replace(tzinfo=UTC) + timedelta(days=1)  # noqa: DTZ001
    span = {"client": None, "start": end - timedelta(days=DAYS), "end": end}
    return Activity(
        last_day,
        frame(connection, "client_activity", **span),
        frame(connection, "crew_activity", **span),
        frame(connection, "summaries", **span),
        frame(connection, "participants"),
    )


def draw(activity: Activity) -> list[Chart]:
    """Draw every chart."""
    charts: dict[str, Callable[[Axes, Activity], None]] = {
        "Messages per day, by client": _messages,
        "Conversations started and closed per day": _conversations,
        "First answer of crews, seconds": _crew_responses,
        "First answer by e-mail and chat, minutes": _human_responses,
        "Busiest crews, messages": _busiest_crews,
        "Contact methods, by how they were resolved": _participants,
    }
    with mpl.rc_context(STYLE):
        return [_draw(title, chart, activity) for title, chart in charts.items()]


def render(activity: Activity, charts: list[Chart]) -> str:
    """Return the page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("convo_pipelines", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    summaries, clients = activity.summaries, activity.clients
    tiles = {
        "conversations": f"{len(summaries):,}",
        "messages": f"{clients['messages'].sum():,}",
        "crews' sessions": f"{(summaries['channel'] == 'crew').sum():,}",
        "closed": f"{clients['conversations_closed'].sum():,}",
        "unanswered": f"{summaries['first_response_seconds'].isna().sum():,}",
    }
    totals = clients.groupby("client_code")[
        ["sessions", "messages", "conversations_started", "conversations_closed"]
    ].sum()
    days = activity.days
    return environment.get_template("report.html.j2").render(
        period=f"{days[0]:%d %B %Y} to {days[-1]:%d %B %Y}, UTC" if activity.last_day else "no messages yet",
        tiles=tiles,
        charts=charts,
        clients=totals.reset_index().to_dict("records"),
    )


def _draw(title: str, chart: Callable[[Axes, Activity], None], activity: Activity) -> Chart:
    figure = Figure()
    axes = figure.add_subplot()
    chart(axes, activity)
    svg, png = io.StringIO(), io.BytesIO()
    figure.savefig(svg, format="svg", metadata={"Date": None}, transparent=True)
    figure.savefig(png, format="png", dpi=PREVIEW_DPI, metadata={"Software": None})
    return Chart(title, svg.getvalue()[svg.getvalue().index("<svg") :], png.getvalue())


def _by_day(rows: pd.DataFrame, day: str, column: str, days: pd.DatetimeIndex) -> pd.Series:
    return rows.groupby(day)[column].sum().reindex(days, fill_value=0).astype("float64")


def _messages(axes: Axes, activity: Activity) -> None:
    bottom = pd.Series(0.0, index=activity.days)
    totals = activity.clients.groupby("client_code")["messages"].sum()
    named = totals.sort_values(ascending=False).index[:NAMED_CLIENTS]
    labels = activity.clients["client_code"].where(activity.clients["client_code"].isin(named), "others")
    for client, rows in activity.clients.groupby(labels):
        heights = _by_day(rows, "activity_date", "messages", activity.days)
        axes.bar(activity.days, heights, bottom=bottom, label=str(client))
        bottom += heights
    if len(activity.clients):
        axes.legend(ncols=8, frameon=False, loc="upper left", bbox_to_anchor=(0, 1.18))


def _conversations(axes: Axes, activity: Activity) -> None:
    for column, label in (("conversations_started", "started"), ("conversations_closed", "closed")):
        axes.plot(activity.days, _by_day(activity.clients, "activity_date", column, activity.days), label=label)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)


def _crew_responses(axes: Axes, activity: Activity) -> None:
    _responses(axes, activity, activity.summaries[activity.summaries["channel"] == "crew"], 1)


def _human_responses(axes: Axes, activity: Activity) -> None:
    _responses(axes, activity, activity.summaries[activity.summaries["channel"] != "crew"], 60)


def _responses(axes: Axes, activity: Activity, summaries: pd.DataFrame, unit_seconds: int) -> None:
    days = pd.DatetimeIndex(summaries["started_at"]).tz_convert(None).normalize()
    waited = summaries["first_response_seconds"].astype("float64") / unit_seconds
    by_day = waited.set_axis(days).groupby(level=0)
    for quantile, label in ((0.5, "median"), (0.9, "90th percentile")):
        axes.plot(activity.days, by_day.quantile(quantile).reindex(activity.days), marker=".", label=label)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)


def _busiest_crews(axes: Axes, activity: Activity) -> None:
    totals = activity.crews.groupby("crew_code")["messages"].sum().astype("float64").sort_values()[-10:]
    axes.barh([str(code) for code in totals.index], totals)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")


def _participants(axes: Axes, activity: Activity) -> None:
    counts = activity.participants["contact_methods"].astype("float64")
    bars = axes.bar(activity.participants["status"].astype(str), counts)
    axes.bar_label(bars, fmt="{:,.0f}")
