"""Points of edwards25519 (RFC 8032, section 5.1), as far as importing a public key needs them."""

from __future__ import annotations

_PRIME = 2**255 - 19
_D = -121665 * pow(121666, -1, _PRIME) % _PRIME
_SQUARE_ROOT_OF_MINUS_ONE = pow(2, (_PRIME - 1) // 4, _PRIME)
_POINT_BYTES = 32
_COFACTOR_DOUBLINGS = 3

_Point = tuple[int, int]


def is_sound_point(encoded: bytes) -> bool:
    """Say whether bytes are the one canonical encoding of a point that is not of small order.

    With a small-order public key a signature that nobody made can verify.
    """
    if len(encoded) != _POINT_BYTES:
        return False
    number = int.from_bytes(encoded, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= _PRIME:
        return False
    x = _x_of(y, sign)
    if x is None:
        return False
    point = (x, y)
    for _ in range(_COFACTOR_DOUBLINGS):
        point = _double(point)
    return point != (0, 1)


def _x_of(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME
    x = pow(square, (_PRIME + 3) // 8, _PRIME)
    if (x * x - square) % _PRIME:
        x = x * _SQUARE_ROOT_OF_MINUS_ONE % _PRIME
    if (x * x - square) % _PRIME or (x == 0 and sign):
        return None
    return x if x & 1 == sign else _PRIME - x


def _double(point: _Point) -> _Point:
    x, y = point
    product = _D * x * x * y * y % _PRIME
    return (
        2 * x * y * pow(1 + product, -1, _PRIME) % _PRIME,
        (y * y + x * x) * pow(1 - product, -1, _PRIME) % _PRIME,
    )
