"""Compose files as people write them: translated whole, or answered with all that stands in the way."""

from typing import Any

import pytest

from apps.specification import SpecificationError, read_data, read_text
from tests.apps.specification.stage import codes, one_service

WRITTEN = """
version: "3.8"
name: shop
x-logging: &default
  restart: unless-stopped
  networks: [back]
services:
  web:
    <<: *default
    build: .
    image: example/web:1
    container_name: shop_web
    hostname: web1
    platform: linux/amd64
    stop_signal: SIGQUIT
    x-note: hello
    ports: ["127.0.0.1:9090:9090", "8080:80"]
    volumes: ["media_files:/media"]
    secrets: [db_password]
    configs: [{source: nginx_conf, target: /etc/nginx.conf}]
    depends_on: [db]
  db:
    <<: *default
    restart: on-failure:5
    image: postgres:16
    volumes: [{type: volume, source: pg.data, target: /var/lib/postgresql/data}]
networks:
  back: {driver: bridge}
  default:
volumes:
  media_files: {driver: local}
  pg.data: {name: shop_pgdata}
configs:
  nginx_conf: {content: "user nginx;"}
secrets:
  db_password: {file: ./password.txt}
"""


def test_a_whole_compose_file_is_translated() -> None:
    reading = read_text(WRITTEN, mode="import")
    assert reading.specification.canonical() == {
        "services": {
            "db": {
                "image": "postgres:16",
                "volumes": [{"type": "volume", "source": "pg-data", "target": "/var/lib/postgresql/data"}],
                "deploy": {
                    "replicas": 1,
                    "restart_policy": {"condition": "on-failure", "delay": "2s", "max_attempts": 5},
                },
            },
            "web": {
                "image": "example/web:1",
                "ports": [{"target": 80, "protocol": "tcp"}],
                "expose": ["9090"],
                "depends_on": {"db": {"condition": "service_started"}},
                "volumes": [{"type": "volume", "source": "media-files", "target": "/media"}],
                "configs": [{"source": "nginx-conf", "target": "/etc/nginx.conf"}],
                "secrets": [{"source": "db-password", "target": "/run/secrets/db_password"}],
                "deploy": {"replicas": 1, "restart_policy": {"condition": "any", "delay": "2s"}},
            },
        },
        "volumes": {"media-files": {}, "pg-data": {}},
        "configs": {"nginx-conf": {"content": "user nginx;"}},
        "secrets": {"db-password": {"external": True}},
    }


def test_what_becomes_other_than_written_is_noted() -> None:
    notes = {note.path: note.code for note in read_text(WRITTEN, mode="import").notes}
    assert notes == {
        "version": "not_needed",
        "name": "name_left_out",
        "x-logging": "extension_left_out",
        "services.web.x-note": "extension_left_out",
        "services.web.restart": "restart_translated",
        "services.web.container_name": "container_name_left_out",
        "services.web.hostname": "hostname_left_out",
        "services.web.stop_signal": "stop_signal_left_out",
        "services.web.platform": "platform_left_out",
        "services.web.build": "build_left_out",
        "services.web.networks": "network_shared",
        "services.db.restart": "restart_translated",
        "services.db.networks": "network_shared",
        "networks.back": "network_shared",
        "networks.default": "network_shared",
        "volumes.media_files.driver": "volume_driver_left_out",
        "volumes.media_files": "renamed",
        "volumes['pg.data']".replace("'", '"'): "renamed",
        'volumes["pg.data"].name': "not_needed",
        "configs.nginx_conf": "renamed",
        "secrets.db_password.file": "secret_value_elsewhere",
        "secrets.db_password": "renamed",
        "services.web.ports[0]": "port_kept_inside",
        "services.web.ports[1]": "host_port_chosen",
    }


def test_every_note_has_words_that_name_the_place() -> None:
    for note in read_text(WRITTEN, mode="import").notes:
        assert note.path in note.as_json()["message"]


def test_the_same_file_is_refused_when_it_is_not_an_import() -> None:
    with pytest.raises(SpecificationError) as raised:
        read_text(WRITTEN)
    fields = {problem.field for problem in raised.value.errors}
    assert {"services.web.restart", "services.web.build", "networks", "x-logging", "volumes.media_files"} <= fields
    assert "version" not in fields
    assert "name" not in fields


