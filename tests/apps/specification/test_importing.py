"""The list of what a Compose file becomes."""

import pytest

from apps.specification import Import

FILE = """\
version: "3.8"
name: blog
services:
  web:
    image: nginx:1
    restart: always
    ports: ["8080:80"]
    privileged: true
    depends_on: [db]
    networks: [front]
  db:
    build: ./db
    volumes:
      - ./data:/var/lib/data
networks:
  front:
"""


def by_path(found: Import) -> dict[str, tuple[str, str]]:
    return {line.path: (line.kind, line.leave) for line in found.lines}


def test_everything_is_told_at_once() -> None:
    found = Import(FILE)
    assert found.specification is None
    assert found.name == "blog"
    assert by_path(found) == {
        "services.web.privileged": ("refused", "services.web.privileged"),
        "services.db.image": ("refused", "services.db"),
        "services.db.build": ("refused", ""),
        "services.db.volumes[0]": ("refused", "services.db.volumes[0]"),
        "services.web.restart": ("changed", ""),
        "version": ("dropped", ""),
        "name": ("dropped", ""),
        "services.web.networks": ("dropped", ""),
        "networks.front": ("dropped", ""),
        "services.web.image": ("kept", ""),
        "services.web.ports": ("kept", ""),
        "services.web.depends_on": ("kept", ""),
    }
    assert {line.path: line.spot.line for line in found.lines if line.spot}["services.web.privileged"] == 8


def test_leaving_out_is_ones_own_choice_and_is_told() -> None:
    first = Import(FILE, ("services.web.privileged", "services.db"))
    assert by_path(first)["services.web.depends_on.db"] == ("refused", "services.web.depends_on[0]")
    found = Import(FILE, ("services.web.privileged", "services.db", "services.web.depends_on[0]", "no.such"))
    assert found.specification is not None
    assert set(found.specification.services) == {"web"}
    assert found.left_out == ("services.web.privileged", "services.web.depends_on[0]", "services.db")
    assert by_path(found)["services.web.ports[0]"] == ("changed", "")


def test_every_way_offered_is_one() -> None:
    """Taking what is offered, again and again, ends with something that can be deployed."""
    leaving: tuple[str, ...] = ()
    for _turn in range(5):
        found = Import(FILE, leaving)
        offered = tuple(line.leave for line in found.lines if line.kind == "refused")
        if not offered:
            break
        leaving += offered
    assert found.specification is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
        ), "more than"),
        ("[" * 3000, "nested"),
        ("services:\n  web: {image: x, ? [a]: b}", "name of a key"),
        ("x" * (257 * 1024), "larger than"),
        ("- a\n- b\n", "map"),
        ("services: !!python/object/apply:os.system [ls]", "tag"),
        ("a: b: c", "Line 1"),
        ("services: {}", "services"),
        ("", "map"),
    ],
)  # fmt: skip
def test_bombs_and_nonsense_are_refused_in_words(text: str, said: str) -> None:
    found = Import(text)
    assert found.specification is None
    refused = [line for line in found.lines if line.kind == "refused"]
    assert refused
    assert said in str(refused[0].message)
    assert [line.as_json() for line in found.lines]
