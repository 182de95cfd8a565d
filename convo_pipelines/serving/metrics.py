"""Prometheus metrics: of the webhook, and of the whole pipeline, with it or on their own."""

import logging
import time
from collections.abc import Iterator

import psycopg
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from convo_pipelines.database import declarations
from convo_pipelines.database.connections import Row
from convo_pipelines.database.execution import error_message, fetch, fetch_one
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import change_log, leases
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.operations import health
from convo_pipelines.serving.sessions import AnsweredBatch, Deferred
from convo_pipelines.settings import settings

_log = logging.getLogger(__name__)
LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
AGE_SECONDS = 15
"""The pipeline's figures are read from the database at most once in this time."""


class Metrics:
    """The metrics that one webhook exposes at `/metrics`, in `registry`."""

    def __init__(self, warehouse: Warehouse):
        """Start the webhook's metrics at zero; the pipeline's are read from the database at each scrape."""
        self.registry = CollectorRegistry()
        self.registry.register(_Pipeline(warehouse))
        self.requests = Histogram(
            "convo_webhook_request_seconds",
            "Duration of requests, by status.",
            ["status"],
            buckets=LATENCIES,
            registry=self.registry,
        )
        self.refreshes = Histogram(
            "convo_webhook_refresh_seconds",
            "Duration of refreshes, each of a batch of sessions.",
            buckets=LATENCIES,
            registry=self.registry,
        )
        self.sessions = Counter("convo_webhook_sessions", "Sessions refreshed for requests.", registry=self.registry)
        self.deferred = Counter(
            "convo_webhook_sessions_refused",
            "Sessions whose refresh was left to the next tick.",
            registry=self.registry,
        )

    def refreshed(self, done: AnsweredBatch) -> None:
        """Count a batch."""
        self.refreshes.observe(done.milliseconds / 1000)
        self.sessions.inc(done.sessions)
        self.deferred.inc(sum(isinstance(answer, Deferred) for answer in done.answers.values()))


