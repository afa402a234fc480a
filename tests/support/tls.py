"""A certificate authority of the test's own, and servers it vouches for."""

from __future__ import annotations

import ipaddress
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)
_NAMES = ("cloud.example", "127.0.0.1")


@dataclass(frozen=True)
class Authority:
    """A CA file, and the TLS context of a server whose certificate and key are in one file."""

    ca_file: Path
    server: ssl.SSLContext
    server_file: Path


def make_authority(folder: Path, name: str = "Example Authority") -> Authority:
    """Make a CA with this name and a certificate for 127.0.0.1 and cloud.example."""
    issuer = Issuer(folder, name)
    file = issuer.issue_file()
    return Authority(issuer.ca_file, _context(file), file)


class Issuer:
    """A CA; with `is_authority` false its own certificate does not let it issue any."""

    def __init__(
        self, folder: Path, name: str = "Example Authority", *, is_authority: bool = True
    ) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        public = self._key.public_key()
        self._identifier = x509.SubjectKeyIdentifier.from_public_key(public)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        constraints = x509.BasicConstraints(
            ca=is_authority, path_length=0 if is_authority else None
        )
        certificate = (
            _builder(self._name, self._name, public, -_DAY, _DAY)
            .add_extension(constraints, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(self._identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file = folder / f"{secrets.token_hex(4)}-ca.pem"
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        names: Sequence[str] = _NAMES,
        *,
        starts: timedelta = -_DAY,
        ends: timedelta = _DAY,
        is_for_clients: bool = False,
    ) -> ssl.SSLContext:
        """Return the context of a server whose certificate names these hosts and addresses."""
        return _context(
            self.issue_file(names, starts=starts, ends=ends, is_for_clients=is_for_clients)
        )

    def issue_file(
        self,
        names: Sequence[str] = _NAMES,
        *,
        starts: timedelta = -_DAY,
        ends: timedelta = _DAY,
        is_for_clients: bool = False,
    ) -> Path:
        """Return a private file with a certificate of these hosts and addresses, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cloud.example")])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
            self._identifier
        )
        builder = _builder(subject, self._name, key.public_key(), starts, ends).add_extension(
            identifier, critical=False
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        if is_for_clients:
            purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
            builder = builder.add_extension(purpose, critical=False)
        file = self._folder / f"{secrets.token_hex(4)}-server.pem"
        pem = serialization.Encoding.PEM
        bare = serialization.NoEncryption()
        file.touch(mode=0o600)
        file.write_bytes(
            builder.sign(self._key, hashes.SHA256()).public_bytes(pem)
            + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, bare)
        )
        return file


def _context(file: Path) -> ssl.SSLContext:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    starts: timedelta,
    ends: timedelta,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + starts)
        .not_valid_after(now + ends)
    )
