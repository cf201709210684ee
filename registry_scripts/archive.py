"""Take a version out of its stage.

python registry_scripts/archive.py NAME VERSION [--comment WHY] [--json]

Exits with 0 when it is done, 1 when it was refused (with the reasons), 2 for a wrong call, 3 when something outside failed.
"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["archive", *sys.argv[1:]]))
