"""Tell what moved, when, by whom and why.

python registry_scripts/history.py NAME [--last N | --at TIME | --verify] [--json]

Exits with 0 when it is told, 1 when --verify finds something, 2 for a wrong call, 3 when something outside failed.
"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["history", *sys.argv[1:]]))
