"""The webhook: a request that a conversation is complete is answered once it is in all tables.

Requests that arrive during a refresh are queued and served as one batch, by one refresh of all their sessions.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import signal
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, cast

import psycopg
import uvicorn
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.operations import schema
from convo_pipelines.serving.follow import Follower
from convo_pipelines.serving.metrics import Metrics, metrics_route
from convo_pipelines.serving.record import RECORD_SECONDS, Record
from convo_pipelines.serving.sessions import Answer, AnsweredBatch, Deferred, Missing, Refused, SessionKey, complete

PATH = "/webhooks/conversation-complete"
LARGEST_BODY = 64 * 1024
LARGEST_ID = 2_000
BODY_SECONDS = 10
CLOCK_SECONDS = 300
"""Maximum difference between the sender's clock and the server's."""
RETRY_SECONDS = 2.0
PAUSE_SECONDS = 0.1
"""How long to retry for a session that does not exist yet or is locked, and how often."""
MOST_PENDING, MOST_CONNECTIONS = 500, 1_000
"""Requests and connections beyond these numbers are rejected."""
WORKERS = 2
STOP_SECONDS = 30
INTERNAL_ERROR = "internal error; see the webhook's log"

_log = logging.getLogger(__name__)


class Problem(HTTPException):
    """A response other than 200, as problem details (RFC 9457)."""

    def __init__(self, status: HTTPStatus, detail: str, retry_after: int | None = None):
        """Set the detail, and the seconds after which to retry if that may succeed."""
        super().__init__(status, detail, {} if retry_after is None else {"Retry-After": str(retry_after)})


def _usable(session_id: str) -> str:
    if "\0" in session_id:
        raise ValueError("it has a NUL character, which PostgreSQL cannot store")
    if (size := len(session_id.encode())) > LARGEST_ID:
        raise ValueError(f"it has {size:,} bytes, and {LARGEST_ID:,} at most are read")
    return session_id


class Completed(BaseModel):
    """The body of a request: the session that is complete, and its crew; other fields are ignored."""

    model_config = ConfigDict(strict=True)

    session_id: Annotated[str, AfterValidator(_usable)]
    crew_code: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_usable)]


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a request: HMAC-SHA256, in hex, of its timestamp (Unix seconds), a dot and its body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class _Pending:
    session: SessionKey
    answer: asyncio.Future[Answer]


class RequestBatcher:
    """Queues requests, and serves all that are queued by one refresh."""

    def __init__(self, warehouse: Warehouse, metrics: Metrics, record: Record):
        """Start with an empty queue."""
        self._warehouse, self._metrics = warehouse, metrics
        self._queue = asyncio.Queue[_Pending]()
        self._pending = 0
        self._record = record

    async def submit(self, session: SessionKey) -> Answer:
        """Return the answer for a session; one that is missing or deferred is retried for RETRY_SECONDS.

        Raises:
            Problem: too many requests are pending.

        """
        if self._pending >= MOST_PENDING:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, f"{MOST_PENDING} requests are pending", retry_after=1)
        self._pending += 1
        deadline = time.monotonic() + RETRY_SECONDS
        try:
            while (
                isinstance(answer := await self._next_batch(session), Missing | Deferred)
                and time.monotonic() < deadline
            ):
                await asyncio.sleep(PAUSE_SECONDS)
            return answer
        finally:
            self._pending -= 1

    async def _next_batch(self, session: SessionKey) -> Answer:
        pending = _Pending(session, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(pending)
        return await pending.answer

    async def serve(self) -> None:
        """Serve batches until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                done = await run_in_threadpool(complete, self._warehouse, [pending.session for pending in batch])
            except Exception:  # answer these requests, and serve the next batch
                _log.exception("a batch of requests failed")
                answers = defaultdict[SessionKey, Answer](lambda: Deferred(INTERNAL_ERROR))
            else:
                answers = done.answers
                self._count(done)
            for pending in batch:
                if not pending.answer.done():  # it is if the client has disconnected
                    pending.answer.set_result(answers[pending.session])

    def _count(self, done: AnsweredBatch) -> None:
        self._metrics.refreshed(done)
        self._record.add(done.outcomes, done.sessions)


