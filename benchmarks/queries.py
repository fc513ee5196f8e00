"""How many queries an answer takes: `python -m benchmarks.inside benchmarks.queries ADDRESS ...`, a number a line.

Runs in a process of its own with the portal's BERTH_STATE, as one person, through the whole middleware.
"""

import argparse

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants.models import User


def count(person: str, addresses: list[str]) -> list[int]:
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.get(username=person))
    found = []
    for address in addresses:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
            assert answer.status_code == 200, f"{address} answers {answer.status_code}"
        found.append(len(queries))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--person", default="owner")
    parser.add_argument("addresses", nargs="+")
    asked = parser.parse_args()
    for number in count(asked.person, asked.addresses):
        print(number)
