"""External assets: the application's tables, and manual decisions."""

import dagster as dg

from convo_pipelines.database.declarations import sources
from convo_pipelines.orchestration.cells import key

external_assets = [
    dg.AssetSpec(
        key(f"{source.schema}/{name}"),
        description=source.meaning,
        group_name="app" if source.schema == "app" else "participants",
        kinds={"postgres"},
        owners=["team:application" if source.schema == "app" else "team:data"],
    )
    for name, source in sources().items()
]