@pytest.mark.parametrize(
    ("written", "policy"),
    [
        ("always", {"condition": "any"}),
        ("unless-stopped", {"condition": "any"}),
        ("no", {"condition": "none"}),
        (False, {"condition": "none"}),
        ("on-failure", {"condition": "on-failure"}),
        ("on-failure:3", {"condition": "on-failure", "max_attempts": 3}),
    ],
)
def test_restart_becomes_a_policy(written: object, policy: dict[str, object]) -> None:
    canonical: Any = read_data(one_service(restart=written), mode="import").specification.canonical()
    assert canonical["services"]["web"]["deploy"]["restart_policy"] == policy | {"delay": "2s"}


def test_a_policy_written_already_wins_over_restart() -> None:
    data = one_service(restart="always", deploy={"restart_policy": {"condition": "none"}})
    reading = read_data(data, mode="import")
    assert reading.specification.services["web"].deploy.restart_policy is not None
    assert reading.specification.services["web"].deploy.restart_policy.condition == "none"
    assert [note.code for note in reading.notes] == ["restart_overridden"]


@pytest.mark.parametrize("written", ["sometimes", 3, ["always"], "on-failure:-1"])
def test_an_unknown_restart_is_a_problem(written: object) -> None:
    assert codes(one_service(restart=written), mode="import") == {"services.web.restart": "not_one_of"}


def test_a_service_to_be_built_leads_to_building() -> None:
    data = {"services": {"web": {"build": "."}}}
    assert codes(data, mode="import") == {"services.web.build": "build_first", "services.web.image": "missing"}


def test_an_alias_that_others_rely_on_is_not_dropped_silently() -> None:
    data = one_service(networks={"back": {"aliases": ["database"]}})
    assert codes(data, mode="import") == {"services.web.networks.back.aliases": "network_is_fixed"}
    assert read_data(one_service(networks={"back": {"aliases": ["web"]}}), mode="import").specification


def test_an_internal_network_is_not_widened_silently() -> None:
    data = one_service() | {"networks": {"back": {"internal": True}}}
    assert codes(data, mode="import") == {"networks.back.internal": "not_available_yet"}


def test_two_names_that_would_become_one_stay_two() -> None:
    data = one_service(volumes=["my_data:/a", "my.data:/b", "my-data:/c"]) | {
        "volumes": {"my_data": None, "my.data": None, "my-data": None}
    }
    specification = read_data(data, mode="import").specification
    assert set(specification.volumes) == {"my-data", "my-data-2", "my-data-3"}
    mounts = {mount.target: mount.source for mount in specification.services["web"].named_volumes}
    assert mounts == {"/a": "my-data-2", "/b": "my-data-3", "/c": "my-data"}


def test_keys_are_left_out_by_choice_and_recorded() -> None:
    data = one_service(privileged=True, volumes=["./src:/app", "data:/data", "/etc:/x"]) | {"volumes": {"data": None}}
    choice = {"services.web.privileged", "services.web.volumes[0]", "services.web.volumes[2]"}
    assert set(codes(data, mode="import")) == choice
    reading = read_data(data, mode="import", leaving_out=choice)
    assert {note.path: note.code for note in reading.notes} == dict.fromkeys(choice, "left_out")
    assert [mount.source for mount in reading.specification.services["web"].named_volumes] == ["data"]


def test_places_keep_their_written_numbers_when_others_are_left_out() -> None:
    data = one_service(volumes=["./a:/a", "./b:/b", "./c:/c"], ports=["x", "80:80"])
    with pytest.raises(SpecificationError) as raised:
        read_data(data, mode="import", leaving_out=["services.web.volumes[0]", "services.web.volumes[1]"])
    assert {problem.field for problem in raised.value.errors} == {"services.web.volumes[2]", "services.web.ports[0]"}
    reading = read_data(
        data, mode="import", leaving_out=["services.web.volumes", "services.web.ports[0]"], most_instances=1
    )
    assert {note.path: note.code for note in reading.notes} == {
        "services.web.volumes": "left_out",
        "services.web.ports[0]": "left_out",
        "services.web.ports[1]": "host_port_chosen",
    }


def test_leaving_out_a_variable_takes_its_problem_away() -> None:
    data = one_service(environment={"A": "${A}", "B": "b"})
    assert codes(data, mode="import") == {"services.web.environment.A": "variable"}
    reading = read_data(data, mode="import", leaving_out=["services.web.environment.A"])
    assert reading.specification.services["web"].environment == {"B": "b"}


def test_reading_changes_nothing_of_what_was_given() -> None:
    data = one_service(restart="always", build=".", networks=["a"], deploy={"replicas": 1})
    before = repr(data)
    read_data(data, mode="import", leaving_out=["services.web.deploy.replicas"])
    assert repr(data) == before
