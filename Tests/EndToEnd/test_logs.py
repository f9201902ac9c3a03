"""Nothing secret is logged, shown to other processes, or readable by other users."""

import base64
import os
import pathlib
import uuid

import pytest

from support import custom_store
from support.wire import Wire


def spellings(secret):
    """A secret as it might stand in a log: as text, as base64, as hexadecimal."""
    data = secret if isinstance(secret, bytes) else secret.encode()
    found = {base64.b64encode(data).decode(), data.hex(), data.hex().upper()}
    if not isinstance(secret, bytes):
        found.add(secret)
    return found


def contains(text, secret):
    return any(spelling in text for spelling in spellings(secret))


@pytest.mark.parametrize("level", ["info", "trace"])
def test_nothing_secret_is_logged(new_server, level):
    secret_key = f"secret-{uuid.uuid4()}"
    server = new_server(options=["--log-level", level, "--secret-access-key", secret_key])
    server.secret = secret_key
    kms = server.client()
    password = f"wrong-{uuid.uuid4().hex[:20]}"
    secrets = [secret_key, server.pin, password]
    for arguments in [{}, {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}]:
        key = kms.create_key(**arguments)["KeyMetadata"]["KeyId"]
        plaintext = os.urandom(33)
        secrets.append(plaintext)
        blob = kms.encrypt(KeyId=key, Plaintext=plaintext)["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext
        secrets.append(kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"])
    secrets.append(kms.generate_random(NumberOfBytes=32)["Plaintext"])
    elsewhere = server.client("eu-test-1")
    store = custom_store.create(elsewhere, password)
    assert custom_store.connect(elsewhere, store)["ConnectionState"] == "FAILED"

    # Bad requests are the ones that a careless server logs.
    raw = Wire(server)
    too_long = os.urandom(4097)
    secrets.append(too_long[:96])
    wordy = f"plaintext-{uuid.uuid4()}"
    secrets.append(wordy)
    encoded = base64.b64encode(too_long).decode()
    for operation, body in [
        ("Encrypt", {"KeyId": key, "Plaintext": encoded}), ("Encrypt", {"KeyId": key, "Plaintext": wordy}),
        ("Encrypt", f'{{"KeyId": "{key}", "Plaintext": "{wordy}"'.encode()),
        ("CreateCustomKeyStore", {"CustomKeyStoreName": "x", "KeyStorePassword": wordy + "x" * 32}),
        ("Nope", {"Plaintext": wordy}),
    ]:
        assert raw.call(operation, body).status == 400
    answer = Wire(server, token=f"token-{secrets[-1]}").call("ListKeys", {})
    assert answer.status == 400

    server.stop()
    log = server.log
    assert log
    leaked = [secret for secret in secrets if contains(log, secret)]
    assert leaked == []


def test_the_answer_to_a_bad_request_does_not_echo_a_secret(server):
    raw = Wire(server)
    password = f"p-{uuid.uuid4().hex}-{uuid.uuid4().hex}"
    answer = raw.call("CreateCustomKeyStore", {
        "CustomKeyStoreName": "x", "CloudHsmClusterId": "cluster-strongroomdev", "KeyStorePassword": password})
    assert answer.code == "ValidationException"
    assert password not in answer.body.decode()


def test_the_pin_is_not_visible_to_other_processes(server):
    for file in ["cmdline", "environ"]:
        assert server.pin.encode() not in pathlib.Path(f"/proc/{server.pid}/{file}").read_bytes()


def test_secret_files_are_readable_by_their_owner_only(server):
    assert (server.data / "root.key").stat().st_mode & 0o777 == 0o600
    assert (server.data / "softhsm.pin").stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o077 == 0


def test_no_password_and_no_plaintext_is_stored_in_the_clear(new_server):
    server = new_server()
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    plaintext = os.urandom(32)
    kms.encrypt(KeyId=key, Plaintext=plaintext)
    pin = server.pin.encode()
    server.stop()
    for path in server.data.glob("strongroom.sqlite*"):
        stored = path.read_bytes()
        assert pin not in stored and plaintext not in stored, path
    assert (server.data / "strongroom.sqlite").exists()
