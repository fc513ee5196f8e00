"""`x-berth`: Berth's own words. On a service health checks over HTTP and TCP, on a volume its size.

The check runs inside the instance, with the instance's own wget or nc (in busybox and most images). An image
that has neither needs a `healthcheck` with a command it does have.
"""

import re
from typing import Annotated, Self

from django.utils.translation import gettext_lazy as _
from pydantic import Field, model_validator

from apps.specification.health import Rhythm
from apps.specification.part import Canonical, Part, canonical, checked
from apps.specification.problems import fault
from apps.specification.scalars import MI, TI, Read, memory, memory_text, whole
from backends.contract.spec import VOLUME_BYTES

URL_PATH = re.compile(r"/[A-Za-z0-9/_.~!$&'()*+,;=:@%?-]{0,199}\Z", re.ASCII)

PortNumber = Annotated[int, whole(1, 65535)]


def read_url_path(value: object) -> str:
    if not isinstance(value, str) or not URL_PATH.match(value):
        raise fault("bad_url_path", value=value)
    return value


HEALTH_HELP = _(
    "The check runs inside each instance, with the instance's own wget (HTTP) or nc (TCP), which busybox and most "
    "images have. For an image without them write a healthcheck with a command it has."
)


class HttpCheck(Part):
    """Healthy while GET on the path answers 2xx or 3xx."""

    port: PortNumber
    path: Annotated[str, Read(read_url_path, {"type": "string", "pattern": "^/", "maxLength": 200})] = "/"

    def canonical(self) -> Canonical:
        return canonical(port=self.port, path=self.path)


class TcpCheck(Part):
    """Healthy while the port takes connections."""

    port: PortNumber

    def canonical(self) -> Canonical:
        return canonical(port=self.port)


class Health(Rhythm):
    http: HttpCheck | None = None
    tcp: TcpCheck | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        checked(self._check)
        return self

    def _check(self) -> None:
        if (self.http is None) == (self.tcp is None):
            raise fault("one_check")

    def command(self) -> tuple[str, ...]:
        if self.http is not None:
            return ("wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{self.http.port}{self.http.path}")
        port = self.tcp.port if self.tcp else 0
        return ("nc", "-z", "127.0.0.1", str(port))

    def canonical(self) -> Canonical:
        check = canonical(http=self.http and self.http.canonical(), tcp=self.tcp and self.tcp.canonical())
        return check | self.rhythm()


class BerthWords(Part):
    health: Health | None = Field(default=None, description="Runs inside each instance, with its own wget or nc.")

    def canonical(self) -> Canonical:
        return canonical(health=self.health and self.health.canonical())


class VolumeWords(Part):
    """`size` in bytes; one that says nothing, and one that says the usual size, are the same."""

    size: Annotated[int, memory(MI, 64 * TI, of="size")] = VOLUME_BYTES

    def canonical(self) -> Canonical:
        return canonical(size=None if self.size == VOLUME_BYTES else memory_text(self.size))
