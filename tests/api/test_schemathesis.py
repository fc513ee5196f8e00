"""Whatever is sent, the API answers as its description says, and never with a 5xx of its own making."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from rest_framework.test import APIClient
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.models import AppEnvironment
from operations.models import Operation
from portal.api.reference import description
from tests.conftest import Cast

pytestmark = pytest.mark.wide

EXAMPLES = 5
STREAMS = "/logs"  # they have no end; tests/api/test_logs.py reads them
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def send(client: APIClient, case: Any) -> schemathesis.Response:
    """The case sent to the portal in this process, its answer in the form the checks read."""
    prepared = requests.Request(**case.as_transport_kwargs("http://testserver")).prepare()
    parts = urlsplit(str(prepared.url))
    headers = {name: value for name, value in prepared.headers.items() if name.lower() != "content-type"}
    answer = client.generic(
        str(prepared.method),
        f"{parts.path}?{parts.query}",
        prepared.body or b"",
        content_type=prepared.headers.get("Content-Type", "application/octet-stream"),
        headers=headers,
    )
    return schemathesis.Response(
        status_code=answer.status_code,
        headers={name.lower(): [value] for name, value in answer.headers.items()},
        content=b"".join(answer),
        request=prepared,
        elapsed=0.0,
        verify=False,
    )


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def known(running: AppEnvironment, cast: Cast) -> dict[str, str]:
    """Parts of addresses that lead to something."""
    instance = running.observed_instances.order_by("number").first()
    operation = Operation.objects.get(deployment__place=running)
    assert instance is not None
    return {
        "tenant": "acme",
        "project": "shop",
        "app": "hello",
        "environment": "dev",
        "cluster": "local",
        "number": "1",
        "operation": str(operation.pk),
        "instance": str(instance.pk),
        "code": "not_found",
    }


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
def test_every_endpoint_answers_as_described(
    mode: GenerationMode, known: dict[str, str], api: Callable[[str], APIClient]
) -> None:
    client, choose, faults = api("owner"), random.Random(1), []  # noqa: S311  which examples lead to something
    client.raise_request_exception = False  # so that a bug is a 500, as for everybody else
    for found in schemathesis.openapi.from_dict(description()).get_all_operations():
        operation = found.ok()
        if STREAMS in operation.path:
            continue

        @seed(1)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def run(case: Any) -> None:
            for name in case.path_parameters or {}:
                if name in known and choose.random() < 0.8:
                    case.path_parameters[name] = known[name]
            with taken_back():
                case.validate_response(send(client, case), checks=CHECKS)

        try:
            run()
        except (AssertionError, schemathesis.checks.FailureGroup) as fault:
            faults.append(f"{operation.label}:\n{fault}")
    assert not faults, "\n\n".join(faults)
