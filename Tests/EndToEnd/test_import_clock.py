"""Clocks that jump while imported material grows old: forward, back, over several dates at once, while the server is
down. Requests go by the clock as it is; material that was destroyed stays so, and a clock that is not believed destroys
none."""

import contextlib
import os
import re
import sqlite3
import time

import pytest

from support import softhsm, wrapping
from support.expect import refused
from support.materials import DAY, NEW, Importer, describe, now, states
from support.server import eventually
from support.wire import Wire

A, B, C = (os.urandom(32) for _ in range(3))
SPECS = ["SYMMETRIC_DEFAULT", "HMAC_256", "RSA_2048", "ECC_NIST_P256"]


@pytest.fixture
def clocked(new_server):
    return new_server()


@pytest.fixture
def where(clocked, placement):
    return {"CustomKeyStoreId": clocked.ready["customKeyStoreId"]} if placement == "custom" else {}


def advance(server, duration=0 * DAY):
    Wire(server).development("AdvanceClock", {"Seconds": duration.total_seconds()})


def set_while_down(server, **settings):
    """Puts times into the database: how far the test clock is ahead, when the server last looked at its clock."""
    with contextlib.closing(sqlite3.connect(server.data / "strongroom.sqlite")) as database, database:
        for name, value in settings.items():
            changed = database.execute(
                "UPDATE settings SET value = ? WHERE name = ?", (str(float(value)).encode(), name)).rowcount
            assert changed == 1, name


def objects(server, key):
    return [entry for entry in softhsm.all_objects(server.data, server.pin) if entry.get("label") == key["Arn"]]


def is_on_token(server, where):
    return bool(where) or server.default_store == "token"


def events(server, key):
    """The service events of a key, one a line of the log."""
    return [line for line in server.log.splitlines() if "DeleteExpiredKeyMaterial" in line and key["KeyId"] in line]


def assert_pending(kms, key, blob=None):
    described = describe(kms, key)
    assert (described["KeyState"], described["Enabled"]) == ("PendingImport", False)
    if blob is not None:
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
            kms.decrypt(CiphertextBlob=blob)


def encrypt(kms, key):
    return kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]


