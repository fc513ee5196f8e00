"""`./berth engine up|down|kill|status`: the private engine alone, for tests and work on drivers."""

from launcher import sample_images
from launcher.engine import PrivateEngine
from launcher.paths import State
from launcher.report import say, step


def engine_command(verb: str, *, state: State) -> int:
    """Do one verb; `up` and `status` end with lines NAME=value that a shell can take over."""
    engine = PrivateEngine(state.folder)
    if verb == "down":
        with step("Private engine stopped"):
            engine.stop()
        return 0
    if verb == "kill":
        engine.kill()
        return 0
    if verb == "up":
        with step("Private engine with its Swarm"):
            engine.start()
        with step("Sample images"):
            sample_images.ensure(engine.url)
    seen = engine.status()
    say(f"DOCKER_HOST={seen.url}")
    say(f"ADDRESS={seen.address}")
    say(f"RUNNING={'yes' if seen.running else 'no'}")
    return 0 if seen.running else 3
