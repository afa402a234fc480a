"""The license cloud as an ASGI application.

Starlette finds the path; bodies are read here, bounded; a worker thread does the rest, because
SQLite blocks.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import BASE_PATH
from tui_licenses.cloud.http.body import BodyReader
from tui_licenses.cloud.http.call import Call, request_id_for
from tui_licenses.cloud.http.limits import ConnectionLimits
from tui_licenses.cloud.http.pipeline import Pipeline
from tui_licenses.cloud.http.reply import SECURITY_HEADERS, Reply, problem_reply
from tui_licenses.cloud.http.resource import BODY_BYTES, Cloud, Resource, Throttles
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.resources.every import RESOURCES

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

_access_log = logging.getLogger("tui_licenses.cloud.access")

_Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    store: Store,
    *,
    throttles: Throttles | None = None,
    limits: ConnectionLimits | None = None,
) -> Starlette:
    """Return the application that serves one store, with other limits than the usual if given."""
    pipeline = Pipeline(Cloud(store, throttles or Throttles()))
    reader = BodyReader(limits or ConnectionLimits())
    by_path: dict[str, dict[str, Resource]] = {}
    for resource in RESOURCES:
        by_path.setdefault(resource.path, {})[resource.method] = resource
    routes = [
        Route(
            BASE_PATH + path,
            _endpoint(pipeline, store, reader, methods),
            methods=[*methods],
            name=path,
        )
        # `keys/lookup` before `keys/{id}`, or a wrong method there is told the methods of a key.
        for path, methods in sorted(by_path.items(), key=lambda entry: "{" in entry[0])
    ]

    async def refuse_unrouted(request: Request, error: Exception) -> Response:
        return await _refuse_unrouted(request, error, reader)

    return Starlette(routes=routes, exception_handlers={HTTPException: refuse_unrouted})


def _endpoint(
    pipeline: Pipeline, store: Store, reader: BodyReader, methods: dict[str, Resource]
) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        # Every GET answers HEAD too; the server leaves the body out.
        resource = methods["GET" if request.method == "HEAD" else request.method]
        now = store.clock()
        call = Call(
            request.method,
            request.scope["path"],
            # No id holds a NUL character, which PostgreSQL could not even be asked about.
            {name: "" if "\0" in text else text for name, text in request.path_params.items()},
            tuple(request.query_params.multi_items()),
            dict(request.headers),
            b"",
            "" if request.client is None else request.client.host,
            request_id_for(request.headers.get("x-request-id")),
            now,
            to_instant(now),
        )
        try:
            refusal = None
            if resource.body_bytes > BODY_BYTES:
                # Nobody who is not signed in makes this process hold more than 64 KiB.
                refusal = await run_in_threadpool(pipeline.refusal, resource, call)
            if refusal is not None:
                await reader.discard(request, resource.body_bytes)
                return _response(request, refusal, call.request_id)
            body = await reader.read(request, resource.body_bytes)
        except Problem as problem:
            return _response(request, problem_reply(problem, call.request_id), call.request_id)
        reply = await run_in_threadpool(pipeline.answer, resource, replace(call, body=body))
        return _response(request, reply, call.request_id)

    return endpoint


async def _refuse_unrouted(request: Request, error: Exception, reader: BodyReader) -> Response:
    """Answer what no resource answers: an unknown path, or a method it does not have."""
    request_id = request_id_for(request.headers.get("x-request-id"))
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = dict(error.headers or {})
        problem = Problem(
            "method-not-allowed", f"{request.method} is not answered here.", headers=allowed
        )
    else:
        problem = Problem("not-found", "There is nothing at this address.")
    try:
        await reader.discard(request, BODY_BYTES)
    except Problem as refused:
        problem = refused
    return _response(request, problem_reply(problem, request_id), request_id)


def _response(request: Request, reply: Reply, request_id: str) -> Response:
    route = request.scope.get("route")
    # The path as declared: ids stay out of the log, and so does every query.
    path = getattr(route, "path", "-")
    _access_log.info("%s %s %d %s", request.method, path, reply.status, request_id)
    headers = {**SECURITY_HEADERS, **reply.headers, "X-Request-Id": request_id}
    response = Response(reply.body, reply.status, headers=headers)
    if reply.status == 304:
        del response.headers["content-length"]
    return response
