"""A registry that is only named: its key, and how clients ask for tokens."""

import base64
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.http import HttpResponse
from django.test import Client

KEY = ec.generate_private_key(ec.SECP256R1())
NOTICES = "what the registry shows"
ADDRESS = "registry.test:5000"
SETTINGS = {
    "url": f"http://{ADDRESS}",
    "service": "berth-registry",
    "issuer": "berth",
    "key": KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    "notices": NOTICES,
}


def basic(name: str, password: str) -> dict[str, Any]:
    pair = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"headers": {"Authorization": f"Basic {pair}"}}


def ask(name: str, password: str, *scopes: str, **query: str) -> HttpResponse:
    """GET /registry/token as an engine does."""
    asked = {"service": SETTINGS["service"], "scope": list(scopes)} | query
    return Client().get("/registry/token", asked, **basic(name, password))


def claims(answer: HttpResponse) -> dict[str, Any]:
    """What the signed token says; a wrong signature, audience or time raises."""
    assert answer.status_code == 200, answer.content
    text = answer.json()["token"]
    read: dict[str, Any] = jwt.decode(
        text, KEY.public_key(), algorithms=["ES256"], audience=SETTINGS["service"], issuer="berth"
    )
    return read


def access(answer: HttpResponse) -> dict[str, set[str]]:
    return {one["name"]: set(one["actions"]) for one in claims(answer)["access"]}
