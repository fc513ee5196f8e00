"""The words of one engine stay below backends/: people read the words of docs/glossary.md."""

import re

import pytest

from tests.rules import messages
from tests.rules.sources import PACKAGES, at, files, told

ENGINE_WORDS = re.compile(
    r"\b(pods?|swarms?|replicas?|replica ?sets?|replicated|stacks?|tasks?|nodes?|namespaces?|daemon|dockerd|docker|"
    r"containers?|kubelet|kubernetes|overlay|statefulsets?|ingress)\b",
    re.IGNORECASE,
)
# Product names, and words that mean something else where they stand.
PRODUCTS = re.compile(
    r"\w+://\S+|Docker Swarm|Docker Compose|Docker Hub|Kubernetes cluster|"
    r"docker (?:login|push|pull|build|image|save)[^.]*",
)
EXEMPT = {
    # folder of the text: why it may
    "backends/": "speaks to engines",
    "apps/specification/": "quotes the keys of a Compose file as people wrote them",
}


def test_people_read_no_engine_words() -> None:
    faults = [
        f"{messages.where(entry)}: {found[0]} in {entry.msgid[:90]!r}"
        for entry in messages.gathered()
        if not all(exempt(path) for path, _line in entry.occurrences) and (found := engine_words(entry.msgid))
    ]
    assert not faults, told(
        faults, "Use the product's words (docs/glossary.md): instance, service, host, environment, cluster:"
    )


def exempt(path: str) -> bool:
    return any(path.startswith(folder) for folder in EXEMPT)


def engine_words(text: str) -> list[str]:
    return ENGINE_WORDS.findall(PRODUCTS.sub("", text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3 replicas are running", ["replicas"]),
        ("A Docker Swarm, version 20", []),
        ("The swarm does not answer", ["swarm"]),
        ("Three instances on this host", []),
        ("docker login berth.example.com", []),
    ],
)
def test_the_rule_itself(text: str, found: list[str]) -> None:
    assert engine_words(text) == found


def test_code_above_the_engines_does_not_ask_for_their_kind() -> None:
    asks = re.compile(r"\bkind\s*(?:==|!=|in)\s*[^=\n]*(?:Kind\.(?:SWARM|FAKE)|[\"']swarm[\"']|[\"']kubernetes[\"'])")
    above = [path for path in files(*PACKAGES) if "backends" not in path.parts]
    faults = [
        at(path, number)
        for path in above
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if asks.search(line)
    ]
    assert not faults, told(faults, "Ask a capability of the driver's contract, not which engine it is:")
