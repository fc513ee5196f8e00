"""What stops a scan. Said as a code with values, since it has to pass from the child process to the portal."""

from typing import Any


class ScanProblem(Exception):
    """The image cannot be scanned, or not on. Its words stand in `images.scanning.words`."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "params": self.params}
