"""Forms about clusters. What is secret goes in and never comes out again."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backends.connecting import Way
from backends.models import Cluster

LARGEST = 200_000
MOST_TENANTS = 500
NAMED = {"required": _("Name it.")}
FILES = ("authority", "client_certificate", "client_key")


class Unshown(forms.Textarea):
    """Taken, never drawn again."""

    def format_value(self, value: Any) -> str:
        return ""


class ReachForm(forms.Form):
    """How a cluster is reached; with its name where it is a new one."""

    def __init__(self, data: Any = None, files: Any = None, *, way: Way, cluster: Cluster | None = None) -> None:
        super().__init__(data, files)
        if cluster is None:
            self._name()
        if way.by_file:
            self._file()
        else:
            self._parts(cluster)
        self.fields["reachable_at"] = forms.CharField(
            label=_("Where published ports answer"), max_length=100, required=False,
            initial=cluster.reachable_at if cluster else "",
            help_text=_("Only if that is not at the hosts themselves, such as 10.0.0.5."),
        )  # fmt: skip
        if cluster is None:
            self.fields["everyone"] = forms.BooleanField(
                label=_("Offer it to every tenant"), required=False,
                help_text=_("Else nobody can choose it until you say who may."),
            )  # fmt: skip

    def _name(self) -> None:
        self.fields["name"] = forms.CharField(
            label=_("Name"), max_length=40, error_messages=NAMED,
            help_text=_("It stands in addresses and stays for life: small letters, digits and hyphens."),
        )  # fmt: skip
        self.fields["title"] = forms.CharField(label=_("Title"), max_length=100, required=False)

    def _file(self) -> None:
        self.fields["file"] = forms.FileField(
            label=_("Its file"),
            required=False,
            help_text=_("It has to hold all it needs: no programs, no other files."),
        )
        self.fields["credentials"] = forms.CharField(
            label=_("Or its text"), required=False, max_length=LARGEST, strip=False,
            widget=Unshown({"rows": 8, "class": "mono", "spellcheck": "false", "autocomplete": "off", "wrap": "off"}),
        )  # fmt: skip

    def _parts(self, cluster: Cluster | None) -> None:
        self.fields["address"] = forms.CharField(
            label=_("Address of its engine"), max_length=300, initial=cluster.address if cluster else "",
            help_text=_("Of a managing host, such as tcp://10.0.0.5:2376."),
            error_messages={"required": _("Say where it answers.")},
        )  # fmt: skip
        labels = (_("Authority (ca.pem)"), _("Certificate (cert.pem)"), _("Key (key.pem)"))
        for name, label in zip(FILES, labels, strict=True):
            self.fields[name] = forms.FileField(label=label, required=False)

    def offer(self, contexts: Sequence[str]) -> None:
        """Let one of the contexts be chosen."""
        self.fields["context_name"] = forms.ChoiceField(
            label=_("Which of its contexts"), choices=[(name, name) for name in contexts], widget=forms.RadioSelect
        )
        self.order_fields(["context_name"])

    @property
    def drawn(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields]


class OfferForm(forms.Form):
    """Everyone, some, or nobody."""

    EVERYONE, SOME = "everyone", "some"

    whom = forms.ChoiceField(
        label=_("Who may put environments there"),
        choices=[(EVERYONE, _("Every tenant, also those yet to come")), (SOME, _("Only the tenants chosen below"))],
        widget=forms.RadioSelect,
    )
    tenants = forms.MultipleChoiceField(label=_("Tenants"), required=False, widget=forms.CheckboxSelectMultiple)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, names: Sequence[str], **more: Any) -> None:
        super().__init__(data, **more)
        self.fields["tenants"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]  # a choice field

    @property
    def asked(self) -> dict[str, Any]:
        everyone = self.cleaned_data["whom"] == self.EVERYONE
        return {
            "everyone": everyone,
            "tenants": () if everyone else self.cleaned_data["tenants"],
            "version": self.cleaned_data["version"],
        }


class RemoveForm(forms.Form):
    typed_name = forms.CharField(
        label=_("Its name, to be sure"), max_length=81, widget=forms.TextInput({"autocomplete": "off"})
    )
    gone = forms.BooleanField(
        label=_("It does not answer and never will: remove it all the same"), required=False,
        help_text=_("Then nobody looks whether something of ours is left there."),
    )  # fmt: skip
