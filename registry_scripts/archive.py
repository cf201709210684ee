"""Take a version out of its stage: python registry_scripts/archive.py NAME VERSION [--comment WHY] [--json]"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["archive", *sys.argv[1:]]))
