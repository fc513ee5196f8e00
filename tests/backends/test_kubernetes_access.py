"""A kubeconfig may hold what would run a program, read a file of ours or lead elsewhere: none of it is taken."""

import base64
import json
from typing import Any

import pytest

from backends.addresses import refuse_where_it_leads
from backends.check_words import hint, sentence
from backends.contract import Unusable, UnusableError
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


REFUSED = [
    (config(user={"exec": {"command": "sh"}}), Unusable.RUNS_A_PROGRAM, "user.exec"),
    (config(user={"auth-provider": {"name": "oidc"}}), Unusable.ASKS_ELSEWHERE, "user.auth-provider"),
    (config(user={"tokenFile": "/etc/passwd"}), Unusable.OTHER_FILE, "user.tokenFile"),
    (config(user={"client-key": "/keys/key"}), Unusable.OTHER_FILE, "user.client-key"),
    (config(user={"client-certificate": "/keys/c"}), Unusable.OTHER_FILE, "user.client-certificate"),
    (config(user={"username": "me", "password": "word"}), Unusable.PASSWORD, "user.username"),
    (config(user={"token": "t", "as": "system:masters"}), Unusable.ACTS_AS_ANOTHER, "user.as"),
    (config(user={"token": "t", "as-groups": ["system:masters"]}), Unusable.ACTS_AS_ANOTHER, "user.as-groups"),
    (config(user={"token": "a\r\nX-Sent: by-us"}), Unusable.BAD_TEXT, "user.token"),
    (config(user={}), Unusable.NO_CREDENTIALS, ""),
    (config(user={"client-key-data": "aGk="}), Unusable.NO_CREDENTIALS, ""),
    (config(cluster={"proxy-url": "http://169.254.169.254"}), Unusable.THROUGH_A_PROXY, "cluster.proxy-url"),
    (config(cluster={"insecure-skip-tls-verify": True}), Unusable.UNCHECKED, "cluster.insecure-skip-tls-verify"),
    (config(cluster={"certificate-authority": "/etc/shadow"}), Unusable.OTHER_FILE, "cluster.certificate-authority"),
    (config(cluster={"tls-server-name": "other"}), Unusable.NOT_TAKEN, "cluster.tls-server-name"),
    (config(cluster={"server": "http://cluster.example"}), Unusable.BAD_ADDRESS, "cluster.server"),
    (config(cluster={"server": "https://169.254.169.254"}), Unusable.NOWHERE, "cluster.server"),
    (config(cluster={"server": "https://[::ffff:169.254.169.254]"}), Unusable.NOWHERE, "cluster.server"),
    (config(cluster={"server": "https://[fd00:ec2::254]"}), Unusable.NOWHERE, "cluster.server"),
    (config(cluster={"server": "https://[fe80::1]:6443"}), Unusable.NOWHERE, "cluster.server"),
    (config(cluster={"server": "https://0.0.0.0:6443"}), Unusable.NOWHERE, "cluster.server"),
    (config(cluster={"server": "https://127.0.0.1:6443"}), Unusable.LOOPBACK, "cluster.server"),
    (config(cluster={"server": "https://127.8.8.8"}), Unusable.LOOPBACK, "cluster.server"),
    (config(cluster={"server": "https://[::1]:6443"}), Unusable.LOOPBACK, "cluster.server"),
    (config(cluster={"server": "https://LocalHost.:6443"}), Unusable.LOOPBACK, "cluster.server"),
    (config(cluster={"server": "https://a.localhost"}), Unusable.LOOPBACK, "cluster.server"),
    (config(cluster={"server": "https://[::1"}), Unusable.BAD_ADDRESS, "cluster.server"),
    (config(cluster={"server": "https://a:99999"}), Unusable.BAD_ADDRESS, "cluster.server"),
    (config(cluster={"server": "https://me:word@cluster.example"}), Unusable.BAD_ADDRESS, "cluster.server"),
    (config(cluster={"server": "https:///nothing"}), Unusable.BAD_ADDRESS, "cluster.server"),
    (config(cluster={"server": "https://a b"}), Unusable.BAD_ADDRESS, "cluster.server"),
    (
        config(cluster={"certificate-authority-data": "not base64!"}),
        Unusable.BAD_TEXT,
        "cluster.certificate-authority-data",
    ),
    (config() | {"current-context": "dev"}, Unusable.MISSING, "cluster"),
    (config() | {"current-context": "none"}, Unusable.MISSING, "context"),
    (config() | {"current-context": ""}, Unusable.NO_CONTEXT, ""),
    (config() | {"current-context": "", "contexts": []}, Unusable.NOT_THE_FILE, ""),
    (config() | {"contexts": [7, None]}, Unusable.MISSING, "context"),
    (config() | {"users": "none"}, Unusable.MISSING, "user"),
]


@pytest.mark.parametrize(("odd", "code", "field"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_leads_elsewhere_is_refused_by_the_name_of_its_field(
    odd: dict[str, Any], code: Unusable, field: str
) -> None:
    with pytest.raises(UnusableError) as refused:
        from_kubeconfig(json.dumps(odd))
    assert (refused.value.code, refused.value.params.get("field", "")) == (code, field)
    assert field in sentence(refused.value)
    assert hint(refused.value)
    assert "://me:word" not in str(refused.value)


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ("[]", Unusable.NOT_THE_FILE),
        ("{", Unusable.UNREADABLE),
        ("a: [", Unusable.UNREADABLE),
        ("!!python/object/apply:os.system ['true']", Unusable.UNREADABLE),
        ("", Unusable.NOT_THE_FILE),
        ("{" * 5000, Unusable.UNREADABLE),
        ("a: " + "x" * 200_000, Unusable.TOO_LARGE),
    ],
)
def test_what_is_no_kubeconfig_is_refused(odd: str, code: Unusable) -> None:
    with pytest.raises(UnusableError) as refused:
        from_kubeconfig(odd)
    assert refused.value.code == code


def test_whoever_is_at_the_machine_may_mean_it() -> None:
    text = json.dumps(config(cluster={"server": "https://127.0.0.1:6443"}))
    assert from_kubeconfig(text, loopback=True).server == "https://127.0.0.1:6443"
    with pytest.raises(UnusableError):
        from_kubeconfig(json.dumps(config(cluster={"server": "https://169.254.169.254"})), loopback=True)


def test_a_name_is_followed_to_where_it_leads() -> None:
    with pytest.raises(UnusableError) as refused:
        refuse_where_it_leads("2130706433", field="address", loopback=False)  # 127.0.0.1, as one number
    assert refused.value.code == Unusable.LOOPBACK
    with pytest.raises(UnusableError) as refused:
        refuse_where_it_leads("0xa9fea9fe", field="address", loopback=True)
    assert refused.value.code == Unusable.NOWHERE
    refuse_where_it_leads("10.0.0.1", field="address", loopback=False)


@pytest.mark.parametrize("code", Unusable)
def test_every_refusal_has_words(code: Unusable) -> None:
    error = UnusableError(code, field="user.exec", name="x", names="a, b", address="127.0.0.1", day="2026-01-01")
    for text in (sentence(error), hint(error)):
        assert text
        assert "%(" not in text
        assert "?" not in text
