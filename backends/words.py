"""What a Reason says to people: one sentence of what is wrong and one of what to do, in the language of the reader."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backends.contract import Reason, ReasonCode

_WORDS: dict[ReasonCode, tuple[Promise, Promise]] = {
    ReasonCode.ENGINE_AWAY: (
        _("%(cluster)s does not answer."),
        _("What runs there goes on running. Berth tries again by itself; look at the cluster page if this lasts."),
    ),
    ReasonCode.ENGINE_SLOW: (
        _("%(cluster)s took too long to answer."),
        _("Berth asks again by itself; whatever was asked is done at most once."),
    ),
    ReasonCode.ENGINE_REFUSED: (
        _("The cluster refused: %(said)s"),
        _("Change what it objects to and try again, or show this sentence to whoever operates the platform."),
    ),
    ReasonCode.NOT_A_MANAGER: (
        _("The address of %(cluster)s leads to a host that may not manage it."),
        _("The operator has to give the address of a managing host on the cluster page."),
    ),
    ReasonCode.CONFLICT: (
        _("Somebody changed the same thing at the same time."),
        _("Look at what is there now, then try again."),
    ),
    ReasonCode.IMAGE_NOT_FOUND: (
        _("%(service)s is not starting: the image `%(image)s` was not found in the registry."),
        _("Check the name and the tag, or push the image."),
    ),
    ReasonCode.IMAGE_DENIED: (
        _("The registry does not hand out the image `%(image)s` to this project."),
        _("Check the name, or ask for the right to pull it."),
    ),
    ReasonCode.REGISTRY_AWAY: (
        _("The registry of the image `%(image)s` does not answer."),
        _("Try again in a moment, or choose an image that is already here."),
    ),
    ReasonCode.BAD_IMAGE: (
        _("The image `%(image)s` cannot run here."),
        _("Check its name, and that it was built for the kind of processor of this cluster."),
    ),
    ReasonCode.COMMAND_NOT_FOUND: (
        _("%(service)s is not starting: its image has no command `%(command)s`."),
        _("Correct the command, or leave it empty to use the one of the image."),
    ),
    ReasonCode.EXITED: (
        _("%(service)s ended by itself with exit code %(exit_code)s."),
        _("The last lines of its log usually say why."),
    ),
    ReasonCode.CRASHING: (
        _("%(service)s keeps ending: %(times)s times so far, last with exit code %(exit_code)s."),
        _("The last lines of its log usually say why. Roll back if the release before this one worked."),
    ),
    ReasonCode.OUT_OF_MEMORY: (
        _("%(service)s was ended because it used more memory than it may."),
        _("Give it more memory, or find out what fills it."),
    ),
    ReasonCode.UNHEALTHY: (
        _("%(service)s runs, but its health check fails."),
        _("Look at its log, and check the port and the path or command of the health check."),
    ),
    ReasonCode.NOT_READY_IN_TIME: (
        _("%(service)s was not ready in time: %(ready)s of %(wanted)s instances."),
        _("Look at the log of an instance, or allow more time if it only starts slowly."),
    ),
    ReasonCode.NO_CAPACITY: (
        _("No host has room for another instance of %(service)s."),
        _("Ask for less CPU or memory, stop something else, or have a host added."),
    ),
    ReasonCode.NO_SUITABLE_HOST: (
        _("No host fits what %(service)s asks for."),
        _("Check its host labels and its limit per host, and whether hosts are closed for new instances."),
    ),
    ReasonCode.PORT_TAKEN: (
        _("%(service)s is not starting: a port it needs on the host is taken."),
        _("Try again; if it stays so, the operator has to see what holds the port."),
    ),
    ReasonCode.HOST_LOST: (
        _("The host %(host)s does not answer; nobody can say what its instances do."),
        _("The cluster starts them elsewhere where it can. Look at the cluster page."),
    ),
    ReasonCode.HOST_GONE: (
        _("The cluster has no host %(host)s any more."),
        _("Look at the cluster page: it shows the hosts that are there now."),
    ),
    ReasonCode.HELD_BY_BUDGET: (
        _("%(service)s stays where it is: too few of its instances would be left to serve."),
        _("It goes on by itself once its other instances are ready. If this lasts, see why they are not."),
    ),
    ReasonCode.INSTANCE_GONE: (
        _("This instance is not there any more."),
        _("Choose one of those that run now."),
    ),
    ReasonCode.NO_SHELL: (
        _("The image has no command `%(command)s`, so no console can be opened with it."),
        _("Choose another command that the image holds."),
    ),
    ReasonCode.HOST_NOT_REACHABLE: (
        _("This instance runs on the host %(host)s, which Berth cannot reach directly."),
        _("The operator can give Berth the address of that host on the cluster page."),
    ),
    ReasonCode.QUOTA_EXCEEDED: (
        _("%(service)s asks for more than its environment may use on the cluster: %(said)s"),
        _("Ask for less CPU or memory, run fewer instances, or ask for a larger quota."),
    ),
    ReasonCode.NOT_ALLOWED: (
        _("A rule of the cluster does not allow %(service)s to run as it is: %(said)s"),
        _("Change what the rule objects to, or show this sentence to whoever operates the platform."),
    ),
    ReasonCode.RUNS_AS_ROOT: (
        _("%(service)s is not starting: its image runs as root, which this cluster does not allow."),
        _("Set a user by its number, such as 1000:1000, or use an image that runs as another user than root."),
    ),
    ReasonCode.VOLUME_NOT_READY: (
        _("%(service)s is not starting: a volume it needs is not ready."),
        _("Wait a moment; if it stays so, the operator has to see whether the cluster has storage left."),
    ),
    ReasonCode.VOLUME_KEEPS_SIZE: (
        _("A volume of %(service)s cannot be made larger: the storage it lies on does not allow that."),
        _("Leave the size as it was; or declare a volume of another name and size, and move the data there."),
    ),
    ReasonCode.VOLUME_NOT_GROWN: (
        _("A volume of %(service)s could not be made larger: %(said)s"),
        _("Show this sentence to whoever operates the platform, or deploy with the size from before."),
    ),
    ReasonCode.UPDATE_ROLLED_BACK: (
        _("The new release of %(service)s did not work, so the one before it is serving again."),
        _("Look at the log of the instance that failed, mend it, and deploy again."),
    ),
    ReasonCode.UNKNOWN: (
        _("Something went wrong that Berth has no words for: %(said)s"),
        _("Show this sentence to whoever operates the platform."),
    ),
}

_MISSING: dict[str, Promise] = {
    "cluster": _("The cluster"),
    "service": _("The service"),
    "host": _("of this instance"),
    "said": _("it gave no reason."),
    "image": _("of this release"),
}


def sentence(reason: Reason | Mapping[str, Any]) -> str:
    """What is wrong. Takes a Reason or its stored JSON form; of a code this version does not know: UNKNOWN."""
    return _filled(reason, place=0)


def hint(reason: Reason | Mapping[str, Any]) -> str:
    """What to do about it."""
    return _filled(reason, place=1)


_NO_ENGINE = {  # notes that `up` stores as codes
    "none": _(
        "Berth was started with --engine none. Start it again without that, or give it a cluster that is there "
        "already by --kubeconfig FILE."
    )
}


def no_engine(note: str) -> str:
    """Why a cluster has no engine, from its note: a known code, or a text as it was written."""
    return str(_NO_ENGINE.get(note, note))


def _filled(reason: Reason | Mapping[str, Any], *, place: int) -> str:
    code, params = _parts(reason)
    return str(_WORDS[code][place]) % _Params(params)


def _parts(reason: Reason | Mapping[str, Any]) -> tuple[ReasonCode, Mapping[str, Any]]:
    if isinstance(reason, Reason):
        return reason.code, reason.params
    code = str(reason.get("code", ""))
    if code not in _WORDS:
        return ReasonCode.UNKNOWN, {"said": code}
    return ReasonCode(code), reason.get("params") or {}


class _Params(dict[str, Any]):
    """A gap in stored params must not break a page."""

    def __missing__(self, name: str) -> str:
        return str(_MISSING.get(name, "?"))
