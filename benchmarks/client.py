"""A client that keeps its connection and tells how long an answer took."""

import http.client
import json
import re
import time
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlencode

IDLE_SECONDS = 3.0
DOOR = "/accounts/sign-in/"


class Wrong(AssertionError):
    """An answer that makes a measurement worthless."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Message
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection to the portal, as a program (token) or as a person (cookies)."""

    def __init__(self, port: int, *, token: str = "", source: str = "127.0.0.1") -> None:
        """`source`: the address of loopback that it comes from."""
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120, source_address=(source, 0))
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.cookies: dict[str, str] = {}
        self.used_at = 0.0

    def ask(self, method: str, path: str, *, body: bytes | None = None, wanted: int = 200, **headers: str) -> Answer:
        """Send one request and read the whole answer. Raises Wrong for another status than `wanted`."""
        sent = self.headers | {name.replace("_", "-"): text for name, text in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={text}" for name, text in self.cookies.items())
        self.be_connected()
        began = time.perf_counter()
        self.connection.request(method, path, body=body, headers=sent)
        response = self.connection.getresponse()
        answer = Answer(response.status, response.read(), response.headers, time.perf_counter() - began)
        self.used_at = time.monotonic()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _equals, text = cookie.partition(";")[0].partition("=")
            self.cookies[name] = text
        if answer.status != wanted:
            raise Wrong(f"{method} {path} answered {answer.status}, not {wanted}: {answer.body[:400]!r}")
        return answer

    def be_connected(self) -> None:
        """Servers close what is idle for some seconds; connecting anew is no part of an answer's time."""
        if time.monotonic() - self.used_at > IDLE_SECONDS:
            self.connection.close()
            self.connection.connect()

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, document: Any, *, wanted: int) -> Answer:
        body = json.dumps(document).encode()
        return self.ask("POST", path, body=body, wanted=wanted, Content_Type="application/json")

    def sign_in(self, name: str, password: str) -> None:
        """Become a person by the door's form."""
        self.enter(self.door(), name, password)

    def door(self) -> str:
        """Read the door's page; what its form wants to have back."""
        page = self.get(DOOR).body.decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if found is None:
            raise Wrong("the door has no form")
        return found[1]

    def enter(self, token: str, name: str, password: str, *, organization: str = "", wanted: int = 302) -> Answer:
        """Send the door's form."""
        typed = {"csrfmiddlewaretoken": token, "username": name, "password": password}
        form = urlencode(typed | ({"organization": organization} if organization else {})).encode()
        return self.ask("POST", DOOR, body=form, wanted=wanted, Content_Type="application/x-www-form-urlencoded")

    def times(self, path: str, *, runs: int, warm: int = 3) -> list[float]:
        """Seconds of `runs` answers in a row, after a few that do not count."""
        for _turn in range(warm):
            self.get(path)
        return [self.get(path).seconds for _turn in range(runs)]
