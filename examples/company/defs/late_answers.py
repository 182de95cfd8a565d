"""An asset of the company, which reads a table of its own."""

import dagster as dg

from convo_pipelines import Warehouse

QUERY = "select count(*) as late from analytics.reply_sla where answered_at is not null and not is_in_time"


@dg.asset(deps=["reply_sla"], group_name="company")
def late_answers() -> dg.MaterializeResult[None]:
    """How many first questions were answered too late."""
    with Warehouse().connection() as connection:
        [row] = connection.execute(QUERY).fetchall()
    return dg.MaterializeResult(metadata=row)
