"""What `strongroom doctor` finds out about a token, and whether the server does as it says."""

import json
import os
import subprocess

import pytest

from support import operations, wrapping
from support.expect import refused
from support.key_specs import LISTS, MATRIX
from support.server import BINARY

# Left out where time matters: making one takes seconds.
SLOW = {"RSA_3072", "RSA_4096"}


def doctor(token, *more):
    """Runs the command on what has the `module`, `label`, `pin_file`, `init_string` and `environment` of a token."""
    init_string = ["--init-string", token.init_string] if token.init_string else []
    return subprocess.run(
        [BINARY, "doctor", token.module, "--token", token.label, "--pin-file", token.pin_file, *init_string, *more],
        capture_output=True, text=True, timeout=120, env={**os.environ, **token.environment})


def examine(token):
    answer = doctor(token, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def algorithms(examination):
    """What works, by key spec and usage."""
    return {
        (entry["keySpec"], entry["keyUsage"]): set(entry["algorithms"]) for entry in examination["abilities"]}


def check_operations(kms, where, examination, kind):
    """A key of this kind can be made, and every operation of it works, exactly if the doctor said so."""
    spec, usage = kind
    works = algorithms(examination)[kind]
    if not works:
        with refused("UnsupportedOperationException"):
            kms.create_key(KeySpec=spec, KeyUsage=usage, **where)
        return
    key = kms.create_key(KeySpec=spec, KeyUsage=usage, **where)["KeyMetadata"]
    assert key[LISTS[usage]] == [algorithm for algorithm in MATRIX[kind] if algorithm in works]
    for method, arguments in operations.calls(kms, key).items():
        answer = getattr(kms, method)(**arguments)
        if method == "decrypt":
            assert answer["Plaintext"] == b"x"


def check_import(kms, where, examination, spec):
    """Material for a key of this spec gets in, and is what it was, exactly if the doctor said so."""
    [entry] = [entry for entry in examination["imports"] if entry["keySpec"] == spec]
    if "path" not in entry:
        with refused("UnsupportedOperationException"):
            wrapping.create(kms, spec, **where)
        return
    key = wrapping.create(kms, spec, **where)
    wrapping.bring(kms, key)
    assert wrapping.state(kms, key) == "Enabled"
    for method, arguments in operations.calls(kms, key).items():
        getattr(kms, method)(**arguments)
    if key["KeyUsage"] == "SIGN_VERIFY":
        assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] == wrapping.public(spec)


# Usable by the tests of every token: SM2 has Regions of its own.
KINDS = [pytest.param(kind, id="-".join(kind)) for kind in MATRIX if kind[0] not in SLOW | {"SM2"}]
IMPORTS = [spec for spec in wrapping.IMPORTABLE if spec not in SLOW]