def application(warehouse: Warehouse, secret: str | None, *, follows: bool = False) -> Starlette:
    """Return the application.

    Args:
        warehouse: the database.
        secret: key of the signatures; None: requests are accepted without a signature.
        follows: whether to follow the application's changes, too.

    """
    metrics, record = Metrics(warehouse), Record(warehouse)
    batcher = RequestBatcher(warehouse, metrics, record)

    async def conversation_complete(request: Request) -> Response:
        started, status = time.monotonic(), HTTPStatus.INTERNAL_SERVER_ERROR.value
        try:
            body = await _body(request)
            if secret is not None:
                _authenticate(request, body, secret)
            answer = await batcher.submit(_session(request, body))
            if isinstance(answer, Missing):
                raise Problem(HTTPStatus.NOT_FOUND, answer.reason)
            if isinstance(answer, Refused):
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, answer.reason)
            if isinstance(answer, Deferred):
                raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, answer.reason, retry_after=5)
            status = HTTPStatus.OK.value
            return Response(json.dumps(answer, default=str), media_type="application/json")
        except HTTPException as problem:
            status = problem.status_code
            raise
        finally:
            metrics.requests.labels(str(status)).observe(time.monotonic() - started)

    async def healthz(_: Request) -> Response:
        try:
            await run_in_threadpool(schema.require, warehouse)
            await run_in_threadpool(_ping, warehouse)
        except schema.SchemaError as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), retry_after=5) from None
        except (psycopg.Error, SQLAlchemyError):  # its message may contain the database's address
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the database is not reachable", retry_after=5) from None
        return JSONResponse({"status": "ok"})

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        follower = Follower(Warehouse(warehouse.url), record) if follows else None  # with connections of its own
        works = [batcher.serve() for _ in range(WORKERS)]
        tasks = [asyncio.create_task(work) for work in (*works, _write_periodically(record))]
        following = asyncio.create_task(_follow(follower)) if follower else None
        yield
        for task in tasks:
            task.cancel()
        if follower and following:
            follower.stop()
            await following
        await run_in_threadpool(record.write)

    return Starlette(
        routes=[
            Route(PATH, conversation_complete, methods=["POST"]),
            Route("/healthz", healthz),
            metrics_route(metrics.registry),
        ],
        exception_handlers={HTTPException: _problem, Exception: _failure},
        lifespan=lifespan,
    )


async def _follow(follower: Follower) -> None:
    """Follow until stopped; a failure ends the process, which is to be started again."""
    try:
        await run_in_threadpool(follower.run)
    except Exception:
        _log.exception("the follower failed")
        signal.raise_signal(signal.SIGTERM)


async def _write_periodically(record: Record) -> None:
    while True:
        await asyncio.sleep(RECORD_SECONDS)
        await run_in_threadpool(record.write)


def run(host: str, port: int, secret: str | None, *, follows: bool = False) -> None:
    """Serve, and follow, until SIGTERM or SIGINT; accepted requests are finished first.

    Raises:
        SchemaError: the database lacks migrations.

    """
    warehouse = Warehouse(wait_seconds=RETRY_SECONDS)
    schema.require(warehouse)
    uvicorn.run(
        application(warehouse, secret, follows=follows),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_BODY:
                    raise Problem(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request body is larger than {LARGEST_BODY} bytes"
                    )
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "the request body is incomplete") from None
    except TimeoutError:
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT, f"timed out after {BODY_SECONDS} s reading the request body"
        ) from None
    return bytes(body)


def _authenticate(request: Request, body: bytes, secret: str) -> None:
    timestamp, given = request.headers.get("x-timestamp", ""), request.headers.get("x-signature", "")
    if not hmac.compare_digest(signature(secret, timestamp, body).encode(), given.encode()):
        raise Problem(HTTPStatus.UNAUTHORIZED, "X-Signature is not the HMAC-SHA256 of X-Timestamp, a dot and the body")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > CLOCK_SECONDS:
        raise Problem(HTTPStatus.UNAUTHORIZED, f"X-Timestamp is not within {CLOCK_SECONDS} s of now, in Unix seconds")


def _session(request: Request, body: bytes) -> SessionKey:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json")
    try:
        completed = Completed.model_validate_json(body)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, problems) from None
    return SessionKey(completed.crew_code, completed.session_id)


def _ping(warehouse: Warehouse) -> None:
    with warehouse.connection() as connection:
        connection.execute("select")


def _problem(_: Request, error: Exception) -> Response:
    problem = cast("HTTPException", error)
    return _details(problem.status_code, problem.detail, problem.headers)


def _failure(_: Request, __: Exception) -> Response:
    return _details(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR)


def _details(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(problem, status, headers, media_type="application/problem+json")
