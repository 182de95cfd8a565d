"""The webhook: whoever ends a conversation says so, and it is in all tables a moment later.

Requests that arrive while others are served wait in a queue, and are served together, as the keys of one refresh.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated, cast

import psycopg
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg.types.json import Jsonb
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from convo_pipelines.database.warehouse import Counts, Warehouse, execute
from convo_pipelines.operations import health
from convo_pipelines.serving.metrics import Metrics
from convo_pipelines.serving.sessions import Answer, Asked, Done, Missing, Refused, complete

PATH = "/webhooks/conversation-complete"
LARGEST_BODY = 64 * 1024
BODY_SECONDS = 10
CLOCK_SECONDS = 300
"""How far the sender's clock may differ from ours."""
PATIENCE_SECONDS = 2.0
PAUSE_SECONDS = 0.1
"""How long to wait for what is not there yet, and how often to look."""
MOST_WAITING, MOST_CONNECTIONS = 500, 1_000
"""More requests than that, and more connections, are turned away."""
WORKERS = 2
NOTE_SECONDS = 60
STOP_SECONDS = 30

_log = logging.getLogger(__name__)


class Problem(HTTPException):
    """An answer other than 200, as problem details (RFC 9457)."""

    def __init__(self, status: HTTPStatus, detail: str, retry_after: int | None = None):
        """Say what is wrong, and after how many seconds to try again, if that may help."""
        super().__init__(status, detail, {} if retry_after is None else {"Retry-After": str(retry_after)})


def _usable(session_id: str) -> str:
    if "\0" in session_id or len(session_id.encode()) > 2000:
        raise ValueError
    return session_id


class Completed(BaseModel):
    """The body of a request: which session of which crew is complete; what else it says does not matter."""

    model_config = ConfigDict(strict=True)

    session_id: Annotated[str, AfterValidator(_usable)]
    crew_code: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_usable)]


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return a request's signature, in hex: HMAC-SHA256 of its timestamp (seconds since 1970), a dot and its body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class _Waiting:
    asked: Asked
    answer: asyncio.Future[Answer]


