"""What to do about each problem of an activation, in the words of this screen.

The next steps that errors carry speak of commands; here the same is done with keys and buttons.
"""

from __future__ import annotations

from tui_licenses.errors import OutcomeUnknownError, TuiLicensesError

_BACK = "Go back a step and"

_NEXT_STEPS = {
    "key-format": "Check it against the order confirmation; what was typed is still there.",
    "key-not-found": "Check the key against the order confirmation, or take it off the queue.",
    "key-not-in-account": (
        "Take it off the queue, then sign in to the account that owns it or ask its owner."
    ),
    "key-already-assigned": "Take it off the queue, or release it from its instance first.",
    "key-revoked": "Take it off the queue; ask your sales contact why it was revoked.",
    "key-suspended": "Take it off the queue; ask your sales contact to have it reinstated.",
    "key-superseded": "Take it off the queue and use the key that replaced it.",
    "key-expired": "Take it off the queue, or have it renewed.",
    "key-not-yet-valid": "Take it off the queue until its start date.",
    "master-not-in-account": (
        "Sign in to the account that owns the master key of this instance; "
        "add-ons can be activated only from there."
    ),
    "addon-requires-master": f"{_BACK} queue a master key too, or choose another instance.",
    "master-already-present": "Tick “Replace the master key”, or choose another instance.",
    "instance-retired": f"{_BACK} choose another instance.",
    "instance-not-found": f"{_BACK} choose another instance.",
    "profile-required": f"{_BACK} give a server profile.",
    "profile-invalid": f"{_BACK} give a profile made on the server with `tui-licenses profile`.",
    "profile-without-identity": (
        f"{_BACK} give a profile made on the server itself with `tui-licenses profile`."
    ),
    "role-insufficient": "Ask an administrator of the account, or sign in with a higher role.",
}


def next_step_for(code: str) -> str | None:
    """Return what to do about a problem code, or None where its error's own step is best."""
    return _NEXT_STEPS.get(code)


def next_step_after_submit(error: TuiLicensesError) -> str | None:
    """Return what to do after a failed submission."""
    if isinstance(error, OutcomeUnknownError):
        return (
            "Try again: the same submission is sent, and the cloud never does it twice. "
            "The next refresh asks what became of it, too."
        )
    return next_step_for(error.code)
