"""PostgreSQL as the database of the license cloud.

Changes run at read committed: each locks the rows of its accounts first, so that the changes of
one account come one after the other and their numbers have no gap; what reaches beyond is written
under the condition that nobody moved it (`operations.change_set`). Reading takes one snapshot.
A server that could forget what it confirmed is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError

from tui_licenses.cloud import tables
from tui_licenses.cloud.database import server_name
from tui_licenses.errors import (
    NotAllowedError,
    SignInError,
    TuiLicensesError,
    UnavailableError,
    UseError,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

# 12 knows MATERIALIZED; 13 is the oldest that was looked after when this was written.
_OLDEST = 13
_ENCODING = "UTF8"

# Threads that read never wait for one that writes, and may write while they read: two pools.
_POOL_SIZE = 5
_READERS_MAXIMUM = 20
_WRITERS_MAXIMUM = 10
_POOL_SECONDS = 10

# What the driver is told where neither the URL nor its defaults say otherwise. A server that is
# gone without a word is noticed after 15 s.
_CONNECTION = {
    "connect_timeout": "10",
    "tcp_user_timeout": "15000",
    "keepalives_idle": "30",
    "fallback_application_name": "tui-licenses",
    "client_encoding": "utf8",
}

# A statement of a request takes milliseconds; one that takes a minute meets a fault.
_SESSION = """
SELECT set_config('statement_timeout', '60s', false),
       set_config('lock_timeout', '10s', false),
       set_config('idle_in_transaction_session_timeout', '60s', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('synchronous_commit', CASE current_setting('synchronous_commit')
         WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)
"""

_WITHOUT_LIMITS = text(
    "SELECT set_config('statement_timeout', '0', true),"
    " set_config('idle_in_transaction_session_timeout', '0', true)"
)

_SERVER = text(
    "SELECT current_setting('server_version_num')::int / 10000 AS version,"
    " pg_encoding_to_char(encoding) AS encoding,"
    " current_setting('fsync') AS fsync,"
    " current_setting('full_page_writes') AS full_page_writes,"
    " pg_is_in_recovery() AS is_standby"
    " FROM pg_database WHERE datname = current_database()"
)

# Any number, the same for all who open a license cloud.
_OPENING_LOCK = 7_405_122_318

_NO_SUCH_DATABASE, _NOT_ALLOWED = "3D000", "42501"
_SIGN_IN_REFUSED = frozenset({"28000", "28P01"})


def complete(url: URL) -> URL:
    """Return a URL that names host, port, user and database, as the driver would find them.

    Raises `UseError` (`database-driver-missing`).
    """
    try:
        from psycopg import pq
    except ImportError as error:
        raise UseError(
            "database-driver-missing",
            "The driver for PostgreSQL is not installed.",
            "Install it, `pip install 'tui-licenses[postgresql]'`, and libpq (Debian: libpq5).",
        ) from error
    defaults = {
        option.keyword.decode(): option.val.decode()
        for option in pq.Conninfo.get_defaults()
        if option.val
    }
    secret = (*url.normalized_query.get("password", ()), url.password)[0]
    # Where it is never shown: a URL hides its password, and not its parameters.
    url = url.difference_update_query(["password"]).set(password=secret)
    host = None if "host" in url.query else url.host or defaults.get("host")
    port = url.port or int(defaults.get("port", "5432"))
    user = url.username or defaults.get("user")
    database = url.database or defaults.get("dbname") or user
    return url.set(
        drivername="postgresql+psycopg", host=host, port=port, username=user, database=database
    )


def connect_engines(url: URL) -> tuple[Engine, Engine]:
    """Return an engine that reads and one that writes; nothing is connected yet."""
    wanted = {name: value for name, value in _CONNECTION.items() if name not in url.query}
    target = url.update_query_dict(wanted)
    return _engine(target, _READERS_MAXIMUM), _engine(target, _WRITERS_MAXIMUM)


def _engine(url: URL, most: int) -> Engine:
    engine = create_engine(
        url,
        # Statements carry full keys: their parameters must not reach a log or an error.
        hide_parameters=True,
        pool_size=_POOL_SIZE,
        max_overflow=most - _POOL_SIZE,
        pool_timeout=_POOL_SECONDS,
        # A server that was started anew meanwhile is found by the next request.
        pool_pre_ping=True,
        # There is none in the tables; to look for it is a question for each connection.
        use_native_hstore=False,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        # By itself: a transaction around it would cost two round trips more.
        connection.autocommit = True
        connection.execute(_SESSION)
        connection.autocommit = False

    return engine


def check_server(engine: Engine) -> None:
    """Refuse a server that could lose or change what it is given.

    Raises `UseError` (`database-too-old`, `database-unsuitable`, `database-unsafe`), and what
    `explain` returns where it cannot be reached.
    """
    try:
        with engine.connect() as connection:
            server = connection.execute(_SERVER).one()
    except DBAPIError as error:
        raise explain(error, engine.url) from error
    if server.version < _OLDEST:
        raise UseError(
            "database-too-old",
            f"The PostgreSQL server has version {server.version}.",
            f"Use PostgreSQL {_OLDEST} or newer.",
        )
    if server.encoding != _ENCODING:
        raise UseError(
            "database-unsuitable",
            f"The database {server_name(engine.url)} keeps text as {server.encoding}.",
            f"Create one with the encoding {_ENCODING}: `createdb --encoding={_ENCODING} "
            "--template=template0 NAME`.",
        )
    for name in ("fsync", "full_page_writes"):
        if getattr(server, name) != "on":
            raise UseError(
                "database-unsafe",
                f"The PostgreSQL server runs with {name} off: a power cut would destroy it.",
                f"Set {name} = on in postgresql.conf and reload the server.",
            )
    if server.is_standby:
        raise UseError(
            "database-unsuitable",
            f"The server of {server_name(engine.url)} is a standby, which only reads.",
            "Give the primary server, or several hosts with target_session_attrs=read-write.",
        )


def lock_accounts(connection: Connection, accounts: Collection[str] | None) -> None:
    """Hold other changes of these accounts off until the transaction ends; None: of all."""
    if accounts is None:
        # Commands are few and may take long. EXCLUSIVE waits for whoever locked a row.
        lift_limits(connection)
        connection.exec_driver_sql("LOCK TABLE account IN EXCLUSIVE MODE")
    elif accounts:
        account = tables.account
        connection.execute(
            select(account.c.id)
            .where(account.c.id.in_(sorted(accounts)))
            # In one order, so that two changes never wait for each other.
            .order_by(account.c.id)
            .with_for_update(key_share=True)
        )


def lift_limits(connection: Connection) -> None:
    """Let a transaction take its time: one that reads or writes everything."""
    connection.execute(_WITHOUT_LIMITS)


def lock_opening(connection: Connection) -> None:
    """Let one program at a time make or migrate a cloud; until the transaction ends."""
    lift_limits(connection)
    connection.execute(select(func.set_config("lock_timeout", "0", True)))
    connection.execute(select(func.pg_advisory_xact_lock(_OPENING_LOCK)))


def explain(error: DBAPIError, url: URL) -> TuiLicensesError:
    """Return what a failure of the server means to whoever runs a command.

    The server's own words are left out: they may be in any language, and quote a statement.
    """
    name, state = server_name(url), getattr(error.orig, "sqlstate", None)
    refused = getattr(error.orig, "pgconn", None)
    message = str(error.orig)
    if state == _NO_SUCH_DATABASE or f'database "{url.database}" does not exist' in message:
        return UseError(
            "database-missing",
            f"There is no database {name}.",
            f"Create it: `createdb --encoding={_ENCODING} {url.database}`.",
        )
    if state in _SIGN_IN_REFUSED or _is_sign_in_refused(refused, message):
        return SignInError(
            "database-sign-in-refused",
            f"The PostgreSQL server does not let {url.username} into {name}.",
            "Check the user, and the password in the file ~/.pgpass or in the URL "
            "in TUI_LICENSES_DATABASE_URL.",
        )
    if state == _NOT_ALLOWED:
        return NotAllowedError(
            "database-not-allowed",
            f"The user {url.username} may not do this in {name}.",
            f"Make it the owner: `ALTER DATABASE {url.database} OWNER TO {url.username}`.",
        )
    return UnavailableError(
        "database-unavailable",
        f"The PostgreSQL server of {name} cannot be used at the moment.",
        "Check that it runs, is reached from here, lets this user in and has connections left; "
        "then try again.",
    )


def _is_sign_in_refused(refused: Any, message: str) -> bool:  # noqa: ANN401 - the driver's own type
    """Say whether a connection ended at the sign-in: such an end has no code of its own."""
    words = ("password authentication failed", "pg_hba.conf", 'role "')
    return bool(refused and refused.needs_password) or any(word in message for word in words)
