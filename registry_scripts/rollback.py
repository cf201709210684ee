"""Return to the version that was in Production before: python registry_scripts/rollback.py NAME [--comment WHY] [--json]"""

import sys

from slipway.cli import main

if __name__ == "__main__":
    sys.exit(main(["rollback", *sys.argv[1:]]))
