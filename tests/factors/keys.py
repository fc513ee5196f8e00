"""A phone and a security key, as far as the portal sees them: codes by the clock, and signatures of a real key."""

import hashlib
import json
import secrets
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

from core.secrets import ring
from tenants.models import User

HOST = "localhost"
ORIGIN = f"http://{HOST}"
PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def secret_of(user: User) -> str:
    return ring().decrypt(Authenticator.objects.get(user=user, type="totp").data["secret"].encode()).decode()


def code_of(user_or_secret: User | str, *, later: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    secret = user_or_secret if isinstance(user_or_secret, str) else secret_of(user_or_secret)
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


@dataclass
class Key:
    """Makes and uses one passkey. Its fields can be changed, to lie."""

    origin: str = ORIGIN
    host: str = HOST
    flags: int = PRESENT | VERIFIED
    count: int = 1
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    user: str = ""

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": f"webauthn.{kind}", "challenge": options["publicKey"]["challenge"], "origin": self.origin}
        return json.dumps(said).encode()

    def _data(self, more: int = 0) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", self.flags | more, self.count)

    def _answer(self, **response: bytes) -> str:
        shown = {name: websafe_encode(value) for name, value in response.items()} | (
            {"userHandle": self.user} if self.user and "signature" in response else {}
        )
        key = websafe_encode(self.id)
        return json.dumps(
            {"id": key, "rawId": key, "type": "public-key", "response": shown, "clientExtensionResults": {}}
        )

    def create(self, options: dict[str, Any]) -> str:
        self.user = options["publicKey"]["user"]["id"]
        public = cbor.encode(dict(ES256.from_cryptography_key(self.private.public_key())))
        data = self._data(ATTESTED) + bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        made = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=self._client("create", options), attestationObject=made)

    def get(self, options: dict[str, Any]) -> str:
        self.count += 1
        client, data = self._client("get", options), self._data()
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)


def user_of(handle: str) -> str:
    return websafe_decode(handle).decode()
