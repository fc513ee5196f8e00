"""Keys that people write and Berth does not take: why not, and the nearest thing that is allowed."""

import difflib
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.specification.allowed import allowed_keys
from apps.specification.problems import Loc, Problem, path_of


@dataclass(frozen=True)
class Refusal:
    """`nearest` is a whole sentence."""

    code: str
    reason: Promise
    nearest: Promise


HOST = _("it reaches for the host, which all tenants share")
NETWORK = _("the network belongs to the environment, and is kept apart from other tenants")
LATER = _("it is not available yet")
ELSEWHERE = _("it has another place in Berth")
FILES = _("it reads a file of the machine that runs Compose, and Berth does not have that file")
ENGINE = _("it is a setting of the engine, which Berth keeps")

NO_WAY = _("Nothing like it is allowed; leave it out.")
LIMITS = _("Use deploy.resources.limits.")
REPLICAS = _("Use deploy.replicas.")
VOLUME = _("Use a named volume.")
BY_NAME = _("Services of an environment reach each other by their names.")
IMAGE = _("Build an image, push it, and name it under image.")
VARIABLES = _("Write the variables under environment.")
CONTENT = _("Write the text under content.")


def _host(nearest: Promise = NO_WAY) -> Refusal:
    return Refusal("reaches_host", HOST, nearest)


def _later(nearest: Promise) -> Refusal:
    return Refusal("not_available_yet", LATER, nearest)


def _instead(nearest: Promise) -> Refusal:
    return Refusal("use_instead", ELSEWHERE, nearest)


def _network(nearest: Promise = BY_NAME) -> Refusal:
    return Refusal("network_is_fixed", NETWORK, nearest)


def _file(nearest: Promise) -> Refusal:
    return Refusal("file_not_here", FILES, nearest)


def _engine(nearest: Promise = NO_WAY) -> Refusal:
    return Refusal("engine_setting", ENGINE, nearest)


SERVICE: dict[str, Refusal] = {
    "privileged": _host(),
    "cap_add": _host(),
    "cap_drop": _engine(_("Berth drops what it can by itself; user and read_only narrow further.")),
    "devices": _host(),
    "device_cgroup_rules": _host(),
    "gpus": _later(LIMITS),
    "network_mode": _host(BY_NAME),
    "pid": _host(),
    "ipc": _host(_("For shared memory use tmpfs: /dev/shm:size=64m.")),
    "uts": _host(),
    "cgroup": _host(),
    "cgroup_parent": _host(LIMITS),
    "userns_mode": _host(_("Use user.")),
    "security_opt": _host(),
    "sysctls": _host(),
    "runtime": _host(),
    "isolation": _host(),
    "credential_spec": _host(),
    "storage_opt": _host(VOLUME),
    "oom_kill_disable": _host(LIMITS),
    "oom_score_adj": _host(LIMITS),
    "ulimits": _host(_("Use deploy.resources.limits.pids for the number of processes.")),
    "group_add": _host(_("Use user with a group: 1000:1000.")),
    "use_api_socket": _host(_("Use Berth's API with a token.")),
    "volumes_from": _host(VOLUME),
    "blkio_config": _host(LIMITS),
    "provider": _host(),
    "extra_hosts": _network(),
    "dns": _network(),
    "dns_opt": _network(),
    "dns_search": _network(),
    "domainname": _network(),
    "links": _network(),
    "external_links": _network(),
    "mac_address": _network(),
    "cpus": _instead(_("Use deploy.resources.limits.cpus.")),
    "cpu_count": _instead(_("Use deploy.resources.limits.cpus.")),
    "cpu_percent": _instead(_("Use deploy.resources.limits.cpus.")),
    "cpu_period": _instead(_("Use deploy.resources.limits.cpus.")),
    "cpu_quota": _instead(_("Use deploy.resources.limits.cpus.")),
    "cpu_shares": _instead(_("Use deploy.resources.reservations.cpus.")),
    "cpu_rt_period": _host(LIMITS),
    "cpu_rt_runtime": _host(LIMITS),
    "cpuset": _host(_("Use deploy.resources.limits.cpus.")),
    "mem_limit": _instead(_("Use deploy.resources.limits.memory.")),
    "mem_reservation": _instead(_("Use deploy.resources.reservations.memory.")),
    "mem_swappiness": _host(_("Use deploy.resources.limits.memory.")),
    "memswap_limit": _host(_("Use deploy.resources.limits.memory.")),
    "pids_limit": _instead(_("Use deploy.resources.limits.pids.")),
    "shm_size": _instead(_("Use tmpfs: /dev/shm:size=64m.")),
    "scale": _instead(REPLICAS),
    "logging": _engine(_("Leave it out: Berth collects everything written to standard output.")),
    "log_driver": _engine(_("Leave it out: Berth collects everything written to standard output.")),
    "log_opt": _engine(_("Leave it out: Berth collects everything written to standard output.")),
    "pull_policy": _engine(_("Leave it out: each release pins its images.")),
    "env_file": _file(VARIABLES),
    "label_file": _file(_("Write them under labels.")),
    "extends": _file(_("Write the service out in full.")),
    "develop": _file(IMAGE),
    "build": Refusal("build_first", _("Berth deploys images that are built"), IMAGE),
    "profiles": _later(_("Leave out the services that are not wanted.")),
    "annotations": _engine(_("Use labels.")),
    "attach": _engine(_("Leave it out: logs of all services are kept.")),
    "stdin_open": _engine(_("Leave it out: open a console in Berth.")),
    "tty": _engine(_("Leave it out: open a console in Berth.")),
    "post_start": _later(_("Do it in the image's own start command.")),
    "pre_stop": _later(_("Let the program end on SIGTERM, and give it time with stop_grace_period.")),
    "models": _later(_("Run the model as a service.")),
    "restart": _instead(_("Use deploy.restart_policy; an import translates it.")),
    "container_name": _instead(_("Leave it out: instances are named by Berth, and found by the service's name.")),
    "hostname": _instead(_("Leave it out: the service is found by its name.")),
    "stop_signal": _instead(_("Declare STOPSIGNAL in the image.")),
    "platform": _engine(_("Leave it out, and use an image for the cluster's platform.")),
    "networks": _network(),
}

