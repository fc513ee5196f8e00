"""What is wrong with what is to be built: a code with values, since it passes from a child process to the portal."""

from typing import Any


class BuildProblem(Exception):
    """It cannot be built so. Its words stand in `images.building.words`."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "params": self.params}
