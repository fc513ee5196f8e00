"""A kubeconfig may hold what would run a program, read a file of ours or lead elsewhere: none of it is taken."""

import base64
import json
from typing import Any

import pytest

from backends.contract import DriverError, ReasonCode
from backends.kubernetes.access import contexts, from_kubeconfig


def config(*, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> dict[str, Any]:
    ca = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()
    there = {"server": "https://cluster.example:6443/", "certificate-authority-data": ca}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "clusters": [{"name": "c", "cluster": there | (cluster or {})}],
        "users": [{"name": "u", "user": user if user is not None else {"token": "sesame"}}],
        "contexts": [
            {"name": "dev", "context": {"cluster": "elsewhere", "user": "u"}},
            {"name": "prod", "context": {"cluster": "c", "user": "u"}},
        ],
    }


def test_what_is_needed_is_taken_from_the_current_context() -> None:
    text = json.dumps(config())
    access = from_kubeconfig(text)
    assert (access.server, access.token) == ("https://cluster.example:6443", "sesame")
    assert access.authority == "-----BEGIN CERTIFICATE-----"
    assert "sesame" not in repr(access)
    assert contexts(text) == ["prod", "dev"]


def test_yaml_is_read_and_a_context_may_be_chosen() -> None:
    text = """
current-context: nothing
clusters: [{name: c, cluster: {server: "https://a.example"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: mine, context: {cluster: c, user: u}}]
"""
    assert from_kubeconfig(text, context="mine").server == "https://a.example"


@pytest.mark.parametrize(
    "odd",
    [
        json.dumps(config(user={"exec": {"command": "sh"}})),
        json.dumps(config(user={"auth-provider": {"name": "oidc"}})),
        json.dumps(config(user={"tokenFile": "/etc/passwd"})),
        json.dumps(config(user={"client-key": "/root/key"})),
        json.dumps(config(user={"token": "t", "as": "system:masters"})),
        json.dumps(config(cluster={"proxy-url": "http://169.254.169.254"})),
        json.dumps(config(cluster={"insecure-skip-tls-verify": True})),
        json.dumps(config(cluster={"certificate-authority": "/etc/shadow"})),
        json.dumps(config(cluster={"server": "http://cluster.example"})),
        json.dumps(config(cluster={"server": "https://169.254.169.254"})),
        json.dumps(config(cluster={"server": "https://[fe80::1]:6443"})),
        json.dumps(config(cluster={"server": "https://0.0.0.0:6443"})),
        json.dumps(config(cluster={"server": "https://[::1"})),
        json.dumps(config(cluster={"server": "https://me:word@cluster.example"})),
        json.dumps(config(cluster={"server": "https:///nothing"})),
        json.dumps(config(cluster={"certificate-authority-data": "not base64!"})),
        json.dumps(config() | {"current-context": "dev"}),
        json.dumps(config() | {"contexts": []}),
        json.dumps(config() | {"users": "none"}),
        "[]",
        "{",
        "a: [",
        "!!python/object/apply:os.system ['true']",
        "",
    ],
)
def test_anything_else_is_refused_with_words(odd: str) -> None:
    with pytest.raises(DriverError) as refused:
        from_kubeconfig(odd)
    assert refused.value.reason.code == ReasonCode.ENGINE_REFUSED
    assert refused.value.permanent
    assert refused.value.reason.params["said"].startswith("kubeconfig: ")
