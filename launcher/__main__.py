"""`python3 -m launcher`: the same as `./berth`."""

import sys

from launcher.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
