"""The clock of the machine jumps: by an answer of a time server, a pause, a battery. libfaketime shows such a clock to
the server, whose monotonic clock goes on as before. Requests go by the clock as it is; nothing is destroyed by a clock
that is not believed; and with the right time all is as if nothing had been."""

import base64
import contextlib
import datetime
import os
import pathlib

import pytest

from support import audit, softhsm, wrapping
from support.materials import describe, listed
from support.server import eventually
from support.wire import Wire

MINUTE, HOUR, DAY = 60, 3600, 86400
[LIBRARY] = pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
NOT_BELIEVED = "the clock has jumped: nothing is destroyed until it has been steady for an hour"


class Clocked:
    """A server, and the difference of its machine's clock from the right time, in seconds."""

    def __init__(self, server):
        self.server, self.file = server, server.directory / "clock"
        # Swift finds its arguments just before the environment, which the library moves when it adds this.
        server.environment = {
            "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_SHARED": f"/{server.directory.name} /{server.directory.name}"}
        self.set(0)
        server.start()

    def set(self, seconds):
        self.seconds = seconds
        written = self.file.with_suffix(".new")
        written.write_text(f"{seconds:+d}\n")
        os.replace(written, self.file)

    def call(self, operation, signed=None, **body):
        """A call by somebody whose clock shows what the server's does, or `signed` seconds more than the right time."""
        return Wire(self.server).call(operation, body, seconds=self.seconds if signed is None else signed)

    def state(self, key):
        """The KeyState, or the error."""
        answer = self.call("DescribeKey", KeyId=key["KeyId"])
        return answer.json["KeyMetadata"]["KeyState"] if answer.status == 200 else answer.code


@pytest.fixture
def clocked(new_server):
    return Clocked(new_server(start=False, options=audit.OPTIONS))


class Due:
    """What a clock that is far ahead would end."""

    def __init__(self, server, where):
        self.server, self.kms = server, server.client()
        self.origin = {"Origin": "AWS_CLOUDHSM", **where} if where else {}
        self.on_token = bool(where) or server.default_store == "token"
        self.key = self.create()
        self.blob = self.encrypt(self.key)
        self.kms.schedule_key_deletion(KeyId=self.key["KeyId"], PendingWindowInDays=7)
        self.imported, self.waiting = (wrapping.create(self.kms, **where) for _ in range(2))
        valid_to = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
        wrapping.bring(self.kms, self.imported, ValidTo=valid_to)
        self.imported_blob = self.encrypt(self.imported)
        self.given = wrapping.parameters(self.kms, self.waiting)
        self.rotating = self.kms.create_key()["KeyMetadata"]
        self.kms.enable_key_rotation(KeyId=self.rotating["KeyId"], RotationPeriodInDays=90)
        self.keys = [self.key, self.imported]

    def create(self):
        return self.kms.create_key(**self.origin)["KeyMetadata"]

    def encrypt(self, key):
        return self.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]

    def objects(self):
        """How many objects on the token are of the keys, and of what will be imported."""
        found = softhsm.all_objects(self.server.data, self.server.pin)
        arns = [key["Arn"] for key in self.keys]
        return sum(entry.get("label") in arns for entry in found), len(softhsm.wrapping_keys(
            self.server.data, self.server.pin, self.waiting["Arn"]))

    def all_there(self):
        return (2, 1) if self.on_token else (0, 0)

    def is_blocked(self, clocked):
        """Everything has ended, as far as callers are concerned."""
        assert clocked.state(self.key) == "PendingDeletion"
        assert clocked.state(self.imported) == "PendingImport"
        for blob in [self.blob, self.imported_blob]:
            answer = clocked.call("Decrypt", CiphertextBlob=base64.b64encode(blob).decode())
            assert answer.code == "KMSInvalidStateException"
        request = wrapping.request(self.waiting, self.given, os.urandom(32))
        body = {name: value for name, value in request.items() if not isinstance(value, bytes)}
        for name in request.keys() - body:
            body[name] = base64.b64encode(request[name]).decode()
        assert clocked.call("ImportKeyMaterial", **body).code == "ExpiredImportTokenException"

    def is_as_before(self):
        kms = self.server.client()
        assert describe(kms, self.key)["KeyState"] == "PendingDeletion"
        kms.cancel_key_deletion(KeyId=self.key["KeyId"])
        kms.enable_key(KeyId=self.key["KeyId"])
        for blob in [self.blob, self.imported_blob]:
            assert eventually(lambda: decrypted(kms, blob), "the login to the token") == b"x"
        kms.import_key_material(**wrapping.request(self.waiting, self.given, os.urandom(32)))
        assert listed(kms, self.rotating) == []


