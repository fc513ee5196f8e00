"""How each value may be written, and the one form it is kept in."""

from typing import Any

import pytest

from apps.specification import read_data, read_text
from tests.apps.specification.stage import codes, kept, one_service


@pytest.mark.parametrize(
    ("written", "kept_as"),
    [
        (80, [{"target": 80, "protocol": "tcp"}]),
        ("80", [{"target": 80, "protocol": "tcp"}]),
        ("80/udp", [{"target": 80, "protocol": "udp"}]),
        ("8080:80", [{"target": 80, "protocol": "tcp"}]),
        (":80", [{"target": 80, "protocol": "tcp"}]),
        ("0.0.0.0:8080:80/tcp", [{"target": 80, "protocol": "tcp"}]),
        ("[::]:8080:80", [{"target": 80, "protocol": "tcp"}]),
        ("9090-9091:80-81", [{"target": 80, "protocol": "tcp"}, {"target": 81, "protocol": "tcp"}]),
        ("80-81", [{"target": 80, "protocol": "tcp"}, {"target": 81, "protocol": "tcp"}]),
        ("8000-9000:80", [{"target": 80, "protocol": "tcp"}]),
        ({"target": 80, "published": "8080", "mode": "ingress"}, [{"target": 80, "protocol": "tcp"}]),
        ({"target": "80", "published": 8080, "protocol": "udp"}, [{"target": 80, "protocol": "udp"}]),
    ],
)
def test_ports(written: object, kept_as: object) -> None:
    assert kept(ports=[written])["ports"] == kept_as
    assert kept(ports=kept(ports=[written])["ports"]) == kept(ports=[written])


@pytest.mark.parametrize(
    ("written", "place", "code"),
    [
        ("http", "", "bad_port"),
        (-1, "", "bad_port"),
        (True, "", "bad_port"),
        (80.5, "", "bad_port"),
        (None, "", "bad_port"),
        (10**30, "", "number_out_of_range"),
        ("99999", "", "port_out_of_range"),
        (0, "", "port_out_of_range"),
        ("80/sctp", "", "port_protocol"),
        ("81-80", "", "port_range"),
        ("1-3:80-81", "", "port_range"),
        ("1-60000", "", "too_many"),
        ("80:80:80:80", "", "bad_port"),
        ("${PORT}:80", "", "variable"),
        ("80 ", "", "bad_port"),
        ("٨٠", "", "bad_port"),
        ({"published": 80}, ".target", "missing"),
        ({"target": "x"}, ".target", "bad_port"),
        ({"target": 80, "mode": "host"}, ".mode", "port_mode_host"),
        ({"target": 80, "protocol": "sctp"}, "", "port_protocol"),
        ({"target": 80, "name": "x"}, ".name", "engine_setting"),
        ({"target": 80, "host_ip": "evil"}, ".host_ip", "bad_port"),
    ],
)
def test_ports_that_are_refused(written: object, place: str, code: str) -> None:
    assert codes(one_service(ports=[written])) == {f"services.web.ports[0]{place}": code}


def test_the_hosts_port_is_not_the_persons_to_choose() -> None:
    reading = read_data(one_service(ports=["8080:80", "10.0.0.5:81:81", 82]))
    assert [(note.path, note.code) for note in reading.notes] == [
        ("services.web.ports[0]", "host_port_chosen"),
        ("services.web.ports[1]", "host_port_chosen"),
        ("services.web.ports[1]", "host_address_chosen"),
    ]
    assert "8080" in str(reading.notes[0].message)


def test_a_port_is_kept_once_and_published_if_written_so_anywhere() -> None:
    web = kept(ports=["127.0.0.1:80:80", "8080:80", "80", "127.0.0.1:81:81"], expose=[80, "81", 82])
    assert web["ports"] == [{"target": 80, "protocol": "tcp"}]
    assert web["expose"] == ["81", "82"]


def test_at_most_twenty_ports() -> None:
    assert codes(one_service(ports=["1-21"])) == {"services.web.ports[0]": "too_many"}
    assert codes(one_service(ports=["1-20", 21])) == {"services.web.ports": "too_many"}
    assert codes(one_service(ports=["1-15"], expose=["101-115"])) == {"services.web.ports": "too_many"}
    assert len(kept(ports=["1-20"])["ports"]) == 20


@pytest.mark.parametrize(
    "written",
    [
        {"A": 1, "B": True, "C": 1.5, "D": "x=y"},
        ["A=1", "B=true", "C=1.5", "D=x=y"],
    ],
)
def test_environment(written: object) -> None:
    assert kept(environment=written)["environment"] == {"A": "1", "B": "true", "C": "1.5", "D": "x=y"}


