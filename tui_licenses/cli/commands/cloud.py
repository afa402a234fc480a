"""`cloud`: create, fill, serve and check a license cloud, and issue keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from tui_licenses.cli.asking import key_argument
from tui_licenses.cli.commands import cloud_backup, cloud_signing_keys, cloud_tokens
from tui_licenses.cli.commands.cloud_database import (
    Database,
    is_embedded,
    prepare,
    served,
    with_database,
)
from tui_licenses.cli.facts import KEY_COLUMNS
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.cli.records import key_record
from tui_licenses.domain.license_key import Feature, KeyKind, LicenseKey
from tui_licenses.domain.status import key_status
from tui_licenses.errors import Detail, DocumentError, UseError


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    cloud = group(root, "cloud", "The license cloud: without --database, the embedded one.")

    _register_setting_up(cloud)
    _register_seed(cloud)
    _register_serving(cloud)
    _register_issuing(cloud)
    _register_key_states(cloud)
    cloud_tokens.register(cloud)
    cloud_signing_keys.register(cloud)
    cloud_backup.register(cloud)


def _register_setting_up(cloud: click.Group) -> None:
    @command(cloud, "init")
    @with_database
    def initialise(invocation: Invocation, database: Database) -> None:
        """Create a database, or bring an older one up to date; the embedded one is seeded too."""
        from tui_licenses.cloud import administration

        is_new = is_embedded(database) and not Path(database).exists()
        report = administration.initialise(prepare(database))
        is_new = is_new or report.created
        did = "created" if is_new else "migrated" if report.migrated else "up to date"
        invocation.output.item(
            {
                "created": is_new,
                "migrated": report.migrated,
                "schema": report.schema_version,
            },
            [("Database", did), ("Schema", report.schema_version)],
        )

    @command(cloud, "check")
    @with_database
    @click.option(
        "--backup",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Also look for what this backup has and the database has no more.",
    )
    def check(invocation: Invocation, database: Database, backup: Path | None) -> None:
        """Check the integrity of a database and of everything it says."""
        from tui_licenses.cloud import administration

        findings = administration.check(database, backup)
        if findings:
            raise DocumentError(
                "cloud-damaged",
                f"The database has {len(findings)} faults.",
                "Each of them says what to do about it.",
                details=tuple(
                    Detail(finding.target, finding.code, f"{finding.message} {finding.next_step}")
                    for finding in findings
                ),
            )
        invocation.output.item({"findings": []}, [("Database", "no fault found")])


def _register_seed(cloud: click.Group) -> None:
    @command(cloud, "seed")
    @with_database
    @click.option(
        "--instances",
        type=click.IntRange(min=1),
        default=24,
        show_default=True,
        help="Instances of the first account.",
    )
    @click.option(
        "--keys",
        type=click.IntRange(min=1),
        default=120,
        show_default=True,
        help="Keys of the first account.",
    )
    @click.option(
        "--random-seed",
        type=int,
        default=1,
        show_default=True,
        help="Which estate; any number.",
    )
    def seed(
        invocation: Invocation, database: Database, instances: int, keys: int, random_seed: int
    ) -> None:
        """Fill a database with an estate for a lab; the same --random-seed, the same estate."""
        from tui_licenses.cloud import administration

        tokens = _seed(database, instances, keys, random_seed)
        accounts = administration.accounts(database)
        instance_count = sum(account.instance_count for account in accounts)
        key_count = sum(account.key_count for account in accounts)
        invocation.output.items(
            [cloud_tokens.new_token_record(token) for token in tokens],
            cloud_tokens.NEW_TOKEN_COLUMNS,
            accountCount=len(accounts),
            instanceCount=instance_count,
            keyCount=key_count,
        )
        invocation.output.note(
            f"{len(accounts)} accounts, {instance_count} instances, {key_count} keys. "
            "Keep the refresh tokens: they are not shown again."
        )


def _seed(
    database: Database, instances: int, keys: int, random_seed: int
) -> Sequence[cloud_tokens.SignIn]:
    from tui_licenses.cloud import administration

    if not is_embedded(database):
        return administration.seed(
            database, instances=instances, keys=keys, random_seed=random_seed
        ).tokens
    from tui_licenses.cloud.embedded import embedded_credentials, ensure_embedded

    file = Path(database)
    if not ensure_embedded(file, instances=instances, keys=keys, random_seed=random_seed):
        raise UseError(
            "database-not-empty",
            "The embedded lab cloud is filled already.",
            f"Seed another database with --database, or remove {file.parent} to start anew.",
        )
    return embedded_credentials(file)


def _register_serving(cloud: click.Group) -> None:
    @command(cloud, "serve")
    @with_database
    @click.option(
        "--host", default="127.0.0.1", show_default=True, help="The address to listen on."
    )
    @click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8443,
        show_default=True,
        help="The port; 0 takes any free one.",
    )
    @click.option("--tls-cert", type=click.Path(path_type=Path), help="Certificate chain (PEM).")
    @click.option("--tls-key", type=click.Path(path_type=Path), help="Private key (PEM).")
    def serve(
        invocation: Invocation,
        database: Database,
        host: str,
        port: int,
        tls_cert: Path | None,
        tls_key: Path | None,
    ) -> None:
        """Serve a license cloud over HTTP; beyond this host only with TLS."""
        from tui_licenses.cloud.key_files import credential
        from tui_licenses.cloud.serve import serve as serve_cloud
        from tui_licenses.secret import protect_process

        # It holds the keys that sign license files.
        protect_process()

        def tell(url: str) -> None:
            invocation.output.item({"url": url}, [("URL", url)])
            invocation.output.flush()
            invocation.output.note("Serving the license cloud; Ctrl-C stops it.")

        if tls_cert is not None and tls_key is None:
            tls_key = credential("tls-key")
        interrupted = serve_cloud(
            served(database),
            host,
            port,
            tls_cert,
            tls_key,
            on_ready=tell,
            on_warning=invocation.output.note,
        )
        if interrupted:
            raise KeyboardInterrupt


def _with_count(function: Callable[..., None]) -> Callable[..., None]:
    """Add the option that says how many keys to issue."""
    option = click.option(
        "--count",
        type=click.IntRange(1, 1000),
        default=1,
        show_default=True,
        help="How many keys.",
    )
    return option(function)


def _with_instants(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say when a key starts, expires and stops."""
    for name, otherwise in (("terminates", "never"), ("expires", "never"), ("starts", "at once")):
        option = click.option(
            f"--{name}", type=click.DateTime(), help=f"UTC; {otherwise} if left out."
        )
        function = option(function)
    return function


