"""Documents of several servers, signed with the keys of the vectors, and a service to verify them.

Nothing here asks a cloud: roots are really trusted in the home of the test, files really saved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from tests.vectors.materials import ISSUED, ISSUER, KEYS, NOW, payload, sign, trust_document
from tui_licenses.documents.identity import fingerprint_of
from tui_licenses.documents.manifest import build_manifest, manifest_file
from tui_licenses.service import trust_store
from tui_licenses.service.trust_store import TrustedRoot
from tui_licenses.service.verification import VerificationService

PROFILE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<node id="server-{number}" class="system">'
    '<configuration><setting id="machine-id" value="{machine_id}"/></configuration></node>\n'
)


def overwrite(file: Path, data: bytes) -> None:
    """Write a file in place: some file systems force one to disk that was emptied before."""
    with file.open("r+b" if file.exists() else "w+b") as stream:
        stream.write(data)
        stream.truncate()


def vector_clock() -> datetime:
    """Return the instant at which the vectors are verified."""
    return datetime.fromtimestamp(NOW, UTC)


def offline_service(clock: Callable[[], datetime] = vector_clock) -> VerificationService:
    """Return a service that trusts what was added in this home, and never asks a cloud."""

    def no_cloud() -> NoReturn:
        raise AssertionError("verification asks no cloud")

    return VerificationService(no_cloud, "vectors.example", lambda: (), clock)


def add_root(
    document: bytes | None = None, root: str = "root", *, is_lab: bool = False
) -> TrustedRoot:
    """Trust a root of the vectors through a trust document, its fingerprint typed back."""
    data = trust_document(root) if document is None else document
    offer = trust_store.TrustOffer(KEYS[root].public_key, data, is_lab, "vectors.example")
    return trust_store.add_root(offer, KEYS[root].public_key.fingerprint)


@dataclass(frozen=True)
class SignedServer:
    """A server, and the documents that belong to it."""

    number: int

    @property
    def id(self) -> str:
        """Return the id of its instance."""
        return f"00000000-0000-4000-8000-{self.number:012d}"

    @property
    def machine_id(self) -> str:
        """Return what identifies it."""
        return f"{self.number + 1:032x}"

    @property
    def fingerprint(self) -> str:
        """Return its fingerprint."""
        found = fingerprint_of(self.machine_id, None, ())
        assert found is not None
        return found

    def name(self, kind: str) -> str:
        """Return the name of one of its files."""
        endings = {"license": "bin", "profile": "xml", "certificate": "pdf", "manifest": "json"}
        return f"server-{self.number}-{kind}.{endings[kind]}"

    def documents(
        self, serial: int = 7, signers: Sequence[str] = ("signing-1",)
    ) -> dict[str, bytes]:
        """Return the license file, profile, certificate and the manifest of them, by kind.

        The certificate is any PDF: a manifest proves its bytes, not what it says.
        """
        instance = {"id": self.id, "fingerprint": self.fingerprint}
        profile = PROFILE.format(number=self.number, machine_id=self.machine_id)
        files = {
            "license": sign(payload(serial=serial, instance=instance), signers),
            "profile": profile.encode(),
            "certificate": b"%%PDF-1.4 of server %d, serial %d\n" % (self.number, serial),
        }
        manifest = build_manifest(
            ISSUER,
            ISSUED,
            self.id,
            serial,
            [
                manifest_file("license", self.name("license"), files["license"]),
                manifest_file("profile", self.name("profile"), files["profile"]),
                manifest_file("certificate", self.name("certificate"), files["certificate"]),
            ],
            [KEYS[name] for name in signers],
        )
        return files | {"manifest": manifest}

    def save(self, folder: Path, documents: dict[str, bytes]) -> None:
        """Write documents of any origin under the names of this server's."""
        for kind, data in documents.items():
            (folder / self.name(kind)).write_bytes(data)
