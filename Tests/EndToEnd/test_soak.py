"""A short run of scripts/soak: everything that it promises but the times."""

import subprocess
import sys

from support.server import BINARY, CHECKOUT


def test_random_faults_under_load():
    result = subprocess.run(
        [sys.executable, CHECKOUT / "scripts" / "soak", "--seconds", "20", "--binary", BINARY], capture_output=True,
        text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    for promise in [
        "acknowledged and lost: nothing", "wrong answers: none", "errors that AWS would not answer: none",
        "objects on the token that are no key: none", "service came back each time",
    ]:
        assert promise in result.stdout, result.stdout
    # It was no walk in the park.
    assert "sick ×" in result.stdout
    assert "KMSInvalidStateException ×" in result.stdout and "KeyUnavailableException ×" in result.stdout
