"""ValidTo comes; import tokens grow old."""

import os
import re
import time

import pytest

from support import softhsm, wrapping
from support.expect import refused
from support.materials import DAY, NEW, Importer, describe, materials, now, states
from support.server import eventually
from support.wire import Wire

A, B, C = (os.urandom(32) for _ in range(3))
SPECS = ["SYMMETRIC_DEFAULT", "HMAC_256", "RSA_2048", "ECC_NIST_P256"]


@pytest.fixture
def clocked(new_server):
    return new_server()


@pytest.fixture
def kms(clocked):
    return clocked.client()


def where(server, placement):
    return {"CustomKeyStoreId": server.ready["customKeyStoreId"]} if placement == "custom" else {}


def advance(server, duration):
    Wire(server).development("AdvanceClock", {"Seconds": duration.total_seconds()})


def objects(server, key):
    return [entry for entry in softhsm.all_objects(server.data, server.pin) if entry.get("label") == key["Arn"]]


def on_token(server, placement):
    return placement == "custom" or server.default_store == "token"


def assert_expired(kms, key):
    text = f"{key['Arn']} is pending import."
    name = {"KeyId": key["KeyId"], "Message": b"x"}
    match key["KeySpec"]:
        case "SYMMETRIC_DEFAULT":
            with refused("KMSInvalidStateException", text):
                kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
        case "HMAC_256":
            with refused("KMSInvalidStateException", text):
                kms.generate_mac(MacAlgorithm="HMAC_SHA_256", **name)
        case spec:
            with refused("KMSInvalidStateException", text):
                kms.sign(SigningAlgorithm={"RSA_2048": "RSASSA_PSS_SHA_256"}.get(spec, "ECDSA_SHA_256"), **name)
    described = describe(kms, key)
    assert (described["KeyState"], described["Enabled"]) == ("PendingImport", False)
    assert not described.keys() & {"ExpirationModel", "ValidTo"}


def test_a_date_months_away(clocked, kms, placement):
    keys = {spec: wrapping.create(kms, spec, **where(clocked, placement)) for spec in SPECS}
    valid_to = now() + 100 * DAY
    for key in keys.values():
        wrapping.bring(kms, key, ValidTo=valid_to)
    lasting = wrapping.create(kms, **where(clocked, placement))
    wrapping.bring(kms, lasting)
    blobs = {
        name: kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
        for name, key in [("expiring", keys["SYMMETRIC_DEFAULT"]), ("lasting", lasting)]}
    material = describe(kms, keys["SYMMETRIC_DEFAULT"])["CurrentKeyMaterialId"]

    advance(clocked, 99 * DAY)
    assert [describe(kms, key)["KeyState"] for key in keys.values()] == ["Enabled"] * 4
    advance(clocked, DAY)
    for key in keys.values():
        assert_expired(kms, key)
        eventually(lambda: objects(clocked, key) == [], "no material on the token")
    with refused("KMSInvalidStateException"):
        kms.decrypt(CiphertextBlob=blobs["expiring"])
    assert kms.decrypt(CiphertextBlob=blobs["lasting"])["Plaintext"] == b"x"
    assert len(objects(clocked, lasting)) == on_token(clocked, placement)
    for spec in SPECS:
        line = f"DeleteExpiredKeyMaterial.*{keys[spec]['KeyId']}|{keys[spec]['KeyId']}.*DeleteExpiredKeyMaterial"
        assert len([text for text in clocked.log.splitlines() if re.search(line, text)]) == 1

    # Other bytes are still not taken, the same ones are.
    for spec, key in keys.items():
        with refused("IncorrectKeyMaterialException"):
            wrapping.bring(kms, key, wrapping.material(spec, 1))
        assert_expired(kms, key)
        wrapping.bring(kms, key)
    answer = kms.decrypt(CiphertextBlob=blobs["expiring"])
    assert (answer["Plaintext"], answer["KeyMaterialId"]) == (b"x", material)