def _register_issuing(cloud: click.Group) -> None:
    @command(cloud, "issue")
    @with_database
    @click.option("--account", required=True, metavar="ID|NAME", help="Who gets the keys.")
    @click.option(
        "--kind",
        type=click.Choice(["master", "add-on"]),
        required=True,
        help="What they are.",
    )
    @click.option("--product", required=True, metavar="CODE", help="Product code.")
    @click.option("--product-name", help="Product name; the code if left out.")
    @click.option(
        "--feature", "features", multiple=True, metavar="CODE[=QUANTITY]", help="Once per feature."
    )
    @_with_count
    @_with_instants
    @click.option("--order", "order_reference", help="Order reference.")
    def issue(
        invocation: Invocation,
        database: Database,
        account: str,
        kind: str,
        product: str,
        product_name: str | None,
        features: tuple[str, ...],
        count: int,
        order_reference: str | None,
        **instants: datetime | None,
    ) -> None:
        """Issue new license keys to an account."""
        from tui_licenses.cloud import administration

        keys = administration.issue(
            prepare(database),
            account,
            kind=KeyKind.MASTER if kind == "master" else KeyKind.ADD_ON,
            product_code=product,
            product_name=product_name,
            features=tuple(_feature(text) for text in features),
            count=count,
            starts_at=_utc(instants["starts"]),
            expires_at=_utc(instants["expires"]),
            terminates_at=_utc(instants["terminates"]),
            order_reference=order_reference,
        )
        _show(invocation, keys)


def _register_key_states(cloud: click.Group) -> None:
    def add(name: str, what: str, change: str) -> None:
        @command(cloud, name, text=what)
        @with_database
        @click.argument("key", metavar="ID|KEY", callback=key_argument)
        @click.option("--reason", required=True, help="Why; it goes into the audit trail.")
        def change_state(invocation: Invocation, database: Database, key: str, reason: str) -> None:
            from tui_licenses.cloud import administration

            changes: dict[str, Callable[[Database, str, str], LicenseKey]] = {
                "suspend": administration.suspend_key,
                "reinstate": administration.reinstate_key,
                "revoke": administration.revoke_key,
            }
            _show(invocation, (changes[change](prepare(database), key, reason),))

    add("suspend", "Suspend a key: it stays assigned and leaves the license file.", "suspend")
    add("reinstate", "Reinstate a suspended key.", "reinstate")
    add("revoke", "Revoke a key for good.", "revoke")


def _show(invocation: Invocation, keys: tuple[LicenseKey, ...]) -> None:
    mask = invocation.masks_keys()
    now = invocation.now()
    invocation.output.items(
        [key_record(key, key_status(key, now).value, mask=mask) for key in keys], KEY_COLUMNS
    )


def _feature(text: str) -> Feature:
    code, separator, quantity = text.partition("=")
    if not code or (separator and not quantity.isdecimal()):
        raise UseError(
            "invalid-request",
            "A feature is given as CODE or CODE=QUANTITY.",
            "For example: --feature devices=250",
        )
    return Feature(code, code, int(quantity) if quantity else None)


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.replace(tzinfo=UTC)