def metrics_route(registry: CollectorRegistry) -> Route:
    """Return the route of an application that serves metrics at `/metrics`."""

    def show(_: Request) -> Response:
        return Response(generate_latest(_OfCell(registry)), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", show)


def serve(warehouse: Warehouse, host: str, port: int) -> None:
    """Serve the pipeline's metrics at `/metrics` until SIGTERM or SIGINT."""
    registry = CollectorRegistry()
    registry.register(_Pipeline(warehouse))
    application = Starlette(routes=[metrics_route(registry)])
    uvicorn.run(application, host=host, port=port, log_config=None, access_log=False, server_header=False)


class _OfCell(CollectorRegistry):
    """The metrics of a registry, with the cell's name as a label if there is one."""

    def __init__(self, registry: CollectorRegistry):
        super().__init__()
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, with the label."""
        cell = settings().convo_cell
        for metric in self._registry.collect():
            if cell:
                metric.samples = [s._replace(labels={**s.labels, "cell": cell}) for s in metric.samples]
            yield metric


class _Pipeline(Collector):
    def __init__(self, warehouse: Warehouse):
        self._warehouse = warehouse
        self._read_at = -float(AGE_SECONDS)
        self._pipeline: list[Metric] = []

    def describe(self) -> list[Metric]:
        """Return nothing: the database may not be reachable when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        if time.monotonic() - self._read_at >= AGE_SECONDS:
            try:
                self._pipeline = list(self._read())
            except psycopg.Error as error:
                _log.error("the pipeline's metrics could not be read: %s", error_message(error))
                self._pipeline = [GaugeMetricFamily("convo_database_up", "Whether the database is reachable.", 0)]
            self._read_at = time.monotonic()
        yield from self._pipeline

    def _read(self) -> Iterator[Metric]:
        with self._warehouse.connection() as connection:
            now = fetch_one(connection, "serving/metrics/pipeline")
            names = {source: log.name for source, log in declarations.logs().items()}
            logs = fetch(connection, "serving/metrics/logs", sources=[*names], logs=[*names.values()])
            tables = fetch(connection, "serving/metrics/tables")
            failures = fetch(connection, "serving/metrics/failures")
            alerts = fetch(connection, "serving/metrics/alerts")
            latencies = fetch(connection, "serving/metrics/latencies")
            in_force = leases.in_force(connection, [table.name for table in DERIVED_TABLES])
            disk = health.disk_of(connection)
        yield GaugeMetricFamily("convo_database_up", "Whether the database is reachable.", 1)
        yield CounterMetricFamily(
            "convo_sessions_scanned", "Session-days that ticks recomputed.", now["sessions_scanned"]
        )
        yield CounterMetricFamily(
            "convo_conversations_created", "Conversations inserted for sessions.", now["conversations_created"]
        )
        yield GaugeMetricFamily("convo_sessions", "Crews' sessions with a summary.", now["sessions"])
        yield GaugeMetricFamily("convo_conversations", "Conversations with a summary.", now["conversations"])
        yield GaugeMetricFamily(
            "convo_sessions_per_client",
            "Average number of sessions of an active client.",
            now["sessions"] / max(now["clients"], 1),
        )
        yield GaugeMetricFamily("convo_crews", "Active crews whose histories tables are read.", now["crews"])
        yield GaugeMetricFamily("convo_crews_failing", "Crews whose last tick failed.", now["failing_crews"])
        yield GaugeMetricFamily(
            "convo_crews_error_ratio",
            "Fraction of crews whose last tick failed.",
            now["failing_crews"] / max(now["crews"], 1),
        )
        yield GaugeMetricFamily(
            "convo_last_run_timestamp_seconds", "Time when a tick last read a crew; 0: never.", now["last_run"]
        )
        yield GaugeMetricFamily(
            "convo_last_run_duration_seconds", "Duration of the last tick of the slowest crew.", now["duration"]
        )
        yield _labelled("convo_log_rows", "Rows of a change log.", "log", logs, "rows")
        yield _labelled(
            "convo_changes_waiting", "Changes that no tick of the table has read.", "table", tables, "changes"
        )
        yield _labelled(
            "convo_oldest_change_seconds",
            "Seconds since the application wrote the oldest change that is not in the table yet.",
            "table",
            tables,
            "oldest",
        )
        yield _labelled(
            "convo_crew_consecutive_failures",
            "Failed runs since the last success, of crews that fail.",
            "crew",
            failures,
            "failures",
        )
        yield _labelled("convo_alerts_open", "Open alerts.", "source", alerts, "alerts")
        yield _histograms(latencies)
        yield GaugeMetricFamily(
            "convo_followed",
            "Number of tables whose lease a follower holds.",
            sum(leases.is_follower(lease["holder"]) for lease in in_force),
        )
        if disk:
            yield GaugeMetricFamily("convo_disk_free_bytes", "Free space of the database's disk.", disk.free)
            yield GaugeMetricFamily("convo_disk_size_bytes", "Size of the database's disk.", disk.total)


def _histograms(rows: list[Row]) -> Metric:
    family = HistogramMetricFamily(
        "convo_freshness_seconds",
        "Seconds from the application's commit until a change was visible in a table; upper bounds.",
        labels=["table"],
    )
    for table in dict.fromkeys(row["table"] for row in rows):
        of_bound = {row["seconds"]: row for row in rows if row["table"] == table}
        total, buckets = 0, list[tuple[str, float]]()
        for bound in (*change_log.BOUNDS, float("inf")):
            total += of_bound[bound]["changes"] if bound in of_bound else 0
            buckets.append(("+Inf" if bound == float("inf") else str(bound), total))
        family.add_metric([table], buckets, sum(row["total_seconds"] for row in of_bound.values()))
    return family


def _labelled(name: str, text: str, label: str, rows: list[Row], value: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for row in rows:
        family.add_metric([row[label]], row[value])
    return family
