"""Disks that are full: that of the metadata, that of the SoftHSM token, that of the audit log. What cannot be stored is
refused as AWS refuses, what was acknowledged stays, nothing is left half done, and all goes on when there is room."""

import contextlib

import botocore.exceptions
import pytest

from support import audit, custom_store
from support.changes import Changes, Uses, everything, in_custom_store
from support.disk import AUDIT, DATA, TOKENS, nothing_is_half_there
from support.expect import NO_ROOM, refused
from support.power_cuts import decrypted
from support.server import eventually

NOT_STORED = "The change could not be stored. Try the request again."
LOST = "an audit line was not written"
REFUSED = "a call was refused: audit lines cannot be written"
NOT_RECORDED = "The request could not be recorded. Try it again."
# Pages that are free when the work begins: enough for nothing, for half an object, for some objects and a half.
ROOM = [0, 1, 2, 3, 5, 9]
# Steps after which a disk is full, whatever was free.
MOST_STEPS = 200


# Every change

@pytest.mark.parametrize("places", [[DATA], [DATA, TOKENS]], ids=["metadata", "metadata and token"])
def test_no_change_without_room_for_the_metadata(on_disks, places):
    server, disks = on_disks()
    changes, uses = Changes(server), Uses(server)
    connect = changes.calls.pop("connect_custom_key_store")
    before = everything(server)
    for place in places:
        disks[place].fill()
    for name in changes.calls:
        with refused("KMSInternalException", NOT_STORED, status=500):
            changes.make(name)
    assert "the disk is full" in server.log
    assert everything(server) == before
    uses.make_all()

    # The login itself is not part of the call.
    kms, store = server.client(connect[0]), connect[2]["CustomKeyStoreId"]
    assert custom_store.connect(kms, store)["ConnectionErrorCode"] == "INTERNAL_ERROR"
    for place in places:
        disks[place].free()
    custom_store.disconnect(kms, store)
    assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
    for name in changes.calls:
        changes.make(name)
    uses.make_all()
    after = everything(server)
    server.restart()
    assert everything(server) == after
    nothing_is_half_there(server, disks)


def refused_without_room(name):
    """What takes material from outside has no LimitExceededException among its errors."""
    is_import = name.startswith(("import", "get_parameters"))
    return refused("KMSInvalidStateException" if is_import else "LimitExceededException", NO_ROOM)


def test_an_import_without_room_for_the_token(on_disks):
    """SoftHSM answers CKR_OK for an object that it could not store; the wrapping key is not to blame."""
    server, disks = on_disks()
    changes = Changes(server)
    names = ["import_key_material in the key store"]
    names += ["import_key_material"] if server.default_store == "token" else []
    disks[TOKENS].fill()
    for name in names:
        with refused_without_room(name):
            changes.make(name)
    disks[TOKENS].free()
    for name in names:
        changes.make(name)


def makes_objects(server, name):
    """Whether a change makes an object on the token."""
    in_default_store = ["create_key", "create_key of a pair", "rotate_key_on_demand", "get_parameters_for_import"]
    return name in ["create_key in the key store", "get_parameters_for_import in the key store"] or (
        server.default_store == "token" and name in in_default_store)


def test_no_object_without_room_for_the_token(on_disks):
    server, disks = on_disks()
    changes, uses = Changes(server), Uses(server)
    made, others = [], []
    for name in changes.calls:
        (made if makes_objects(server, name) else others).append(name)
    before = everything(server)
    disks[TOKENS].fill()
    for name in made:
        with refused_without_room(name):
            changes.make(name)
    assert everything(server) == before
    uses.make_all()
    for name in others:
        if not name.startswith("import"):
            changes.make(name)
    disks[TOKENS].free()
    for name in made:
        changes.make(name)
    uses.make_all()
    after = everything(server)
    server.restart()
    found = everything(server)
    assert found == after
    nothing_is_half_there(server, disks)


# A disk that fills up

