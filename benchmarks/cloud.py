"""Fills a private Keystone: runs in its own environment, while it does not serve, by its own library.

`python cloud.py FOLDER < wishes.json`; wishes are {"domains": [id], "roles": [id], "password", "people", "projects",
"assignments"}, the last three numbers. Over HTTP the same takes many minutes: each request is authorized anew.
"""

import json
import os
import sys
import uuid
from itertools import product
from typing import Any


def fill(api: Any, wished: dict[str, Any]) -> None:
    """Projects and people in turns over the domains; then person after person holds each role in some projects."""
    domains: list[str] = wished["domains"]
    projects: dict[str, list[str]] = {domain: [] for domain in domains}
    people: list[tuple[str, str]] = []
    for number in range(wished["projects"]):
        domain, key = domains[number % len(domains)], uuid.uuid4().hex
        api.resource_api.create_project(key, {"id": key, "name": f"project-{number}", "domain_id": domain})
        projects[domain].append(key)
    for number in range(wished["people"]):
        domain = domains[number % len(domains)]
        made = {"name": f"person-{number}", "domain_id": domain, "password": wished["password"]}
        people.append((domain, api.identity_api.create_user(made)["id"]))
    for number in range(wished["assignments"]):
        turn, (domain, person) = number // len(people), people[number % len(people)]
        choices = list(product(projects[domain], wished["roles"]))
        project, role = choices[(turn * 7 + number) % len(choices)]
        api.assignment_api.driver.create_grant(role, user_id=person, project_id=project)


def main() -> None:
    os.environ["OS_KEYSTONE_CONFIG_DIR"] = sys.argv[1]
    sys.argv = ["keystone"]  # it would read our words as its options
    os.umask(0o077)

    from keystone.common.provider_api import ProviderAPIs
    from keystone.wsgi import api as _loaded  # noqa: F401  makes the providers

    fill(ProviderAPIs, json.load(sys.stdin))


if __name__ == "__main__":
    main()
