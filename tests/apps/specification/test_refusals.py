"""Whatever reaches for the host, for others, or is simply not known: refused with place, reason and what to do."""

from typing import Any

import pytest

from apps.specification import SpecificationError, read_data, read_text
from apps.specification.allowed import allowed_keys
from apps.specification.reading import Mode
from apps.specification.refusals import PARTS, REFUSALS, SERVICE
from apps.specification.translating import UNDERSTOOD
from tests.apps.specification.stage import codes, one_service, problems

MODES: tuple[Mode, ...] = ("strict", "import")

HOST_KEYS: dict[str, Any] = {
    "privileged": True,
    "cap_add": ["SYS_ADMIN"],
    "devices": ["/dev/kvm:/dev/kvm"],
    "device_cgroup_rules": ["c 1:3 mr"],
    "network_mode": "host",
    "pid": "host",
    "ipc": "host",
    "uts": "host",
    "cgroup": "host",
    "cgroup_parent": "/system.slice",
    "userns_mode": "host",
    "security_opt": ["apparmor=unconfined", "seccomp=unconfined"],
    "sysctls": {"net.core.somaxconn": 1024},
    "runtime": "runc",
    "volumes_from": ["other"],
    "ulimits": {"nofile": 1_000_000},
    "oom_kill_disable": True,
    "use_api_socket": True,
    "credential_spec": {"file": "x.json"},
    "provider": {"type": "plugin"},
}
OTHER_KEYS: dict[str, Any] = {
    "extra_hosts": ["metadata:169.254.169.254"],
    "dns": ["10.0.0.1"],
    "links": ["db"],
    "external_links": ["globex_db_1:db"],
    "mac_address": "02:42:ac:11:00:02",
    "env_file": ".env",
    "extends": {"file": "other.yaml", "service": "web"},
    "logging": {"driver": "syslog", "options": {"syslog-address": "tcp://10.0.0.1"}},
    "mem_limit": "1g",
    "scale": 3,
    "profiles": ["debug"],
    "post_start": [{"command": "x", "privileged": True}],
    "serviceAccountName": "admin",
    "initContainers": [],
    "ephemeralContainers": [],
    "Privileges": {},
    "CapabilityAdd": ["ALL"],
    "Mounts": [{"Type": "bind", "Source": "/", "Target": "/host"}],
    "--privileged": True,
}
BINDS = {
    "/:/host": "bind_of_folder",
    "./src:/app": "bind_of_folder",
    "../up:/app": "bind_of_folder",
    "~/x:/app": "bind_of_folder",
    "~:/app": "bind_of_folder",
    ".:/app": "bind_of_folder",
    "sub/dir:/app": "bind_of_folder",
    "C:\\data:/app": "bind_of_folder",
    "./nginx.conf:/etc/nginx/nginx.conf:ro": "bind_of_file",
    "/var/run/docker.sock:/var/run/docker.sock": "engine_socket",
    "/run/containerd/containerd.sock:/x": "engine_socket",
    "/data": "anonymous_volume",
    "data:/x:z": "volume_option",
    "data:/x:rw,nocopy": "volume_option",
    "data:relative": "bad_path",
    "data:/a/../../etc": "bad_path",
    "data:/": "reserved_path",
    "data:/proc/sys": "reserved_path",
    "data:/sys": "reserved_path",
    "data:/dev/sda": "reserved_path",
    "Data:/x": "bad_name",
}
LONG_MOUNTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"type": "bind", "source": "/etc", "target": "/x"}, {"": "bind_of_folder"}),
    ({"type": "bind", "source": "/var/run/docker.sock", "target": "/x"}, {"": "engine_socket"}),
    ({"type": "volume", "source": "/etc", "target": "/x"}, {"": "bind_of_folder"}),
    ({"type": "npipe", "source": "x", "target": "/x"}, {"": "volume_type"}),
    ({"type": "cluster", "source": "x", "target": "/x"}, {"": "volume_type"}),
    (
        {"type": "volume", "source": "data", "target": "/x", "bind": {"propagation": "shared"}},
        {".bind": "reaches_host"},
    ),
    (
        {"type": "volume", "source": "data", "target": "/x", "volume": {"driver_config": {}}},
        {".volume": "not_available_yet"},
    ),
    ({"type": "tmpfs", "target": "/x", "tmpfs": {"mode": 511}}, {".tmpfs.mode": "engine_setting"}),
]
TOP_LEVEL: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {"volumes": {"data": {"driver_opts": {"type": "none", "o": "bind", "device": "/"}}}},
        {"volumes.data.driver_opts": "reaches_host"},
    ),
    (
        {"volumes": {"data": {"driver": "nfs", "driver_opts": {"type": "nfs", "device": ":/x"}}}},
        {"volumes.data.driver": "reaches_host", "volumes.data.driver_opts": "reaches_host"},
    ),
    ({"volumes": {"data": {"external": True}}}, {"volumes.data.external": "belongs_to_others"}),
    (
        {"volumes": {"data": {"external": True, "name": "globex-data"}}},
        {"volumes.data.external": "belongs_to_others", "volumes.data.name": "engine_setting"},
    ),
    (
        {"configs": {"conf": {"external": True}}},
        {"configs.conf.external": "belongs_to_others", "configs.conf.content": "missing"},
    ),
    (
        {"configs": {"conf": {"file": "/etc/shadow"}}},
        {"configs.conf.file": "file_not_here", "configs.conf.content": "missing"},
    ),
    ({"secrets": {"key": {"name": "globex_key", "external": True}}}, {"secrets.key.name": "engine_setting"}),
    ({"secrets": {"key": {"content": "hunter2"}}}, {"secrets.key.content": "secret_in_specification"}),
    ({"secrets": {"key": {"external": False}}}, {"secrets.key.external": "secret_in_specification"}),
    ({"include": ["other.yaml"]}, {"include": "file_not_here"}),
]
DEPLOY: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"mode": "global"}, {"mode": "mode_global"}),
    ({"mode": "global-job"}, {"mode": "not_one_of"}),
    ({"endpoint_mode": "vip"}, {"endpoint_mode": "network_is_fixed"}),
    ({"labels": {"a": "b"}}, {"labels": "use_instead"}),
    ({"placement": {"constraints": ["node.role == manager"]}}, {"placement.constraints[0]": "bad_constraint"}),
    ({"placement": {"constraints": ["node.hostname==h1"]}}, {"placement.constraints[0]": "bad_constraint"}),
    ({"placement": {"constraints": ["node.labels.a != b"]}}, {"placement.constraints[0]": "bad_constraint"}),
    ({"placement": {"constraints": ["node.labels.berth.x == b"]}}, {"placement.constraints[0]": "reserved_label"}),
    (
        {"placement": {"preferences": [{"spread": "node.labels.zone"}]}},
        {"placement.preferences": "not_available_yet"},
    ),
    (
        {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"]}]}}},
        {"resources.reservations.devices": "reaches_host"},
    ),
    ({"update_config": {"failure_action": "continue"}}, {"update_config.failure_action": "failure_action"}),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("key", [*HOST_KEYS, *OTHER_KEYS])
def test_a_key_that_is_not_kept_is_refused_in_every_mode(key: str, mode: Mode) -> None:
    found = problems(one_service(**{key: (HOST_KEYS | OTHER_KEYS)[key]}), mode=mode)
    problem = next(iter(found.values()))
    assert [problem.field] == list(found) == [f"services.web.{key}"]
    assert problem.field in str(problem.message)
    assert str(problem.hint)
    if key in HOST_KEYS:
        assert problem.code == "reaches_host"
        assert "host" in str(problem.message)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mount", BINDS)
def test_a_mount_from_the_host_is_refused_in_every_mode(mount: str, mode: Mode) -> None:
    data = one_service(volumes=[mount]) | {"volumes": {"data": {}}}
    assert codes(data, mode=mode) == {"services.web.volumes[0]": BINDS[mount]}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("mount", "wanted"), LONG_MOUNTS)
