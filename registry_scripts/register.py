"""Register the model of a finished run: python registry_scripts/register.py NAME RUN_ID [--json]"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["register", *sys.argv[1:]]))
