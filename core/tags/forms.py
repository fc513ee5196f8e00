"""Fields, choices and the summary of what a form found wrong."""

from typing import Any

from django import forms
from django.template.context import Context
from django.utils.safestring import SafeString

from core.markup import Components

register = Components()


def _described_by(bound: forms.BoundField) -> str:
    parts = [f"{bound.auto_id}_error"] if bound.errors else []
    if bound.help_text:
        parts.append(f"{bound.auto_id}_help")
    return " ".join(parts)


def _drawn(bound: forms.BoundField, *, css: str, attrs: dict[str, Any]) -> SafeString:
    given = bound.field.widget.attrs.get("class", "")
    found: dict[str, Any] = {"class": f"{css} {given}".strip(), **attrs}
    if described := _described_by(bound):
        found["aria-describedby"] = described
    if bound.errors:
        found["aria-invalid"] = "true"
    return bound.as_widget(attrs=found)


def _choices(bound: forms.BoundField) -> list[dict[str, Any]]:
    """The boxes of a field that is many of them, each with its drawing, id and label."""
    attrs: dict[str, Any] = {"id": bound.auto_id, "class": "form-check-input"}
    if described := _described_by(bound):
        attrs["aria-describedby"] = described
    widget = bound.field.widget
    renderer = bound.form.renderer
    boxes = [
        forms.boundfield.BoundWidget(widget, one, renderer)
        for one in widget.subwidgets(bound.html_name, bound.value(), attrs)
    ]
    return [{"drawn": one.tag(), "id": one.id_for_label, "label": one.choice_label} for one in boxes]


def _css_of(widget: forms.Widget) -> str:
    if isinstance(widget, forms.Select):
        return "form-select"
    return "form-check-input" if isinstance(widget, forms.CheckboxInput) else "form-control"


@register.component("field.html")
def field(
    context: Context,
    bound: forms.BoundField,
    unit: str = "",
    label: str = "",
    hide_label: bool = False,
    placeholder: str = "",
) -> dict[str, Any]:
    """A field of a Django form: label above, help under, error beside, all tied together for a screen reader."""
    widget = bound.field.widget
    several = isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple)
    attrs = {"placeholder": placeholder} if placeholder else {}
    return {
        "bound": bound,
        "control": "" if several else _drawn(bound, css=_css_of(widget), attrs=attrs),
        "label": label or bound.label,
        "hide_label": hide_label,
        "unit": unit,
        "checks": isinstance(widget, forms.CheckboxInput),
        "several": several,
        "choices": _choices(bound) if several else [],
        "optional": not bound.field.required,
    }


@register.component("problems.html")
def problems(context: Context, form: forms.BaseForm) -> dict[str, Any]:
    """All that a form found wrong, each line leading to its field; nothing when the form is well."""
    fields = [{"bound": bound, "text": text} for bound in form for text in bound.errors] if form.is_bound else []
    return {"fields": fields, "others": form.non_field_errors() if form.is_bound else []}


@register.block("choice.html")
def choice(context: Context, body: str, label: str) -> dict[str, Any]:
    """One out of several things, each with a line about it; its body is `{% option %}`s."""
    return {"label": label}


@register.block("option.html")
def option(
    context: Context,
    body: str,
    name: str,
    value: str,
    label: str,
    detail: str = "",
    chosen: bool = False,
    why_not: str = "",
) -> dict[str, Any]:
    """One thing to choose; the body stands at the right. `why_not` tells why it cannot be chosen."""
    return {
        "name": name, "value": value, "label": label, "detail": detail, "chosen": chosen, "why_not": why_not,
    }  # fmt: skip
