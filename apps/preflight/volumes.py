"""Sizes of volumes: what the cluster cannot hold to, and what it could not bring about."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from apps.preflight.finding import SPEC, Finding
from apps.preflight.plan import Plan
from apps.specification import size_text
from backends.contract import VOLUME_BYTES
from backends.registry import capabilities_of
from core.wording import bytes_text


def check_volumes(plan: Plan) -> Iterator[Finding]:
    """A volume's data is never at stake: none shrinks, and none grows where its storage could not follow."""
    if not capabilities_of(plan.place.environment.cluster).sizes_volumes:
        yield from _unheld(plan)
        return
    before = plan.runs.volumes if plan.runs else {}
    for name, volume in plan.spec.volumes.items():
        if name not in before or volume.size == before[name].size:
            continue
        if volume.size < before[name].size:
            yield _shrinks(name, volume.size, before[name].size)
        elif plan.place.environment.cluster.volumes_grow is False:
            yield _stays(plan, name, before[name].size)


def _unheld(plan: Plan) -> Iterator[Finding]:
    for name, volume in plan.spec.volumes.items():
        if volume.size != VOLUME_BYTES:
            words = {"volume": name, "cluster": plan.place.environment.cluster.name, "size": bytes_text(volume.size)}
            text = _("Nothing on %(cluster)s keeps the volume %(volume)s to %(size)s.") % words
            hint = _("It takes what its host has. The size counts in the quota, and on clusters that keep to it.")
            yield Finding("warn", "size_not_kept", text, _path(name), hint)


def _shrinks(name: str, wanted: int, there: int) -> Finding:
    words = {"volume": name, "wanted": bytes_text(wanted), "there": bytes_text(there)}
    text = _("The volume %(volume)s has %(there)s and cannot become smaller (%(wanted)s).") % words
    hint = _("Leave its size as it is; or declare a smaller volume of another name, and move the data there.")
    return Finding("bad", "volume_shrinks", text, _path(name), hint, *_back(name, there))


def _stays(plan: Plan, name: str, there: int) -> Finding:
    words = {"volume": name, "cluster": plan.place.environment.cluster.name, "there": bytes_text(there)}
    text = _("The storage of %(cluster)s cannot make the volume %(volume)s larger than the %(there)s it has.") % words
    hint = _("Leave its size as it is; or declare a larger volume of another name, and move the data there.")
    return Finding("bad", "volume_keeps_size", text, _path(name), hint, *_back(name, there))


def _back(name: str, there: int) -> tuple[dict[str, object], str]:
    return {_path(name): size_text(there)}, _("Keep %(size)s") % {"size": bytes_text(there)}


def _path(name: str) -> str:
    return f"{SPEC}volumes.{name}.x-berth.size"
