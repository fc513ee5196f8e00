"""What people fill in on the way of an image through the stages."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from images.models import Artifact
from images.promotion.models import MOST_APPROVERS, MOST_DAYS, Evidence, Stage
from images.scanning.rating import LETTERS

LONGEST_REASON = 500


class PolicyForm(forms.Form):
    stage = forms.ChoiceField(label=_("Stage"), choices=Stage.choices)
    approvers = forms.IntegerField(
        label=_("People who have to approve"), min_value=1, max_value=MOST_APPROVERS, initial=1,
        help_text=_("Neither who asked nor who pushed the image counts."),
    )  # fmt: skip
    rating = forms.ChoiceField(
        label=_("Worst scan rating"), required=False,
        choices=[("", _("no scan asked for")), *((letter, letter) for letter in LETTERS)],
        help_text=_("“Unknown” passes nowhere where a rating is asked for."),
    )  # fmt: skip
    valid_days = forms.IntegerField(
        label=_("Valid for days"), min_value=1, max_value=MOST_DAYS, required=False,
        help_text=_("Left empty, an approval holds until somebody withdraws it."),
    )  # fmt: skip


class AskForm(forms.Form):
    image = forms.ChoiceField(label=_("Image"))
    stage = forms.ChoiceField(label=_("Stage"))
    reason = forms.CharField(
        label=_("Why"), max_length=LONGEST_REASON, required=False, help_text=_("Those who decide read it.")
    )

    def __init__(self, data: Any = None, *, images: Sequence[Artifact], stages: Sequence[dict[str, Any]], **more: Any):
        super().__init__(data, **more)
        self.images = {str(row.pk): row for row in images}
        shown = [(key, _shown(row)) for key, row in self.images.items()]
        self.fields["image"].choices = shown  # type: ignore[attr-defined]  # a choice field
        named = [(one["stage"], one["title"]) for one in stages if one["by_approval"]]
        self.fields["stage"].choices = named  # type: ignore[attr-defined]  # likewise

    @property
    def artifact(self) -> Artifact:
        return self.images[self.cleaned_data["image"]]


def _shown(row: Artifact) -> str:
    tags = ", ".join(tag.name for tag in row.tags.all())
    return f"{row.repository.name.rpartition('/')[2]}{':' + tags if tags else ''} · {row.digest[:19]}"


class EvidenceForm(forms.Form):
    kind = forms.ChoiceField(label=_("As"), choices=Evidence.Kind.choices)
    passed = forms.ChoiceField(label=_("Result"), choices=[("yes", _("passed")), ("no", _("failed"))])
    text = forms.CharField(
        label=_("What was tried"), max_length=2000,
        help_text=_("In words, or where a report lies, or the digest of a file that somebody keeps."),
    )  # fmt: skip

    @property
    def asked(self) -> dict[str, Any]:
        return self.cleaned_data | {"passed": self.cleaned_data["passed"] == "yes"}
