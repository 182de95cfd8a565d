"""All asset checks, and their specifications by the names that alerts give them."""

from convo_pipelines.orchestration.cells import name_of
from convo_pipelines.orchestration.checks.completeness import every_message_is_counted
from convo_pipelines.orchestration.checks.duplicates import duplicate_checks
from convo_pipelines.orchestration.checks.health import discovery_is_healthy, odd_row_checks
from convo_pipelines.orchestration.checks.lifecycle import lifecycle_checks
from convo_pipelines.orchestration.checks.orphans import orphan_checks
from convo_pipelines.orchestration.checks.tables import table_checks
from convo_pipelines.orchestration.lake import lake_checks

every_check = [
    *duplicate_checks,
    *orphan_checks,
    every_message_is_counted,
    discovery_is_healthy,
    *odd_row_checks,
    *table_checks,
    *lifecycle_checks,
    *lake_checks,
]
specs = {f"{spec.name} of {name_of(spec.asset_key)}": spec for check in every_check for spec in check.check_specs}
