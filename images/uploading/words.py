"""What is wrong with an archive, in words: what scans know, and what uploads alone meet."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import Text
from images.scanning import words as scan_words

_DISTRUST = _("Make the archive anew with docker save, or pack an OCI layout as a tar file.")
_AGAIN = _("Upload the archive once more.")

# Code: sentence, next step.
_OWN: dict[str, tuple[Promise, Promise]] = {
    "upload_entry_path": (_("The archive holds a path or a link that leads out of it: %(path)s"), _DISTRUST),
    "upload_entry_kind": (_("%(path)s in the archive is no file and no folder."), _DISTRUST),
    "upload_entry_twice": (_("%(path)s is in the archive more than once."), _DISTRUST),
    "upload_entry_name": (_("A name in the archive is longer than any image needs."), _DISTRUST),
    "upload_unpacks_large": (
        _("Unpacked, the archive is larger than the %(most)s bytes that are left for it."),
        _("Wait until other uploads have ended, or upload the tar file itself."),
    ),
    "upload_no_room": (
        _("There is no room to unpack the archive on the disk of Berth."),
        _("An operator has to make room; then upload it once more."),
    ),
    "upload_no_name": (
        _("The archive does not say what its image is called, or in a way that no repository can have."),
        _("Upload it once more and name the repository."),
    ),
    "upload_gone": (_("What was uploaded is not there any more."), _AGAIN),
    "upload_broke_off": (
        _("Looking through the archive broke off %(times)s times."),
        _("An operator finds the cause in the log of the worker."),
    ),
    "upload_registry_refused": (
        _("The registry did not take the image: %(said)s"),
        _("Try once more; if it stays so, an operator has to see the log of the registry."),
    ),
    "archive_many_images": (
        _("There is more than one image in this archive: %(names)s."),
        _("Upload it once more and say which one, in “Image” or “Platform”."),
    ),
}


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """As an operation keeps them."""
    return {key: ", ".join(map(str, one)) if isinstance(one, list) else one for key, one in params.items()}


def sentence(code: str, params: Mapping[str, Any]) -> str:
    found = _OWN.get(code)
    return str(found[0]) % plain(params) if found else scan_words.sentence(code, params)


def hint(code: str) -> str:
    found = _OWN.get(code)
    return str(found[1]) if found else scan_words.hint(code)


def sentences() -> dict[str, Text]:
    """For the events of operations."""
    return {**scan_words.problem_sentences(), **{code: pair[0] for code, pair in _OWN.items()}}
