"""``python -m gmedbot``."""

import sys

from gmedbot.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
