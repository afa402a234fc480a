"""The cursor of `changes`: how far a client's copy of one account reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tui_licenses.cloud.http.listing import decode_cursor, encode_cursor, invalid_cursor

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

CURSOR_HEADER = "X-Changes-Cursor"


class _ChangesCursor(msgspec.Struct, array_like=True, frozen=True):
    """`cloud` names its history: a database made anew or restored starts its numbers anew."""

    cloud: str
    account_id: str
    sequence: int


def changes_cursor(store: Store, account_id: str, sequence: int) -> str:
    """Return the cursor after the change with this number."""
    return encode_cursor(_ChangesCursor(store.signing.history, account_id, sequence))


def read_changes_cursor(store: Store, account_id: str, last: int, text: str | None) -> int:
    """Return the number a client has reached, 0 for one that starts.

    Raises `Problem` (`invalid-cursor`) for another cloud's, another account's, or one from a
    future that a restored backup does not have.
    """
    if text is None:
        return 0
    try:
        cursor = msgspec.json.decode(decode_cursor(text), type=_ChangesCursor)
    except msgspec.MsgspecError as error:
        raise invalid_cursor() from error
    same_cloud = cursor.cloud == store.signing.history
    if not same_cloud or cursor.account_id != account_id or not 0 <= cursor.sequence <= last:
        raise invalid_cursor()
    return cursor.sequence
