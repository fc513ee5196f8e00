"""The deploy panel's buttons: mending, taking back, the text with its lines, importing, and what changes."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.models import App, AppEnvironment, Release
from apps.services import deploy
from apps.specification import from_image, read_text
from audit.models import AuditEntry
from tests.apps.specification.stage import COMPLETE
from tests.conftest import Cast
from tests.pages.test_deploy_page import ADDRESS, Browse, fields_of, filled, images, text_of

__all__ = ["images"]

LINE = re.compile(r'<li class="is-(\w+)">(.*?)</li>', re.DOTALL)
BUTTON = re.compile(r'<button type="submit" class="btn is-small" name="(\w+)" value="([^"]*)"')
COMPOSE = """\
name: blog
services:
  web:
    image: berth/hello:1
    restart: always
    privileged: true
    ports: ["8080:8080"]
"""


def lines(text: str) -> list[tuple[str, str]]:
    """(kind, markup) of the preflight's lines."""
    card = text[text.index('class="preflight"') :]
    return LINE.findall(card[: card.index("</section>")])


def red(text: str) -> list[str]:
    return [body for kind, body in lines(text) if kind == "bad"]


def pressed(body: str) -> dict[str, str]:
    """What the button of a line sends besides the panel."""
    found = BUTTON.search(body)
    assert found, body
    return {found[1]: unescape(found[2])}


def area(text: str, name: str) -> str:
    """The text in one of the panel's larger fields."""
    found = re.search(rf'<textarea[^>]*name="{name}"[^>]*>\n?(.*?)</textarea>', text, re.DOTALL)
    assert found
    return unescape(found[1]).replace("\r\n", "\n")


def sent_from(text: str) -> dict[str, str]:
    """All fields of the panel, the text of the YAML tab included."""
    fields = fields_of(text)
    return fields | ({"yaml": area(text, "yaml")} if 'name="yaml"' in text else {})


def in_yaml(client: Client, yaml: str, **more: str) -> dict[str, str]:
    return filled(client, mode="yaml", yaml=yaml, name="greeter") | more


def test_red_line_is_mended_and_deployed(browse: Browse, images: None) -> None:
    client = browse("developer")
    text = text_of(client.get(f"{ADDRESS}?image=berth/hello:7"))
    [line] = red(text)
    assert "berth/hello:7 is not there" in line
    assert "Mend the red lines first." in text
    text = text_of(client.post(ADDRESS, fields_of(text) | pressed(line)))
    assert not red(text)
    fields = fields_of(text)
    assert (fields["image"], fields["ports"], fields["instances"]) == ("berth/hello:2", "8080", "3")
    assert client.post(ADDRESS, fields | {"go": "deploy"}).status_code == 302


def test_a_mend_can_be_taken_back(browse: Browse, images: None) -> None:
    client = browse("developer")
    text = text_of(client.get(f"{ADDRESS}?image=berth/hello:7"))
    assert "Undo the last mend" not in text
    text = text_of(client.post(ADDRESS, fields_of(text) | pressed(red(text)[0])))
    assert "1 mend can be taken back." in text
    text = text_of(client.post(ADDRESS, fields_of(text) | {"go": "undo"}))
    assert fields_of(text)["image"] == "berth/hello:7"
    assert "Undo the last mend" not in text
    text = text_of(client.post(ADDRESS, fields_of(text) | pressed(red(text)[0])))
    page = client.post(ADDRESS, fields_of(text) | {"name": "again", "go": "deploy"})
    assert page.status_code == 302, re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", text_of(page)))


def test_what_the_form_does_not_show_is_mended_too(browse: Browse, images: None) -> None:
    """A secret of a service that is not on show."""
    client = browse("developer")
    yaml = (
        "services:\n  a: {image: 'berth/hello:1'}\n  b: {image: 'berth/hello:1', secrets: [key]}\n"
        "secrets: {key: {external: true}}\n"
    )
    text = text_of(client.post(ADDRESS, in_yaml(client, yaml, go="form")))
    assert fields_of(text)["service"] == "a"
    text = text_of(client.post(ADDRESS, fields_of(text) | pressed(red(text)[0])))
    assert not red(text)
    page = client.post(ADDRESS, fields_of(text) | {"go": "deploy"})
    assert page.status_code == 302
    assert "secrets" not in Release.objects.get().specification["services"]["b"]


