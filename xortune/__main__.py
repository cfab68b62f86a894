"""`python -m xortune`."""

import sys

from xortune.cli import main

if __name__ == "__main__":
    sys.exit(main())
