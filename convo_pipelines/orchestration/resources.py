"""The resource that assets, jobs, schedules and sensors take: the database."""

from collections.abc import Generator
from contextlib import closing, contextmanager

import dagster as dg
from pydantic import Field

from convo_pipelines.database.warehouse import Warehouse


class WarehouseResource(dg.ConfigurableResource[Warehouse]):
    """The database with `app` and `analytics`; its connections are closed when the run or evaluation ends."""

    url: str | None = Field(default=None, description="A postgresql:// URL; default: that of CONVO_DATABASE_URL.")
    wait_seconds: float = Field(default=30, description="How long to wait for a free connection.")

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Warehouse]:  # noqa: ARG002
        """Lend the database."""
        with closing(Warehouse(self.url, self.wait_seconds)) as warehouse:
            yield warehouse
