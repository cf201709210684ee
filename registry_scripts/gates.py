"""Run the gates before a stage and move nothing; what they say is written down.

python registry_scripts/gates.py NAME VERSION [--stage STAGE] [--json]

Exits with 0 when all pass, 1 when one does not, 2 for a wrong call, 3 when something outside failed.
"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["gates", *sys.argv[1:]]))
