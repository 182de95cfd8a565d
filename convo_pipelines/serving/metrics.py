"""What Prometheus is told: what the webhook did, and how the pipeline stands."""

import time
from collections.abc import Iterator

import psycopg
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from convo_pipelines.database.warehouse import Row, Warehouse, fetch, fetch_one
from convo_pipelines.serving.sessions import Done, Refused

LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
AGE_SECONDS = 15
"""The database is not asked more often than this."""


class Metrics:
    """Everything that one webhook's `/metrics` shows, in `registry`."""

    def __init__(self, warehouse: Warehouse):
        """Count from zero; the pipeline's own figures are read from the database when they are asked for."""
        self.registry = CollectorRegistry()
        self.registry.register(_Pipeline(warehouse))
        self.requests = Histogram(
            "convo_webhook_request_seconds",
            "Requests by their status, and how long they took.",
            ["status"],
            buckets=LATENCIES,
            registry=self.registry,
        )
        self.refreshes = Histogram(
            "convo_webhook_refresh_seconds",
            "Refreshes of the sessions that waited together, and how long they took.",
            buckets=LATENCIES,
            registry=self.registry,
        )
        self.sessions = Counter(
            "convo_webhook_sessions", "Sessions that were made right for requests.", registry=self.registry
        )
        self.refused = Counter(
            "convo_webhook_sessions_refused",
            "Sessions that could not be made right when they were to be.",
            registry=self.registry,
        )

    def refreshed(self, done: Done) -> None:
        """Count what was done for the requests that waited together."""
        self.refreshes.observe(done.milliseconds / 1000)
        self.sessions.inc(done.sessions)
        self.refused.inc(sum(isinstance(answer, Refused) for answer in done.answers.values()))


class _Pipeline(Collector):
    def __init__(self, warehouse: Warehouse):
        self._warehouse = warehouse
        self._asked_at = -float(AGE_SECONDS)
        self._known: list[Metric] = []

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: the database need not be there yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        if time.monotonic() - self._asked_at >= AGE_SECONDS:
            try:
                self._known = list(self._read())
            except psycopg.Error:
                self._known = [GaugeMetricFamily("convo_database_up", "Whether the database answers.", 0)]
            self._asked_at = time.monotonic()
        yield from self._known

    def _read(self) -> Iterator[Metric]:
        with self._warehouse.connection() as connection:
            now = fetch_one(connection, "serving/metrics/pipeline")
            logs = fetch(connection, "serving/metrics/logs")
            tables = fetch(connection, "serving/metrics/tables")
        yield GaugeMetricFamily("convo_database_up", "Whether the database answers.", 1)
        yield CounterMetricFamily(
            "convo_sessions_scanned", "Session-days that ticks looked at.", now["sessions_scanned"]
        )
        yield CounterMetricFamily(
            "convo_conversations_created", "Conversations made for sessions.", now["conversations_created"]
        )
        yield GaugeMetricFamily("convo_sessions", "Crews' sessions with a summary.", now["sessions"])
        yield GaugeMetricFamily("convo_conversations", "Conversations with a summary.", now["conversations"])
        yield GaugeMetricFamily(
            "convo_sessions_per_client", "Of active clients, on average.", now["sessions"] / max(now["clients"], 1)
        )
        yield GaugeMetricFamily("convo_crews", "Crews that are discovered.", now["crews"])
        yield GaugeMetricFamily("convo_crews_failing", "Crews whose last tick failed.", now["failing_crews"])
        yield GaugeMetricFamily(
            "convo_crews_error_ratio", "Of all crews, those that fail.", now["failing_crews"] / max(now["crews"], 1)
        )
        yield GaugeMetricFamily(
            "convo_last_run_timestamp_seconds", "When a tick last read a crew; 0: never.", now["last_run"]
        )
        yield GaugeMetricFamily(
            "convo_last_run_duration_seconds", "How long the slowest crew took then.", now["duration"]
        )
        yield _labelled("convo_log_rows", "Rows of a change log.", "log", logs, "rows")
        yield _labelled("convo_changes_waiting", "Changes that wait for a table's tick.", "table", tables, "changes")
        yield _labelled("convo_oldest_change_seconds", "Age of the first of them.", "table", tables, "oldest")


def _labelled(name: str, text: str, label: str, rows: list[Row], value: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for row in rows:
        family.add_metric([row[label]], row[value])
    return family
