"""How a run fails: the message first, and a retry only if the error passes by itself."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg
import psycopg

from convo_pipelines.database.execution import error_message
from convo_pipelines.database.transactions import PASSING_ERRORS
from convo_pipelines.errors import ConvoPipelinesError

RETRIES = 2
RETRY_SECONDS = 1


@contextmanager
def plain_failures(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> Generator[None]:
    """Turn errors of ours and of PostgreSQL into failures that begin with their message, without details of rows.

    A step is retried after an error of concurrent transactions, or of the connection. It is not after any other, nor
    after a cancellation, which a retry policy would take for a reason to try again.

    Raises:
        dagster.RetryRequested: the error passes by itself, and this was not the last attempt.
        dagster.Failure: any other.

    """
    try:
        yield
    except (ConvoPipelinesError, psycopg.Error) as error:
        name = "" if isinstance(error, ConvoPipelinesError) else f"{type(error).__name__}: "
        failure = dg.Failure(f"{name}{error_message(error)}")
        if _passes(error) and context.retry_number < RETRIES:
            raise dg.RetryRequested(RETRIES, RETRY_SECONDS) from failure
        raise failure from None


def _passes(error: Exception) -> bool:
    return isinstance(error, (*PASSING_ERRORS, psycopg.OperationalError)) and not isinstance(
        error, psycopg.errors.QueryCanceled
    )
