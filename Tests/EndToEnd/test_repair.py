"""`strongroom repair`: what killed processes left half written on a SoftHSM token."""

import os
import subprocess
import uuid

import pytest

from support import softhsm
from support.server import BINARY


def repair(server, *options, pin_file=None, label=softhsm.TOKEN):
    return subprocess.run(
        [BINARY, "repair", softhsm.MODULE, "--token", label, "--pin-file", pin_file or server.data / "softhsm.pin",
         *options],
        capture_output=True, text=True, timeout=60,
        env=dict(os.environ, SOFTHSM2_CONF=str(softhsm.configuration(server.data))))


@pytest.fixture
def stopped(new_server):
    """A server that has stopped after it made a key in a custom key store."""
    server = new_server()
    server.key = server.client().create_key(
        Origin="AWS_CLOUDHSM", CustomKeyStoreId=server.ready["customKeyStoreId"])["KeyMetadata"]["Arn"]
    server.stop()
    return server


def leave_half_written(server, count):
    """As SoftHSM begins a file: a number of eight bytes, and no attribute yet; and later CKA_CLASS, CKA_TOKEN, which is
    false until the template is written, and CKA_PRIVATE."""
    [directory] = [path for path in softhsm.token_directory(server.data).iterdir() if path.is_dir()]
    whole = next(path for path in directory.glob("*.object") if path.name != "token.object").read_bytes()
    is_token_object = bytes.fromhex("0000000000000001" * 2 + "ff")
    end = whole.index(is_token_object) + len(is_token_object)
    later = whole[:end - 1] + b"\0" + bytes.fromhex("0000000000000002" "0000000000000001" "ff")
    for contents in [whole[:8], later] * (count // 2):
        (directory / f"{uuid.uuid4()}.object").write_bytes(contents)


def test_a_sound_token(stopped):
    answer = repair(stopped)
    assert (answer.returncode, answer.stdout) == (0, "0 half-written objects\n"), answer.stderr
    assert repair(stopped, "--destroy").returncode == 0
    assert softhsm.objects_of(stopped.data, stopped.pin, stopped.key)


def test_half_written_objects_are_listed_and_destroyed_if_told_to(stopped):
    before = len(softhsm.all_objects(stopped.data, stopped.pin))
    leave_half_written(stopped, 2)
    for _ in range(2):
        answer = repair(stopped)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.splitlines() == ["half written: id none, label none"] * 2 + [
            "2 half-written objects; --destroy removes them"]
    # The server reports what has no class, and leaves both alone.
    stopped.start()
    assert stopped.log.count("the key store holds an object that is no key of this installation") >= 1
    stopped.stop()
    answer = repair(stopped, "--destroy")
    assert answer.stdout.splitlines()[-1] == "2 half-written objects"
    assert repair(stopped).stdout == "0 half-written objects\n"
    assert len(softhsm.all_objects(stopped.data, stopped.pin)) == before
    kms = stopped.start().client()
    assert kms.encrypt(KeyId=stopped.key, Plaintext=b"x")["CiphertextBlob"]


def test_what_cannot_be_repaired_is_told(stopped, tmp_path):
    wrong = tmp_path / "pin"
    wrong.touch(mode=0o600)
    wrong.write_text("wrong")
    answer = repair(stopped, pin_file=wrong)
    assert answer.returncode == 1 and "the PIN is wrong" in answer.stderr and "wrong\n" not in answer.stdout
    answer = repair(stopped, label="nowhere")
    assert answer.returncode == 1 and 'has no token labelled "nowhere"' in answer.stderr
    answer = subprocess.run([BINARY, "repair", "/nonexistent.so", "--token", "x", "--pin-file", wrong],
                            capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1 and "there is no module file /nonexistent.so" in answer.stderr
