"""The one container of a workload: its program, variables, amounts and ports."""

from typing import Any

from backends.kubernetes.reading import amounts
from backends.kubernetes.reading.checks import read_check
from backends.kubernetes.reading.fields import Fields
from backends.kubernetes.reading.parcel import Parcel

_MOST_SOURCES = 50
_COMMANDS = (("command", "entrypoint"), ("args", "command"))


class Target:
    """A service of the specification while it is read."""

    def __init__(self, name: str, parcel: Parcel) -> None:
        self.name, self.parcel, self.keys = name, parcel, dict[str, Any]()

    def put(self, fields: Fields, key: str, value: object, *, below: tuple[str | int, ...] = ()) -> None:
        """`value` at a key of the service; it comes from what stands `below` those fields."""
        if value is not None:
            self.keys[key] = value
            self.came(fields, below, key)

    def came(self, fields: Fields, below: tuple[str | int, ...], *key: str | int) -> None:
        self.parcel.report.origins["services", self.name, *key] = (*fields.loc, *below)

    def deploy(self, fields: Fields, key: str, value: object, *, below: tuple[str | int, ...] = ()) -> None:
        if value is not None:
            self.keys.setdefault("deploy", {})[key] = value
            self.came(fields, below, "deploy", key)


def read_program(container: Fields, target: Target) -> None:
    container.peek("name")
    target.put(container, "image", container.take("image"), below=("image",))
    _variables(container, target)
    known = set(target.keys.get("environment", {}))
    for key, kept in _COMMANDS:
        target.put(container, kept, _words(container, key, known), below=(key,))
    target.put(container, "working_dir", container.take("workingDir"), below=("workingDir",))
    _amounts(container.below("resources"), target)
    read_check(container, target, known)
    _security(container.below("securityContext", "security"), target)


def _words(container: Fields, key: str, known: set[str]) -> list[str] | None:
    words = container.words(key)
    if words is None:
        return None
    found = [_unfilled(container, (key, at), word, known) for at, word in enumerate(words)]
    return found or None


def _unfilled(fields: Fields, below: tuple[str | int, ...], text: str, known: set[str]) -> str:
    plain, filled = amounts.unfilled(text, known)
    if filled:
        fields.tell("fills_in", *below, name=f"$({filled})")
    return plain


def _variables(container: Fields, target: Target) -> None:
    found: dict[str, Any] = {}
    sources = container.each("envFrom")
    if len(sources) > _MOST_SOURCES:
        container.tell("too_many", "envFrom", name=_MOST_SOURCES)
    for source in sources[:_MOST_SOURCES]:
        _all_of(source, found, target)
    for one in container.each("env", "variable"):
        name = one.peek("name")
        if not isinstance(name, str):
            one.tell("not_text", "name")
        elif "valueFrom" in one:
            value = _read_value(one.below("valueFrom"), name, target)
            if value is not None:
                found[name] = value
                target.came(one, (), "environment", name)
        else:
            value = one.take("value", "")
            found[name] = _unfilled(one, ("value",), value, set(found)) if isinstance(value, str) else value
            target.came(one, (), "environment", name)
        one.rest()
    if found:
        target.put(container, "environment", found, below=("env",))


def _all_of(source: Fields, found: dict[str, Any], target: Target) -> None:
    prefix = source.scalar("prefix", "")
    if "secretRef" in source:
        source.peek("secretRef")
        source.tell("secret_variable", "secretRef")
    elif "configMapRef" in source:
        named = source.below("configMapRef")
        held = target.parcel.find("ConfigMap", named.scalar("name"))
        if held is None:
            _missing(named)
        else:
            held.used.add("env")
            source.tell("value_read", "configMapRef")
            for key, value in held.texts.items():
                found[f"{prefix}{key}"] = value
                target.came(held.fields, ("data", key), "environment", f"{prefix}{key}")
        named.rest()
    source.rest()


def _read_value(source: Fields, name: str, target: Target) -> str | None:
    """What a variable is now; None where that cannot be said here."""
    value: str | None = None
    if "secretKeyRef" in source:
        source.peek("secretKeyRef")
        source.tell("secret_variable", "secretKeyRef")
    elif "configMapKeyRef" in source:
        named = source.below("configMapKeyRef")
        held, key = target.parcel.find("ConfigMap", named.scalar("name")), named.scalar("key")
        if held is None or key not in held.texts:
            _missing(named)
        else:
            held.used.add("env")
            value = held.texts[key]
            source.tell("value_read", "configMapKeyRef")
        named.rest()
    else:
        for key in source.data:
            source.peek(key)
            source.tell("engine_value", key, name=name)
    source.rest()
    return value


def _missing(named: Fields) -> None:
    code = "no_source_optional" if named.peek("optional") is True else "no_source"
    named.tell(code, name=named.scalar("name") or "-")


def _amounts(resources: Fields, target: Target) -> None:
    sides = (("limits", "limits"), ("requests", "reservations"))
    found: dict[str, dict[str, object]] = {}
    for key, kept in sides:
        side, amount = resources.below(key, "amounts"), dict[str, object]()
        for name, read, as_kept in (("cpu", amounts.cpus, "cpus"), ("memory", amounts.memory, "memory")):
            if name in side:
                amount[as_kept] = read(side.take(name))
                target.came(side, (name,), "deploy", "resources", kept, as_kept)
        for name in side.data:
            if name not in ("cpu", "memory"):
                side.peek(name)
                side.tell("scratch" if name == "ephemeral-storage" else "special", name)
        if amount:
            found[kept] = amount
    if found:
        target.deploy(resources, "resources", found)
    resources.rest()


def _security(security: Fields, target: Target) -> None:
    """Of the container; it wins over that of the whole."""
    if security.peek("readOnlyRootFilesystem") is not None:
        target.put(security, "read_only", security.take("readOnlyRootFilesystem"), below=("readOnlyRootFilesystem",))
    capabilities = security.below("capabilities")
    capabilities.peek("drop")
    capabilities.rest()
    read_user(security, target)
    security.rest()


def read_user(security: Fields, target: Target) -> None:
    user, group = security.peek("runAsUser"), security.peek("runAsGroup")
    if user is None:
        if group is not None:
            security.tell("not_needed", "runAsGroup")
        return
    if user == 0 and not isinstance(user, bool):
        security.tell("as_root", "runAsUser")
        return
    security.take("runAsUser")
    target.put(security, "user", str(user) if group is None else f"{user}:{group}", below=("runAsUser",))