@pytest.mark.parametrize(
    ("typed", "field", "value"),
    [
        ({"ports": "x"}, "ports", "8080"),
        ({"instances": "many"}, "instances", "3"),
        ({"memory": "lots"}, "memory", ""),
        ({"health": "command", "command": ""}, "health", "image"),
        ({"name": "Bad Name"}, "name", "hello"),
        ({"cpu": "0.000001"}, "cpu", ""),
        ({"variables-0-name": "BERTH_X", "variables-0-value": "1"}, "variables-0-name", ""),
    ],
)
def test_every_wrong_field_has_a_button(
    browse: Browse, images: None, typed: dict[str, str], field: str, value: str
) -> None:
    client = browse("developer")
    text = text_of(client.post(ADDRESS, filled(client, f"{ADDRESS}?image=berth/hello:1") | typed | {"go": "check"}))
    assert len(red(text)) == 1
    text = text_of(client.post(ADDRESS, fields_of(text) | typed | pressed(red(text)[0])))
    assert fields_of(text)[field] == value
    assert not red(text)


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        ("services:\n  web:\n    image: berth/hello:1\n    privileged: true\n", 4),
        ("services:\n  web:\n    image: berth/hello:1\n    mem_limit: 64m\n", 4),
        ("services:\n  web:\n    image: berth/hello:1\n    deploy: {replica: 2}\n", 4),
        ("services:\n  web:\n    image: berth/hello:1\n    ports:\n      - 80\n      - nine\n", 6),
        ("services:\n  web:\n    image: berth/hello:9\n", 3),
        ("services:\n  web:\n    image: berth/hello:1\n    cap_add: [ALL]\n    pid: host\n", 4),
        ("services:\n  web:\n    image: berth/hello:1\n   x: [", 4),
        ("services:\n  web: {}\n", 2),
    ],
)
def test_errors_of_the_text_stand_at_their_line_with_a_button(
    browse: Browse, images: None, yaml: str, line: int
) -> None:
    client = browse("developer")
    base = filled(client, f"{ADDRESS}?image=berth/hello:1")
    text = unescape(text_of(client.post(ADDRESS, base | {"mode": "yaml", "yaml": yaml, "go": "check"})))
    assert f"Line {line}" in red(text)[0]
    assert re.search(rf'data-kind="bad" data-line="{line}" data-column="\d+"', text)
    for _turn in range(5):
        text = text_of(client.post(ADDRESS, base | {"mode": "yaml", "yaml": area(text, "yaml")} | {"go": "check"}))
        if not red(text):
            break
        text = text_of(client.post(ADDRESS, base | sent_from(text) | pressed(red(text)[0])))
    assert not red(text)


def test_comments_survive_mending_and_the_way_through_the_form(browse: Browse, images: None) -> None:
    client = browse("developer")
    yaml = "# the greeter\nservices:\n  web:\n    image: berth/hello:1 # first\n    ports: [8080]\n"
    text = text_of(client.post(ADDRESS, in_yaml(client, yaml, go="form")))
    assert "# the greeter" in fields_of(text)["text"]
    text = text_of(client.post(ADDRESS, fields_of(text) | {"instances": "2", "go": "yaml"}))
    again = area(text, "yaml")
    assert "# the greeter" in again
    assert "# first" in again
    assert read_text(again).specification.services["web"].deploy.replicas == 2


def test_every_kept_key_goes_through_the_form_and_back(browse: Browse) -> None:
    client = browse("developer")
    text = text_of(client.post(ADDRESS, in_yaml(client, COMPLETE, go="form")))
    for service in ("cache", "db", "queue", "web", "api"):
        text = text_of(client.post(ADDRESS, fields_of(text) | {"go": f"of:{service}"}))
    text = text_of(client.post(ADDRESS, fields_of(text) | {"text": "", "go": "yaml"}))
    assert read_text(area(text, "yaml")).specification == read_text(COMPLETE).specification


