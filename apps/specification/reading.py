"""From what somebody wrote to a specification: the only way in.

Forms, API, import, rollback and stored JSON all come through here.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from apps.specification.dollars import literal
from apps.specification.limits import LARGEST_TEXT, check_plain
from apps.specification.model import MOST_SERVICES, Specification, check_links
from apps.specification.noting import notes_of
from apps.specification.omitting import leave_out
from apps.specification.problems import Fault, Loc, Note, Problem, SpecificationError, problem
from apps.specification.refusals import refusal
from apps.specification.sentences import SENTENCES
from apps.specification.service import Service
from apps.specification.translating import translate
from apps.specification.yaml_reading import read_documents, read_yaml

Mode = Literal["strict", "import"]
MOST_INSTANCES_BY_DEFAULT = 50
MOST_PROBLEMS = 200
MOST_DOCUMENTS = 100
SHAPE_CODES = {
    "dict_type": "not_a_map",
    "model_type": "not_a_map",
    "model_attributes_type": "not_a_map",
    "list_type": "not_a_list",
    "missing": "missing",
}


@dataclass(frozen=True)
class Reading:
    """`notes`: what becomes other than it was written, in the order of the text."""

    specification: Specification
    notes: tuple[Note, ...] = ()


def read_text(
    text: str | bytes,
    *,
    mode: Mode = "strict",
    leaving_out: Collection[str] = (),
    most_instances: int = MOST_INSTANCES_BY_DEFAULT,
) -> Reading:
    """YAML or JSON, at most 256 KB. Raises SpecificationError with everything that stands in the way."""
    return read_data(plain_data(text), mode=mode, leaving_out=leaving_out, most_instances=most_instances)


def read_data(
    data: object,
    *,
    mode: Mode = "strict",
    leaving_out: Collection[str] = (),
    most_instances: int = MOST_INSTANCES_BY_DEFAULT,
) -> Reading:
    """The same from maps, lists, text and numbers, as JSON or `plain_data` give them.

    `mode` "import" also translates Compose keys that have another place in Berth. `leaving_out`: paths (as in a
    problem's `field`) the person chose to drop; each leaves a note. Raises SpecificationError.
    """
    seen = examine(data, mode=mode, leaving_out=leaving_out, most_instances=most_instances)
    if seen.specification is None:
        raise SpecificationError(seen.problems)
    return Reading(seen.specification, seen.notes)


@dataclass(frozen=True)
class Examined:
    """`specification` is None where there are problems; what became of the rest is in the notes all the same."""

    specification: Specification | None
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()


def examine(
    data: object,
    *,
    mode: Mode,
    leaving_out: Collection[str] = (),
    most_instances: int = MOST_INSTANCES_BY_DEFAULT,
) -> Examined:
    """Everything that can be said of a document at once. Raises SpecificationError where it is out of all bounds."""
    problems = check_plain(data)
    if problems:
        raise SpecificationError(problems[:MOST_PROBLEMS])
    if not isinstance(data, dict):
        raise SpecificationError([problem((), "not_a_map")])
    chosen, omission = leave_out(data, paths=leaving_out)
    plain, problems = literal(chosen)
    translated, findings = translate(plain, importing=mode == "import")
    specification, found = _validated(translated, most_instances=most_instances)
    problems += findings.problems + found
    refused = specification is None or bool(problems)
    notes = findings.notes if refused else findings.notes + notes_of(translated)
    return Examined(
        None if refused else specification,
        (*omission.notes, *(omission.written_note(one) for one in notes)),
        tuple(omission.written_problem(one) for one in _once(problems)[:MOST_PROBLEMS]),
    )


def plain_data(text: str | bytes) -> object:
    """JSON when it begins like JSON and is, else YAML; as lists, maps, text and numbers."""
    text = _within_bounds(text)
    return _json(text) if text.lstrip()[:1] == "{" else read_yaml(text)


def plain_documents(text: str | bytes) -> list[object]:
    """The same of a text that may hold several documents."""
    text = _within_bounds(text)
    try:
        return [json.loads(text, object_pairs_hook=_without_duplicates)]
    except (ValueError, RecursionError):
        return read_documents(text, most=MOST_DOCUMENTS)


def _within_bounds(text: str | bytes) -> str:
    if len(text) > LARGEST_TEXT or (isinstance(text, str) and len(text.encode(errors="replace")) > LARGEST_TEXT):
        raise SpecificationError([problem((), "too_big", limit=LARGEST_TEXT // 1024)])
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            raise SpecificationError([problem((), "not_utf8")]) from None
    return text.removeprefix("\ufeff")


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError:
        return read_yaml(text)
    except RecursionError:
        raise SpecificationError([problem((), "too_deep", limit=24)]) from None
    except ValueError:
        # a whole number of thousands of digits
        raise SpecificationError([problem((), "number_out_of_range")]) from None


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise SpecificationError([problem((key,), "duplicate_key")])
        found[key] = value
    return found


def _validated(data: dict[str, object], *, most_instances: int) -> tuple[Specification | None, list[Problem]]:
    try:
        specification = Specification.model_validate(data)
    except ValidationError as error:
        return None, problems_of(error) + _problems_between(data, most_instances=most_instances)
    return specification, _too_many_instances(specification.services, most=most_instances)


def problems_of(error: ValidationError) -> list[Problem]:
    return [
        _problem(_place(line["loc"]), line["type"], line.get("ctx", {}))
        for line in error.errors(include_url=False, include_input=False)[:MOST_PROBLEMS]
    ]


def _place(loc: tuple[int | str, ...]) -> Loc:
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def _problem(loc: Loc, kind: str, values: Mapping[str, object]) -> Problem:
    if kind == "extra_forbidden":
        return refusal(loc)
    code = SHAPE_CODES.get(kind, kind)
    return problem(loc, code, **values) if code in SENTENCES else problem(loc, "invalid")


def _problems_between(data: Mapping[str, object], *, most_instances: int) -> list[Problem]:
    """What is wrong with and between the services that can be read, though other parts cannot be."""
    services = data.get("services")
    if not isinstance(services, dict):
        return []
    few = dict(list(services.items())[:MOST_SERVICES])
    readable = {name: found for name, raw in few.items() if (found := _service(raw)) is not None}
    problems = _too_many_instances(readable, most=most_instances)
    declared = {key: _names(data.get(key)) for key in ("volumes", "configs", "secrets")}
    try:
        check_links(readable, names=set(services), declared=declared)
    except Fault as error:
        problems += [problem(loc, code, **values) for loc, code, values in error.lines]
    return problems


def _service(raw: object) -> Service | None:
    try:
        return Service.model_validate(raw)
    except ValidationError:
        return None


def _names(raw: object) -> set[str]:
    return set(raw) if isinstance(raw, dict) else set()


def _too_many_instances(services: Mapping[str, Service], *, most: int) -> list[Problem]:
    return [
        problem(("services", name, "deploy", "replicas"), "too_many_instances", limit=most)
        for name, service in services.items()
        if service.deploy.replicas > most
    ]


def _once(problems: list[Problem]) -> list[Problem]:
    """Each place and code once, in the order found; where a variable stands, nothing else can be judged."""
    variables = {found.field for found in problems if found.code == "variable"}
    kept = [found for found in problems if found.code == "variable" or found.field not in variables]
    return list({(found.field, found.code): found for found in reversed(kept)}.values())[::-1]
