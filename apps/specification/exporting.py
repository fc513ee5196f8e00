"""A specification in a form that others take, which comes back from there as the same."""

from collections.abc import Mapping
from typing import Any

from apps.specification.dollars import literal
from apps.specification.model import Specification
from apps.specification.yaml_writing import as_yaml
from backends.contract.documents import Format, Written


def exported(spec: Specification, *, app: str, form: Format) -> str:
    """Documents in YAML. What the form has no words for goes along as a note of ours; secrets are left empty."""
    plain, _problems = literal(dict(spec.canonical()))
    written = form.write(app, plain)
    back = form.read([one.document for one in written]).document["services"]
    whole = [_with_rest(one, back, plain["services"], form) for one in written]
    return "---\n".join(_noted(one) + as_yaml(one.document) for one in whole)


def _with_rest(one: Written, back: Mapping[str, Any], wanted: Any, form: Format) -> Written:
    if not one.service:
        return one
    rest = patch(back.get(one.service, {}), wanted[one.service])
    return form.with_rest(one, rest) if rest else one


def patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What makes `after` of `before`: maps key by key, None takes out, all else replaces."""
    found: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            below = patch(old, value)
            found |= {key: below} if below else {}
        elif value != old:
            found[key] = value
    return found


def _noted(one: Written) -> str:
    return f"# {one.note}\n" if str(one.note) else ""
