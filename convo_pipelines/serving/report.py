"""The activity report: one HTML page, readable offline, the same bytes for the same rows."""

import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import jinja2
import matplotlib as mpl
import pandas as pd
import psycopg
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from convo_pipelines.database.execution import histories
from convo_pipelines.serving.read import frame, lag_of
from convo_pipelines.settings import settings

DAYS = 30
WEEKDAYS_DAYS = 28
"""The heat map shows four of each weekday."""
NAMED_CLIENTS, NAMED_CREWS, NAMED_CONVERSATIONS = 5, 10, 10
LONGEST_LABEL, LONGEST_FILE_NAME = 14, 60
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
UNRESOLVED = ["unmatched", "ambiguous", "invalid"]
CIVIDIS = mpl.colormaps["cividis_r"].resampled(10)
OKABE_ITO = ["#0072b2", "#d55e00", "#56b4e9", "#009e73", "#e69f00", "#999999"]
HATCHES = ["", "////", "----", r"\\\\", "xxxx", ""]
STYLE: dict[Any, Any] = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "convo_pipelines",
    "figure.figsize": (5.0, 3.2),
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=OKABE_ITO) + cycler(linestyle=["-", "--"] * 3) + cycler(marker=["o", "^"] * 3),
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.6,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "font.size": 11.0,
    "date.converter": "concise",
}
PREVIEW_DPI = 80


@dataclass(frozen=True)
class Activity:
    """The data of the report, of one client or of all.

    It covers the `DAYS` UTC days up to the day of the last message; `last_message_at` is None if there is none.
    `lag` is how many seconds the standby that it was read from is behind; None: it is no standby.
    """

    client: str | None
    last_message_at: datetime | None
    clients: pd.DataFrame
    crews: pd.DataFrame
    answers: pd.DataFrame
    waiting: pd.DataFrame
    waits: pd.DataFrame
    participants: pd.DataFrame
    hours: pd.DataFrame
    unread_crews: list[str]
    lag: float | None

    @cached_property
    def days(self) -> pd.DatetimeIndex:
        """The days, at midnight UTC, without a time zone."""
        last = (self.last_message_at or _BEFORE_ANY).replace(tzinfo=None)
        return pd.date_range(end=last, periods=DAYS, freq="D", normalize=True, unit="us")

    @cached_property
    def daily(self) -> pd.DataFrame:
        """Counts by day."""
        crews = self.answers[self.answers["is_crew"]]
        return pd.DataFrame(
            {
                "conversations": _by_day(self.answers, "started_on", "conversations", self.days),
                "messages": _by_day(self.clients, "activity_date", "messages", self.days),
                "crews' sessions": _by_day(crews, "started_on", "conversations", self.days),
                "closed": _by_day(self.clients, "activity_date", "conversations_closed", self.days),
                "unanswered": _by_day(self.answers, "started_on", "unanswered", self.days),
            }
        )

    @property
    def title(self) -> str:
        """The page's title."""
        whose = self.client if self.client is not None else "all clients"
        cell = settings().convo_cell
        return f"Conversations of {whose}" + (f" in cell {cell}" if cell else "")

    @property
    def period(self) -> str:
        """The days as text."""
        behind = f"; read from a standby that is {self.lag:.0f} s behind" if self.lag is not None else ""
        return (f"{_period(self.days)}, UTC" if self.last_message_at else "no messages yet") + behind


@dataclass(frozen=True)
class Tile:
    """A count: of all days, of the last 7 full days, and of the 7 before; the day of the last message is not full."""

    name: str
    total: int
    week: int
    week_before: int

    @property
    def change(self) -> str:
        """The change from week to week, as an arrow and a percentage."""
        if self.week == self.week_before:
            return "unchanged"
        arrow = "▲" if self.week > self.week_before else "▼"
        if not self.week_before:
            return f"{arrow} from none"
        return f"{arrow} {abs(self.week / self.week_before - 1):.0%}"


@dataclass(frozen=True)
class Chart:
    """A chart: `svg` for the page, `png` for a preview, `words` as its text alternative."""

    title: str
    words: str
    svg: str
    png: bytes


_BEFORE_ANY = datetime(1970, 1, 1, tzinfo=UTC)
_Draw = Callable[[Axes, Activity], str]
"""Draws a chart and returns its text alternative."""


