"""The audit log of a server, and `strongroom audit verify`."""

import json
import subprocess

from support.server import BINARY

OPTIONS = ["--audit", "on"]


def directory(server):
    return server.data / "audit"


def files(server):
    return sorted(directory(server).glob("audit-*.jsonl"))


def text(server):
    return "".join(file.read_text() for file in files(server))


def lines(server):
    """Every whole line, as JSON."""
    return [json.loads(line) for line in text(server).split("\n") if line]


def of_request(server, request_id):
    return [line for line in lines(server) if line.get("requestID") == request_id]


def of_answer(server, answer):
    """The one line of what boto3 got."""
    found = of_request(server, answer["ResponseMetadata"]["RequestId"])
    assert len(found) == 1, found
    return found[0]


def verify(server, *options):
    """The exit code, and what `strongroom audit verify` printed."""
    result = subprocess.run(
        [str(BINARY), "audit", "verify", str(directory(server)), *options], capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout + result.stderr