def test_a_long_mount_from_the_host_is_refused(mount: dict[str, Any], wanted: dict[str, str], mode: Mode) -> None:
    data = one_service(volumes=[mount]) | {"volumes": {"data": {}}}
    assert codes(data, mode=mode) == {f"services.web.volumes[0]{place}": code for place, code in wanted.items()}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("more", "wanted"), TOP_LEVEL)
def test_what_belongs_to_others_is_refused(more: dict[str, Any], wanted: dict[str, str], mode: Mode) -> None:
    assert codes(one_service() | more, mode=mode) == wanted


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("deploy", "wanted"), DEPLOY)
def test_what_deploy_may_not_ask(deploy: dict[str, Any], wanted: dict[str, str], mode: Mode) -> None:
    found = codes(one_service(deploy=deploy), mode=mode)
    assert found == {f"services.web.deploy.{place}": code for place, code in wanted.items()}


@pytest.mark.parametrize("key", sorted(UNDERSTOOD))
def test_keys_an_import_understands_are_refused_when_sent_to_the_api(key: str) -> None:
    found = problems(one_service(**{key: "x"}))
    assert list(found) == [f"services.web.{key}"]
    assert found[f"services.web.{key}"].code == SERVICE[key].code


@pytest.mark.parametrize("network", [{"external": True}, {"driver": "macvlan"}, {"driver": "host"}, {"ipam": {}}])
def test_a_network_of_others_is_refused_on_import(network: dict[str, Any]) -> None:
    data = one_service(networks=["front"]) | {"networks": {"front": network}}
    assert list(problems(data, mode="import")) == [f"networks.front.{next(iter(network))}"]
    assert set(codes(data)) == {"services.web.networks", "networks"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("imagee", "services.web.image"),
        ("enviroment", "services.web.environment"),
        ("health_check", "services.web.healthcheck"),
        ("Ports", "services.web.ports"),
        ("dependson", "services.web.depends_on"),
    ],
)
def test_a_mistyped_key_is_answered_with_the_nearest_one(path: str, name: str) -> None:
    (problem,) = problems(one_service(**{path: 1})).values()
    assert (problem.code, str(problem.hint)) == ("unknown_key", f"The nearest key is {name}.")


