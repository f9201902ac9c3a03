"""`strongroom adopt` and `strongroom keys` against a running server, and objects that somebody else made."""

import json
import subprocess

from support import softhsm
from support.server import BINARY

STORE = "softhsm"  # The custom key store of `strongroom dev`.


def command(server, *arguments, data=None):
    return subprocess.run(
        [BINARY, arguments[0], "--data", str(data or server.data), *arguments[1:]], capture_output=True, text=True,
        timeout=120)


def adopt(server, *arguments):
    """Adopts an object and returns what --json says."""
    answer = command(server, "adopt", "--json", *arguments)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def refusal(server, *arguments):
    """The sentence that a refused command prints."""
    answer = command(server, *arguments)
    assert answer.returncode == 1 and answer.stdout == "", (answer.returncode, answer.stdout)
    return answer.stderr


def listing(server, *arguments):
    answer = command(server, "keys", "--json", *arguments)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def make_aes(server, label, identifier, *more):
    softhsm.tool(
        server.data, server.pin, "--keygen", "--key-type", "AES:32", "--sensitive", "--label", label, "--id",
        identifier, *more)


def make_pair(server, kind, label, identifier, *more):
    softhsm.tool(
        server.data, server.pin, "--keypairgen", "--key-type", kind, "--label", label, "--id", identifier, *more)


def description(server, label):
    """All that pkcs11-tool says of the objects with a label: the same as long as nobody changes them."""
    return sorted(
        tuple(sorted(entry.items())) for entry in softhsm.all_objects(server.data, server.pin)
        if entry.get("label") == label)