def test_text_that_is_no_yaml_goes_back_to_what_was_there(browse: Browse, images: None) -> None:
    client = browse("developer")
    fields = filled(client, f"{ADDRESS}?image=berth/hello:1") | {"mode": "yaml", "yaml": "services: ["}
    text = text_of(client.post(ADDRESS, fields | {"go": "back"}))
    assert "berth/hello:1" in area(text, "yaml")
    text = text_of(client.post(ADDRESS, sent_from(text) | {"go": "undo"}))
    assert area(text, "yaml") == "services: ["


@pytest.mark.parametrize("way", ["yaml", "import"])
def test_nothing_is_lost_on_the_way_there_and_back(browse: Browse, images: None, way: str) -> None:
    """With exactly the fields that a browser has there."""
    client = browse("developer")
    typed = {"instances": "2", "variables-0-name": "A", "variables-0-value": "1", "memory": "64", "name": "mine"}
    text = text_of(client.post(ADDRESS, filled(client, f"{ADDRESS}?image=berth/hello:1") | typed | {"go": way}))
    sent = {name: value for name, value in sent_from(text).items() if f'name="{name}"' in text}
    if way == "yaml":
        broken = text_of(client.post(ADDRESS, sent | {"yaml": "x: [", "go": "check"}))
        sent = {name: value for name, value in sent_from(broken).items() if f'name="{name}"' in broken}
        text = text_of(client.post(ADDRESS, sent | pressed(red(broken)[0])))
        sent = {name: value for name, value in sent_from(text).items() if f'name="{name}"' in text}
    fields = fields_of(text_of(client.post(ADDRESS, sent | {"go": "form"})))
    assert {name: fields[name] for name in typed} == typed
    assert fields["image"] == "berth/hello:1"


def test_what_changes_is_said_in_words_and_as_text(browse: Browse, images: None, running: AppEnvironment) -> None:
    client = browse("developer")
    address = f"{ADDRESS}?app=hello&environment=dev"
    assert "Nothing changes: this is what release 1 runs in dev." in text_of(client.get(address))
    typed = {"image": "berth/hello:2", "instances": "5", "variables-0-name": "A", "variables-0-value": "1", "ports": ""}
    text = unescape(text_of(client.post(ADDRESS, filled(client, address, **typed, go="check"))))
    changes = text[text.index('<ul class="changes">') : text.index("</ul>", text.index('<ul class="changes">'))]
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", changes))
    for words in ("Image of web berth/hello:1 → becomes berth/hello:2", "Instances of web 3 → becomes 5"):
        assert words in said
    assert "Variable A of web new 1" in said
    assert re.search(r'<li class="is-gone"[^>]*><b>Ports of web</b>', changes)
    assert 'class="is-gone" data-sign' in text
    assert 'class="is-new" data-sign' in text


def test_an_import_says_what_it_becomes_and_lands_as_a_draft(browse: Browse, images: None) -> None:
    client = browse("developer")
    text = text_of(client.post(ADDRESS, filled(client, go="import")))
    assert 'name="compose"' in text
    base = fields_of(text) | {"mode": "import"}
    text = unescape(text_of(client.post(ADDRESS, base | {"compose": COMPOSE, "go": "see"})))
    assert "Line 6 · services.web.privileged is refused" in text
    assert "services.web.restart: always becomes deploy.restart_policy" in text
    assert "Use it as the draft" not in text
    left = base | {"compose": COMPOSE, "leave": "services.web.privileged"}
    assert "Use it as the draft" in text_of(client.post(ADDRESS, left | {"go": "see"}))
    text = text_of(client.post(ADDRESS, left | {"go": "take"}))
    fields = fields_of(text)
    assert (fields["name"], fields["image"], fields["ports"], fields["mode"]) == (
        "blog", "berth/hello:1", "8080", "form",
    )  # fmt: skip
    assert not App.objects.exists()
    assert client.post(ADDRESS, fields | {"go": "deploy"}).status_code == 302
    entry = AuditEntry.objects.get(action="app.create")
    assert entry.detail["left_out"] == ["services.web.privileged"]
    assert "left out: services.web.privileged" in Release.objects.get().note


