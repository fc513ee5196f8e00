"""Fields that people write and Berth does not take: whether that stands in the way, why, and what to do instead."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Promise
else:
    from django.utils.functional import Promise


@dataclass(frozen=True)
class Rule:
    """`sentence` is whole where it has a {place}; else it is a reason. `harmless`: values that ask for nothing."""

    kind: Literal["refused", "changed", "dropped"]
    code: str
    sentence: Promise
    hint: Promise | str = ""
    harmless: tuple[object, ...] = ()
    whole: bool = False  # only leaving out the whole document helps


_REFUSED = _("{place} is refused: {reason}.")
_DROPPED = _("{place} is left out: {reason}.")


def told(rule: Rule, place: str, values: dict[str, str]) -> tuple[Promise, Promise | str]:
    shown = {"place": place, **values}
    if "{place}" in str(rule.sentence):
        return format_lazy(rule.sentence, **shown), rule.hint
    return format_lazy(_REFUSED if rule.kind == "refused" else _DROPPED, place=place, reason=rule.sentence), rule.hint


HOST = _("it reaches for the host, which all tenants share")
NETWORK = _("the network belongs to the environment, and is kept apart from other tenants")
LATER = _("it is not available yet")
ENGINE = _("it is a setting of the engine, which Berth keeps")
CHOSEN = _("Berth chooses on which host an instance runs")
ACCOUNT = _("instances have no account at the cluster and get no token of it")
PRIVILEGE = _("it gives a program more power than tenants may have")
SIDE = _("a service has one program, and nothing runs before or beside it")
STORAGE = _("such a volume reaches for something outside this app")
SHAPE = _("it only arranges how Berth's own objects are made")

NO_WAY = _("Nothing like it is allowed; leave it out.")
VOLUME = _("Use a persistentVolumeClaim, or leave it out.")
IMAGE_USER = _("Use an image that runs as another user, and say its number in runAsUser.")
OF_ITS_OWN = _("Make it a service of its own, or do it in the image's start command.")
BY_LABEL = _("Ask for a label of the hosts in nodeSelector.")


def _host(hint: Promise = NO_WAY, *harmless: object) -> Rule:
    return Rule("refused", "reaches_host", HOST, hint, harmless)


def _privilege(*harmless: object) -> Rule:
    return Rule("refused", "more_power", PRIVILEGE, NO_WAY, harmless)


def _network(*harmless: object) -> Rule:
    return Rule("refused", "network_is_fixed", NETWORK, NO_WAY, harmless)


def _later(hint: Promise | str, *harmless: object) -> Rule:
    return Rule("refused", "not_available_yet", LATER, hint, harmless)


def _foreign() -> Rule:
    return Rule("refused", "foreign_storage", STORAGE, VOLUME)


def _drop(code: str, reason: Promise, *harmless: object) -> Rule:
    return Rule("dropped", code, reason, "", harmless)


def _engine(*harmless: object) -> Rule:
    return _drop("engine_setting", ENGINE, *harmless)


_POD = {
    "hostNetwork": _host(NO_WAY, False),
    "hostPID": _host(NO_WAY, False),
    "hostIPC": _host(NO_WAY, False),
    "hostUsers": _host(NO_WAY, False),
    "hostAliases": _network(),
    "nodeName": _host(BY_LABEL),
    "runtimeClassName": _host(),
    "resourceClaims": _host(),
    "initContainers": Rule("refused", "one_program", SIDE, OF_ITS_OWN),
    "ephemeralContainers": Rule("refused", "one_program", SIDE, OF_ITS_OWN),
    "serviceAccountName": _drop("no_account", ACCOUNT, "default"),
    "serviceAccount": _drop("no_account", ACCOUNT, "default"),
    "automountServiceAccountToken": Rule("refused", "no_account", ACCOUNT, NO_WAY, (False,)),
    "tolerations": _drop("host_chosen", CHOSEN),
    "topologySpreadConstraints": _drop("host_chosen", CHOSEN),
    "schedulerName": _drop("host_chosen", CHOSEN, "default-scheduler"),
    "priorityClassName": _drop("host_chosen", CHOSEN),
    "priority": _drop("host_chosen", CHOSEN),
    "preemptionPolicy": _drop("host_chosen", CHOSEN),
    "dnsPolicy": _network("ClusterFirst"),
    "dnsConfig": _network(),
    "subdomain": _drop("found_by_name", _("the service is found by its name")),
    "hostname": _drop("found_by_name", _("the service is found by its name")),
    "setHostnameAsFQDN": _drop("found_by_name", _("the service is found by its name"), False),
    "imagePullSecrets": _drop("pulls_itself", _("Berth pulls images with its own credentials")),
    "restartPolicy": _engine("Always"),
    "enableServiceLinks": _engine(),
    "shareProcessNamespace": _engine(),
    "activeDeadlineSeconds": _later(_("Run it as a service that stays.")),
    "readinessGates": _engine(),
    "schedulingGates": _engine(),
    "os": _engine(),
    "overhead": _engine(),
    "resources": _engine(),
}
_ROOT = Rule("refused", "runs_as_root", _("programs of tenants do not run as root"), IMAGE_USER, (True,))
_SECURITY = {
    "privileged": _host(NO_WAY, False),
    "allowPrivilegeEscalation": _privilege(False),
    "procMount": _privilege("Default"),
    "runAsNonRoot": _ROOT,
    "seLinuxOptions": _privilege(),
    "windowsOptions": _privilege(),
    "appArmorProfile": _privilege({"type": "RuntimeDefault"}),
    "seccompProfile": _privilege({"type": "RuntimeDefault"}),
    "sysctls": _host(),
    "fsGroup": _drop("group_given", _("volumes and files can be read by the program anyway")),
    "fsGroupChangePolicy": _engine(),
    "supplementalGroups": _drop("group_given", _("volumes and files can be read by the program anyway")),
    "supplementalGroupsPolicy": _engine(),
    "seLinuxChangePolicy": _engine(),
}
_CONTAINER = {
    "lifecycle": _drop("no_hooks", _("a program gets SIGTERM and time to end; other hooks do not run")),
    "imagePullPolicy": _drop("pinned", _("each release pins its images")),
    "volumeDevices": _host(),
    "restartPolicy": Rule("refused", "one_program", SIDE, OF_ITS_OWN),
    "restartPolicyRules": _engine(),
    "stdin": _drop("console", _("a console is opened in Berth"), False),
    "stdinOnce": _drop("console", _("a console is opened in Berth"), False),
    "tty": _drop("console", _("a console is opened in Berth"), False),
    "terminationMessagePath": _engine(),
    "terminationMessagePolicy": _engine(),
    "resizePolicy": _engine(),
}
_VOLUMES = ("hostPath", "nfs", "iscsi", "csi", "fc", "cephfs", "rbd", "glusterfs", "flexVolume", "flocker", "gitRepo")
_WORKLOAD = {
    "revisionHistoryLimit": _drop("releases_kept", _("Berth keeps releases and goes back to them")),
    "progressDeadlineSeconds": _engine(),
    "minReadySeconds": _engine(0),
    "paused": _drop("deployed_at_once", _("what is deployed begins at once"), False),
    "podManagementPolicy": _engine("OrderedReady"),
    "serviceName": _drop("found_by_name", _("the service is found by its name")),
    "persistentVolumeClaimRetentionPolicy": _drop("volumes_stay", _("volumes stay until somebody removes them")),
    "ordinals": _engine(),
    "updateStrategy": _engine({"type": "RollingUpdate"}),
}
_SERVICE = {
    "externalIPs": _host(),
    "externalName": _later(_("Write the other host's name into a variable of the service that uses it.")),
    "loadBalancerIP": _drop("address_chosen", _("Berth chooses the address at which a port is reached")),
    "loadBalancerClass": _drop("address_chosen", _("Berth chooses the address at which a port is reached")),
    "loadBalancerSourceRanges": _later(_("Close the port to others in the program itself."), []),
    "sessionAffinity": _drop("no_affinity", _("requests of one caller may go to any instance"), "None"),
    "sessionAffinityConfig": _drop("no_affinity", _("requests of one caller may go to any instance")),
    "healthCheckNodePort": _engine(),
    **{
        name: _engine()
        for name in (
            "clusterIP", "clusterIPs", "externalTrafficPolicy", "internalTrafficPolicy", "ipFamilies",
            "ipFamilyPolicy", "publishNotReadyAddresses", "allocateLoadBalancerNodePorts", "trafficDistribution",
        )
    },
}  # fmt: skip
_META = {
    "namespace": _drop("environment_chosen", _("the app runs in the environment it is deployed to")),
    "annotations": _drop("annotations", _("annotations mean nothing to Berth")),
    "labels": _drop("labels", SHAPE),
    "ownerReferences": _engine(),
    "finalizers": _engine(),
    **{name: _engine() for name in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")},
    **{name: _engine() for name in ("selfLink", "generateName", "deletionTimestamp")},
}
_MOUNT = {
    "mountPropagation": _host(NO_WAY, "None"),
    "subPathExpr": _later(_("Mount the whole volume.")),
    "recursiveReadOnly": _engine("Disabled"),
}
_CLAIM = {
    "accessModes": _engine(),
    "storageClassName": _drop("place_chosen", _("Berth chooses where volumes lie")),
    "volumeMode": _host(VOLUME, "Filesystem"),
    "volumeName": _foreign(),
    "dataSource": _foreign(),
    "dataSourceRef": _foreign(),
    "selector": _foreign(),
    "volumeAttributesClassName": _drop("place_chosen", _("Berth chooses where volumes lie")),
}
_PROBE = {
    "grpc": _later(_("Check over HTTP, over TCP or with a command.")),
    "terminationGracePeriodSeconds": _engine(),
    "successThreshold": _engine(1),
}
_HTTP = {
    "host": _host(),
    "scheme": _later(_("Check over HTTP, or with a command."), "HTTP"),
    "httpHeaders": _drop("no_headers", _("a check sends no headers of its own")),
}


def _with(place: str, rules: dict[str, Rule]) -> dict[str, Rule]:
    return {f"{place}.{key}": rule for key, rule in rules.items()}


RULES: dict[str, Rule] = {
    **_with("pod", _POD),
    **_with("security", _SECURITY),
    **_with("container", _CONTAINER),
    **_with("volume", dict.fromkeys(_VOLUMES, _host(VOLUME))),
    **_with("volume", dict.fromkeys(("projected", "downwardAPI", "ephemeral", "image"), _foreign())),
    **_with("workload", _WORKLOAD),
    **_with("service", _SERVICE),
    **_with("metadata", _META),
    **_with("mount", _MOUNT),
    **_with("claim", _CLAIM),
    "room.limits": _engine(),
    **_with("probe", _PROBE),
    **_with("httpGet", _HTTP),
    "capabilities.add": _privilege(),
    "port.hostPort": _host(_("Berth chooses the port on the host.")),
    "port.hostIP": _host(_("Berth chooses the address on the host.")),
    "document.status": _drop("not_needed_status", _("it tells what was, not what is to be")),
}
UNKNOWN: dict[str, Rule] = {
    "unknown": Rule(
        "refused",
        "unknown",
        _("{place} is refused: no such field is known here."),
        _("Check how it is written, or leave it out."),
    ),
    "not_a_map": Rule(
        "refused", "not_a_map", _("{place} must be a map of names and values."), _('Write it as "name: value" pairs.')
    ),
    "not_a_list": Rule("refused", "not_a_list", _("{place} must be a list."), _("Write it as a list.")),
    "not_text": Rule("refused", "not_text", _("{place} must be text."), _("Put it in quotes.")),
    "not_words": Rule("refused", "not_words", _("{place} must be a list of texts."), _("Put each in quotes.")),
    "not_needed": Rule("dropped", "not_needed", _("{place} is not needed and left out.")),
    "kind": Rule(
        "refused",
        "kind",
        _("{place} is refused: Berth makes no {kind} of an app."),
        _("Leave it out, and see what the app needs it for."),
        whole=True,
    ),
    "kind_dropped": Rule(
        "dropped", "kind_dropped", _("{place} is left out: Berth does by itself what a {kind} is for.")
    ),
    "several": Rule(
        "refused",
        "several",
        _("{place} is refused: a service has one program, and this is another beside it."),
        OF_ITS_OWN,
    ),
    "no_program": Rule(
        "refused", "no_program", _("{place} has no container."), _("Add one, or leave it all out."), whole=True
    ),
    "twice": Rule(
        "refused",
        "twice",
        _("{place} is refused: there is another of the name {name}."),
        _("Rename one of them, or leave it out."),
        whole=True,
    ),
    "fills_in": Rule(
        "refused",
        "fills_in",
        _("{place} uses {name}, which only the engine would fill in."),
        _("Write the value itself."),
    ),
    "engine_value": Rule(
        "refused",
        "engine_value",
        _("{place} is refused: {name} would get a value that only the engine knows."),
        _("Leave the variable out, or write a value."),
    ),
    "secret_variable": Rule(
        "refused",
        "secret_variable",
        _("{place} is refused: a secret is given to a program as a file, not as a variable."),
        _("Mount the Secret as a file, or leave the variable out. Its value is not taken over."),
    ),
    "value_read": Rule("changed", "value_read", _("{place}: the value of now is written into the specification.")),
    "no_source": Rule(
        "refused",
        "no_source",
        _("{place} is refused: {name} is not among these documents."),
        _("Add the document that holds it, or leave this out."),
    ),
    "no_source_optional": Rule(
        "dropped", "no_source_optional", _("{place} is left out: {name} is not among these documents.")
    ),
    "value_elsewhere": Rule(
        "changed",
        "value_elsewhere",
        _("{place}: the value is not taken over; set the secret {name} in Berth before deploying."),
    ),
    "becomes": Rule("changed", "becomes", _("{place}: becomes {name}.")),
    "renamed": Rule(
        "changed",
        "renamed",
        _("{place}: the service is called {name}, as others reach it."),
    ),
    "other_port": Rule(
        "changed",
        "other_port",
        _("{place}: others reach the service at its own port {name}, not at {other}."),
    ),
    "host_port": Rule("changed", "host_port", _("{place}: Berth chooses the port on the host.")),
    "published": Rule(
        "changed", "published", _("{place}: the port is published; where it is reached, Berth says after deploying.")
    ),
    "routes": Rule(
        "changed",
        "routes",
        _("{place}: the port of {name} is published; names, paths and certificates are not taken over."),
    ),
    "nobody": Rule(
        "refused",
        "nobody",
        _("{place} leads to nothing among these documents."),
        _("Add what it leads to, or leave it out."),
        whole=True,
    ),
    "scaling": Rule(
        "dropped",
        "scaling",
        _("{place} is left out: the number of instances stays at {name} until somebody changes it."),
    ),
    "one_check": Rule("changed", "one_check", _("{place} is left out: a service has one check, and another is taken.")),
    "in_memory": Rule(
        "changed", "in_memory", _("{place}: it is kept in memory, and counts as memory of the instance.")
    ),
    "empty_volume": Rule("changed", "empty_volume", _("{place}: becomes the volume {name}, which is empty at first.")),
    "no_volume": Rule("refused", "no_volume", _("{place}: there is no volume {name}."), _("Declare it under volumes.")),
    "part_of_volume": Rule(
        "refused", "part_of_volume", _("{place} is refused: a volume is mounted as a whole."), VOLUME
    ),
    "binary": Rule(
        "refused",
        "binary",
        _("{place} is refused: a config is text, and this is binary."),
        _("Put the file into the image."),
    ),
    "host_label": Rule("changed", "host_label", _("{place}: asks for hosts with the label {name}.")),
    "host_wish": Rule("dropped", "host_wish", _("{place} is left out: Berth chooses on which host an instance runs.")),
    "external_name": Rule(
        "refused",
        "external_name",
        _("{place} is refused: a service of another name cannot be made."),
        _("Write the other host's name into a variable of the service that uses it."),
        whole=True,
    ),
    "other_name": Rule(
        "changed",
        "other_name",
        _("{place}: others reach this service as {name} here, and not by this name."),
    ),
    "own_host": Rule(
        "refused", "own_host", _("{place} is refused: hosts are chosen by labels that the operator set."), BY_LABEL
    ),
    "special": Rule(
        "refused",
        "special",
        _("{place} is refused: only cpu and memory can be asked for."),
        NO_WAY,
    ),
    "scratch": Rule("dropped", "scratch", _("{place} is left out: only cpu and memory can be asked for.")),
    "as_root": Rule("refused", "as_root", _("{place} is refused: programs of tenants do not run as root."), IMAGE_USER),
    "rest": Rule("refused", "rest", _("{place} cannot be read."), _("Leave it out, or export the app again.")),
    "name_missing": Rule("refused", "name_missing", _("{place} has no name."), _("Write metadata.name."), whole=True),
    "too_many": Rule("refused", "too_many", _("{place}: there are more than {name} of these."), _("Send fewer.")),
}
