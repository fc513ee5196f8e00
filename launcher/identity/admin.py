"""Setting up a Keystone over HTTP, with the standard library alone: domains, projects, users, roles."""

import json
import urllib.error
import urllib.request
from typing import Any

from launcher.problems import Problem

TIMEOUT_SECONDS = 60.0
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # loopback: no proxy in between


class Admin:
    """Keystone's first account. Every method gives back ids."""

    def __init__(self, url: str, *, password: str) -> None:
        self.url = url
        self.password = password
        self.token = ""

    @staticmethod
    def reachable(url: str) -> bool:
        try:
            with _open(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def sign_in(self) -> None:
        user = {"name": "admin", "domain": {"id": "default"}, "password": self.password}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        identity = {"methods": ["password"], "password": {"user": user}}
        _body, headers = self._send("POST", "/auth/tokens", {"auth": {"identity": identity, "scope": scope}})
        self.token = headers["X-Subject-Token"]

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request of its API. Raises `Problem` with what it said."""
        if not self.token:
            self.sign_in()
        return self._send(method, path, body)[0]

    def _send(self, method: str, path: str, body: Any) -> tuple[dict[str, Any], Any]:
        headers = {"Content-Type": "application/json"} | ({"X-Auth-Token": self.token} if self.token else {})
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310  our own http
        try:
            with _open(request, timeout=TIMEOUT_SECONDS) as answer:
                text = answer.read()
                return (json.loads(text) if text else {}), answer.headers
        except urllib.error.HTTPError as error:
            said = error.read()[:500].decode(errors="replace")
            raise Problem(f"Keystone answered {error.code} to {method} {path}: {said}") from error

    def _make(self, kind: str, **values: Any) -> str:
        made: dict[str, Any] = self.call("POST", f"/{kind}s", {kind: values})[kind]
        return str(made["id"])

    def domain(self, name: str) -> str:
        return self._make("domain", name=name)

    def project(self, name: str, domain: str) -> str:
        return self._make("project", name=name, domain_id=domain)

    def user(self, name: str, domain: str, password: str, **more: Any) -> str:
        return self._make("user", name=name, domain_id=domain, password=password, **more)

    def change(self, kind: str, key: str, **values: Any) -> None:
        """Rename, enable, disable."""
        self.call("PATCH", f"/{kind}s/{key}", {kind: values})

    def delete(self, kind: str, key: str) -> None:
        self.call("DELETE", f"/{kind}s/{key}")

    def role(self, name: str) -> str:
        """The role of that name, made where there is none."""
        known: list[dict[str, Any]] = self.call("GET", f"/roles?name={name}")["roles"]
        return str(known[0]["id"]) if known else self._make("role", name=name)

    def grant(self, role: str, user: str, *, project: str = "", domain: str = "") -> None:
        """Give a role (by name) on a project, a domain, or with neither on the whole system."""
        self.call("PUT", f"{place(project, domain)}/users/{user}/roles/{self.role(role)}")

    def revoke(self, role: str, user: str, *, project: str = "", domain: str = "") -> None:
        self.call("DELETE", f"{place(project, domain)}/users/{user}/roles/{self.role(role)}")

    def holds(self, role: str, user: str, *, project: str) -> bool:
        listed = self.call("GET", f"/role_assignments?user.id={user}&scope.project.id={project}")["role_assignments"]
        return self.role(role) in {one["role"]["id"] for one in listed}


def place(project: str, domain: str) -> str:
    if project:
        return f"/projects/{project}"
    return f"/domains/{domain}" if domain else "/system"