def test_a_key_like_no_other_is_answered_with_all_that_are_kept() -> None:
    (problem,) = problems(one_service(deploy={"resources": {"zzz": 1}})).values()
    assert problem.field == "services.web.deploy.resources.zzz"
    assert str(problem.hint) == "Kept here: limits, reservations."


@pytest.mark.parametrize("word", ["routes", "scaling", "jobs", "companions", "storage_class", "canary"])
@pytest.mark.parametrize("mode", MODES)
def test_words_of_later_say_so(word: str, mode: Mode) -> None:
    (problem,) = problems(one_service(x_berth={word: {}}), mode=mode).values()
    assert (problem.field, problem.code) == (f"services.web.x-berth.{word}", "not_available_yet")
    assert "not available yet" in str(problem.message)


def test_all_problems_are_told_at_once() -> None:
    data: dict[str, Any] = {
        "services": {
            "web": {"image": "UPPER", "privileged": True, "ports": [0, "80", "x"], "depends_on": ["nobody"]},
            "Bad_Name": {"image": "nginx"},
            "db": {"image": "postgres", "volumes": ["data:/x"], "depends_on": ["db", "gone"]},
        },
        "nonsense": 1,
    }
    assert set(codes(data)) == {
        "services.web.image",
        "services.web.privileged",
        "services.web.ports[0]",
        "services.web.ports[2]",
        "services.Bad_Name",
        "services.db.depends_on.db",
        "services.db.depends_on.gone",
        "services.db.volumes.data",
        "nonsense",
    }


def test_every_refusal_of_the_table_says_three_things() -> None:
    for path, found in REFUSALS.items():
        assert found.code.replace("_", "").isalpha(), path
        assert str(found.reason).strip(), path
        assert str(found.nearest).endswith("."), path


def test_no_kept_key_is_also_refused() -> None:
    from_model = {f"services.*.{key}" for key in allowed_keys("services.*")}
    assert not from_model & set(REFUSALS)
    assert not {path for path in PARTS if path.startswith("services.*.x-berth.health")}


@pytest.mark.parametrize("mode", MODES)
def test_a_reserved_name_is_refused_wherever_it_stands(mode: Mode) -> None:
    data = one_service(
        environment={"BERTH_TOKEN": "x", "berth_app": "y"},
        labels={
            "berth.app": "x",
            "com.docker.stack.namespace": "x",
            "io.kubernetes.pod": "x",
            "app.kubernetes.io/name": "x",
        },
    )
    found = codes(data, mode=mode)
    assert set(found.values()) == {"reserved_environment", "reserved_label"}
    assert len(found) == 6


def test_the_same_escape_as_yaml_text() -> None:
    text = "services: {web: {image: nginx, privileged: true, volumes: ['/:/host']}}"
    for mode in MODES:
        with pytest.raises(SpecificationError) as raised:
            read_text(text, mode=mode)
        assert {p.field for p in raised.value.errors} == {"services.web.privileged", "services.web.volumes[0]"}


def test_an_error_is_a_422_with_its_fields() -> None:
    with pytest.raises(SpecificationError) as raised:
        read_data(one_service(privileged=True))
    assert raised.value.status == 422
    assert raised.value.errors[0].as_json() == {
        "field": "services.web.privileged",
        "code": "reaches_host",
        "message": "services.web.privileged is refused: it reaches for the host, which all tenants share.",
        "hint": "Nothing like it is allowed; leave it out.",
    }
