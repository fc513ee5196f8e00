"""An engine that only talks to who shows a certificate, by the credentials that stand encrypted in its row."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backends import registry
from backends.models import Cluster
from core.secrets import Secret
from tests.engine import LiveEngine

pytestmark = [pytest.mark.live, pytest.mark.django_db]
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A key and its certificate, as PEM."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> str:
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, plain).decode()

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def signed(name: str, *, by: Pair | None = None) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(by.key if by else key, hashes.SHA256())
    )
    return Pair(key, made)


@dataclass(frozen=True)
class Guarded:
    """The engine behind TLS, at `address`, with what a client needs."""

    address: str
    authority: Pair
    client: Pair


@pytest.fixture
def guarded(engine: LiveEngine, tmp_path: Path) -> Iterator[Guarded]:
    authority = signed("test authority")
    server, client = signed("engine", by=authority), signed("portal", by=authority)
    for name, text in (("ca", authority.pem), ("cert", server.pem), ("key", server.key_pem)):
        (tmp_path / name).write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "ca"))
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    context.verify_mode = ssl.CERT_REQUIRED
    door = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(door, context, engine.url.removeprefix("unix://")), daemon=True).start()
    yield Guarded(f"tcp://127.0.0.1:{door.getsockname()[1]}", authority, client)
    door.close()


def _serve(door: socket.socket, context: ssl.SSLContext, engine: str) -> None:
    while True:
        try:
            plain, _from = door.accept()
        except OSError:
            return
        threading.Thread(target=_let_in, args=(plain, context, engine), daemon=True).start()


def _let_in(plain: socket.socket, context: ssl.SSLContext, engine: str) -> None:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as inside:
        caller = context.wrap_socket(plain, server_side=True)
        inside.connect(engine)
        threading.Thread(target=_carry, args=(inside, caller), daemon=True).start()
        _carry(caller, inside)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def cluster(guarded: Guarded, *, by: Pair | None) -> Cluster:
    return Cluster.objects.create(
        name="guarded",
        kind=Cluster.Kind.SWARM,
        address=guarded.address,
        authority=guarded.authority.pem,
        client_certificate=by.pem if by else "",
        client_key=Secret(by.key_pem) if by else None,
    )


def test_with_its_certificate_the_engine_answers(guarded: Guarded) -> None:
    row = cluster(guarded, by=guarded.client)
    driver = registry.driver_for(Cluster.objects.get(pk=row.pk))
    assert driver.health().ready
    assert [host.ready for host in driver.hosts()] == [True]


def test_without_one_or_with_a_strangers_it_is_away_and_nothing_raises(guarded: Guarded) -> None:
    row = cluster(guarded, by=signed("stranger", by=signed("another authority")))
    assert not registry.driver_for(row).health().ready
    row.client_key, row.version = None, row.version + 1
    assert not registry.driver_for(row).health().ready