def load(connection: psycopg.Connection[Any], client: str | None = None) -> Activity:
    """Read the data of the report, of the client with this code or of all."""
    found = frame(connection, "report/last_message", client=client)
    last: datetime | None = found["sent_at"][0].to_pydatetime() if len(found) else None
    until = last or _BEFORE_ANY
    end = until.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    span = {"client": client, "start": end - timedelta(days=DAYS), "end": end}
    crews = frame(connection, "report/crews_at_work", **span)
    hours, unread = _hours(connection, crews, span | {"start": end - timedelta(days=WEEKDAYS_DAYS)})
    return Activity(
        client,
        last,
        frame(connection, "read/client_activity", **span),
        crews,
        frame(connection, "report/first_answers", **span),
        frame(connection, "report/waiting", client=client, **_weeks(end)),
        frame(connection, "report/longest_waits", **span, until=until, most=NAMED_CONVERSATIONS),
        frame(connection, "report/participants", **span),
        hours,
        unread,
        lag_of(connection),
    )


def _weeks(end: datetime) -> dict[str, datetime]:
    """Return when the last full day ends, and when the last seven and the seven before begin."""
    until = end - timedelta(days=1)
    return {"until": until, "week": until - timedelta(days=7), "week_before": until - timedelta(days=14)}