class Desk:
    """Where requests wait, and are served together."""

    def __init__(self, warehouse: Warehouse, metrics: Metrics):
        """Nobody waits yet."""
        self._warehouse, self._metrics = warehouse, metrics
        self._waiting = asyncio.Queue[_Waiting]()
        self._in_hand = 0
        self._sessions = 0
        self._work = defaultdict[str, Counts](Counts)

    async def ask(self, asked: Asked) -> Answer:
        """Wait until the session has been served; for one that is missing or refused, a little longer.

        Raises:
            Problem: too many wait already.

        """
        if self._in_hand >= MOST_WAITING:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, f"{MOST_WAITING} requests wait already", retry_after=1)
        self._in_hand += 1
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while isinstance(answer := await self._served(asked), Missing | Refused) and time.monotonic() < deadline:
                await asyncio.sleep(PAUSE_SECONDS)
            return answer
        finally:
            self._in_hand -= 1

    async def _served(self, asked: Asked) -> Answer:
        waiting = _Waiting(asked, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(waiting)
        return await waiting.answer

    async def serve(self) -> None:
        """Serve what waits, for ever: all of it together."""
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                done = await run_in_threadpool(complete, self._warehouse, [waiting.asked for waiting in batch])
            except Exception:  # whoever waits must hear of it, and the next be served
                _log.exception("requests could not be served")
                answers = defaultdict[Asked, Answer](lambda: Refused("an error, which the log of the webhook names"))
            else:
                answers = done.answers
                self._count(done)
            for waiting in batch:
                if not waiting.answer.done():  # else nobody waits for it any more
                    waiting.answer.set_result(answers[waiting.asked])

    def _count(self, done: Done) -> None:
        self._metrics.refreshed(done)
        self._sessions += done.sessions
        for name, outcome in done.outcomes.items():
            self._work[name] += outcome.counts

    async def note_for_ever(self) -> None:
        """Note once a minute what was done."""
        while True:
            await asyncio.sleep(NOTE_SECONDS)
            await self.note()

    async def note(self) -> None:
        """Note what was done since the last time, for Dagster; what cannot be noted now is lost to it."""
        rows = [
            {"table_name": name, "sessions": self._sessions, **asdict(counts)} for name, counts in self._work.items()
        ]
        self._sessions = 0
        self._work.clear()
        if rows:
            with contextlib.suppress(psycopg.Error):
                await run_in_threadpool(_note, self._warehouse, rows)


def _note(warehouse: Warehouse, rows: Sequence[Mapping[str, object]]) -> None:
    with warehouse.connection() as connection:
        execute(connection, "serving/webhook/note", work=Jsonb(rows))


def application(warehouse: Warehouse, secret: str | None) -> Starlette:
    """Return the application.

    Args:
        warehouse: the database.
        secret: key of the signatures; None: whoever can reach the application is believed.

    """
    metrics = Metrics(warehouse)
    desk = Desk(warehouse, metrics)

    async def conversation_complete(request: Request) -> Response:
        started, status = time.monotonic(), HTTPStatus.INTERNAL_SERVER_ERROR.value
        try:
            body = await _body(request)
            if secret is not None:
                _authenticate(request, body, secret)
            answer = await desk.ask(_asked(request, body))
            if isinstance(answer, Missing):
                raise Problem(HTTPStatus.NOT_FOUND, answer.reason)
            if isinstance(answer, Refused):
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
            await run_in_threadpool(health.require_schema, warehouse)
            await run_in_threadpool(_ask_for_nothing, warehouse)
        except health.SchemaError as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), retry_after=5) from None
        except (psycopg.Error, SQLAlchemyError):  # whose text may hold the address
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer", retry_after=5) from None
        return JSONResponse({"status": "ok"})

    async def show_metrics(_: Request) -> Response:
        return Response(await run_in_threadpool(generate_latest, metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        tasks = [asyncio.create_task(work) for work in (*(desk.serve() for _ in range(WORKERS)), desk.note_for_ever())]
        yield
        for task in tasks:
            task.cancel()
        await desk.note()

    return Starlette(
        routes=[
            Route(PATH, conversation_complete, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/metrics", show_metrics),
        ],
        exception_handlers={HTTPException: _problem, Exception: _failure},
        lifespan=lifespan,
    )


def run(host: str, port: int, secret: str | None) -> None:
    """Listen until somebody sends SIGTERM or SIGINT; what has been accepted is finished first.

    Raises:
        SchemaError: the database lacks migrations.

    """
    warehouse = Warehouse(wait_seconds=PATIENCE_SECONDS)
    health.require_schema(warehouse)
    uvicorn.run(
        application(warehouse, secret),
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
                    raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {LARGEST_BODY} bytes")
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "the body ended early") from None
    except TimeoutError:
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {BODY_SECONDS} s") from None
    return bytes(body)


def _authenticate(request: Request, body: bytes, secret: str) -> None:
    timestamp, given = request.headers.get("x-timestamp", ""), request.headers.get("x-signature", "")
    if not hmac.compare_digest(signature(secret, timestamp, body).encode(), given.encode()):
        raise Problem(HTTPStatus.UNAUTHORIZED, "X-Signature is not the HMAC-SHA256 of X-Timestamp, a dot and the body")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > CLOCK_SECONDS:
        raise Problem(
            HTTPStatus.UNAUTHORIZED, f"X-Timestamp is not within {CLOCK_SECONDS} s of now, in seconds since 1970"
        )


def _asked(request: Request, body: bytes) -> Asked:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json")
    try:
        completed = Completed.model_validate_json(body)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, said) from None
    return Asked(completed.crew_code, completed.session_id)


def _ask_for_nothing(warehouse: Warehouse) -> None:
    with warehouse.connection() as connection:
        connection.execute("select")


def _problem(_: Request, error: Exception) -> Response:
    problem = cast("HTTPException", error)
    return _details(problem.status_code, problem.detail, problem.headers)


def _failure(_: Request, __: Exception) -> Response:
    return _details(HTTPStatus.INTERNAL_SERVER_ERROR, "an error, which the log of the webhook names")


def _details(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(problem, status, headers, media_type="application/problem+json")
