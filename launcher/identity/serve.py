"""Runs inside the private Keystone's own environment: makes its database and keys once, then serves it.

Called as: python serve.py FOLDER HOST PORT. One process imports Keystone once and forks a child for each of its
management commands. It serves with one thread: Keystone's request cache is not safe with several, and with them a
revoked token is still accepted now and then.
"""

import os
import sys
import traceback
from pathlib import Path


def manage(folder: Path, *words: str) -> None:
    """One command of keystone-manage, in a child that inherits what is imported already."""
    from keystone.cmd import cli

    child = os.fork()
    if child == 0:
        sys.argv = ["keystone-manage", "--config-file", str(folder / "keystone.conf"), *words]
        code = 1
        try:
            cli.main(argv=sys.argv)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            if sys.exc_info()[0] is not None and code == 1:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        sys.exit(f"keystone-manage {words[0]} failed")


def make_ready(folder: Path) -> None:
    """Database, keys and the first account, unless they are there."""
    stamp = folder / "bootstrapped"
    if stamp.exists():
        return
    owner = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
    manage(folder, "db_sync")
    for command in ("fernet_setup", "receipt_setup", "credential_setup"):
        manage(folder, command, *owner)
    os.environ["OS_BOOTSTRAP_PASSWORD"] = (folder / "admin_password").read_text()  # not on a command line
    url = "$(public_endpoint)s/v3"  # filled in from keystone.conf, since the port may change
    places = [f"--bootstrap-{kind}-url={url}" for kind in ("public", "internal", "admin")]
    manage(folder, "bootstrap", "--bootstrap-region-id", "RegionOne", *places)
    del os.environ["OS_BOOTSTRAP_PASSWORD"]
    stamp.touch(mode=0o600)


def main() -> None:
    folder, host, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    os.environ["OS_KEYSTONE_CONFIG_DIR"] = str(folder)
    sys.argv = ["keystone"]  # it would read a server's own words as its options
    os.umask(0o077)
    make_ready(folder)

    import waitress
    from keystone.wsgi.api import application

    waitress.serve(application, host=host, port=port, threads=1, ident=None)


if __name__ == "__main__":
    main()