def test_forward_and_back(clocked, where):
    """What a wrong clock has destroyed does not come back with the right time."""
    kms = clocked.client()
    keys = {spec: wrapping.create(kms, spec, **where) for spec in SPECS}
    valid_to = now() + 100 * DAY
    for key in keys.values():
        wrapping.bring(kms, key, ValidTo=valid_to)
    blob = encrypt(kms, keys["SYMMETRIC_DEFAULT"])
    given = wrapping.parameters(kms, keys["SYMMETRIC_DEFAULT"])
    advance(clocked, 101 * DAY)
    for key in keys.values():
        eventually(lambda: objects(clocked, key) == [], "no material on the token")
    clocked.stop()
    set_while_down(clocked, clockOffset=0)
    kms = clocked.start().client()
    assert abs(Wire(clocked).development("AdvanceClock", {"Seconds": 0})["Now"] - time.time()) < 60
    for key in keys.values():
        assert_pending(kms, key)
        assert not describe(kms, key).keys() & {"ExpirationModel", "ValidTo"}
        assert objects(clocked, key) == [] and len(events(clocked, key)) == 1
    assert_pending(kms, keys["SYMMETRIC_DEFAULT"], blob)
    # An import token that expired meanwhile is as it was, or its wrapping key is gone for good.
    with refused("ExpiredImportTokenException"):
        kms.import_key_material(
            **wrapping.request(keys["SYMMETRIC_DEFAULT"], given, wrapping.material("SYMMETRIC_DEFAULT")))
    for key in keys.values():
        with refused("IncorrectKeyMaterialException"):
            wrapping.bring(kms, key, wrapping.material(key["KeySpec"], 1))
        wrapping.bring(kms, key)
        assert describe(kms, key)["KeyState"] == "Enabled"
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_several_dates_at_once(clocked, where):
    """Of several keys, and of several materials of one."""
    kms = clocked.client()
    keys = [wrapping.create(kms, **where) for _ in range(3)]
    for days, key in enumerate(keys, 1):
        wrapping.bring(kms, key, ValidTo=now() + days * DAY)
    lasting = wrapping.create(kms, **where)
    wrapping.bring(kms, lasting, ValidTo=now() + 30 * DAY)
    many = wrapping.create(kms, **where)
    bring = Importer(kms, many)
    blobs = []
    for days, secret in enumerate([A, B, C], 4):
        bring(secret, ValidTo=now() + days * DAY, **NEW)
        if blobs:
            kms.rotate_key_on_demand(KeyId=many["KeyId"])
        blobs.append(encrypt(kms, many))
    kept = encrypt(kms, lasting)
    assert len(objects(clocked, many)) == 3 * is_on_token(clocked, where)

    advance(clocked, 20 * DAY)
    for key in [*keys, many]:
        assert_pending(kms, key)
        eventually(lambda: objects(clocked, key) == [], "no material on the token")
    assert [len(events(clocked, key)) for key in [*keys, many, lasting]] == [1, 1, 1, 3, 0]
    assert states(kms, many) == [*[("NON_CURRENT", "PENDING_IMPORT")] * 2, ("CURRENT", "PENDING_IMPORT")]
    assert kms.decrypt(CiphertextBlob=kept)["Plaintext"] == b"x"
    # A second look finds nothing more to do.
    advance(clocked)
    assert len(events(clocked, many)) == 3
    bring = Importer(kms, many)
    for secret in [C, A, B]:
        assert_pending(kms, many, blobs[0])
        bring(secret)
    for blob in blobs:
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_several_dates_while_the_server_is_down(clocked, where):
    kms = clocked.client()
    keys = {spec: wrapping.create(kms, spec, **where) for spec in SPECS}
    for days, key in enumerate(keys.values(), 1):
        wrapping.bring(kms, key, ValidTo=now() + days * DAY)
    blob = encrypt(kms, keys["SYMMETRIC_DEFAULT"])
    advance(clocked)
    clocked.stop()
    assert [len(objects(clocked, key)) > 0 for key in keys.values()] == [is_on_token(clocked, where)] * 4
    set_while_down(clocked, clockOffset=(10 * DAY).total_seconds())
    before = len(clocked.log)
    kms = clocked.start().client()
    assert_pending(kms, keys["SYMMETRIC_DEFAULT"], blob)
    for key in keys.values():
        assert_pending(kms, key)
        eventually(lambda: len(events(clocked, key)) == 1, "the event")
        eventually(lambda: objects(clocked, key) == [], "no material on the token")
    assert "the clock has jumped" not in clocked.log[before:]
    wrapping.bring(kms, keys["SYMMETRIC_DEFAULT"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_clock_that_is_not_believed_destroys_nothing(clocked, where):
    """The server finds a time that is not near the last one that it saw, and past a date. Nobody uses the material, and
    it is there when the time turns out to be wrong."""
    kms = clocked.client()
    key = wrapping.create(kms, **where)
    wrapping.bring(kms, key, ValidTo=now() + DAY)
    blob = encrypt(kms, key)
    advance(clocked)
    clocked.stop()
    set_while_down(clocked, clockOffset=(2 * DAY).total_seconds(), lastSeenTime=time.time() - 7 * 86400)
    kms = clocked.start().client()
    eventually(lambda: re.search("the clock has jumped: nothing is destroyed", clocked.log), "a warning")
    assert_pending(kms, key, blob)
    assert events(clocked, key) == []
    assert len(objects(clocked, key)) == is_on_token(clocked, where)

    clocked.stop()
    set_while_down(clocked, clockOffset=0, lastSeenTime=time.time())
    kms = clocked.start().client()
    assert describe(kms, key)["KeyState"] == "Enabled"
    answer = eventually(lambda: decrypted(kms, blob), "decryption after a restart")
    assert answer == b"x"
    # The date still counts.
    advance(clocked, DAY)
    assert_pending(kms, key, blob)
    eventually(lambda: objects(clocked, key) == [] and len(events(clocked, key)) == 1, "the end of the material")


def decrypted(kms, blob):
    """Waits for the login to the token in the background."""
    with contextlib.suppress(kms.exceptions.KMSInvalidStateException, kms.exceptions.KeyUnavailableException):
        return kms.decrypt(CiphertextBlob=blob)["Plaintext"]
