"""From a request to an answer, in the order the contract demands.

Sign-in, plan, parameters, Idempotency-Key, role; only then does the resource look at anything.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from tui_licenses.api.problems import PROBLEM_CODES, Problem
from tui_licenses.cloud import tables
from tui_licenses.cloud.conflicts import RowMovedError, repeated
from tui_licenses.cloud.http.call import CHALLENGE, Call, Caller, check_parameters, invalid
from tui_licenses.cloud.http.reply import Reply, compressed, problem_reply
from tui_licenses.cloud.http.resource import Access, Change, Cloud, Resource
from tui_licenses.cloud.instants import MICROSECONDS_PER_SECOND
from tui_licenses.cloud.operations.tokens import hash_access_token
from tui_licenses.cloud.rows import contact, tab_refusal
from tui_licenses.cloud.store import NOT_USABLE
from tui_licenses.domain.account import Role, has_licenses_tab
from tui_licenses.errors import TuiLicensesError

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

_log = logging.getLogger(__name__)

_IDEMPOTENCY_KEPT = 7 * 24 * 3600 * MICROSECONDS_PER_SECOND
_IDEMPOTENCY_KEY_LENGTH = 128
_ROLES = (Role.READER, Role.OPERATOR, Role.ADMINISTRATOR)


class Pipeline:
    """Answers calls; `answer` blocks and runs in a worker thread."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._in_progress: set[tuple[str, str]] = set()

    def refusal(self, resource: Resource, call: Call) -> Reply | None:
        """Return the answer to whom this resource is closed, None to others; reads no body."""
        try:
            self._admit(resource, call)
        except Problem as problem:
            return problem_reply(problem, call.request_id)
        except (SQLAlchemyError, TuiLicensesError):
            # The answer itself will meet the same, and tell of it.
            return None
        return None

    def answer(self, resource: Resource, call: Call) -> Reply:
        """Return the answer; every refusal and every failure is a problem document."""
        try:
            return compressed(call, repeated(lambda: self._answer(resource, call)))
        except Problem as problem:
            return problem_reply(problem, call.request_id)
        except NOT_USABLE as error:
            # The kind only: a database that is away for a minute must not fill the log.
            kind = type(getattr(error, "orig", error)).__name__
            _log.error("database not usable (%s), request %s", kind, call.request_id)
            return problem_reply(
                Problem(
                    "unavailable",
                    "The database of the license cloud cannot be used at the moment.",
                    headers={"Retry-After": "5"},
                ),
                call.request_id,
            )
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets a problem document
            _log.exception("request %s failed", call.request_id)
            return problem_reply(
                Problem("internal", "The license cloud failed to answer this request."),
                call.request_id,
            )

    def _answer(self, resource: Resource, call: Call) -> Reply:
        call = self._admit(resource, call)
        check_parameters(call, resource.parameters)
        if resource.change is not None:
            return self._answer_change(resource, resource.change, call)
        if resource.access is not Access.OPEN:
            check_role(call.signed_in, resource.role)
        if resource.read is None:
            raise Problem("method-not-allowed", "Nothing answers here.")
        with as_problems():
            return resource.read(self._cloud, call)

    def _admit(self, resource: Resource, call: Call) -> Call:
        """Return the call with who calls, if a sign-in is needed; raises `Problem`."""
        if resource.access is not Access.OPEN:
            call = replace(call, caller=authenticate(self._cloud.store, call))
        if resource.access is Access.LICENSES:
            check_plan(call.signed_in)
        return call

    def _answer_change(self, resource: Resource, change: Change, call: Call) -> Reply:
        key = _idempotency_key(call)
        request_hash = _request_hash(call)
        account_id = call.signed_in.account_id
        with self._working_on(account_id, key):
            try:
                with self._cloud.store.write({account_id}) as connection:
                    known = _recall(connection, call, key, request_hash)
                    if known is not None:
                        return known
                    # Once more: the sign-in may have been revoked while this waited its turn.
                    check_role(find_caller(connection, call), resource.role)
                    with as_problems():
                        reply = change(self._cloud, call, connection)
                    _remember(connection, call, key, request_hash, reply)
                    return reply
            except RowMovedError:
                raise
            except Problem as problem:
                if problem.problem_code.code not in _NOT_REMEMBERED:
                    reply = problem_reply(problem, call.request_id)
                    with self._cloud.store.write({account_id}) as connection:
                        _remember(connection, call, key, request_hash, reply)
                raise

    @contextmanager
    def _working_on(self, account_id: str, key: str) -> Iterator[None]:
        """Refuse a repeat while the first request with the same key is being worked on."""
        work = (account_id, key)
        with self._lock:
            if work in self._in_progress:
                raise Problem(
                    "request-in-progress",
                    "A request with this Idempotency-Key is being worked on.",
                    headers={"Retry-After": "1"},
                )
            self._in_progress.add(work)
        try:
            yield
        finally:
            with self._lock:
                self._in_progress.discard(work)


