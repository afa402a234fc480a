"""What stands against an activation: every key's problem, found before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import WireActivationRequest
from tui_licenses.cloud.http.call import check_text, invalid
from tui_licenses.cloud.http.resource import PROFILE_BYTES
from tui_licenses.cloud.operations.audit import Author
from tui_licenses.cloud.operations.profiles import ProfileFacts, read_profile, stored_profile
from tui_licenses.cloud.rows import AnyRow, find_instance, find_key_row, find_typed_key
from tui_licenses.domain.countries import check_country
from tui_licenses.domain.instance import InstanceState, check_name
from tui_licenses.domain.license_key import KeyKind, KeyState, normalise_key
from tui_licenses.errors import Detail, UseError

KEYS_MAXIMUM = 1000

_STATE_PROBLEMS = {
    KeyState.REVOKED: ("key-revoked", "This key is revoked."),
    KeyState.SUSPENDED: ("key-suspended", "This key is suspended."),
    KeyState.SUPERSEDED: ("key-superseded", "This key was replaced by another."),
}


@dataclass(slots=True)
class CheckedActivation:
    """The outcome of the check: what is known, what is new, and all problems.

    `new_instance` holds the columns of an instance to be made where `instance` is None.
    """

    instance: AnyRow | None = None
    instance_name: str = ""
    new_instance: dict[str, object] = field(default_factory=dict)
    known_keys: list[AnyRow] = field(default_factory=list)
    new_keys: list[AnyRow] = field(default_factory=list)
    profile: bytes | None = None
    facts: ProfileFacts | None = None
    found: list[Detail] = field(default_factory=list)

    @property
    def problems(self) -> tuple[Detail, ...]:
        """Return the problems in the order of the request's members."""
        return tuple(self.found)

    @property
    def new_master(self) -> AnyRow | None:
        """Return the master among the new keys, if any."""
        return next((row for row in self.new_keys if row.kind == KeyKind.MASTER), None)

    @property
    def all_keys(self) -> list[AnyRow]:
        """Return the keys of the request: those already active there and the new ones."""
        return [*self.known_keys, *self.new_keys]

    @property
    def changes_something(self) -> bool:
        """Say whether there is anything to write."""
        return bool(self.new_keys) or self.profile is not None

    def refuse(self, pointer: str, code: str, message: str) -> None:
        """Note a problem."""
        self.found.append(Detail(pointer, code, message))


def check_activation(
    connection: Connection, author: Author, request: WireActivationRequest
) -> CheckedActivation:
    """Check a request against the cloud.

    Raises `Problem` for a request that is malformed or names an instance that is not there;
    everything else is collected in `problems`.
    """
    if (request.instance_id is None) == (request.instance is None):
        raise invalid("/instanceId", "Exactly one of instanceId and instance must be given.")
    if not 1 <= len(request.keys) <= KEYS_MAXIMUM:
        raise invalid("/keys", f"An activation has 1 to {KEYS_MAXIMUM} keys.")
    checked = CheckedActivation()
    if request.instance is not None:
        checked.new_instance = _new_instance(request.instance)
        checked.instance_name = str(checked.new_instance["name"])
    else:
        checked.instance = _target(connection, author, str(request.instance_id))
        checked.instance_name = checked.instance.name
        if checked.instance.state == InstanceState.RETIRED:
            checked.refuse("/instanceId", "instance-retired", "This instance is retired.")
    pointers = _check_keys(connection, author, request, checked)
    _check_master(connection, author, request, checked, pointers)
    _check_profile(connection, request, checked)
    return checked


def _target(connection: Connection, author: Author, instance_id: str) -> AnyRow:
    """Return an instance of the account, or one that runs on a master key of the account.

    The second is how a partner who sold the master adds to it; to everybody else the instance
    is unknown.
    """
    row = find_instance(connection, instance_id)
    owners = set() if row is None else {row.account_id}
    master = _current_master(connection, row)
    if master is not None:
        owners.add(master.account_id)
    if row is None or author.account_id not in owners:
        raise Problem(
            "instance-not-found",
            "This account has no such instance.",
            errors=(Detail("/instanceId", "instance-not-found", "No such instance."),),
        )
    return row


def _new_instance(wanted: WireActivationRequest.NewInstance) -> dict[str, object]:
    try:
        name = check_name(wanted.name)
        country = check_country(wanted.location.country_code)
    except UseError as error:
        raise invalid("/instance", error.message) from error
    return {
        "name": name,
        "country_code": country,
        "location_label": check_text("/instance/location/label", wanted.location.label),
        "core_version": check_text("/instance/coreVersion", wanted.core_version),
    }


