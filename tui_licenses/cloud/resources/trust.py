"""What a cloud is trusted by: its signed trust document and its root key."""

from __future__ import annotations

from tui_licenses.api.trust_schemas import WireTrust
from tui_licenses.cloud.http.call import Call
from tui_licenses.cloud.http.reply import Reply, conditional, json_reply
from tui_licenses.cloud.http.resource import Access, Cloud, Resource
from tui_licenses.cloud.signing_keys import current_signing


def show_trust(cloud: Cloud, call: Call) -> Reply:
    """Answer the trust documents; a reader checks it with a root it has from elsewhere."""
    with cloud.store.read() as connection:
        signing = current_signing(cloud.store, connection)
    root = signing.root
    answer = WireTrust(
        document=signing.trust_document,
        earlier=list(signing.earlier_documents),
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
