"""Which permission a change needs in an environment: protected ones have their own."""

from apps.models import AppEnvironment, Environment


def needs_deploy(place: AppEnvironment) -> tuple[str, ...]:
    return needs_in(place.environment, "app.deploy")


def needs_scale(place: AppEnvironment) -> tuple[str, ...]:
    return needs_in(place.environment, "app.scale")


def needs_console(place: AppEnvironment) -> tuple[str, ...]:
    return ("console.protected",) if place.environment.protected else ("console.open",)


def needs_in(environment: Environment, code: str) -> tuple[str, ...]:
    """The permission a change needs in an environment; any one of them suffices."""
    if environment.protected:
        return ("app.release",)
    return (code, "app.test") if environment.stage == Environment.Stage.TEST else (code,)