def test_the_first_request_after_the_date_fails(kms):
    """Requests ask the clock, and wait for nothing that looks after it now and then."""
    key = wrapping.create(kms)
    bring = Importer(kms, key)
    bring(A)
    valid_to = int(time.time()) + 2
    bring(A, ValidTo=valid_to)
    blob = None
    while True:
        before = time.time()
        if before > valid_to + 0.001:
            break
        try:
            blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
        except kms.exceptions.KMSInvalidStateException:
            assert time.time() >= valid_to
            break
    assert_expired(kms, key)
    assert blob is not None
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
        kms.decrypt(CiphertextBlob=blob)
    with refused("ValidationException"):
        bring(A, ValidTo=valid_to)
    bring(A)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_the_server_is_down_when_the_date_comes(clocked, kms, placement):
    key = wrapping.create(kms, **where(clocked, placement))
    bring = Importer(kms, key)
    bring(A)
    valid_to = int(time.time()) + 2
    bring(A, ValidTo=valid_to)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    clocked.stop()
    assert len(objects(clocked, key)) == on_token(clocked, placement)
    eventually(lambda: time.time() > valid_to, "the date")
    kms = clocked.start().client()
    assert_expired(kms, key)
    eventually(lambda: objects(clocked, key) == [], "no material on the token")
    assert [entry["ImportState"] for entry in materials(kms, key)] == ["PENDING_IMPORT"]
    wrapping.bring(kms, key, A)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_one_of_several_materials_expires(clocked, kms):
    key = wrapping.create(kms)
    bring = Importer(kms, key)
    first = bring(A)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    bring(B, **NEW)
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    # Material that waits for its rotation belongs to nothing yet, and its date neither.
    bring(C, ValidTo=now() + DAY / 2, **NEW)
    assert "ValidTo" not in describe(kms, key)
    advance(clocked, DAY)
    assert states(kms, key) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
    assert describe(kms, key)["KeyState"] == "Enabled"
    with refused("KMSInvalidStateException", f"No available key material pending rotation for the key: {key['Arn']}."):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])

    bring = Importer(kms, key)
    bring(A, ValidTo=now() + 3 * DAY)
    described = describe(kms, key)
    assert (described["ExpirationModel"], described["ValidTo"] - now() < 4 * DAY) == ("KEY_MATERIAL_EXPIRES", True)
    advance(clocked, 3 * DAY)
    assert describe(kms, key)["KeyState"] == "PendingImport"
    assert states(kms, key) == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "IMPORTED")]
    assert wrapping.bring(kms, key, A)["KeyMaterialId"] == first
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


# Import tokens

def test_an_import_token_lives_for_a_day(clocked, kms, placement):
    key = wrapping.create(kms, **where(clocked, placement))
    given = wrapping.parameters(kms, key, "RSAES_OAEP_SHA_256")
    count = len(softhsm.wrapping_keys(clocked.data, clocked.pin, key["Arn"]))
    assert (count > 0) == on_token(clocked, placement)

    def attempt(secret):
        return kms.import_key_material(**wrapping.request(key, given, secret, "RSAES_OAEP_SHA_256"))

    advance(clocked, DAY - DAY / 1000)
    attempt(A)
    advance(clocked, DAY / 1000)
    for secret in [A, B]:
        with refused("ExpiredImportTokenException"):
            attempt(secret)
    assert wrapping.state(kms, key) == "Enabled"
    eventually(
        lambda: softhsm.wrapping_keys(clocked.data, clocked.pin, key["Arn"]) == [], "no wrapping key on the token")
    clocked.restart()
    with refused("ExpiredImportTokenException"):
        clocked.client().import_key_material(**wrapping.request(key, given, A, "RSAES_OAEP_SHA_256"))


def test_wrapping_keys_do_not_stay_on_the_token(clocked, kms):
    def make(count):
        key = wrapping.create(kms, **where(clocked, "custom"))
        for _ in range(count):
            wrapping.parameters(kms, key)
        return key

    def count(key):
        return len(softhsm.wrapping_keys(clocked.data, clocked.pin, key["Arn"]))

    many, doomed = make(7), make(1)
    assert count(doomed) == 1
    eventually(lambda: count(many) == 5, "five wrapping keys of one KMS key")
    kms.schedule_key_deletion(KeyId=doomed["KeyId"], PendingWindowInDays=7)
    advance(clocked, 8 * DAY)
    eventually(lambda: softhsm.wrapping_keys(clocked.data, clocked.pin) == [], "no wrapping key on the token")
    key = make(1)
    assert count(key) == 1
    Wire(clocked).development("Reset", {})
    eventually(lambda: count(key) == 0, "no wrapping key on the token")
