"""What stops a scan, what makes it doubtful, and what it found, in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_WHOLE = _("Make the archive anew and compare its size with the first; it was cut off or changed on its way.")
_SLIM = _("Make the image smaller: leave out what does not have to be there to run.")
_DISTRUST = _("Do not run this image. Build it anew from sources you trust.")

# Code: sentence, next step.
_PROBLEMS: dict[str, tuple[Promise, Promise]] = {
    "archive_not_there": (_("There is no file %(name)s that can be read."), _("Check its name and who may read it.")),
    "archive_unreadable": (
        _("This is not the archive of an image, or it is damaged."),
        _("Make one with docker save, or pack an OCI layout as a tar file."),
    ),
    "archive_packed": (
        _("The archive itself is packed with %(packing)s."),
        _("Unpack it first, and give the tar file that was in it."),
    ),
    "archive_too_many": (_("The archive holds more than %(most)s files."), _DISTRUST),
    "archive_no_image": (
        _("There is no image in this archive."),
        _("Make one with docker save, or pack an OCI layout as a tar file."),
    ),
    "archive_no_such_image": (
        _("There is no image %(wanted)s in this archive, but: %(names)s."),
        _("Name one of those that are in it."),
    ),
    "archive_many_images": (
        _("There is more than one image in this archive: %(names)s."),
        _("Say which one: --image NAME, or --platform linux/amd64."),
    ),
    "archive_missing": (_("The archive names %(name)s, and does not hold it."), _WHOLE),
    "archive_link_loop": (_("%(name)s in the archive leads in a circle."), _DISTRUST),
    "archive_digest": (_("%(name)s in the archive is not what its digest says."), _WHOLE),
    "archive_layers_differ": (_("The image does not say which digests its %(count)s layers have."), _WHOLE),
    "document_too_large": (_("%(name)s in the archive has more than %(most)s bytes."), _DISTRUST),
    "document_broken": (_("%(name)s in the archive is not what it has to be."), _WHOLE),
    "too_many_layers": (_("The image has %(count)s layers; %(most)s is the most."), _SLIM),
    "layer_packing": (
        _("Layer %(layer)s is packed with %(packing)s, which is not read."),
        _("Build or push the image with layers packed by gzip."),
    ),
    "layer_ends": (_("Layer %(layer)s ends too early."), _WHOLE),
    "layer_broken": (_("Layer %(layer)s is damaged."), _WHOLE),
    "layer_digest": (_("Layer %(layer)s is not the one that the image names."), _WHOLE),
    "layer_bomb": (_("Layer %(layer)s unpacks to more than %(most)s times its size."), _DISTRUST),
    "layer_path": (_("Layer %(layer)s holds a path that leads out of the image: %(path)s"), _DISTRUST),
    "too_large": (_("With layer %(layer)s the image unpacks to more than %(most)s bytes."), _SLIM),
    "too_many_files": (_("With layer %(layer)s the image has more than %(most)s files."), _SLIM),
    "too_many_packages": (_("With layer %(layer)s the image has more than %(most)s packages."), _SLIM),
    "out_of_memory": (_("Looking through the image took more than %(most)s bytes of memory."), _SLIM),
    "out_of_cpu": (_("Looking through the image took more than %(most)s seconds of computing, or was ended."), _SLIM),
    "out_of_time": (_("Looking through the image took longer than %(most)s seconds."), _SLIM),
    "too_much_said": (_("There is more in this image than a report can hold."), _SLIM),
    "broke_off": (
        _("Looking through the image broke off (code %(code)s)."),
        _("An operator finds the cause in the log of the worker."),
    ),
    "registry_gone": (
        _("%(name)s is not in the registry any more."),
        _("Push the image again; what was left of it was removed."),
    ),
    "registry_digest": (
        _("%(name)s in the registry is not what its digest says."),
        _("An operator has to look at the disk of the registry; then push the image again."),
    ),
    "registry_size": (_("%(name)s in the registry has another size than the image says."), _DISTRUST),
    "not_an_image": (
        _("This is no image of layers, so there is nothing to look through."),
        _("Signatures, charts and notes about builds are kept beside images, and have no rating."),
    ),
    "no_room": (
        _("There is no room on the disk to unpack the image for %(tool)s: it takes %(bytes)s bytes."),
        _("An operator makes room, or removes that program: Berth itself needs none."),
    ),
    "tool_failed": (
        _("%(tool)s did not scan the image: %(said)s"),
        _("Try it by hand, or scan without it: --tool berth."),
    ),
}

# Why a rating is unknown.
_DOUBTS: dict[str, Promise] = {
    "not_scanned": _("Nobody has looked through the image yet."),
    "no_packages": _("No packages were recognised, so nothing could be compared."),
    "no_system": _("The image does not say what system it is made of, so its system packages cannot be compared."),
    "no_data": _("There are no advisories for %(ecosystem)s (%(count)s packages): import them."),
    "no_data_system": _("No advisories are known for this system, %(system)s (%(count)s packages)."),
    "tool_no_system": _("%(tool)s did not recognise what system the image is made of."),
    "no_version": _("The version of %(count)s packages cannot be compared, such as %(name)s %(version)s."),
    "nameless": _("%(count)s Java archives do not say their group, such as %(path)s."),
    "kind_not_read": _("Packages of %(kind)s are in the image (%(count)s files), which are not read."),
    "list_too_long": _("%(path)s is too large to be read."),
    "list_too_deep": _("%(path)s holds archives in archives, deeper than is read."),
    "list_damaged": _("%(path)s is damaged and was not read."),
    "list_is_link": _("%(path)s is a link, so what it leads to was not read."),
    "rpm_berkeley": _("%(path)s is an old database of rpm, which is not read."),
    "rpm_ndb": _("%(path)s is a database of rpm of a kind that is not read."),
    "rpm_journal": _("%(path)s holds changes of rpm's database that were not written into it."),
    "go_too_old": _("%(path)s was built by a Go older than 1.18, and its modules cannot be read."),
    "go_unreleased": _("%(path)s was built by a Go that was never released, and its modules cannot be read."),
}

_SECRETS: dict[str, Promise] = {
    "private_key": _("private key"),
    "locked_private_key": _("private key, locked by a password"),
    "aws_key": _("key of Amazon Web Services"),
    "github_token": _("token of GitHub"),
    "gitlab_token": _("token of GitLab"),
    "slack_token": _("token of Slack"),
    "google_key": _("key of Google"),
    "stripe_key": _("key of Stripe"),
    "npm_token": _("token of npm"),
    "pypi_token": _("token of PyPI"),
    "env_file": _("file of variables with secrets"),
    "npmrc": _("sign-in of npm"),
    "netrc": _("password in .netrc"),
    "pypirc": _("password in .pypirc"),
    "git_credentials": _("password of git"),
    "registry_login": _("sign-in of a registry"),
    "aws_credentials": _("credentials of Amazon Web Services"),
    "cluster_login": _("sign-in of a cluster"),
    "variable": _("variable of the image with a secret"),
    "command": _("secret passed to a command of the build"),
}

SEVERITIES: dict[str, Promise] = {
    "critical": _("critical"),
    "high": _("high"),
    "medium": _("medium"),
    "low": _("low"),
    "negligible": _("negligible"),
    "unknown": _("of unknown severity"),
}


def sentence(code: str, params: Mapping[str, Any]) -> str:
    """What stopped a scan."""
    shown = {key: ", ".join(map(str, value)) if isinstance(value, list) else value for key, value in params.items()}
    found = _PROBLEMS.get(code)
    return str(found[0]) % shown if found else code


def problem_sentences() -> dict[str, Promise]:
    """All that may stop one, with gaps for their values."""
    return {code: pair[0] for code, pair in _PROBLEMS.items()}


def hint(code: str) -> str:
    found = _PROBLEMS.get(code)
    return str(found[1]) if found else ""


def doubt(reason: Mapping[str, Any]) -> str:
    """Why a rating is unknown, of one reason."""
    found = _DOUBTS.get(str(reason["code"]))
    return str(found) % reason if found else str(reason["code"])


def secret(kind: str) -> str:
    found = _SECRETS.get(kind)
    return str(found) if found else kind


def stops() -> dict[str, Promise]:
    """The sentence of everything that stops a scan, by its code; for the events of operations."""
    return {code: found[0] for code, found in _PROBLEMS.items()}
