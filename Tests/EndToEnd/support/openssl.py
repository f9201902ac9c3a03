"""The command `openssl`, a second opinion."""

import pathlib
import subprocess
import tempfile
import typing


class Result(typing.NamedTuple):
    succeeded: bool
    out: bytes | None


def openssl(*arguments, check=True, **files):
    """Runs `openssl` in a directory with these files; the result has the file "out" that it may have written."""
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        for name, content in files.items():
            (directory / name).write_bytes(content)
        result = subprocess.run(
            ["openssl", *arguments], cwd=directory, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        assert result.returncode == 0 or not check, result.stderr
        out = directory / "out"
        return Result(result.returncode == 0, out.read_bytes() if out.exists() else None)
