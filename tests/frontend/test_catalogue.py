"""No page is forgotten by the tests for everyone, the pictures and the page benchmarks."""

from portal.checks import routes
from scripts.catalogue import DOORS, NO_PAGES, SIGHTS
from tests.rules.sources import told


def test_every_address_is_in_the_catalogue() -> None:
    seen = {sight.route for sight in [*SIGHTS, *DOORS]}
    names = {route.name or route.path for route in routes() if not route.path.startswith("api/")} | {"api_docs"}
    missing = sorted(names - seen - set(NO_PAGES))
    assert not missing, told(missing, "Say in scripts/catalogue.py where these pages are seen, or why they are none:")
    gone = sorted((seen | set(NO_PAGES)) - names - {""})
    assert not gone, told(gone, "These addresses are gone; take them out of scripts/catalogue.py:")
