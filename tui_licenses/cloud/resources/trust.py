"""What a cloud is trusted by: its signed trust document and its root key."""

from __future__ import annotations

from tui_licenses.api.schemas import WireTrust
from tui_licenses.cloud.http.call import Call
from tui_licenses.cloud.http.reply import Reply, conditional, json_reply
from tui_licenses.cloud.http.resource import Access, Cloud, Resource


def show_trust(cloud: Cloud, call: Call) -> Reply:
    """Answer the trust document; a reader checks it with a root it has from elsewhere."""
    signing = cloud.store.signing
    root = signing.root.public_key
    answer = WireTrust(
        document=signing.trust_document,
        roots=[WireTrust.Root(keyid=root.keyid, key=root.raw.hex())],
        lab=signing.is_lab,
    )
    return conditional(call, json_reply(answer))


RESOURCES = (
    Resource(
        "GET",
        "/licensing/trust",
        "The signed trust document and the public root key",
        WireTrust,
        read=show_trust,
        headers=("ETag",),
        access=Access.SIGNED_IN,
    ),
)
