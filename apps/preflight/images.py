"""Is each image there, is it the one that is meant, and can the cluster's hosts run it?"""

import difflib
import re
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from apps.models import Environment, ReleaseImage
from apps.preflight.finding import Finding
from apps.preflight.plan import Plan, at
from apps.specification import parse_image
from images.models import Artifact, Repository, Tag
from images.selectors import repositories, tags

VERSION = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,4})\Z", re.ASCII)
SHOWN_DIGEST = 19
MOST_TAGS = 200


def check_images(plan: Plan) -> Iterator[Finding]:
    for name in plan.spec.services:
        artifact = plan.artifacts[name]
        if artifact is None:
            yield _unknown(plan, name)
        else:
            yield from _known(plan, name, artifact)


def _unknown(plan: Plan, service: str) -> Finding:
    """Not in our list: surely missing where the list is all there is, else its registry has to be asked."""
    image = plan.spec.services[service].image
    parsed = parse_image(image)
    home = repositories(plan.place.project).filter(name=parsed.short_name).first()
    words = {"image": image, "service": service}
    if home is None:
        return Finding(
            "warn", "image_unknown",
            _("%(image)s is not in Berth's list; its registry is asked when the deployment runs.") % words,
            at(service, "image"), _("Check the name and tag, or choose one of the list."),
            *_use(service, _alike(plan, parsed.short_name)),
        )  # fmt: skip
    other = _nearest(home, parsed.tag or "")
    hint = _("The newest is %(image)s.") % {"image": other} if other else _("Choose another image.")
    if home.cluster_id is None:
        text = _("%(image)s is not in Berth's list; its registry is asked when the deployment runs.") % words
        return Finding("warn", "image_unknown", text, at(service, "image"), hint, *_use(service, other))
    text = _("%(image)s is not there: its repository has no such tag or digest.") % words
    return Finding("bad", "image_missing", text, at(service, "image"), hint, *_use(service, other))


def _known(plan: Plan, service: str, artifact: Artifact) -> Iterator[Finding]:
    image, home = plan.spec.services[service].image, artifact.repository
    parsed = parse_image(image)
    path, words = at(service, "image"), {"image": image, "service": service}
    if home.cluster_id and home.cluster_id != plan.place.environment.cluster_id:
        yield _elsewhere(plan, service, home)
        return
    if wrong := _wrong_platform(plan, service, artifact):
        yield wrong
        return
    yield from _moved(plan, service, artifact)
    newest = _newest(home)
    newer = f"{home.name}:{newest}" if newest and _is_newer(newest, parsed.tag or "") else ""
    text = _("%(image)s is there and pinned by digest.") % words
    hint = _("The newest is %(image)s.") % {"image": newer} if newer else artifact.digest[:SHOWN_DIGEST]
    yield Finding("ok", "image_known", text, path, hint, *_use(service, newer))


def _use(service: str, image: str) -> tuple[dict[str, str], str]:
    """`mend` and `button` that put another image there; nothing where there is none."""
    if not image:
        return {}, ""
    short = image if "@" not in image else image[: image.index("@") + 15]
    return {at(service, "image"): image}, _("Use %(value)s") % {"value": short.rpartition("/")[2]}


def _elsewhere(plan: Plan, service: str, home: Repository) -> Finding:
    """An image that lies on one engine only runs nowhere else."""
    text = _("%(image)s lies only on the cluster %(cluster)s, not on %(here)s.") % {
        "image": plan.spec.services[service].image,
        "cluster": home.cluster.name if home.cluster else "",
        "here": plan.place.environment.cluster.name,
    }
    hint = _("Choose an image of a registry, or an environment on that cluster.")
    there = Environment.objects.filter(project_id=plan.place.project_id, cluster=home.cluster).first()
    mend, button = ({"environment": there.name}, _("Go to %(name)s") % {"name": there.name}) if there else ({}, "")
    return Finding("bad", "image_elsewhere", text, at(service, "image"), hint, mend, button)


