"""The list of what an image is made of, as CycloneDX 1.6 in JSON, for whoever has other tools."""

import json
from collections.abc import Mapping
from typing import Any

from packageurl import PackageURL

from images.scanning.comparing import OF_LANGUAGE


def cyclonedx(found: Mapping[str, Any], *, name: str) -> str:
    """The document. Imports its library only when one is wanted."""
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    bom = Bom()
    version = next(iter(found["digests"]), None)
    bom.metadata.component = Component(type=ComponentType.CONTAINER, name=name, version=version, bom_ref="image")
    for number, package in enumerate(found["packages"]):
        properties = [Property(name=f"berth:{key}", value=str(package[key])) for key in SAID if package.get(key)]
        component = Component(
            type=ComponentType.LIBRARY,
            name=package["name"],
            version=package.get("version") or None,
            purl=purl(package, found["system"]),
            licenses=_licences(package),
            properties=properties,
            bom_ref=f"package-{number}",
        )
        bom.components.add(component)
    bom.register_dependency(bom.metadata.component, list(bom.components))
    return json.dumps(json.loads(JsonV1Dot6(bom).output_as_string()), indent=2, ensure_ascii=False) + "\n"


SAID = ("path", "layer", "source", "standing")


def _licences(package: Mapping[str, Any]) -> list[Any]:
    """As the package says it: most are no expressions that anybody could reckon with."""
    from cyclonedx.model.license import DisjunctiveLicense

    return [DisjunctiveLicense(name=package["licence"])] if package.get("licence") else []


def purl(package: Mapping[str, Any], system: Mapping[str, str]) -> PackageURL:
    """The package's address: https://github.com/package-url."""
    kind, name, space = package["kind"], package["name"], ""
    more = {}
    if kind not in OF_LANGUAGE:
        space = system.get("id", "")
        distro = "-".join(filter(None, (system.get("id"), system.get("version_id"))))
        more = {"arch": package.get("arch", ""), "distro": distro, "epoch": package.get("epoch", "")}
    elif kind == "maven":
        space, _colon, name = name.rpartition(":")
    else:
        space, _slash, name = name.rpartition("/")
    version = package.get("version", "").removeprefix(f"{package.get('epoch') or 0}:" if kind == "rpm" else "")
    qualifiers = {key: value for key, value in more.items() if value}
    return PackageURL(kind, space or None, name, version or None, qualifiers=qualifiers)


def licences(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every licence with its packages, the most frequent first; what says none stands under an empty name."""
    each: dict[str, list[str]] = {}
    for package in found["packages"]:
        each.setdefault(package.get("licence", ""), []).append(package["name"])
    return [
        {"licence": name, "count": len(packages), "packages": sorted(set(packages))}
        for name, packages in sorted(each.items(), key=lambda one: (-len(one[1]), one[0]))
    ]