def _hours(
    connection: psycopg.Connection[Any], crews: pd.DataFrame, span: dict[str, Any]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the messages by weekday (1 to 7) and hour, and the codes of the crews whose tables cannot be read."""
    found = [frame(connection, "report/message_hours", **span)]
    unread = list(crews["crew_code"][crews["table_name"].isna()])
    for crew, code, table in crews[["crew_id", "crew_code", "table_name"]].dropna().itertuples(index=False):
        try:
            with connection.transaction():
                found.append(frame(connection, "report/session_hours", histories(table), crew_id=crew, **span))
        except psycopg.Error:
            unread.append(code)
    counts = pd.concat(found).groupby(["weekday", "hour"])["messages"].sum().unstack()
    return counts.reindex(index=range(1, 8), columns=range(24)).astype("float64").fillna(0), unread


def tiles(activity: Activity) -> list[Tile]:
    """Return the counts, in total and week on week."""
    daily = activity.daily.astype("int64")
    sums = zip(daily, daily.sum(), daily[-8:-1].sum(), daily[-15:-8].sum(), strict=True)
    [waiting] = activity.waiting.itertuples(index=False)
    counts = [*sums, ("waiting for us", *waiting)]
    return [Tile(str(name), int(total), int(week), int(before)) for name, total, week, before in counts]


def draw(activity: Activity) -> dict[str, list[Chart]]:
    """Draw every chart, by section."""
    charts: dict[str, dict[str, _Draw]] = {
        "Activity": {
            "Messages per day": _messages,
            "Conversations per day": _conversations,
            "Messages by weekday and hour, UTC": _weekdays,
        },
        "First answers": {
            "First answer of crews, seconds": _crew_responses,
            "First answer by e-mail and chat, minutes": _human_responses,
            "Unanswered, by the day of their start": _unanswered,
        },
        "Crews and participants": {
            "Busiest crews, messages": _busiest_crews,
            "Participants, by resolution status": _participants,
        },
    }
    with mpl.rc_context(STYLE):
        return {
            section: [_draw(title, chart, activity) for title, chart in drawn.items()]
            for section, drawn in charts.items()
        }


def render(activity: Activity, charts: dict[str, list[Chart]]) -> str:
    """Return the page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("convo_pipelines.serving", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = _duration
    sums = activity.clients.groupby("client_code")[
        ["sessions", "messages", "conversations_started", "conversations_closed"]
    ].sum()
    return environment.get_template("report.html.j2").render(
        activity=activity,
        tiles=tiles(activity),
        weeks=(_period(activity.days[-8:-1]), _period(activity.days[-15:-8])),
        charts=charts,
        waits={
            "Waiting for an answer": activity.waits[~activity.waits["is_answered"]].to_dict("records"),
            "Slowest first answers": activity.waits[activity.waits["is_answered"]].to_dict("records"),
        },
        clients=sums.reset_index().to_dict("records"),
        unresolved=_unresolved(activity).to_dict("records"),
    )


def file_name(client: str | None) -> str:
    """Return the file name of a report: unique for each client, and safe for any client code."""
    if client is None:
        return "activity.html"
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", client)[:LONGEST_FILE_NAME]
    suffix = "" if name == client else "-" + hashlib.sha256(client.encode()).hexdigest()[:12]
    return f"activity-{name}{suffix}.html"


def _draw(title: str, chart: _Draw, activity: Activity) -> Chart:
    figure = Figure()
    axes = figure.add_subplot()
    words = chart(axes, activity)
    svg, png = io.StringIO(), io.BytesIO()
    figure.savefig(svg, format="svg", metadata={"Date": None}, transparent=True)
    figure.set_layout_engine("none")  # keep the layout of the SVG
    figure.savefig(png, format="png", dpi=PREVIEW_DPI, metadata={"Software": None})
    drawn = svg.getvalue()[svg.getvalue().index("<svg") :]
    return Chart(title, words, re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", drawn), png.getvalue())


def _messages(axes: Axes, activity: Activity) -> str:
    totals = _ranked(activity.clients, "client_code", "messages")
    named = list(totals.index[:NAMED_CLIENTS])
    codes = activity.clients["client_code"]
    groups = [*((_label(client), codes == client) for client in named), ("others", ~codes.isin(named))]
    bottom = pd.Series(0.0, index=activity.days)
    for (label, chosen), color, hatch in zip(groups, OKABE_ITO, HATCHES, strict=False):
        if chosen.any():
            heights = _by_day(activity.clients[chosen], "activity_date", "messages", activity.days)
            axes.bar(activity.days, heights, 0.9, bottom, color=color, hatch=hatch, edgecolor="white", label=label)
            bottom += heights
    if len(totals):
        _legend(axes)
    words = _most(bottom, "messages")
    return f"{words} Most are of {_listed(totals)}." if len(totals) > 1 else words


def _conversations(axes: Axes, activity: Activity) -> str:
    started, closed = activity.daily["conversations"], activity.daily["closed"]
    axes.plot(activity.days, started, label="started")
    axes.plot(activity.days, closed, label="closed")
    axes.set_ylim(bottom=0)
    _whole_numbers(axes)
    _legend(axes)
    return f"{_most(started, 'conversations started')} {closed.sum():,.0f} were closed."


def _weekdays(axes: Axes, activity: Activity) -> str:
    hours = activity.hours
    mesh = axes.pcolormesh(range(24), WEEKDAYS, hours, cmap=CIVIDIS, vmin=0, edgecolors="white", linewidth=0.4)
    axes.invert_yaxis()
    axes.set_xticks(range(0, 24, 3), [f"{hour:02}" for hour in range(0, 24, 3)])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    if bar := axes.figure.colorbar(mesh, ax=axes, location="bottom", aspect=40, pad=0.02):
        bar.outline.set_visible(False)  # type: ignore[operator]
    counts = hours.to_numpy()
    if not (total := counts.sum()):
        return "No messages."
    busy = counts.max(axis=1).nonzero()[0]
    axes.scatter(counts.argmax(axis=1)[busy], busy, s=9, color="white", linewidths=0)
    day, hour = divmod(int(counts.argmax()), 24)
    words = (
        f"The last four weeks, darker for more messages; a dot marks each weekday's busiest hour. Most messages: "
        f"{WEEKDAYS[day]}, {hour:02}:00 to {hour + 1:02}:00 ({counts.max():,.0f})."
    )
    absent = activity.daily["messages"][-WEEKDAYS_DAYS:].sum() - total
    if absent > 0:
        words += f" {absent:,.0f} of {absent + total:,.0f} are not included: they were deleted from their tables, or "
        words += "those cannot be read."
    return words


def _crew_responses(axes: Axes, activity: Activity) -> str:
    return _responses(axes, activity, activity.answers[activity.answers["is_crew"]], 1)


def _human_responses(axes: Axes, activity: Activity) -> str:
    return _responses(axes, activity, activity.answers[~activity.answers["is_crew"]], 60)


def _responses(axes: Axes, activity: Activity, answers: pd.DataFrame, unit_seconds: int) -> str:
    by_day = answers.dropna(subset="started_on").set_index("started_on").reindex(activity.days)
    for column, label in (("median_seconds", "median"), ("p90_seconds", "90th percentile")):
        axes.plot(activity.days, by_day[column].astype("float64") / unit_seconds, label=label)
    axes.set_ylim(bottom=0)
    _legend(axes)
    overall = answers[answers["started_on"].isna()].dropna(subset="median_seconds")
    if overall.empty:
        return "No answers."
    median, p90 = overall[["median_seconds", "p90_seconds"]].iloc[0]
    return f"Half of the first answers came within {_duration(median)}, nine of ten within {_duration(p90)}."


def _unanswered(axes: Axes, activity: Activity) -> str:
    unanswered = activity.daily["unanswered"]
    axes.bar(activity.days, unanswered, 0.9, color=OKABE_ITO[1], edgecolor="white")
    _whole_numbers(axes)
    return _most(unanswered, "open conversations without an answer")


def _busiest_crews(axes: Axes, activity: Activity) -> str:
    totals = _ranked(activity.crews, "crew_code", "messages")
    shown = totals[:NAMED_CREWS][::-1]
    bars = axes.barh(range(len(shown)), shown, tick_label=[_label(code) for code in shown.index])
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.set_axis_off() if shown.empty else axes.xaxis.set_visible(False)
    axes.margins(x=0.15)
    axes.grid(visible=False)
    return f"Most messages are of {_listed(totals)}." if len(totals) else "No crew had a message."


def _participants(axes: Axes, activity: Activity) -> str:
    totals = activity.participants[activity.participants["client_code"].isna()].set_index("status")["participants"]
    counts = totals.astype("float64").reindex(["resolved", *UNRESOLVED], fill_value=0.0)
    bars = axes.barh(counts.index, counts, color=[OKABE_ITO[0], *[OKABE_ITO[1]] * len(UNRESOLVED)])
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.margins(x=0.15)
    axes.grid(visible=False)
    rest = ", ".join(f"{counts[status]:,.0f} {status}" for status in UNRESOLVED)
    known = f"{counts['resolved']:,.0f} of {counts.sum():,.0f}"
    return f"{known} recipients, senders and addresses of sessions are known; {rest}."


def _unresolved(activity: Activity) -> pd.DataFrame:
    """Return, per client with unresolved participants, the number by status, the most first; client "": total."""
    rows = activity.participants if activity.client is None else activity.participants.dropna(subset="client_code")
    counts = rows.fillna({"client_code": ""}).pivot_table("participants", "client_code", "status", "sum", fill_value=0)
    counts = counts.reindex(columns=["resolved", *UNRESOLVED], fill_value=0).astype("int64")
    counts["unresolved"] = counts[UNRESOLVED].sum(axis=1)
    counts["participants"] = counts["resolved"] + counts["unresolved"]
    ranked = counts.sort_values("unresolved", ascending=False, kind="stable")
    return ranked[ranked["unresolved"] > 0].reset_index()


def _by_day(rows: pd.DataFrame, day: str, column: str, days: pd.DatetimeIndex) -> pd.Series:
    return rows.groupby(day)[column].sum().reindex(days, fill_value=0).astype("float64")


def _ranked(rows: pd.DataFrame, name: str, column: str) -> pd.Series:
    """Return the sums of a column by name, the largest first."""
    return rows.groupby(name)[column].sum().astype("float64").sort_values(ascending=False, kind="stable")


def _legend(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0, handlelength=1.8)


def _whole_numbers(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def _label(code: str) -> str:
    return code if len(code) <= LONGEST_LABEL else code[: LONGEST_LABEL - 1] + "…"


def _listed(ranked: pd.Series) -> str:
    return ", ".join(f"{name} ({count:,.0f})" for name, count in ranked[:3].items())


def _most(by_day: pd.Series, noun: str) -> str:
    if not by_day.sum():
        return f"No {noun}."
    return f"{by_day.sum():,.0f} {noun}, most on {_day(by_day.idxmax())} ({by_day.max():,.0f})."


def _day(day: Any) -> str:
    return f"{day.day} {day:%B}"


def _period(days: pd.DatetimeIndex) -> str:
    return f"{_day(days[0])} {days[0].year} to {_day(days[-1])} {days[-1].year}"


def _duration(seconds: float) -> str:
    """Return a duration in the largest unit in which it is at least 1."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} seconds"
