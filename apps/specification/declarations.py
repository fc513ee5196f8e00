"""Top-level volumes, secrets, configs and networks of an imported Compose file."""

from apps.specification.findings import Findings
from apps.specification.paths import nearest_label
from apps.specification.problems import Loc, note
from apps.specification.refusals import refusal
from core.names import is_label

KINDS = ("volumes", "configs", "secrets")
FOLDERS = {"configs": "/", "secrets": "/run/secrets/"}
PLAIN_NETWORK = {"driver": ("bridge", "overlay", "default", None), "internal": (False,), "external": (False,)}
MEANINGLESS_IN_NETWORK = ("name", "attachable", "labels")


def translate_declarations(data: dict[str, object], findings: Findings) -> dict[str, object]:
    """`data` is a copy of the whole whose first two levels may be changed."""
    kept = _without_networks(data, findings)
    for kind, translate in (("volumes", _volume), ("secrets", _secret)):
        declared = kept.get(kind)
        if isinstance(declared, dict):
            kept[kind] = {
                name: translate(dict(raw), (kind, name), findings) if isinstance(raw, dict) else raw
                for name, raw in declared.items()
            }
    for kind in KINDS:
        renamed = _new_names(kept.get(kind))
        if renamed:
            kept = _rename(kept, kind, renamed, findings)
    return kept


def _volume(raw: dict[str, object], loc: Loc, findings: Findings) -> dict[str, object]:
    for key, harmless in (("driver", ("local", "default", None)), ("external", (False,))):
        if key in raw and raw[key] in harmless:
            findings.notes.append(note((*loc, key), "volume_driver_left_out"))
            del raw[key]
    if "name" in raw and "external" not in raw:
        findings.notes.append(note((*loc, "name"), "not_needed"))
        del raw["name"]
    options = raw.get("driver_opts")
    if isinstance(options, dict) and set(options) == {"size"} and "x-berth" not in raw:
        findings.notes.append(note((*loc, "driver_opts", "size"), "size_translated"))
        del raw["driver_opts"]
        raw["x-berth"] = {"size": options["size"]}
    return raw


def _secret(raw: dict[str, object], loc: Loc, findings: Findings) -> dict[str, object]:
    for key in ("file", "environment"):
        if key in raw:
            findings.notes.append(note((*loc, key), "secret_value_elsewhere", name=loc[-1]))
            raw = {other: value for other, value in raw.items() if other != key} | {"external": True}
    return raw


def _without_networks(data: dict[str, object], findings: Findings) -> dict[str, object]:
    kept = dict(data)
    networks = kept.pop("networks", None)
    if not isinstance(networks, dict):
        if networks is not None:
            findings.problems.append(refusal(("networks",)))
        return kept
    for name, raw in networks.items():
        wrong = [refusal(("networks", name, key)) for key in _unusual(raw)]
        findings.problems += wrong
        if not wrong:
            findings.notes.append(note(("networks", name), "network_shared"))
    return kept


def _unusual(raw: object) -> list[str]:
    """Keys of a network that ask for more than a network of one's own."""
    if not isinstance(raw, dict):
        return []
    return [key for key, value in raw.items() if key not in MEANINGLESS_IN_NETWORK and not _is_plain(key, value)]


def _is_plain(key: str, value: object) -> bool:
    return any(value is allowed or value == allowed for allowed in PLAIN_NETWORK.get(key, ()))


def _new_names(declared: object) -> dict[str, str]:
    """For each declared name that is not allowed, the nearest one that is, and is free."""
    renamed: dict[str, str] = {}
    if not isinstance(declared, dict):
        return renamed
    taken = {name for name in declared if is_label(name)}
    for name in declared:
        if not is_label(name):
            renamed[name] = _free(nearest_label(name), taken)
            taken.add(renamed[name])
    return renamed


def _free(wanted: str, taken: set[str]) -> str:
    number, found = 2, wanted
    while found in taken:
        found = f"{wanted[:36].rstrip('-')}-{number}"
        number += 1
    return found


def _rename(data: dict[str, object], kind: str, renamed: dict[str, str], findings: Findings) -> dict[str, object]:
    declared, services = data[kind], data.get("services")
    findings.notes += [note((kind, old), "renamed", value=new) for old, new in renamed.items()]
    kept = dict(data)
    if isinstance(declared, dict):
        kept[kind] = {renamed.get(name, name): raw for name, raw in declared.items()}
    if isinstance(services, dict):
        kept["services"] = {name: _with_renamed_uses(raw, kind, renamed) for name, raw in services.items()}
    return kept


def _with_renamed_uses(service: object, kind: str, renamed: dict[str, str]) -> object:
    uses = service.get(kind) if isinstance(service, dict) else None
    if not isinstance(service, dict) or not isinstance(uses, list):
        return service
    return service | {kind: [_renamed_use(use, kind, renamed) for use in uses]}


def _renamed_use(use: object, kind: str, renamed: dict[str, str]) -> object:
    """The same use under the new name; a file keeps the path its old name gave it."""
    if isinstance(use, str) and kind == "volumes":
        name, colon, rest = use.partition(":")
        return renamed.get(name, name) + colon + rest
    long = {"source": use} if isinstance(use, str) else use
    source = long.get("source") if isinstance(long, dict) else None
    if not isinstance(long, dict) or not isinstance(source, str) or source not in renamed:
        return use
    target = {} if kind == "volumes" or "target" in long else {"target": FOLDERS[kind] + source}
    return long | target | {"source": renamed[source]}