def decrypted(kms, blob):
    with contextlib.suppress(kms.exceptions.KMSInvalidStateException, kms.exceptions.KeyUnavailableException):
        return kms.decrypt(CiphertextBlob=blob)["Plaintext"]


@pytest.fixture
def where(clocked, placement):
    return {"CustomKeyStoreId": clocked.server.ready["customKeyStoreId"]} if placement == "custom" else {}


def test_one_wrong_time_destroys_nothing(clocked, where):
    server = clocked.server
    due = Due(server, where)
    clocked.set(400 * DAY)
    due.is_blocked(clocked)
    # The server looks twice a minute.
    eventually(lambda: NOT_BELIEVED in server.log, "a look at the clock", 60)
    due.is_blocked(clocked)
    assert due.objects() == due.all_there()
    made = clocked.call("CreateKey").json["KeyMetadata"]
    clocked.set(0)
    due.is_as_before()
    assert describe(server.client(), made)["KeyState"] == "Enabled"
    assert "service event" not in server.log
    assert audit.verify(server)[0] == 0


@pytest.mark.parametrize("seconds", [400 * DAY, -10_000 * DAY], ids=["ahead", "behind"])
def test_a_start_with_a_wrong_time_destroys_nothing(clocked, where, seconds):
    server = clocked.server
    due = Due(server, where)
    server.stop()
    clocked.set(seconds)
    server.start()
    eventually(lambda: NOT_BELIEVED in server.log, "a look at the clock")
    if seconds > 0:
        due.is_blocked(clocked)
    assert due.objects() == due.all_there()
    made = clocked.call("CreateKey").json["KeyMetadata"]
    server.stop()
    clocked.set(0)
    before = len(server.log)
    server.start()
    due.is_as_before()
    assert describe(server.client(), made)["KeyState"] == "Enabled"
    assert NOT_BELIEVED not in server.log[before:] and "service event" not in server.log
    assert audit.verify(server)[0] == 0


def test_a_time_that_is_believed_destroys(clocked, where):
    """A correction of less than an hour, with which the time of a key has come."""
    server, raw = clocked.server, Wire(clocked.server)
    due = Due(server, where)
    raw.development("AdvanceClock", {"Seconds": 7 * DAY - 30 * MINUTE})
    assert clocked.state(due.key) == "PendingDeletion"
    clocked.set(40 * MINUTE)
    eventually(lambda: clocked.state(due.key) == "NotFoundException", "a look at the clock", 60)
    eventually(lambda: due.objects()[0] == due.all_there()[0] / 2, "the end of the material")
    assert NOT_BELIEVED not in server.log


def test_signatures_are_judged_by_the_clock_as_it_is(clocked):
    """The server takes signatures that are up to five minutes old or young."""
    for seconds, text in {
        4 * MINUTE: None, -4 * MINUTE: None, 6 * MINUTE: "Signature expired", -6 * MINUTE: "Signature not yet current",
        30 * DAY: "Signature expired", -30 * DAY: "Signature not yet current", 0: None,
    }.items():
        clocked.set(seconds)
        answer = clocked.call("ListKeys", signed=0)
        if text is None:
            assert answer.status == 200, answer
        else:
            assert answer.code == "InvalidSignatureException" and answer.message.startswith(text), answer
        assert clocked.call("ListKeys").status == 200


def test_a_clock_that_never_rests(clocked, where):
    """Back and forth between requests: each is answered, and what they did is there afterwards."""
    made = []
    for seconds in [3 * HOUR, -DAY, 0, 40 * DAY, -HOUR, 400 * DAY, -3 * DAY, 10 * MINUTE] * 3:
        clocked.set(seconds)
        origin = {"Origin": "AWS_CLOUDHSM", **where} if where else {}
        answer = clocked.call("CreateKey", **origin)
        assert answer.status == 200, answer
        key = answer.json["KeyMetadata"]
        answer = clocked.call("Encrypt", KeyId=key["KeyId"], Plaintext="eA==")
        made.append((key, answer.json["CiphertextBlob"]))
    clocked.set(0)
    clocked.server.kill()
    kms = clocked.server.start().client()
    for key, blob in made:
        assert describe(kms, key)["KeyState"] == "Enabled"
        assert eventually(lambda: decrypted(kms, base64.b64decode(blob)), "the login to the token") == b"x"
    assert audit.verify(clocked.server)[0] == 0
