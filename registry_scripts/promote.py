"""Run the gates and move a version to a stage.

python registry_scripts/promote.py NAME VERSION STAGE [--comment WHY] [--json]
"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["promote", *sys.argv[1:]]))
