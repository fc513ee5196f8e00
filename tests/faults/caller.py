"""A program with a token, or a browser with cookies, that calls a portal over HTTP and keeps every kind of answer."""

import http.client
import json
import re
import urllib.parse
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.portal import until

SHOP = "/api/v1/tenants/demo/projects/shop"
PATIENCE_SECONDS = 150.0
CHECK = {  # sooner than the image's own, and more patient with a busy machine
    "test": ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"],
    "interval": "1s",
    "timeout": "10s",
    "retries": 3,
    "start_period": "3s",
}
KEY = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Caller:
    """`url`: http://host:port. `token` for programs; after `sign_in` the cookies of a browser."""

    url: str
    token: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`body`: bytes as they are, a dict as JSON. Header names with _ for -."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if raw is not None and not isinstance(body, bytes) else {}
        sent |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        with closing(http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=60)) as connection:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            told = answer.read()
        for one in answer.headers.get_all("Set-Cookie") or []:
            name, _equals, text = one.partition(";")[0].partition("=")
            self.cookies[name] = text
        return Answer(answer.status, told, {k.lower(): v for k, v in answer.getheaders()})

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, body if body is not None else {}, **headers)

    def read(self, path: str) -> Any:
        """The document at an address that must be there."""
        answer = self.get(path)
        assert answer.status == 200, (path, answer.status, answer.body[-600:])
        return answer.json

    def submit(self, path: str, form: dict[str, str], *, key_from: str = "") -> Answer:
        """Send a form as a browser does, with the key of the page it stands on."""
        found = KEY.search(self.get(key_from or path).body)
        assert found is not None, f"no form at {key_from or path}"
        text = urllib.parse.urlencode(form | {"csrfmiddlewaretoken": found[1].decode()}).encode()
        return self.send("POST", path, text, Content_Type="application/x-www-form-urlencoded")

    def sign_in(self, name: str, password: str) -> None:
        entered = self.submit("/accounts/sign-in/", {"username": name, "password": password})
        assert entered.status == 302, entered.body[-600:]

    def deploy(self, name: str, **body: Any) -> dict[str, Any]:
        """A deployment to dev that is accepted; its operation. Makes the app where it is new."""
        made = self.post(f"{SHOP}/apps", {"name": name})
        assert made.status in (201, 409), made.body
        accepted = self.post(f"{SHOP}/apps/{name}/deployments", {"environment": "dev", **body})
        assert accepted.status == 202, accepted.body
        operation: dict[str, Any] = accepted.json
        return operation

    def ended(self, operation: dict[str, Any], *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The operation once it is over."""
        address = f"/api/v1/operations/{operation['id']}"
        until(lambda: not self.read(address)["active"], seconds=seconds, said=lambda: self.read(address), every=0.3)
        found: dict[str, Any] = self.read(address)
        return found


def spec(image: str = "berth/hello:1", *, instances: int = 1, **more: Any) -> dict[str, Any]:
    """The specification of one small service."""
    usual = {"image": image, "ports": ["8080"], "healthcheck": CHECK, "deploy": {"replicas": instances}}
    return {"services": {"web": usual | more}}
