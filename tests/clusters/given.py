"""What people give of a cluster, and engines in memory behind both ways to connect one."""

import base64
import json
from typing import Any

from tests.certificates import Pair, signed

TOKEN = "canary-token-4711"
SERVER = "https://10.20.30.40:6443"
ENGINE = "tcp://10.0.0.5:2376"


def kubeconfig(*, token: str = TOKEN, server: str = SERVER, more: dict[str, Any] | None = None) -> str:
    """Two contexts, `prod` and `dev`, of one cluster; the current one is `prod`."""
    authority = base64.b64encode(signed("authority").pem.encode()).decode()
    cluster = {"server": server, "certificate-authority-data": authority}
    contexts = [{"name": name, "context": {"cluster": "c", "user": name}} for name in ("dev", "prod")]
    users = [{"name": "prod", "user": {"token": token}}, {"name": "dev", "user": {"token": f"{token}-dev"}}]
    document = {
        "current-context": "prod",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": users,
        "contexts": contexts,
    }
    return json.dumps(document | (more or {}))


def with_user(**user: Any) -> str:
    """A kubeconfig whose only user is this one."""
    context = [{"name": "prod", "context": {"cluster": "c", "user": "u"}}]
    return kubeconfig(more={"users": [{"name": "u", "user": user}], "contexts": context})


def tls_parts(pair: Pair | None = None) -> dict[str, str]:
    """An authority with a certificate that it signed."""
    authority = signed("authority")
    client = pair or signed("client", by=authority)
    return {"authority": authority.pem, "client_certificate": client.pem, "client_key": client.key_pem}
