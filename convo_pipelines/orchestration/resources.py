"""The resource that assets, jobs, schedules and sensors take: the database."""

from collections.abc import Generator
from contextlib import closing, contextmanager

import dagster as dg
from pydantic import Field

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.settings import settings


@contextmanager
def reader(warehouse: Warehouse) -> Generator[Warehouse]:
    """Lend the standby that READ_DATABASE_URL names; without one, the database itself."""
    url = settings().read_database_url
    if not url:
        yield warehouse
        return
    with closing(Warehouse(url)) as standby:
        yield standby


class WarehouseResource(dg.ConfigurableResource[Warehouse]):
    """The database with `app` and `analytics`; its connections are closed when the run or evaluation ends."""

    url: str | None = Field(default=None, description="A postgresql:// URL; default: that of CONVO_DATABASE_URL.")
    wait_seconds: float = Field(default=30, description="How long to wait for a free connection.")

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Warehouse]:  # noqa: ARG002
        """Lend the database."""
        with closing(Warehouse(self.url, self.wait_seconds)) as warehouse:
            yield warehouse
