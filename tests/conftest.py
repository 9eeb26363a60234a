"""Shared by all tests: `import videos` finds tests/videos.py, one thread, and no test writes to the user's cache."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
# A folder of its own, also for the processes that tests start.
os.environ.setdefault("PRAXINO_CACHE", tempfile.mkdtemp(prefix="praxino-tests-"))
# Several tests run at once, and another number of threads would sum in another order.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """One thread at the start of each test, whatever the one before has set."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
