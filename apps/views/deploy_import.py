"""Importing a file in the deploy panel: what it becomes, and the draft that comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps import drafts
from apps.specification import ForeignImport, Import, Specification, import_of
from apps.specification.limits import LARGEST_TEXT

MOST_LEFT_OUT = 200
LONGEST_PATH = 300
SEE, TAKE = "see", "take"


@dataclass(frozen=True)
class ImportStep:
    """`asked`: what it becomes was asked for. `too_big`: the size of a chosen file that is not even read."""

    text: str
    leaving_out: tuple[str, ...]
    asked: bool
    too_big: int = 0

    @cached_property
    def found(self) -> Import | ForeignImport | None:
        return import_of(self.text, self.leaving_out) if self.asked and self.text.strip() else None

    @property
    def specification(self) -> Specification | None:
        return self.found.specification if self.found else None

    @property
    def name(self) -> str:
        """As the file says, else after its first image."""
        if self.found is None or self.specification is None:
            return ""
        first = next(iter(self.specification.services.values()))
        return self.found.name or drafts.name_from(first.image)

    @property
    def error(self) -> str:
        if self.too_big:
            words = {"size": -(-self.too_big // 1024), "limit": LARGEST_TEXT // 1024}
            return _("The file has %(size)s KB; at most %(limit)s KB are read.") % words
        return _("Paste a file, or choose one.") if self.asked and not self.text.strip() else ""

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The lines by what becomes of them, with a heading each."""
        titles = {
            "refused": _("Stands in the way"),
            "changed": _("Becomes something else"),
            "dropped": _("Not needed here"),
            "chosen": _("Left out because you chose so"),
            "kept": _("Kept as it is"),
        }
        lines = self.found.lines if self.found else []
        sorted_out = {kind: [one for one in lines if one.kind == kind] for kind in titles}
        return [
            {"kind": kind, "title": title, "lines": sorted_out[kind]}
            for kind, title in titles.items()
            if sorted_out[kind]
        ]


def import_step(request: HttpRequest, go: str) -> ImportStep:
    """A file that was sent along wins over what is in the field; what is no UTF-8 comes out with marks in it."""
    text, size = request.POST.get("compose", ""), 0
    sent = request.FILES.get("file")
    if isinstance(sent, UploadedFile) and sent.size:
        size = int(sent.size) if sent.size > LARGEST_TEXT else 0
        text = "" if size else sent.read(LARGEST_TEXT + 1).decode("utf-8-sig", errors="replace")
    return ImportStep(text.replace("\r\n", "\n"), paths_of(request.POST.getlist("leave")), go in (SEE, TAKE), size)


def paths_of(sent: Sequence[object]) -> tuple[str, ...]:
    """Paths that were sent, as far as they can be some."""
    texts = [one for one in sent if isinstance(one, str) and 0 < len(one) <= LONGEST_PATH]
    return tuple(dict.fromkeys(texts))[:MOST_LEFT_OUT]
