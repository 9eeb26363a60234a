"""`python -m praxino` is `praxino`."""

import sys

from praxino.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
