"""External assets: the application's tables, and manual decisions."""

import dagster as dg

from convo_pipelines.database.declarations import sources
from convo_pipelines.orchestration.cells import key
from convo_pipelines.orchestration.metadata import columns_of

external_assets = [
    dg.AssetSpec(
        key(f"{source.schema}/{source.relation}"),
        description=source.meaning,
        group_name="participants" if source.schema == "curation" else source.schema,
        kinds={"postgres"},
        owners=["team:data" if source.schema == "curation" else "team:application"],
        metadata={"dagster/table_name": source.table, "dagster/column_schema": columns_of(source.table)},
    )
    for source in sources().values()
]