def test_an_import_of_a_refused_file_cannot_be_taken(browse: Browse) -> None:
    client = browse("developer")
    text = text_of(client.post(ADDRESS, filled(client, mode="import", compose=COMPOSE, go="take")))
    assert "stands in the way" in text
    assert fields_of(text)["mode"] == "import"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (COMPOSE.encode(), "services.web.privileged is refused"),
        (b"\xef\xbb\xbfservices: {web: {image: 'x:1'}}", "nothing stands in the way"),
        (b"x" * 300_000, "at most 256 KB are read"),
        (b"\xff\xfe\x00", "stands in the way"),
        (b"", "Paste a file, or choose one."),
        (b"a: &a [1]\nb: " + b"[" * 2000, "nested more than"),
    ],
)
def test_a_file_is_read_without_scripts(browse: Browse, content: bytes, said: str) -> None:
    client = browse("developer")
    fields = filled(client, mode="import", go="see")
    upload = SimpleUploadedFile("docker-compose.yml", content, content_type="application/octet-stream")
    page = client.post(ADDRESS, fields | {"file": upload})
    assert page.status_code == 200
    assert said in unescape(text_of(page))


@pytest.mark.parametrize(
    "sent",
    [
        {"mend": "{"}, {"mend": "[]"}, {"mend": '{"spec.": 1}'}, {"mend": '{"spec.services.hello.privileged": true}'},
        {"mend": '{"spec.services[0].x": 1}'}, {"mend": '{"environment": {}}'},
        {"undo": '[{"image": 5}, 7]', "go": "undo"}, {"base": "[" * 9000, "go": "check"}, {"mend": "[" * 9000},
        {"undo": '{"a": 1}', "go": "undo"}, {"undo": "[" * 9000, "go": "undo"}, {"left_out": "[1, {}]", "go": "deploy"},
        {"left_out": "{", "go": "deploy"}, {"text": "x: [", "go": "yaml"}, {"mode": "import", "go": "take"},
        {"mend": '{"spec.services.hello.image": {"a": 1}}'}, {"mode": "yaml", "yaml": "", "go": "back"},
    ],
)  # fmt: skip
def test_nonsense_is_believed_as_little_as_anything(browse: Browse, images: None, sent: dict[str, str]) -> None:
    client = browse("developer")
    page = client.post(ADDRESS, filled(client, f"{ADDRESS}?image=berth/hello:1") | sent)
    assert page.status_code in (200, 302, 404)
    assert "privileged" not in json.dumps([release.specification for release in Release.objects.all()])


def test_who_may_not_deploy_there_is_led_to_where_they_may(
    browse: Browse, images: None, running: AppEnvironment
) -> None:
    client = browse("developer")
    text = text_of(client.get(f"{ADDRESS}?app=hello&environment=prod"))
    line = next(one for one in red(text) if "You may not deploy to prod" in one)
    assert "owner or admin of tenant acme" in line
    text = text_of(client.post(ADDRESS, fields_of(text) | pressed(line)))
    assert fields_of(text)["environment"] == "dev"
    assert not red(text)


def test_an_import_over_http(api: Any, cast: Cast) -> None:
    address = "/api/v1/tenants/acme/projects/shop/import"
    answer = api("developer").post(address, {"text": COMPOSE}, format="json").json()
    assert (answer["ready"], answer["spec"], answer["name"]) == (False, None, "blog")
    leaving = [line["leave_out"] for line in answer["lines"] if line["kind"] == "refused"]
    answer = api("developer").post(address, {"text": COMPOSE, "leaving_out": leaving}, format="json").json()
    assert answer["ready"] is True
    body = {"name": "blog", "environment": "dev", "spec": answer["spec"], "left_out": answer["left_out"]}
    made = api("developer").post("/api/v1/tenants/acme/projects/shop/apps", body, format="json")
    assert made.status_code == 202, made.content
    assert AuditEntry.objects.get(action="app.create").detail["left_out"] == ["services.web.privileged"]
    assert api("guest").post(address, {"text": COMPOSE}, format="json").status_code == 403
    assert api("outsider").post(address, {"text": COMPOSE}, format="json").status_code == 404


def test_what_was_left_out_stands_in_the_audit_of_a_deployment(cast: Cast, running: AppEnvironment) -> None:
    deploy(cast.actor("developer"), running, spec=from_image("berth/hello:1", name="web"), left_out=["services.x"])
    entries = AuditEntry.objects.filter(action="app.deploy").order_by("-seq")
    assert entries[0].detail["left_out"] == ["services.x"]
