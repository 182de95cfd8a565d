"""Writes `sql/schema/catalog.txt`, the listing of what the definitions make: run by `make catalog`."""

import psycopg

from convo_pipelines.database import catalog
from convo_pipelines.database.migrations import upgrade
from convo_pipelines_tests.servers import embedded_server


def listing(url: str) -> catalog.Listing:
    """Create everything in an empty database, and return its listing."""
    upgrade.up(url=url)
    upgrade.up(("roles",), url=url)
    with psycopg.connect(url) as connection:
        return catalog.listing(connection)


if __name__ == "__main__":
    with embedded_server() as url:
        catalog.write(catalog.FILE, listing(url))