@pytest.mark.parametrize(
    ("written", "place", "code"),
    [
        ({"A": None}, ".A", "environment_without_value"),
        (["A"], "[0]", "environment_without_value"),
        (["A=1", "A=2"], "[1]", "twice"),
        (["A=1", 2], "[1]", "not_text"),
        ({"A": ["x"]}, ".A", "not_text"),
        ({"1A": "x"}, ".1A", "bad_key_of_environment"),
        ({"A B": "x"}, '["A B"]', "bad_key_of_environment"),
        ({"": "x"}, '[""]', "bad_key_of_environment"),
        (["=x"], "[0]", "bad_key_of_environment"),
        ({"BERTH_APP": "x"}, ".BERTH_APP", "reserved_environment"),
        ({"A": "x" * 32769}, ".A", "environment_too_large"),
        ({f"A{i}": "x" for i in range(201)}, "", "too_many"),
        ("A=1", "", "not_list_or_map"),
    ],
)
def test_environment_that_is_refused(written: object, place: str, code: str) -> None:
    assert codes(one_service(environment=written)) == {f"services.web.environment{place}": code}


def test_dollars() -> None:
    assert read_data(one_service(environment={"A": "a$$b"})).specification.services["web"].environment["A"] == "a$b"
    assert kept(environment={"A": "a$$b", "B": "5$ or $5 $"})["environment"] == {"A": "a$$b", "B": "5$$ or $$5 $$"}
    for text in ("${A}", "$A", "x${A:-1}", "$$$A", "${"):
        assert codes(one_service(command=["run", text])) == {"services.web.command[1]": "variable"}
    assert codes(one_service(image="nginx:${TAG}"))["services.web.image"] == "variable"


@pytest.mark.parametrize(
    ("written", "kept_as"),
    [
        ("npm run  start", ["npm", "run", "start"]),
        ("sh -c 'a; b \"c\"'", ["sh", "-c", 'a; b "c"']),
        (["sh", "-c", "a; b"], ["sh", "-c", "a; b"]),
        (["sleep", 5, True], ["sleep", "5", "true"]),
    ],
)
def test_commands(written: object, kept_as: list[str]) -> None:
    assert kept(command=written)["command"] == kept_as
    assert kept(entrypoint=written)["entrypoint"] == kept_as


@pytest.mark.parametrize(
    ("written", "place", "code"),
    [
        ("it's", "", "bad_command"),
        ("", "", "empty"),
        ([], "", "empty"),
        ({"a": "b"}, "", "not_a_list"),
        (5, "", "not_a_list"),
        (["a", None, {}], "[1]", "not_text"),
        (["a"] * 201, "", "too_many"),
        (["a\x00b"], "[0]", "nul"),
    ],
)
def test_commands_that_are_refused(written: object, place: str, code: str) -> None:
    assert codes(one_service(command=written))[f"services.web.command{place}"] == code


@pytest.mark.parametrize(
    ("written", "kept_as"),
    [
        ("curl -f http://x", ["CMD-SHELL", "curl -f http://x"]),
        (["CMD-SHELL", "a || b"], ["CMD-SHELL", "a || b"]),
        (["CMD", "a", "b"], ["CMD", "a", "b"]),
        (["NONE"], ["NONE"]),
    ],
)
def test_health_tests(written: object, kept_as: object) -> None:
    assert kept(healthcheck={"test": written})["healthcheck"]["test"] == kept_as


@pytest.mark.parametrize(
    ("written", "place", "code"),
    [
        ({"test": []}, ".test", "bad_test"),
        ({"test": ["CMD"]}, ".test", "bad_test"),
        ({"test": ["curl", "x"]}, ".test", "bad_test"),
        ({"test": ["CMD-SHELL", "a", "b"]}, ".test", "bad_test"),
        ({"test": "  "}, ".test", "bad_test"),
        ({"interval": "5s"}, "", "no_test"),
        ({"test": "x", "interval": "0s"}, ".interval", "duration_out_of_range"),
        ({"test": "x", "interval": 10}, ".interval", "not_duration"),
        ({"test": "x", "interval": "1e9s"}, ".interval", "not_duration"),
        ({"test": "x", "interval": "99999999999s"}, ".interval", "not_duration"),
        ({"test": "x", "timeout": "-5s"}, ".timeout", "not_duration"),
        ({"test": "x", "retries": 0}, ".retries", "not_whole_number"),
        ({"test": "x", "retries": 1.5}, ".retries", "not_whole_number"),
        ({"test": "x", "start_interval": "1s"}, ".start_interval", "not_available_yet"),
    ],
)
def test_health_checks_that_are_refused(written: object, place: str, code: str) -> None:
    assert codes(one_service(healthcheck=written)) == {f"services.web.healthcheck{place}": code}