PARTS: dict[str, Refusal] = {
    "services.*.x-berth.routes": _later(_("Published ports (ports) are reachable from outside.")),
    "services.*.x-berth.scaling": _later(REPLICAS),
    "services.*.x-berth.jobs": _later(_("Run it as a service.")),
    "services.*.x-berth.companions": _later(_("Make it a service of its own.")),
    "services.*.x-berth.storage_class": _later(VOLUME),
    "services.*.x-berth.canary": _later(_("Use deploy.update_config to replace instances one by one.")),
    "services.*.healthcheck.start_interval": _later(_("Use interval and start_period.")),
    "services.*.deploy.endpoint_mode": _network(),
    "services.*.deploy.labels": _instead(_("Use labels of the service.")),
    "services.*.deploy.placement.preferences": _later(_("Use max_replicas_per_node to spread instances.")),
    "services.*.deploy.resources.reservations.devices": _host(LIMITS),
    "services.*.deploy.resources.reservations.generic_resources": _host(LIMITS),
    "services.*.deploy.resources.reservations.pids": _instead(LIMITS),
    "services.*.deploy.resources.limits.devices": _host(LIMITS),
    "services.*.deploy.rollback_config.failure_action": _engine(_("Leave it out.")),
    "services.*.volumes.*.bind": _host(VOLUME),
    "services.*.volumes.*.volume": _later(_("Use source, target and read_only only.")),
    "services.*.volumes.*.image": _later(VOLUME),
    "services.*.volumes.*.cluster": _later(VOLUME),
    "services.*.volumes.*.consistency": _engine(_("Leave it out.")),
    "services.*.volumes.*.tmpfs.mode": _engine(_("Only size can be set.")),
    "services.*.ports.*.name": _engine(_("Leave it out.")),
    "services.*.ports.*.app_protocol": _engine(_("Leave it out.")),
    "volumes.*.driver": _host(VOLUME),
    "volumes.*.driver_opts": _host(_("Use a named volume; its size is written as x-berth: {size: 10Gi}.")),
    "volumes.*.external": Refusal(
        "belongs_to_others", _("it names something made outside this app, perhaps another tenant's"), VOLUME
    ),
    "volumes.*.name": _engine(_("Leave it out: Berth names volumes.")),
    "volumes.*.labels": _engine(_("Leave it out.")),
    "volumes.*.x-berth.storage_class": _later(_("Leave it out: the cluster has one class of storage for all.")),
    "configs.*.file": _file(CONTENT),
    "configs.*.environment": _file(CONTENT),
    "configs.*.external": Refusal(
        "belongs_to_others", _("it names something made outside this app, perhaps another tenant's"), CONTENT
    ),
    "configs.*.name": _engine(_("Leave it out: Berth names configs.")),
    "configs.*.labels": _engine(_("Leave it out.")),
    "configs.*.template_driver": _engine(CONTENT),
    "secrets.*.file": _file(_('Write "external: true" and set the value in Berth.')),
    "secrets.*.environment": _file(_('Write "external: true" and set the value in Berth.')),
    "secrets.*.content": Refusal(
        "secret_in_specification",
        _("a secret's value never stands in a specification"),
        _('Write "external: true" and set the value in Berth.'),
    ),
    "secrets.*.name": _engine(_("Leave it out: a secret is found by its key here.")),
    "secrets.*.labels": _engine(_("Leave it out.")),
    "secrets.*.driver": _host(_('Write "external: true" and set the value in Berth.')),
    "secrets.*.driver_opts": _host(_('Write "external: true" and set the value in Berth.')),
    "secrets.*.template_driver": _engine(_("Leave it out.")),
    "networks": _network(),
    "networks.*.external": Refusal(
        "belongs_to_others", _("it names something made outside this app, perhaps another tenant's"), BY_NAME
    ),
    "networks.*.internal": _later(_("Leave it out, if the services may reach other networks.")),
    "networks.*.driver": _host(BY_NAME),
    "networks.*.driver_opts": _host(BY_NAME),
    "networks.*.ipam": _network(),
    "networks.*.enable_ipv6": _network(),
    "services.*.networks.*.aliases": _network(_("Call the service by the name that others use.")),
    "services.*.networks.*.ipv4_address": _network(),
    "services.*.networks.*.ipv6_address": _network(),
    "include": _file(_("Write the services out in full.")),
    "models": _later(_("Run the model as a service.")),
    "x-berth": _instead(_("Write x-berth inside a service.")),
}
REFUSALS: dict[str, Refusal] = {f"services.*.{key}": refusal for key, refusal in SERVICE.items()} | PARTS

