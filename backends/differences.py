"""What a cluster does in its own way, in the language of the reader: a sentence for each capability, had or not."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backends.contract import Capabilities

_SAID: dict[str, tuple[Promise, Promise]] = {  # with it, without it
    "goes_back": (
        _("The cluster itself gives up an update that fails and goes back."),
        _("Berth goes back when an update fails; the instances from before stay until then."),
    ),
    "tells_streams": (
        _("Logs tell output and errors apart."),
        _("Logs do not tell output and errors apart: all lines count as output."),
    ),
    "keeps_logs": (
        _("Logs of ended instances stay as long as the cluster lists these instances."),
        _("The cluster forgets logs with their instances, so Berth keeps the lines itself."),
    ),
    "reads_images": (
        _("What is in an image that only lies on the hosts is known: its ports, health check and user."),
        _("What is in an image that only lies on the hosts is not known: state its ports and health check."),
    ),
    "names_users": (
        _("The user of a service is a name or a number."),
        _("The user of a service is a number, such as 1000:1000, and never root."),
    ),
    "limits_processes": (
        _("A service may limit the processes of its instances."),
        _("How many processes an instance may have is set on the hosts, not by a service."),
    ),
    "restart_policies": (
        _("A service may have ended instances started again always, only after failures, or never."),
        _("Ended instances are always started again."),
    ),
    "volumes_shared": (
        _("Instances of a service share a volume where they are on one host."),
        _("Each instance has volumes of its own."),
    ),
    "moves_single_instances": (
        _("Emptying a host replaces only the instances on it."),
        _("Emptying a host replaces all instances of each service that is there."),
    ),
    "keeps_ceilings": (
        _("The cluster itself refuses what takes more than twice the quota: a backstop."),
        _("The quota is kept by Berth alone."),
    ),
    "sizes_volumes": (
        _("A volume has the size that is asked for; it may grow where the cluster's storage can do that."),
        _("Volumes have no size of their own: they take what their host has."),
    ),
    "volumes_on_networks": (
        _("Volumes follow their instance to another host where the cluster's storage can do that."),
        _("Volumes stay on their host."),
    ),
    "reaches_every_host": (
        _("Consoles and usage are there for every instance."),
        _("Consoles and usage are there for instances on the host whose engine Berth speaks to."),
    ),
    "builds_images": (
        _("Images can be built on it from sources, where an operator allows it."),
        _("No images are built on it."),
    ),
}


_VOLUMES: dict[bool | None, Promise] = {  # whether the storage makes those larger that are there
    True: _("have the size that is asked for, and can be made larger"),
    False: _("have the size that is asked for; the cluster's storage cannot make them larger"),
    None: _(
        "have the size that is asked for; whether they can be made larger is not known, because the cluster has no "
        "usual storage or does not tell of it"
    ),
}


def volumes_said(capabilities: Capabilities, *, grow: bool | None) -> str:
    """How large volumes are on a cluster, and whether that can change; goes on after the word "Volumes"."""
    return str(_VOLUMES[grow] if capabilities.sizes_volumes else _("take what their host has"))


@dataclass(frozen=True)
class Way:
    """`code`: the capability's name."""

    code: str
    has: bool
    said: str


def ways(capabilities: Capabilities) -> Iterator[Way]:
    """Every capability, as it is here."""
    for name, (with_it, without) in _SAID.items():
        has = bool(getattr(capabilities, name))
        yield Way(name, has, str(with_it if has else without))
