"""Junk among good calls on a token: every good call succeeds, and nobody takes the token for sick.

SoftHSM answers CKR_GENERAL_ERROR to a wrong tag and to wrong padding, which is also what a broken device answers.
5,000 junk calls here; STRONGROOM_JUNK_COUNT says how many instead.
"""

import base64
import concurrent.futures
import itertools
import os
import random
import types

import pytest

from support import custom_store, load, softhsm
from support.server import eventually

COUNT = int(os.environ.get("STRONGROOM_JUNK_COUNT", 5_000))
LANES = 8
MESSAGE = base64.b64encode(bytes(range(32))).decode()
INVALID_CIPHERTEXT = (400, {"__type": "InvalidCiphertextException"})
INVALID_MAC = (400, {"__type": "KMSInvalidMacException"})


@pytest.fixture
def token(new_server, default_store):
    """A server, and what CreateKey needs for a key on its token."""
    server = new_server()
    if default_store == "token":
        return server, {}
    return server, {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}


def changed(text, numbers):
    """The same base64 with one byte changed: one of those at `numbers`."""
    data = bytearray(base64.b64decode(text))
    data[numbers.choice(range(1, len(data)))] ^= numbers.randrange(1, 256)
    return base64.b64encode(data).decode()


class Calls:
    """Good calls with their answers, and junk made of them."""

    def __init__(self, connection, arguments):
        def key(**more):
            return connection.call("CreateKey", {**arguments, **more})["KeyMetadata"]["KeyId"]

        symmetric = key()
        rsa = key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
        code = key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        blob = connection.call("Encrypt", {"KeyId": symmetric, "Plaintext": MESSAGE})["CiphertextBlob"]
        self.decrypt = {"KeyId": symmetric, "CiphertextBlob": blob}
        self.oaep = []
        for algorithm in ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]:
            of_rsa = {"KeyId": rsa, "EncryptionAlgorithm": algorithm}
            blob = connection.call("Encrypt", {**of_rsa, "Plaintext": MESSAGE})["CiphertextBlob"]
            self.oaep.append({**of_rsa, "CiphertextBlob": blob})
        self.generate_mac = {"KeyId": code, "Message": MESSAGE, "MacAlgorithm": "HMAC_SHA_256"}
        self.verify_mac = {**self.generate_mac, "Mac": connection.call("GenerateMac", self.generate_mac)["Mac"]}
        # The last 16 bytes are the tag (docs/ciphertext-blob.md).
        self.tag = len(base64.b64decode(self.decrypt["CiphertextBlob"])) - 16

    def junk(self, number, numbers):
        """A call and the refusal that it must get. RSA costs a hundred times the others, hence one in five."""
        kind = number % 5
        if kind == 0:
            good = self.oaep[number // 5 % 2]
            return "Decrypt", {**good, "CiphertextBlob": changed(good["CiphertextBlob"], numbers)}, INVALID_CIPHERTEXT
        if kind in (1, 2):
            data = bytearray(base64.b64decode(self.decrypt["CiphertextBlob"]))
            data[self.tag + numbers.randrange(16)] ^= numbers.randrange(1, 256)
            return "Decrypt", {**self.decrypt, "CiphertextBlob": base64.b64encode(data).decode()}, INVALID_CIPHERTEXT
        return "VerifyMac", {**self.verify_mac, "Mac": changed(self.verify_mac["Mac"], numbers)}, INVALID_MAC

    def good(self, number):
        """A call, the member of its answer that is known, and that."""
        return [
            ("Decrypt", self.decrypt, "Plaintext", MESSAGE),
            ("VerifyMac", self.verify_mac, "MacValid", True),
            ("GenerateMac", self.generate_mac, "Mac", self.verify_mac["Mac"]),
            ("Decrypt", self.decrypt, "Plaintext", MESSAGE),
            ("Decrypt", self.oaep[number % 2], "Plaintext", MESSAGE),
        ][number // 2 % 5]


def test_junk_among_good_calls(token):
    server, arguments = token
    who = types.SimpleNamespace(access_key=server.access_key, secret=server.secret)
    calls = Calls(load.Connection(server, who), arguments)
    log = server.log

    def work(lane):
        numbers, connection, good = random.Random(lane), load.Connection(server, who), itertools.count(lane)
        for number in range(lane, COUNT, LANES):
            operation, body, refusal = calls.junk(number, numbers)
            assert connection.answer(operation, body) == refusal, (operation, body)
            if number // LANES % 4 == 0:
                operation, body, member, value = calls.good(next(good))
                assert connection.call(operation, body)[member] == value
        return True

    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        assert all(pool.map(work, range(LANES)))
    # A canary that failed, a login, a call that did not come back, a key store that failed: each has its line.
    assert server.log == log
    kms = server.client()
    assert custom_store.describe(kms, server.ready["customKeyStoreId"])["ConnectionState"] == "CONNECTED"


def test_a_sick_token_has_its_line_in_the_log(new_server):
    """What the test above does not find would be there to find."""
    server = new_server()
    kms = server.client()
    key = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=server.ready["customKeyStoreId"])["KeyMetadata"]
    log = server.log
    tokens = softhsm.token_directory(server.data)
    moved = tokens.with_name("elsewhere")
    tokens.rename(moved)
    try:
        with pytest.raises(kms.exceptions.ClientError):
            kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
        assert "event=sick" in server.log[len(log):]
    finally:
        moved.rename(tokens)
    eventually(lambda: "event=recovered" in server.log, "recovery")