UNKNOWN = _("no such key is kept here")
NEAREST = _("The nearest key is {nearest}.")
KEPT = _("Kept here: {keys}.")


def refusal(loc: Loc) -> Problem:
    """The problem of a key that is not kept, with what to use instead."""
    pattern = pattern_of(loc)
    path = path_of(loc)
    found = REFUSALS.get(pattern)
    if found is None:
        return Problem(path, "unknown_key", _sentence(path, UNKNOWN), _nearest(loc))
    return Problem(path, found.code, _sentence(path, found.reason), found.nearest)


def _sentence(path: str, reason: Promise) -> Promise:
    return format_lazy(_("{path} is refused: {reason}."), path=path, reason=reason)


def pattern_of(loc: Loc) -> str:
    """("services", "web", "ports", 0, "mode") is services.*.ports.*.mode."""
    named = loc[0] if loc else ""
    parts = [
        "*"
        if isinstance(part, int) or (position == 1 and named in NAMED) or loc[2:3] == ("networks",) and position == 3
        else part
        for position, part in enumerate(loc)
    ]
    return ".".join(str(part) for part in parts)


NAMED = ("services", "volumes", "configs", "secrets", "networks")


def _nearest(loc: Loc) -> Promise | str:
    kept = allowed_keys(pattern_of(loc[:-1]))
    key = str(loc[-1]).lower()
    close = difflib.get_close_matches(key[:60], kept, n=1, cutoff=0.6)
    if close:
        return format_lazy(NEAREST, nearest=path_of((*loc[:-1], close[0])))
    return format_lazy(KEPT, keys=", ".join(kept)) if kept else NO_WAY