@pytest.mark.parametrize(
    ("health", "place", "code"),
    [
        ({}, "", "one_check"),
        ({"http": {"port": 80}, "tcp": {"port": 80}}, "", "one_check"),
        ({"http": {"port": 80, "path": "no-slash"}}, ".http.path", "bad_url_path"),
        ({"http": {"port": 80, "path": "/a b"}}, ".http.path", "bad_url_path"),
        ({"http": {"port": 80, "path": "/;reboot\n"}}, ".http.path", "bad_url_path"),
        ({"http": {"port": 0}}, ".http.port", "not_whole_number"),
        ({"tcp": {}}, ".tcp.port", "missing"),
        ({"tcp": {"port": 80, "host": "10.0.0.1"}}, ".tcp.host", "unknown_key"),
        ({"grpc": {"port": 80}}, ".grpc", "unknown_key"),
    ],
)
def test_health_of_berth_that_is_refused(health: object, place: str, code: str) -> None:
    found = codes(one_service(x_berth={"health": health}))
    assert found[f"services.web.x-berth.health{place}"] == code


def test_a_service_has_one_check() -> None:
    data = one_service(healthcheck={"test": "x"}, x_berth={"health": {"tcp": {"port": 1}}})
    assert codes(data) == {"services.web.x-berth.health": "two_checks"}


@pytest.mark.parametrize(
    ("written", "kept_as"),
    [
        ("256M", "256Mi"),
        ("256Mi", "256Mi"),
        ("1g", "1Gi"),
        ("1.5GiB", "1536Mi"),
        (5_000_001, "5000001"),
        ("64 mb", "64Mi"),
    ],
)
def test_memory(written: object, kept_as: str) -> None:
    limits = kept(deploy={"resources": {"limits": {"memory": written}}})["deploy"]["resources"]["limits"]
    assert limits == {"memory": kept_as}


@pytest.mark.parametrize(
    ("written", "kept_as"), [("0.5", "0.5"), (0.5, "0.5"), (2, "2"), ("1.25", "1.25"), (".1", "0.1")]
)
def test_cores(written: object, kept_as: str) -> None:
    limits = kept(deploy={"resources": {"limits": {"cpus": written}}})["deploy"]["resources"]["limits"]
    assert limits == {"cpus": kept_as}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"memory": "3Mi"}, "memory_out_of_range"),
        ({"memory": "513Gi"}, "memory_out_of_range"),
        ({"memory": "999999999999999T"}, "memory_out_of_range"),
        ({"memory": "-1"}, "not_memory"),
        ({"memory": -1}, "not_memory"),
        ({"memory": True}, "not_memory"),
        ({"memory": ["1g"]}, "not_text"),
        ({"memory": "1e9"}, "not_memory"),
        ({"cpus": 0}, "cpus_out_of_range"),
        ({"cpus": 65}, "cpus_out_of_range"),
        ({"cpus": "0.001"}, "cpus_out_of_range"),
        ({"cpus": -1}, "not_cpus"),
        ({"cpus": 1e300}, "not_cpus"),
        ({"cpus": float("nan")}, "number_out_of_range"),
        ({"cpus": float("inf")}, "number_out_of_range"),
        ({"cpus": "500m"}, "not_cpus"),
        ({"cpus": True}, "not_cpus"),
        ({"pids": -1}, "not_whole_number"),
    ],
)
def test_limits_that_are_refused(limits: dict[str, object], code: str) -> None:
    place = f"services.web.deploy.resources.limits.{next(iter(limits))}"
    assert codes(one_service(deploy={"resources": {"limits": limits}})) == {place: code}


def test_no_more_is_reserved_than_allowed() -> None:
    resources = {"limits": {"cpus": 1, "memory": "1Gi"}, "reservations": {"cpus": 2, "memory": "2Gi"}}
    place = "services.web.deploy.resources.reservations"
    assert codes(one_service(deploy={"resources": resources})) == {
        f"{place}.cpus": "reservation_over_limit",
        f"{place}.memory": "reservation_over_limit",
    }


@pytest.mark.parametrize("replicas", [-1, 1001, 10**9, 1.5, "x", True, [3], "1e3"])
def test_numbers_of_instances_that_are_refused(replicas: object) -> None:
    assert codes(one_service(deploy={"replicas": replicas})) == {"services.web.deploy.replicas": "not_whole_number"}


