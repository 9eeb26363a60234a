"""What `.ci/smoke` runs on newer Pythons can be collected without torch; a test there that needs it says so."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What the package needs and the smoke part does not install.
ABSENT = ("jsonargparse", "matplotlib", "rich", "safetensors", "torch", "yaml")


def test_the_smoke_part_is_collected_without_torch() -> None:
    """A file in these folders that needs torch has `pytest.importorskip("torch")` before the import."""
    paths = (ROOT / "tests/torch_free.txt").read_text().split()
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({ABSENT}))\n"
        "import pytest; sys.exit(pytest.main(['-p', 'no:cacheprovider', '--collect-only', *sys.argv[1:]]))"
    )
    made = subprocess.run([sys.executable, "-c", code, *paths], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stdout + made.stderr
    assert made.stdout.count("::") > 300
