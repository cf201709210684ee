"""Tell what moved, when, by whom and why: python registry_scripts/history.py NAME [--json]"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["history", *sys.argv[1:]]))
