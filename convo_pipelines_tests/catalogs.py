"""Writes `catalog.txt` of the newest migrations and of the baselines: `python -m convo_pipelines_tests.catalogs`."""

from collections.abc import Iterator

import psycopg
from alembic import command

from convo_pipelines.database import catalog, migrations
from convo_pipelines_tests.servers import embedded_server

ANALYTICS = sorted(
    path.name
    for path in migrations.FOLDER.iterdir()
    if path.is_dir() and path.name not in {"0028_app_baseline", "0028_app_indexes", "0028_roles_baseline"}
)
"""The migrations of analytics, except its indexes on app, in order."""
NEWEST = ANALYTICS[-1]


def up_to(url: str, migration: migrations.Migration) -> None:
    with migrations._connect(url) as connection:
        command.upgrade(migrations._config(connection, migration.line), migration.name)


def listings(url: str) -> Iterator[tuple[str, catalog.Listing]]:
    """Migrate an empty database step by step; yield each migration with the listing of all that its line has made."""
    made: dict[str, set[str]] = {line: set() for line in migrations.LINES}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create schema app; create schema analytics")
        before: catalog.Listing = {}
        for migration in migrations.status(url):
            up_to(url, migration)
            after = catalog.listing(connection)
            made[migration.line] |= {name for name in after if before.get(name) != after[name]}
            yield migration.name, {name: after[name] for name in sorted(made[migration.line] & after.keys())}
            before = after


def main() -> None:
    with embedded_server() as url:
        found = dict(listings(url))
        newest = {migration.line: migration.name for migration in migrations.status(url)}
    for name in {*newest.values(), *migrations.BASELINES.values(), "0028_app_indexes"}:
        catalog.write(migrations.FOLDER / name / "catalog.txt", found[name])


if __name__ == "__main__":
    main()