# Refusals that say nothing about the request itself: the same request may succeed later.
_NOT_REMEMBERED = frozenset(
    {
        "idempotency-key-reused",
        "role-insufficient",
        "rate-limited",
        "unavailable",
        "token-invalid",
        "token-expired",
    }
)


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn the errors of domain and documents into the problems of the contract."""
    try:
        yield
    except TuiLicensesError as error:
        if error.code not in PROBLEM_CODES:
            raise
        raise Problem(error.code, error.message, errors=error.details) from error


# Made once: to put a statement together takes as long as to run it.
_CALLER_BY_TOKEN = (
    select(
        tables.access_token.c.expires_at,
        tables.subject.c.revoked_at,
        tables.subject.c.id,
        tables.subject.c.account_id,
        tables.subject.c.display_name,
        tables.subject.c.email,
        tables.subject.c.role,
        tables.account.c.plan,
        tables.account.c.support_contact,
    )
    .join_from(
        tables.access_token,
        tables.subject,
        tables.subject.c.id == tables.access_token.c.subject_id,
    )
    .join(tables.account, tables.account.c.id == tables.subject.c.account_id)
    .where(tables.access_token.c.token_hash == bindparam("token_hash"))
)


def authenticate(store: Store, call: Call) -> Caller:
    """Return whom the access token belongs to.

    Raises `Problem` (`token-missing`, `token-invalid`, `token-expired`).
    """
    with store.read() as connection:
        return find_caller(connection, call)


def find_caller(connection: Connection, call: Call) -> Caller:
    """Do what `authenticate` does, within a transaction."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem("token-missing", "This needs an access token.", headers=CHALLENGE)
    sent = {"token_hash": hash_access_token(token.strip())}
    row = connection.execute(_CALLER_BY_TOKEN, sent).one_or_none()
    if row is None or row.revoked_at is not None:
        raise Problem("token-invalid", "The access token is not known.", headers=CHALLENGE)
    if row.expires_at <= call.now_instant:
        raise Problem("token-expired", "The access token has expired.", headers=CHALLENGE)
    return Caller(
        row.id,
        row.account_id,
        row.display_name,
        row.email,
        Role(row.role),
        row.plan,
        row.support_contact,
    )


def check_plan(caller: Caller) -> None:
    """Refuse an account without the Licenses tab, whatever it asks for."""
    if not has_licenses_tab(caller.plan):
        raise Problem(
            "plan-not-eligible",
            tab_refusal(caller.plan),
            members={"plan": caller.plan, "supportContact": contact(caller.support_contact)},
        )


def check_role(caller: Caller, needed: Role) -> None:
    """Refuse a role below the needed one."""
    if _ROLES.index(caller.role) < _ROLES.index(needed):
        raise Problem(
            "role-insufficient", f"This needs the role {needed}; this sign-in is a {caller.role}."
        )


def _idempotency_key(call: Call) -> str:
    key = call.headers.get("idempotency-key", "")
    if not key:
        raise Problem(
            "idempotency-key-missing", "A request that changes something needs an Idempotency-Key."
        )
    if len(key) > _IDEMPOTENCY_KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise invalid(
            "Idempotency-Key",
            f"An Idempotency-Key has 1 to {_IDEMPOTENCY_KEY_LENGTH} printable ASCII characters.",
        )
    return key


def _request_hash(call: Call) -> str:
    digest = hashlib.sha256()
    for part in (call.method.encode(), call.path.encode(), call.body):
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()


_KNOWN_ANSWER = select(tables.idempotency).where(
    tables.idempotency.c.account_id == bindparam("account_id"),
    tables.idempotency.c.idempotency_key == bindparam("idempotency_key"),
    tables.idempotency.c.created_at >= bindparam("since"),
)
_FORGET_ANSWERS = delete(tables.idempotency).where(
    tables.idempotency.c.created_at < bindparam("since")
)


def _recall(connection: Connection, call: Call, key: str, request_hash: str) -> Reply | None:
    """Return the answer this Idempotency-Key was given before, or None."""
    since = call.now_instant - _IDEMPOTENCY_KEPT
    known = {"account_id": call.signed_in.account_id, "idempotency_key": key, "since": since}
    row = connection.execute(_KNOWN_ANSWER, known).one_or_none()
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise Problem(
            "idempotency-key-reused",
            "This Idempotency-Key was used for another request in the last seven days.",
        )
    return Reply(row.status, row.body, msgspec.json.decode(row.headers, type=dict[str, str]))


def _remember(
    connection: Connection, call: Call, key: str, request_hash: str, reply: Reply
) -> None:
    """Keep the answer for its repeats, and forget those older than seven days.

    Raises `RowMovedError` where another server of the same cloud has just answered the request.
    """
    connection.execute(_FORGET_ANSWERS, {"since": call.now_instant - _IDEMPOTENCY_KEPT})
    answered = {
        "account_id": call.signed_in.account_id,
        "idempotency_key": key,
        "request_hash": request_hash,
        "status": reply.status,
        "headers": msgspec.json.encode(dict(reply.headers)).decode(),
        "body": reply.body,
        "created_at": call.now_instant,
    }
    try:
        connection.execute(insert(tables.idempotency), answered)
    except IntegrityError as error:
        raise RowMovedError from error
