"""One run of a command: its global options, its output, and the door to the services."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import click

from tui_licenses.cli.output import Format, Output
from tui_licenses.config import Configuration, load_configuration
from tui_licenses.errors import SignInError, UnavailableError

if TYPE_CHECKING:
    from tui_licenses.secret import Secret
    from tui_licenses.wiring import Services

Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., object])


class OpenDashboard(Protocol):
    """Opens the dashboard and returns the exit status; a place is `instance/ID` or `key/ID`."""

    def __call__(
        self, context_name: str | None, place: str | None, *, mask: bool, has_colour: bool
    ) -> int: ...


@dataclass(slots=True)
class Invocation:
    """What every command gets: options, environment, output, and the way to the dashboard."""

    output: Output
    open_dashboard: OpenDashboard
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    context_name: str | None = None
    mask: bool = False

    def configuration(self) -> Configuration:
        """Return the settings and contexts of this user."""
        return load_configuration()

    def masks_keys(self) -> bool:
        """Say whether keys are shown by their last four characters only."""
        return self.mask or self.configuration().settings.mask_keys

    def now(self) -> datetime:
        """Return the present instant, UTC."""
        return datetime.now(UTC)

    def dashboard(self, place: str | None) -> int:
        """Open the dashboard with the options of this run, and return the exit status."""
        return self.open_dashboard(
            self.context_name, place, mask=self.mask, has_colour=self.output.has_colour
        )

    def run(
        self, work: Callable[[Services], Awaitable[Result]], *, asks_cloud: bool = True
    ) -> Result:
        """Run asynchronous work with the services of the chosen context, and close them.

        Before work that `asks_cloud`, changes whose outcome is not known are settled and told. On
        a terminal a sealed sign-in asks for its passphrase, and the work begins again.
        """
        from tui_licenses.cli.asking import ask_passphrase, can_ask

        try:
            return self._run(work, None, asks_cloud=asks_cloud)
        except SignInError as error:
            # Nothing was sent without an access token.
            if error.code != "passphrase-needed" or not can_ask():
                raise
        return self._run(work, ask_passphrase(), asks_cloud=asks_cloud)

    def _run(
        self,
        work: Callable[[Services], Awaitable[Result]],
        passphrase: Secret | None,
        *,
        asks_cloud: bool,
    ) -> Result:
        import asyncio

        from tui_licenses.wiring import open_services

        services = open_services(self.configuration(), self.context_name, self.environment)
        services.tell_with(self.output.note)

        async def with_services() -> Result:
            try:
                if passphrase is not None:
                    await services.unlock(passphrase)
                if asks_cloud:
                    await self._settle(services)
                return await work(services)
            finally:
                warning = services.clock_warning()
                if warning is not None:
                    self.output.warn(warning)
                services.sweep_leftovers()
                await services.aclose()

        try:
            return asyncio.run(with_services())
        except KeyboardInterrupt:
            if services.has_open_changes():
                from tui_licenses.wiring import OPEN_CHANGE

                self.output.note(OPEN_CHANGE)
            raise

    async def _settle(self, services: Services) -> None:
        try:
            for settled in await services.settle_changes():
                self.output.note(settled.sentence)
        except (SignInError, UnavailableError):
            # The work itself meets the same, and tells it.
            return


pass_invocation = click.make_pass_decorator(Invocation)


def _set_context(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Invocation).context_name = value


def _set_format(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Invocation).output.choose(Format(value))


def _set_mask(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Invocation).mask = True


def _set_colour(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Invocation).output.has_colour = False


_GLOBAL_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--no-color", is_flag=True, expose_value=False, callback=_set_colour, help="No colours."
    ),
    click.option(
        "--mask",
        is_flag=True,
        expose_value=False,
        callback=_set_mask,
        help="Show only the last four characters of keys.",
    ),
    click.option(
        "--format",
        type=click.Choice([format_.value for format_ in Format]),
        expose_value=False,
        callback=_set_format,
        help="How data is written to standard output.",
    ),
    click.option(
        "--context",
        metavar="NAME",
        expose_value=False,
        callback=_set_context,
        help="The context (cloud account) to use.",
    ),
)


def with_global_options(function: Function) -> Function:
    """Add the options that stand before or after any command."""
    for option in _GLOBAL_OPTIONS:
        function = cast(Function, option(function))
    return function


def group(parent: click.Group, name: str, text: str) -> click.Group:
    """Register a group of commands; the global options may stand after its name too."""

    def nothing() -> None:
        """Leave the work to the command that follows."""

    return parent.group(name, help=text)(with_global_options(nothing))


def command(
    group: click.Group, name: str, *, text: str | None = None
) -> Callable[[Callable[..., None]], click.Command]:
    """Register a function as a command of a group; it gets the `Invocation` first."""

    def register(function: Callable[..., None]) -> click.Command:
        wrapped = with_global_options(pass_invocation(function))
        return group.command(name, help=text)(wrapped)

    return register