def _check_keys(
    connection: Connection,
    author: Author,
    request: WireActivationRequest,
    checked: CheckedActivation,
) -> dict[str, str]:
    """Look at each key by itself; return the pointer of each accepted key by its id."""
    pointers: dict[str, str] = {}
    for index, text in enumerate(request.keys):
        pointer = f"/keys/{index}"
        try:
            key = normalise_key(text)
        except UseError as error:
            checked.refuse(pointer, error.code, error.message)
            continue
        row = find_typed_key(connection, key)
        problem = key_problem(row, author, checked.instance)
        if problem is not None:
            checked.refuse(pointer, *problem)
        elif row is not None and row.id not in pointers:
            pointers[row.id] = pointer
            target = checked.known_keys if row.state == KeyState.ACTIVE else checked.new_keys
            target.append(row)
    return pointers


def key_problem(
    row: AnyRow | None, author: Author, instance: AnyRow | None
) -> tuple[str, str] | None:
    """Return code and sentence of what keeps one key from being active on an instance."""
    if row is None:
        return "key-not-found", "There is no such license key."
    if row.account_id != author.account_id:
        return "key-not-in-account", "This key belongs to another account."
    state = KeyState(row.state)
    if state in _STATE_PROBLEMS:
        return _STATE_PROBLEMS[state]
    if state is KeyState.ACTIVE:
        if instance is not None and row.instance_id == instance.id:
            return None
        return "key-already-assigned", "This key is used on another instance."
    if row.expires_at is not None and row.expires_at <= author.now:
        return "key-expired", "This key has expired."
    if row.starts_at is not None and row.starts_at > author.now:
        return "key-not-yet-valid", "This key is not valid yet."
    return None


def _check_master(
    connection: Connection,
    author: Author,
    request: WireActivationRequest,
    checked: CheckedActivation,
    pointers: dict[str, str],
) -> None:
    """Look at the keys as a set: one master, and add-ons only beside an active one of ours."""
    masters = [row for row in checked.new_keys if row.kind == KeyKind.MASTER]
    add_ons = [row for row in checked.new_keys if row.kind == KeyKind.ADD_ON]
    for row in masters[1:]:
        checked.refuse(
            pointers[row.id],
            "master-already-present",
            "An instance has one master key; the request names another before this one.",
        )
    current = _current_master(connection, checked.instance)
    in_use = current is not None and current.state != KeyState.REVOKED
    if masters and in_use and not request.replace_master:
        checked.refuse(
            pointers[masters[0].id],
            "master-already-present",
            "The instance has a master key; replacing it must be asked for.",
        )
    if masters:
        return
    for row in add_ons:
        problem = _add_on_problem(current, author)
        if problem is not None:
            checked.refuse(pointers[row.id], *problem)


def _current_master(connection: Connection, instance: AnyRow | None) -> AnyRow | None:
    if instance is None or instance.master_key_id is None:
        return None
    return find_key_row(connection, instance.master_key_id)


def _add_on_problem(current: AnyRow | None, author: Author) -> tuple[str, str] | None:
    if current is None:
        return "addon-requires-master", "The instance has no master key."
    if current.account_id != author.account_id:
        return (
            "master-not-in-account",
            "The master key of the instance belongs to another account.",
        )
    if current.state != KeyState.ACTIVE:
        return "addon-requires-master", f"The master key of the instance is {current.state}."
    return None


def _check_profile(
    connection: Connection, request: WireActivationRequest, checked: CheckedActivation
) -> None:
    """Look at the server profile: given, or on the instance already; with an identity."""
    instance = checked.instance
    if request.profile_xml is None:
        if instance is None or instance.profile_revision == 0:
            checked.refuse("/profileXml", "profile-required", "The instance has no server profile.")
        elif instance.fingerprint is None:
            _refuse_identity(checked)
        return
    content = request.profile_xml.encode("utf-8", "surrogatepass")
    if len(content) > PROFILE_BYTES:
        raise Problem(
            "profile-too-large", f"A server profile may have at most {PROFILE_BYTES} bytes."
        )
    try:
        facts = read_profile(content)
    except Problem as problem:
        checked.refuse("/profileXml", problem.problem_code.code, problem.detail)
        return
    if facts.fingerprint is None:
        _refuse_identity(checked)
    known = None if instance is None else stored_profile(connection, instance)
    if known is None or known.content != content:
        checked.profile, checked.facts = content, facts


def _refuse_identity(checked: CheckedActivation) -> None:
    checked.refuse(
        "/profileXml",
        "profile-without-identity",
        "The server profile holds no machine id, product uuid or network card.",
    )