def _wrong_platform(plan: Plan, service: str, artifact: Artifact) -> Finding | None:
    """Where no host can run it; nothing where either side does not say what it is."""
    hosts = set(plan.place.environment.cluster.hosts.filter(ready=True).values_list("platform", flat=True)) - {""}
    if not artifact.platform or not hosts or artifact.platform in hosts:
        return None
    image = plan.spec.services[service].image
    text = _("%(image)s is for %(platform)s; the hosts of %(cluster)s are %(hosts)s.") % {
        "image": image,
        "platform": artifact.platform,
        "cluster": plan.place.environment.cluster.name,
        "hosts": ", ".join(sorted(hosts)),
    }
    fitting = tags(plan.place.project).filter(repository=artifact.repository, artifact__platform__in=hosts)
    other = fitting.order_by("-moved_at", "-name").first()
    before = plan.runs.services[service].image if plan.runs and service in plan.runs.services else ""
    found = str(other) if other else before if before != image else ""
    hint = _("Use an image that is built for them.")
    return Finding("bad", "image_platform", text, at(service, "image"), hint, *_use(service, found))


def _moved(plan: Plan, service: str, artifact: Artifact) -> Iterator[Finding]:
    """A tag that means something else than when it was deployed, or will sooner or later."""
    image = plan.spec.services[service].image
    parsed = parse_image(image)
    if not parsed.tag or parsed.digest:
        return
    pins = ReleaseImage.objects.filter(release=plan.place.release, service=service, reference=image)
    before = pins.first() if plan.place.release else None
    words = {"image": image, "now": artifact.digest[:SHOWN_DIGEST]}
    if before is not None and before.digest != artifact.digest:
        words["before"] = before.digest[:SHOWN_DIGEST]
        text = _("%(image)s has moved: it runs as %(before)s and is %(now)s now.") % words
        hint = _("Deploying takes the new one. Name the digest to keep what runs.")
        mend = _use(service, f"{artifact.repository.name}@{before.digest}")
        yield Finding("warn", "tag_moved", text, at(service, "image"), hint, *mend)
    elif parsed.tag == "latest":
        other = _version_of(artifact) or f"{artifact.repository.name}@{artifact.digest}"
        hint = _("This release keeps today's image; the next one may take another.")
        text = _("%(image)s can mean another image tomorrow.") % words
        yield Finding("warn", "tag_floats", text, at(service, "image"), hint, *_use(service, other))


def _version_of(artifact: Artifact) -> str:
    """Another tag of the same digest that looks like a version, with its repository."""
    names = [name for name in artifact.tags.values_list("name", flat=True) if VERSION.match(name)]
    return f"{artifact.repository.name}:{max(names, key=_parts)}" if names else ""


def _parts(tag: str) -> tuple[int, ...]:
    match = VERSION.match(tag)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _is_newer(tag: str, than: str) -> bool:
    return bool(VERSION.match(than)) and _parts(tag) > _parts(than)


def _names(home: Repository) -> list[str]:
    rows: Iterable[Tag] = home.tags.order_by("-moved_at", "-name")[:MOST_TAGS]
    return [row.name for row in rows]


def _newest(home: Repository) -> str:
    """The tag of the highest version; empty where no tag looks like one."""
    versions = [name for name in _names(home) if VERSION.match(name)]
    return max(versions, key=_parts) if versions else ""


def _nearest(home: Repository, tag: str) -> str:
    """What was probably meant: the tag spelled most alike, else the newest version, else what was pushed last."""
    names = _names(home)
    alike = [] if VERSION.match(tag) else difflib.get_close_matches(tag, names, n=1, cutoff=0.7)
    found = (alike or [_newest(home)])[0] or next(iter(names), "")
    return f"{home.name}:{found}" if found else ""


def _alike(plan: Plan, name: str) -> str:
    """An image of the list whose name is spelled almost like this one."""
    known = {home.name: home for home in repositories(plan.place.project)[:MOST_TAGS]}
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return _nearest(known[close[0]], "") if close else ""
