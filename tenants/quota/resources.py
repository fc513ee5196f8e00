"""What is counted, in which unit, and how it is said.

CPU is thousandths of a core, memory and storage are bytes, all else is a number of things.
"""

import re
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.wording import bytes_text, cores_text, number


class Resource(models.TextChoices):
    """In the order in which rows are locked."""

    CPU = "cpu", gettext_lazy("CPU")
    MEMORY = "memory", gettext_lazy("Memory")
    STORAGE = "storage", gettext_lazy("Storage")
    INSTANCES = "instances", gettext_lazy("Instances")
    ROUTES = "routes", gettext_lazy("Routes")
    IMAGES = "images", gettext_lazy("Images in the registry")
    PROJECTS = "projects", gettext_lazy("Projects")


BYTES = (Resource.MEMORY, Resource.STORAGE, Resource.IMAGES)
OF_PROJECTS = tuple(one for one in Resource if one != Resource.PROJECTS)  # a project holds no projects
LARGEST = 10**15
TYPED = {
    Resource.CPU: 1000,
    Resource.MEMORY: 1 << 30,
    Resource.STORAGE: 1 << 30,
    Resource.IMAGES: 1 << 30,
}  # typed in cores and GB
BINARY = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
SENT = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)(Ki|Mi|Gi|Ti|)\Z", re.ASCII)


def label_of(resource: str) -> str:
    """The word for it; its key where this version has none."""
    return str(Resource(resource).label) if resource in Resource.values else resource


def amount_text(resource: str, amount: int) -> str:
    """An amount with its unit: "1.5 cores", "512 MB", "12"."""
    if resource == Resource.CPU:
        return cores_text(amount)
    return bytes_text(amount) if resource in BYTES else number(amount, places=0)


def of_text(resource: str, part: int, whole: int) -> str:
    """A part of a whole: "28 of 40 cores", "51 GB of 96 GB", "3 of 10"."""
    words = {"part": amount_text(resource, part), "whole": amount_text(resource, whole)}
    if resource == Resource.CPU:
        words["part"] = number(part / 1000, places=3)
    return _("%(part)s of %(whole)s") % words


def left_text(resource: str, left: int, whole: int) -> str:
    """What nobody holds yet: "2 of 8 cores left"."""
    if resource == Resource.CPU:
        cores = ngettext(
            "%(left)s of %(whole)s core left", "%(left)s of %(whole)s cores left", 1 if whole == 1000 else 2
        )
        return cores % {"left": number(left / 1000, places=3), "whole": number(whole / 1000, places=3)}
    words = {"left": amount_text(resource, left), "whole": amount_text(resource, whole)}
    if resource in BYTES:
        return _("%(left)s of %(whole)s left") % words
    return _things_left(resource, words)


def _things_left(resource: str, words: dict[str, str]) -> str:
    texts = {
        Resource.INSTANCES: _("%(left)s of %(whole)s instances left"),
        Resource.ROUTES: _("%(left)s of %(whole)s routes left"),
        Resource.PROJECTS: _("%(left)s of %(whole)s projects left"),
    }
    return texts[Resource(resource)] % words


def typed(resource: str, amount: int) -> Decimal:
    """As a form shows it: cores, GB, or a number."""
    shown = Decimal(amount) / TYPED.get(Resource(resource), 1)
    return shown.quantize(Decimal(1)) if shown == shown.to_integral() else shown.normalize()


def from_typed(resource: str, value: Decimal) -> int:
    return int((value * TYPED.get(Resource(resource), 1)).to_integral_value())


def sent(resource: str, amount: int | None) -> float | int | None:
    """As the API says it: cores, bytes, or a number."""
    return amount / 1000 if resource == Resource.CPU and amount is not None else amount


def from_sent(resource: str, value: Any) -> int:
    """An amount of the API: cores (8, 0.5), bytes ("16Gi", 1024), or a whole number. Raises ValueError."""
    match = SENT.match(str(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    if match is None or (match[2] and resource not in BYTES):
        raise ValueError(value)
    exact = Decimal(match[1]) * (1000 if resource == Resource.CPU else BINARY[match[2]])
    if exact != exact.to_integral() or exact > LARGEST:
        raise ValueError(value)
    return int(exact)
