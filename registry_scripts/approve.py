"""Approve what the gates said of a version that somebody else made.

python registry_scripts/approve.py NAME VERSION --comment WHY [--stage STAGE] [--json]

Exits with 0 when it is done, 1 when it was refused (with the reasons), 2 for a wrong call, 3 when something outside failed.
"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["approve", *sys.argv[1:]]))