class Work:
    """Makes keys until the server refuses, and knows what it was promised."""

    def __init__(self, server, places):
        self.server, self.keys, self.descriptions, self.materials = server, {}, {}, {}
        pair = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
        self.kinds = [in_custom_store(server), {**pair, **in_custom_store(server)}]
        # In software, nothing ends while only the token is full.
        if server.default_store == "token" or DATA in places:
            self.kinds += [{}, {"MultiRegion": True}, {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}]

    def until_all_is_refused(self):
        kms, refusals = self.server.client(), 0
        for number in range(MOST_STEPS):
            kind = self.kinds[number % len(self.kinds)]
            try:
                self.step(kms, number, kind)
                refusals = 0
            except botocore.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] in ["KMSInternalException", "LimitExceededException"]
                refusals += 1
            if refusals == 2 * len(self.kinds):
                return
        raise AssertionError("the disk does not fill up")

    def step(self, kms, number, kind):
        metadata = kms.create_key(**kind)["KeyMetadata"]
        key_id = metadata["KeyId"]
        self.keys[key_id] = None
        if metadata["KeyUsage"] == "SIGN_VERIFY":
            return
        self.keys[key_id] = kms.encrypt(KeyId=key_id, Plaintext=key_id.encode())["CiphertextBlob"]
        kms.update_key_description(KeyId=key_id, Description=str(number))
        self.descriptions[key_id] = str(number)
        if metadata["Origin"] == "AWS_KMS":
            kms.rotate_key_on_demand(KeyId=key_id)
            self.materials[key_id] = kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]

    def check(self):
        kms = self.server.client()
        for key_id, blob in self.keys.items():
            metadata = kms.describe_key(KeyId=key_id)["KeyMetadata"]
            assert metadata["KeyState"] == "Enabled"
            assert metadata["Description"] == self.descriptions.get(key_id, "")
            if key_id in self.materials:
                assert metadata["CurrentKeyMaterialId"] == self.materials[key_id]
            if blob is not None:
                assert decrypted(kms, blob)["Plaintext"] == key_id.encode()


@pytest.mark.parametrize("places", [[DATA], [TOKENS], [DATA, TOKENS]], ids=["metadata", "token", "both"])
def test_what_was_acknowledged_on_a_disk_that_fills_up(on_disks, places):
    server, disks = on_disks()
    work = Work(server, places)
    for pages in ROOM:
        for place in places:
            disks[place].fill(pages)
        work.until_all_is_refused()
        work.check()
        if pages == ROOM[-1]:
            # The power is cut while the disk is full.
            server.kill()
        for place in places:
            disks[place].free()
    server.start()
    work.check()
    nothing_is_half_there(server, disks)
    listed = server.client().list_keys()["Keys"]
    assert work.keys and {entry["KeyId"] for entry in listed} == work.keys.keys()


# The audit log

@pytest.mark.parametrize("places", [[AUDIT], [AUDIT, DATA, TOKENS]], ids=["audit log", "everything"])
def test_an_audit_log_without_room(on_disks, places):
    server, disks = on_disks(options=audit.OPTIONS)
    changes, uses = Changes(server), Uses(server)
    for place in places:
        disks[place].fill()
    # The last page of the file may have room for a few lines yet.
    eventually(lambda: everything(server) and LOST in server.log, "a line that is not written")
    uses.make_all()
    for name in changes.calls:
        if places == [AUDIT]:
            changes.make(name)
        elif name != "connect_custom_key_store":
            with refused("KMSInternalException", NOT_STORED, status=500):
                changes.make(name)
    for place in places:
        disks[place].free()
    written = server.client().create_key()
    disks.show()
    *_, told, after = lines = audit.lines(server)
    assert told["eventName"] == "AuditLinesLost"
    # A short one may have found room before.
    assert server.log.count(LOST) == sum(
        line["serviceEventDetails"]["lines"] for line in lines if line["eventName"] == "AuditLinesLost")
    assert after["requestID"] == written["ResponseMetadata"]["RequestId"]
    assert audit.verify(server)[0] == 0


@pytest.mark.parametrize("places", [[AUDIT], [AUDIT, DATA, TOKENS]], ids=["audit log", "everything"])
def test_a_required_audit_log_without_room(on_disks, places):
    server, disks = on_disks(options=["--audit", "required"])
    kms, changes = server.client(), Changes(server)
    before = everything(server)
    for place in places:
        disks[place].fill()

    def is_refused():
        with contextlib.suppress(kms.exceptions.KMSInternalException):
            kms.list_aliases()
        return REFUSED in server.log

    eventually(is_refused, "a log without room")
    key_id = next(iter(key for key in before if isinstance(key, tuple)))[1]
    for name in changes.calls:
        with refused("KMSInternalException", NOT_RECORDED, status=500):
            changes.make(name)
    for call, arguments in {kms.encrypt: {"Plaintext": b"x"}, kms.describe_key: {}}.items():
        with refused("KMSInternalException", NOT_RECORDED, status=500):
            call(KeyId=key_id, **arguments)
    # What was begun has its line, in the room that was kept for it.
    assert LOST not in server.log
    server.kill()
    for place in places:
        disks[place].free()
    server.start()
    assert everything(server) == before
    for name in changes.calls:
        changes.make(name)
    disks.show()
    assert audit.verify(server)[0] == 0
    assert "AuditLinesLost" not in {line["eventName"] for line in audit.lines(server)}
    server.restart()
    nothing_is_half_there(server, disks)
