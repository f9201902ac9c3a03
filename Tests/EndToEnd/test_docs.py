"""Every command and every program in the documents is run as it stands there.

A fenced block whose info string ends in `run` is run by this file, with a server at hand: `sh run` by bash,
`python run` by Python. The blocks of one document run in one directory, one after the other. A block marked
`sh elsewhere` is run by the test that it names. A block of shell or Python that is marked neither way fails.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from support.server import BINARY, CHECKOUT

DOCUMENTS = sorted([CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document):
    return [(info.split(), text) for info, text in BLOCK.findall(document.read_text()) if info]


RUNNABLE = [document for document in DOCUMENTS if any("run" in info for info, _ in blocks(document))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_command_is_run_by_a_test(document):
    for info, text in blocks(document):
        if info[0] not in ("sh", "python"):
            continue
        assert info[1:] == ["run"] or (info[1:2] == ["elsewhere"] and len(info) == 3), (info, text)
        if info[1] == "elsewhere":
            assert (CHECKOUT / info[2]).exists(), info


@pytest.mark.parametrize("document", RUNNABLE, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_the_commands_of_a_document(document, tmp_path):
    environment = {
        "PATH": f"{BINARY.parent}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "TMPDIR": str(tmp_path),
    }
    script = ["set -euo pipefail"]
    for number, (info, text) in enumerate(blocks(document)):
        if info[1:] != ["run"]:
            continue
        if info[0] == "python":
            (tmp_path / f"block{number}.py").write_text(text)
            text = f"python3 block{number}.py\n"
        script.append(text)
    result = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
        stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
