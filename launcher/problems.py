"""The one error the launcher shows to people."""


class Problem(Exception):
    """Something the person at the keyboard can put right.

    `message` says what is wrong in one sentence, `hint` the way out. Ends the command with exit code `code`.
    """

    def __init__(self, message: str, *, hint: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
