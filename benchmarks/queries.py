"""How many queries an answer takes: `python -m benchmarks.inside benchmarks.queries ADDRESS ...`, a number a line.

Runs in a process of its own with the portal's BERTH_STATE, as the owner, through the whole middleware.
"""

import sys

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants.models import User


def count(addresses: list[str]) -> list[int]:
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.get(username="owner"))
    found = []
    for address in addresses:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
            assert answer.status_code == 200, f"{address} answers {answer.status_code}"
        found.append(len(queries))
    return found


if __name__ == "__main__":
    for number in count(sys.argv[1:]):
        print(number)
