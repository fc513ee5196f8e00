"""Reading the environment: a wrong value is named together with its variable, before anything starts.

No message repeats a value: it may hold a password.
"""

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()  # NAME_FILE=/path is read where NAME is wanted

ENGINES = {"django.db.backends.sqlite3", "django.db.backends.postgresql"}
HOW = "Run ./berth up once, or set it to a long random text."


def secret_from(variable: str, file: Path) -> str:
    """The value of a variable, or of the key file that `berth up` made. There is no default for a secret."""
    value: str = env.str(variable, default="")
    if not value and file.exists():
        value = file.read_text().strip()
    if not value:
        raise ImproperlyConfigured(f"{variable} is not set and {file.name} does not exist. {HOW}")
    return value


def secret_key(file: Path) -> str:
    value = secret_from("SECRET_KEY", file)
    if len(value) < 32:
        raise ImproperlyConfigured(f"SECRET_KEY is shorter than 32 characters. {HOW}")
    return value


def field_keys(file: Path) -> list[str]:
    """Fernet keys, the newest first, separated by spaces or commas."""
    keys = secret_from("FIELD_KEYS", file).replace(",", " ").split()
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                f"FIELD_KEYS: key {position} is not a Fernet key (32 bytes in URL-safe Base64). {HOW}"
            ) from None
    return keys


def database(default: str) -> dict[str, Any]:
    """DATABASE_URL as Django wants it: sqlite:///path or postgres://user:password@host/name."""
    value, wanted = env.str("DATABASE_URL", default=default), "sqlite:///path or postgres://user:password@host/name"
    try:
        found: dict[str, Any] = environ.Env.db_url_config(value)
    except (ImproperlyConfigured, ValueError, KeyError):
        found = {}
    if found.get("ENGINE") not in ENGINES:
        raise ImproperlyConfigured(f"DATABASE_URL is not understood. It looks like {wanted}.")
    return found


def redis_url() -> str:
    value: str = env.str("REDIS_URL", default="")
    if value and (
        urlsplit(value).scheme not in ("redis", "rediss", "unix") or not urlsplit(value).path + urlsplit(value).netloc
    ):
        raise ImproperlyConfigured("REDIS_URL is not understood. It looks like redis://host:6379/0.")
    return value


def processes(*, redis: str) -> int:
    """WEB_CONCURRENCY: how many web processes; several need Redis, which carries what they tell each other."""
    text = env.str("WEB_CONCURRENCY", default="1")
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ImproperlyConfigured("WEB_CONCURRENCY is not a whole number of at least 1.")
    if int(text) > 1 and not redis:
        raise ImproperlyConfigured("WEB_CONCURRENCY is more than 1: that needs REDIS_URL. Set it, or serve with 1.")
    return int(text)


def keystone(file: Path) -> dict[str, str]:
    """{"url", "user", "password"} of the identity service; all empty where there is none.

    `user` is the id of the account Berth reads with. From KEYSTONE_URL and its neighbours, else from the file
    that `berth up --keystone dev` made.
    """
    url: str = env.str("KEYSTONE_URL", default="").rstrip("/")
    if not url:
        none = {"url": "", "user": "", "password": ""}
        return none | (json.loads(file.read_text()) if file.exists() else {})
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or not parts.path.endswith("/v3"):
        raise ImproperlyConfigured(
            "KEYSTONE_URL is not understood. It looks like https://keystone.example.com:5000/v3."
        )
    found = {
        "user": env.str("KEYSTONE_SYNC_USER", default=""),
        "password": env.str("KEYSTONE_SYNC_PASSWORD", default=""),
    }
    missing = [f"KEYSTONE_SYNC_{name.upper()}" for name, value in found.items() if not value]
    if missing:
        raise ImproperlyConfigured(f"KEYSTONE_URL is set, but not {' and '.join(missing)}.")
    return {"url": url} | found


def registry(keys: Path) -> dict[str, str]:
    """{"url", "service", "issuer", "key", "notices"} of the registry that people push to; `url` empty where none is.

    From REGISTRY_URL and its neighbours, else from the files that `berth up` made.
    """
    made = keys / "registry.json"
    url: str = env.str("REGISTRY_URL", default="").rstrip("/")
    if not url and made.exists():
        url = str(json.loads(made.read_text())["url"])
    named = {"service": env.str("REGISTRY_SERVICE", default="berth-registry"), "issuer": "berth"}
    if not url:
        return named | {"url": "", "key": "", "notices": ""}
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
        raise ImproperlyConfigured("REGISTRY_URL is not understood. It looks like https://registry.example.com.")
    found = {
        "key": _text("REGISTRY_KEY", keys / "registry_key"),
        "notices": _text("REGISTRY_NOTICES_TOKEN", keys / "registry_notices").strip(),
    }
    missing = [
        variable
        for variable, name in (("REGISTRY_KEY", "key"), ("REGISTRY_NOTICES_TOKEN", "notices"))
        if not found[name]
    ]
    if missing:
        raise ImproperlyConfigured(f"REGISTRY_URL is set, but not {' and '.join(missing)}.")
    return named | {"url": url} | found


def outbound() -> dict[str, Any]:
    """{"networks", "authorities"}: where inside people may lead Berth to, and whom it trusts beside the usual ones."""
    try:
        networks = [ip_network(one) for one in env.list("OUTBOUND_NETWORKS", default=[])]
    except ValueError:
        raise ImproperlyConfigured(
            "OUTBOUND_NETWORKS is not understood. It looks like 10.20.0.0/16,fd12::/32."
        ) from None
    authorities: str = env.str("OUTBOUND_CA_FILE", default="")
    if authorities and not Path(authorities).is_file():
        raise ImproperlyConfigured("OUTBOUND_CA_FILE names no file. It holds certificates in PEM.")
    return {"networks": networks, "authorities": authorities}


def _text(variable: str, file: Path) -> str:
    value: str = env.str(variable, default="")
    return value or (file.read_text() if file.exists() else "")
