"""The license cloud as an ASGI application.

Starlette finds the path; bodies are read here, bounded; a worker thread does the rest, because
SQLite blocks.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import BASE_PATH
from tui_licenses.cloud.http.call import Call, request_id_for
from tui_licenses.cloud.http.pipeline import Pipeline
from tui_licenses.cloud.http.reply import Reply, problem_reply
from tui_licenses.cloud.http.resource import Cloud, Resource, Throttles
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.resources.every import RESOURCES

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

_access_log = logging.getLogger("tui_licenses.cloud.access")

_Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(store: Store, *, throttles: Throttles | None = None) -> Starlette:
    """Return the application that serves one store; `throttles` replaces the usual limits."""
    pipeline = Pipeline(Cloud(store, throttles or Throttles()))
    by_path: dict[str, dict[str, Resource]] = {}
    for resource in RESOURCES:
        by_path.setdefault(resource.path, {})[resource.method] = resource
    routes = [
        Route(BASE_PATH + path, _endpoint(pipeline, store, methods), methods=[*methods], name=path)
        for path, methods in by_path.items()
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refuse_unrouted})


def _endpoint(pipeline: Pipeline, store: Store, methods: dict[str, Resource]) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        # Every GET answers HEAD too; the server leaves the body out.
        resource = methods["GET" if request.method == "HEAD" else request.method]
        request_id = request_id_for(request.headers.get("x-request-id"))
        try:
            body = await _read_body(request, resource.body_bytes)
        except Problem as problem:
            return _response(request, problem_reply(problem, request_id), request_id)
        now = store.clock()
        call = Call(
            request.method,
            request.url.path,
            request.path_params,
            tuple(request.query_params.multi_items()),
            dict(request.headers),
            body,
            "" if request.client is None else request.client.host,
            request_id,
            now,
            to_instant(now),
        )
        reply = await run_in_threadpool(pipeline.answer, resource, call)
        return _response(request, reply, request_id)

    return endpoint


async def _read_body(request: Request, most_bytes: int) -> bytes:
    """Read a body of at most `most_bytes`; what says it is longer is not read at all."""
    too_large = Problem("profile-too-large", f"The body may have at most {most_bytes} bytes here.")
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared[:15]) > most_bytes:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most_bytes:
                raise too_large
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise Problem("invalid-request", "The request ended before its body did.") from error
    return b"".join(chunks)


async def _refuse_unrouted(request: Request, error: Exception) -> Response:
    """Answer what no resource answers: an unknown path, or a method it does not have."""
    request_id = request_id_for(request.headers.get("x-request-id"))
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = dict(error.headers or {})
        problem = Problem(
            "method-not-allowed", f"{request.method} is not answered here.", headers=allowed
        )
    else:
        problem = Problem("not-found", "There is nothing at this address.")
    return _response(request, problem_reply(problem, request_id), request_id)


def _response(request: Request, reply: Reply, request_id: str) -> Response:
    route = request.scope.get("route")
    # The path as declared: ids stay out of the log, and so does every query.
    path = getattr(route, "path", "-")
    _access_log.info("%s %s %d %s", request.method, path, reply.status, request_id)
    response = Response(
        reply.body, reply.status, headers={**reply.headers, "X-Request-Id": request_id}
    )
    if reply.status == 304:
        del response.headers["content-length"]
    return response
