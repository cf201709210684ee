"""Run the gates and move a version to a stage.

python registry_scripts/promote.py NAME VERSION STAGE [--comment WHY] [--json]

Exits with 0 when it is done, 1 when it was refused (with the reasons), 2 for a wrong call, 3 when something outside failed.
"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["promote", *sys.argv[1:]]))