def test_the_number_of_instances_is_limited_here_to_fifty() -> None:
    data = one_service(deploy={"replicas": 51})
    assert codes(data) == {"services.web.deploy.replicas": "too_many_instances"}
    assert read_data(data, most_instances=51).specification.services["web"].deploy.replicas == 51


@pytest.mark.parametrize(
    ("written", "code"),
    [("relative", "bad_path"), ("/a/../b", "bad_path"), ("", "bad_path"), (5, "bad_path"), ("/a\nb", "bad_path")],
)
def test_paths_that_are_refused(written: object, code: str) -> None:
    assert codes(one_service(working_dir=written)) == {"services.web.working_dir": code}


@pytest.mark.parametrize("written", ["root:", "a b", "-1", True, "a:b:c", "../x", "x" * 40])
def test_users_that_are_refused(written: object) -> None:
    assert codes(one_service(user=written)) == {"services.web.user": "bad_user"}


def test_two_things_never_lie_at_one_path() -> None:
    data = one_service(volumes=["a:/x"], tmpfs=["/x/"], configs=[{"source": "c", "target": "/x"}])
    data |= {"volumes": {"a": None}, "configs": {"c": {"content": ""}}}
    assert codes(data) == {"services.web.tmpfs[0]": "path_twice", "services.web.configs[0]": "path_twice"}


@pytest.mark.parametrize(
    ("mode", "kept_as"),
    [("0440", "0440"), ("440", "0440"), ("0o440", "0440"), (288, "0440"), (0o444, None)],
)
def test_file_modes(mode: object, kept_as: str | None) -> None:
    data = one_service(configs=[{"source": "c", "mode": mode}]) | {"configs": {"c": {"content": ""}}}
    canonical: Any = read_data(data).specification.canonical()
    assert canonical["services"]["web"]["configs"][0].get("mode") == kept_as


@pytest.mark.parametrize("mode", ["0999", "rw", 0, 512, -1, True, "07777", 1.5])
def test_file_modes_that_are_refused(mode: object) -> None:
    data = one_service(configs=[{"source": "c", "mode": mode}]) | {"configs": {"c": {"content": ""}}}
    assert codes(data) == {"services.web.configs[0].mode": "bad_mode"}


def test_services_may_not_wait_in_a_circle() -> None:
    services = {name: {"image": "a", "depends_on": [after]} for name, after in ("ab", "bc", "ca")}
    found = codes({"services": services})
    assert found == {"services.a.depends_on": "depends_in_a_circle"}


@pytest.mark.parametrize(
    ("written", "place", "code"),
    [
        ({"db": {"condition": "service_completed_successfully"}}, ".db.condition", "condition_not_available"),
        ({"db": {"condition": "x"}}, ".db.condition", "not_one_of"),
        ({"db": {"required": False}}, ".db.required", "not_one_of"),
        ({"db": {"restart": True}}, ".db.restart", "not_one_of"),
        ({"db": {"x": True}}, ".db.x", "unknown_key"),
        ({"db": []}, ".db", "not_a_map"),
        ("db", "", "not_list_or_map"),
        ([{}], "[0]", "not_text"),
    ],
)
def test_dependencies_that_are_refused(written: object, place: str, code: str) -> None:
    data = one_service(depends_on=written)
    data["services"]["db"] = {"image": "postgres"}
    assert codes(data) == {f"services.web.depends_on{place}": code}


@pytest.mark.parametrize("name", ["Web", "web_1", "-web", "web-", "1web", "w" * 41, "", "wéb", "web.db", "web\n"])
def test_names_that_are_refused(name: str) -> None:
    (problem,) = codes({"services": {name: {"image": "nginx"}}}).values()
    assert problem == "bad_name"


def test_numbers_in_yaml_keep_the_form_they_were_written_in() -> None:
    text = (
        "services: {web: {image: nginx, user: 0100, environment: {A: 0755, B: 1.10, C: 1_000, D: 2020-01-01, E: yes}}}"
    )
    web = read_text(text).specification.services["web"]
    assert web.environment == {"A": "0755", "B": "1.10", "C": "1_000", "D": "2020-01-01", "E": "yes"}
    assert web.user == "0100"


def test_names_that_are_near_are_offered() -> None:
    with pytest.raises(Exception, match="specification_invalid") as raised:
        read_data({"services": {"My_Web.1": {"image": "nginx"}}})
    assert "my-web-1" in str(raised.value.errors[0].hint)
