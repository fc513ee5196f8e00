"""What the environment may say, and what refuses to start: each wrong value is named before anything serves."""

import os
import subprocess
from pathlib import Path

import pytest

from launcher.paths import PYTHON, ROOT

KEYS = {"SECRET_KEY": "s" * 50, "FIELD_KEYS": "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="}
SHOW = "import django; django.setup(); from django.conf import settings as s; print({})"


def start(folder: Path, *, show: str = "'started'", **variables: str) -> subprocess.CompletedProcess[str]:
    """Set Django up in a process of its own with these variables and nothing else of ours."""
    env = {"PATH": os.environ["PATH"], "BERTH_STATE": str(folder), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    words = [str(PYTHON), "-W", "ignore", "-c", SHOW.format(show)]
    return subprocess.run(words, cwd=ROOT, env=env | variables, capture_output=True, text=True, check=False)


def refusal(folder: Path, **variables: str) -> str:
    """The last line of a start that must fail."""
    done = start(folder, **variables)
    assert done.returncode != 0, f"It started with {variables}"
    assert "ImproperlyConfigured" in done.stderr, done.stderr[-1500:]
    return done.stderr.strip().splitlines()[-1]


def test_nothing_but_keys_is_one_process_on_sqlite(tmp_path: Path) -> None:
    shown = "s.EMBEDDED, s.DATABASES['default']['ENGINE'], s.DATABASES['default']['NAME'], s.CELERY_BROKER_URL"
    done = start(tmp_path, show=shown, **KEYS)
    assert done.stdout.strip() == f"True core.sqlite3 {tmp_path}/berth.sqlite3 memory://", done.stderr


def test_two_addresses_make_it_many_processes(tmp_path: Path) -> None:
    shown = "s.EMBEDDED, s.DATABASES['default']['ENGINE'], s.CELERY_BROKER_URL"
    addresses = {"DATABASE_URL": "postgres://berth:x@127.0.0.1:1/berth", "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = start(tmp_path, show=shown, **KEYS, **addresses, WEB_CONCURRENCY="4")
    assert done.stdout.split() == ["False", "django.db.backends.postgresql", addresses["REDIS_URL"]], done.stderr


def test_more_than_one_process_needs_redis(tmp_path: Path) -> None:
    said = refusal(tmp_path, **KEYS, WEB_CONCURRENCY="2")
    assert "WEB_CONCURRENCY" in said
    assert "REDIS_URL" in said


@pytest.mark.parametrize("missing", sorted(KEYS))
def test_a_missing_secret_is_named_with_the_way_to_get_one(missing: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, **{name: text for name, text in KEYS.items() if name != missing})
    assert missing in said
    assert "./berth up" in said


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECRET_KEY", "too short"),
        ("FIELD_KEYS", "not-a-key"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "nonsense://host/name"),
        ("DATABASE_URL", "mysql://host/name"),
        ("REDIS_URL", "nonsense"),
        ("WEB_CONCURRENCY", "several"),
    ],
)
def test_a_wrong_value_is_named(variable: str, value: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, **KEYS | {variable: value})
    assert variable in said
    if variable in KEYS:
        assert value not in said, "The text of a secret must not be printed."


def test_a_wrong_value_never_shows_a_password(tmp_path: Path) -> None:
    done = start(tmp_path, **KEYS, DATABASE_URL="nonsense://berth:canary-password@host/name")
    assert "canary-password" not in done.stderr + done.stdout


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("f" * 50)
    done = start(tmp_path, show="s.SECRET_KEY", FIELD_KEYS=KEYS["FIELD_KEYS"], SECRET_KEY_FILE=str(file))
    assert done.stdout.strip() == "f" * 50, done.stderr


def test_a_secret_may_lie_in_the_state_folder(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    for name, text in (("secret_key", KEYS["SECRET_KEY"]), ("field_keys", KEYS["FIELD_KEYS"])):
        (tmp_path / "keys" / name).write_text(text + "\n")
    assert start(tmp_path).stdout.strip() == "started"


@pytest.mark.parametrize("debug", ["0", "1"])
def test_every_mode_passes_its_own_checks(tmp_path: Path, debug: str) -> None:
    shown = "__import__('django.core.management', fromlist=['x']).call_command('check', fail_level='WARNING')"
    done = start(tmp_path, show=shown, **KEYS, DEBUG=debug)
    assert done.returncode == 0, done.stderr[-1500:]
