"""Secrets and setuid files are named by their place; the secret itself stands nowhere in what a scan says."""

import json
import secrets
import string
from typing import Any

import pytest

from tests.scanning.conftest import Look
from tests.scanning.images import File

LETTERS = string.ascii_letters + string.digits


def text(count: int, letters: str = LETTERS) -> str:
    return "".join(secrets.choice(letters) for _each in range(count))


def key(kind: str, head: str = "") -> str:
    return f"-----BEGIN {kind}-----\n{head}{text(64)}\n{text(64)}\n-----END {kind}-----\n"


SECRET = text(40)
CASES = [
    ("root/.ssh/id_rsa", key("RSA PRIVATE KEY"), "private_key"),
    ("etc/ssl/server.key", key("PRIVATE KEY"), "private_key"),
    ("srv/key.pem", key("OPENSSH PRIVATE KEY"), "private_key"),
    ("srv/locked.pem", key("ENCRYPTED PRIVATE KEY"), "locked_private_key"),
    ("srv/old.pem", key("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES,1\n\n"), "locked_private_key"),
    ("app/config.py", f"AWS = 'AKIA{text(16, string.ascii_uppercase)}'\n", "aws_key"),
    ("app/ci.yml", f"token: ghp_{text(36)}\n", "github_token"),
    ("app/ci2.yml", f"token: github_pat_{text(60)}\n", "github_token"),
    ("app/gl.yml", f"token: glpat-{text(20)}\n", "gitlab_token"),
    ("app/slack", f"xoxb-{text(30)}\n", "slack_token"),
    ("app/map.js", f"key='AIza{text(35)}'\n", "google_key"),
    ("app/pay", f"sk_live_{text(24)}\n", "stripe_key"),
    ("app/publish", f"npm_{text(36)}\n", "npm_token"),
    ("app/upload", f"pypi-AgEI{text(60)}\n", "pypi_token"),
    ("app/.env", f"export DB_PASSWORD={SECRET}\n", "env_file"),
    ("app/.env.production", f"API_KEY='{SECRET}'\n", "env_file"),
    ("root/.npmrc", f"//registry/:_authToken={SECRET}\n", "npmrc"),
    ("root/.netrc", f"machine a login b password {SECRET}\n", "netrc"),
    ("root/.pypirc", f"[pypi]\npassword = {SECRET}\n", "pypirc"),
    ("root/.git-credentials", f"https://me:{SECRET}@example.org\n", "git_credentials"),
    ("root/.docker/config.json", json.dumps({"auths": {"a": {"auth": SECRET}}}), "registry_login"),
    ("root/.aws/credentials", f"aws_secret_access_key = {SECRET}\n", "aws_credentials"),
]


@pytest.mark.parametrize(("path", "content", "kind"), CASES, ids=[path for path, _text, _kind in CASES])
def test_a_secret_is_named_and_never_said(look: Look, path: str, content: str, kind: str) -> None:
    found = look({path: content})
    assert {"kind": kind, "path": path, "layer": 1, "buried": False} in found["secrets"]
    said = json.dumps(found)
    assert not [word for word in content.replace("'", " ").replace('"', " ").split() if len(word) > 30 and word in said]
    assert SECRET not in said


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("app/.env", "DEBUG=1\nDB_PASSWORD=\nTOKEN=$FROM_OUTSIDE\n"),
        ("app/readme.md", "Begin the file with -----BEGIN PRIVATE KEY----- and so on.\n"),
        ("etc/ssl/certs/ca.pem", "-----BEGIN CERTIFICATE-----\n" + "A" * 64 + "\n"),
        ("usr/share/doc/key.pem", key("PRIVATE KEY")),
        ("srv/shop/tests/key.pem", key("PRIVATE KEY")),
        ("opt/venv/lib/python3.11/site-packages/moto/ca.key", key("PRIVATE KEY")),
        ("srv/node_modules/x/key.pem", key("PRIVATE KEY")),
        ("srv/readme", "like AKIAIOSFODNN7EXAMPLE\n"),
        ("root/.npmrc", "registry=https://example.org\n//r/:_authToken=${NPM_TOKEN}\n"),
        ("root/.docker/config.json", '{"credsStore": "secretservice"}'),
        ("app/notes", "AKIA is how those begin, ghp_short is none\n"),
    ],
)
def test_what_only_looks_like_one_is_none(look: Look, path: str, content: str) -> None:
    assert look({path: content})["secrets"] == []


def test_a_secret_that_a_later_layer_removes_is_still_there(look: Look) -> None:
    found = look({"root/.ssh/id_rsa": key("RSA PRIVATE KEY")}, {"root/.ssh/.wh.id_rsa": ""})
    assert found["secrets"] == [{"kind": "private_key", "path": "root/.ssh/id_rsa", "layer": 1, "buried": True}]


def test_secrets_of_the_configuration_and_of_build_commands(look: Look) -> None:
    env = [f"DB_PASSWORD={SECRET}", "PATH=/usr/bin", "GPG_KEY=E3FF2839", "TOKEN_FILE=/run/token", "X=", "SECRET=/run/x"]
    commands = [f"RUN |1 NPM_TOKEN={SECRET} /bin/sh -c npm ci", f"RUN git clone https://me:{SECRET}@example.org/x"]
    found = look({"a": "b"}, {"c": "d"}, env=env, commands=commands)
    assert [(one["kind"], one["path"], one["layer"]) for one in found["secrets"]] == [
        ("variable", "DB_PASSWORD", 0),
        ("command", "", 1),
        ("command", "", 2),
    ]
    assert SECRET not in json.dumps(found)
    assert found["layers"][1]["command"] == "RUN git clone https://…@example.org/x"


def test_files_with_another_owners_power_are_named(look: Look) -> None:
    files: dict[str, Any] = {"usr/bin/su": File(b"x", 0o4755), "usr/bin/wall": File(b"x", 0o2755), "usr/bin/ls": "x"}
    found = look(files, {"usr/bin/.wh.wall": "", "opt/both": File(b"x", 0o6755)})
    assert found["special_files"] == [
        {"path": "opt/both", "bits": "setuid+setgid", "layer": 2},
        {"path": "usr/bin/su", "bits": "setuid", "layer": 1},
    ]
