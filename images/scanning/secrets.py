"""Secrets that somebody left in an image: told by their place, never by their text."""

import re
from collections.abc import Iterable

LARGEST = 256 * 1024
NOT_THERE = (
    "usr/share/",
    "usr/include/",
    "usr/lib/",
    "usr/lib64/",
    "usr/bin/",
    "usr/sbin/",
    "bin/",
    "sbin/",
    "lib/",
    "lib64/",
    "var/lib/dpkg/",
    "var/lib/apt/",
    "var/cache/",
    "usr/local/go/",
)
OF_LIBRARIES = re.compile(r"(?:^|/)(?:site-packages|dist-packages|node_modules|vendor/bundle|pkg/mod)/")
OF_TESTS = re.compile(r"/(?:tests?|testdata|fixtures|__tests__|examples?)/")
KEY = re.compile(
    rb"-----BEGIN ((?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY)(?: BLOCK)?-----"
    rb"(?:\\n|[\s\w:,.-]){0,400}?[A-Za-z0-9+/]{40}"
)
SHAPES = {
    "aws_key": (b"A", re.compile(rb"\b(?:AKIA|ASIA)(?![0-9A-Z]*EXAMPLE)[0-9A-Z]{16}\b")),
    "github_token": (b"gh", re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36,255}\b")),
    "github_token_fine": (b"github_pat_", re.compile(rb"\bgithub_pat_[A-Za-z0-9_]{40,255}\b")),
    "gitlab_token": (b"glpat-", re.compile(rb"\bglpat-[\w-]{20,}")),
    "slack_token": (b"xox", re.compile(rb"\bxox[abeprs]-[0-9A-Za-z-]{20,}")),
    "google_key": (b"AIza", re.compile(rb"\bAIza[\w-]{35}\b")),
    "stripe_key": (b"k_live_", re.compile(rb"\b[sr]k_live_[0-9A-Za-z]{16,}")),
    "npm_token": (b"npm_", re.compile(rb"\bnpm_[A-Za-z0-9]{36}\b")),
    "pypi_token": (b"pypi-AgEI", re.compile(rb"\bpypi-AgEI[\w-]{50,}")),
}
NAMED = r"(?:[A-Z0-9_]*_)?(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET_?KEY)(?:_[A-Z0-9]+)?"
VARIABLE = re.compile(rf"{NAMED}\Z", re.IGNORECASE)
SETTING = re.compile(rf"^[ \t]*(?:export[ \t]+)?{NAMED}[ \t]*=[ \t]*[\"']?[^\s\"'#$]{{4,}}".encode(), re.M | re.I)
FILES = {
    ".env": ("env_file", SETTING),
    ".npmrc": ("npmrc", re.compile(rb"_(?:authToken|auth|password)\s*=\s*[^\s$]{4,}")),
    ".netrc": ("netrc", re.compile(rb"\bpassword\s+\S+")),
    ".pypirc": ("pypirc", re.compile(rb"^[ \t]*password[ \t]*[=:][ \t]*\S+", re.M)),
    ".git-credentials": ("git_credentials", re.compile(rb"://[^\s/:]+:[^\s/@]+@")),
    ".dockercfg": ("registry_login", re.compile(rb'"(?:auth|identitytoken)"\s*:\s*"[^"]{4,}')),
    ".docker/config.json": ("registry_login", re.compile(rb'"(?:auth|identitytoken)"\s*:\s*"[^"]{4,}')),
    ".aws/credentials": ("aws_credentials", re.compile(rb"aws_secret_access_key\s*=\s*\S+", re.I)),
    ".kube/config": ("cluster_login", re.compile(rb"(?:client-key-data|token|password)\s*:\s*\S{8,}")),
}
LOGIN = re.compile(r"(\w+://)[^\s/@]+@")
GIVEN = re.compile(rf"\b({NAMED})=(\"[^\"]*\"|'[^']*'|\S+)", re.IGNORECASE)


def looked_at(path: str, size: int) -> bool:
    """Whether a file is one that people write. What packages and libraries bring is public, keys of tests too."""
    if not 0 < size <= LARGEST or path.startswith(NOT_THERE):
        return False
    return not OF_LIBRARIES.search(path) and not OF_TESTS.search(path)


def kinds(path: str, data: bytes) -> list[str]:
    """What kinds of secrets a file holds."""
    found = [kind for kind, (mark, shape) in SHAPES.items() if mark in data and shape.search(data)]
    if b"PRIVATE KEY" in data and (key := KEY.search(data)):
        locked = key[1].startswith(b"ENCRYPTED") or b"Proc-Type: 4,ENCRYPTED" in data
        found.append("locked_private_key" if locked else "private_key")
    name = "/" + path
    for ending, (kind, sign) in FILES.items():
        if (name.endswith("/" + ending) or (ending == ".env" and "/.env." in name)) and sign.search(data):
            found.append(kind)
    return ["github_token" if kind == "github_token_fine" else kind for kind in found]


def variables(given: Iterable[object]) -> list[str]:
    """Names of environment variables whose values are secrets by their name or shape."""
    found = []
    for one in given:
        name, _equals, value = str(one).partition("=")
        by_name = VARIABLE.match(name) and not name.upper().endswith("_FILE") and not value.startswith("/")
        by_shape = any(shape.search(value.encode()) for _mark, shape in SHAPES.values())
        if value and (by_name or by_shape):
            found.append(name[:100])
    return found


def covered(command: str) -> str:
    """The command behind a layer, without what was passed to it in secret."""
    text = LOGIN.sub(r"\1…@", GIVEN.sub(r"\1=…", command))
    raw = text.encode("utf-8", "replace")
    for _mark, shape in SHAPES.values():
        raw = shape.sub("…".encode(), raw)
    return raw.decode("utf-8", "replace")


def holds(command: str) -> bool:
    """Whether something in a command had to be covered."""
    return covered(command) != command
