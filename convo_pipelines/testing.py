"""For tests of one's own project: whether its tables are exact."""

from convo_pipelines.database.warehouse import Warehouse


def assert_exact(table: str, seconds: float = 10, seed: int | None = None, warehouse: Warehouse | None = None) -> None:
    """Assert that a table of CONVO_TABLES stays what its SELECT says, whatever changes in what it reads.

    A scratch server gets the schema of the database, and some of its rows. There, rows are changed at random, with
    ticks between, and the table is compared with its SELECT after each.

    Args:
        table: its name.
        seconds: how long to try.
        seed: of the random numbers; by default another one each time.
        warehouse: the database that is copied; by default the one that CONVO_DATABASE_URL names. It is only read.

    Raises:
        AssertionError: it is not; the message has the shortest sequence of changes after which it is wrong.
        CheckError: the schema cannot be copied.
        RowsError: the table's `rows.sql` cannot be kept exact.

    """
    from convo_pipelines.authoring import proof

    found = proof.check(warehouse or Warehouse(), table, seconds, seed)
    if found.failure:
        raise AssertionError(str(found))
