"""Shared by all tests: `import videos` finds tests/videos.py, and no test writes to the user's cache."""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
# A folder of its own, also for the processes that tests start.
os.environ.setdefault("PRAXINO_CACHE", tempfile.mkdtemp(prefix="praxino-tests-"))
