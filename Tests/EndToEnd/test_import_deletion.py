"""DeleteImportedKeyMaterial, and keys of which several materials belong together."""

import os

import pytest

from support import softhsm, wrapping
from support.expect import refused
from support.materials import DAY, EXISTING, NEW, bring, describe, key, listed, materials, now, server, states
from support.server import eventually

A, B, C = (os.urandom(32) for _ in range(3))


def delete(kms, key, **more):
    answer = kms.delete_imported_key_material(KeyId=key["KeyId"], **more)
    assert answer["KeyId"] == key["Arn"]
    return answer.get("KeyMaterialId")


def test_the_current_material_is_deleted_and_comes_back(kms, key, bring):
    material = bring(A, ValidTo=now() + 3 * DAY)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    for more in [{}, {"KeyMaterialId": material}]:
        assert delete(kms, key, **more) == material
        described = describe(kms, key)
        assert (described["KeyState"], described["CurrentKeyMaterialId"]) == ("PendingImport", material)
        assert not described.keys() & {"ExpirationModel", "ValidTo"}
        assert states(kms, key) == [("CURRENT", "PENDING_IMPORT")]
        for call in [
                lambda: kms.decrypt(CiphertextBlob=blob), lambda: kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")]:
            with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
                call()
        # A second time: without effect.
        assert delete(kms, key) == material
        with refused("IncorrectKeyMaterialException"):
            bring(B)
        assert bring(A) == material
        assert describe(kms, key)["KeyState"] == "Enabled"
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize("spec", ["HMAC_256", "ECC_NIST_P256"])
def test_keys_whose_material_has_no_id(kms, create_external, spec):
    key = create_external(spec)
    wrapping.bring(kms, key)
    with refused("ValidationException"):
        delete(kms, key, KeyMaterialId="0" * 64)
    assert wrapping.state(kms, key) == "Enabled"
    assert not delete(kms, key)
    assert describe(kms, key)["KeyState"] == "PendingImport"
    name = {"KeyId": key["KeyId"], "Message": b"x"}
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
        if spec == "HMAC_256":
            kms.generate_mac(MacAlgorithm="HMAC_SHA_256", **name)
        else:
            kms.sign(SigningAlgorithm="ECDSA_SHA_256", **name)
    if spec == "ECC_NIST_P256":
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
            kms.get_public_key(KeyId=key["KeyId"])


def test_material_that_is_not_the_keys(kms, key, bring):
    bring(A)
    with refused("NotFoundException"):
        delete(kms, key, KeyMaterialId="0" * 64)
    with refused("ValidationException"):
        delete(kms, key, KeyMaterialId="0" * 63)
    assert wrapping.state(kms, key) == "Enabled"


def test_pending_material_does_not_matter_to_the_key(kms, key, bring):
    """It does not belong to the key for good before its rotation: others may come in its place."""
    first, second = bring(A), bring(B, **NEW)
    before = describe(kms, key)
    assert delete(kms, key, KeyMaterialId=second) == second
    assert describe(kms, key) == before
    assert [entry["KeyMaterialId"] for entry in materials(kms, key)] == [first]
    with refused("KMSInvalidStateException", f"No available key material pending rotation for the key: {key['Arn']}."):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    with refused("IncorrectKeyMaterialException"):
        bring(B, **EXISTING)
    third = bring(C, **NEW)
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    assert describe(kms, key)["CurrentKeyMaterialId"] == third


def test_every_material_of_a_key_is_needed(kms, key, bring):
    ids, blobs = [], []
    for secret in [A, B, C]:
        ids.append(bring(secret, **NEW))
        if len(ids) > 1:
            kms.rotate_key_on_demand(KeyId=key["KeyId"])
        blobs.append(kms.encrypt(KeyId=key["KeyId"], Plaintext=secret)["CiphertextBlob"])
    bring(A, ValidTo=now() + 9 * DAY)
    bring(B, ValidTo=now() + 5 * DAY)
    # The earliest of all that belong to the key.
    assert describe(kms, key)["ValidTo"] - now() < 6 * DAY
    delete(kms, key, KeyMaterialId=ids[0])
    delete(kms, key, KeyMaterialId=ids[2])
    assert states(kms, key) == [
        ("NON_CURRENT", "PENDING_IMPORT"), ("NON_CURRENT", "IMPORTED"), ("CURRENT", "PENDING_IMPORT")]
    bring(A)
    described = describe(kms, key)
    assert (described["KeyState"], described["CurrentKeyMaterialId"]) == ("PendingImport", ids[2])
    for blob in blobs:
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
            kms.decrypt(CiphertextBlob=blob)
    bring(C)
    assert describe(kms, key)["KeyState"] == "Enabled"
    for secret, blob, material in zip([A, B, C], blobs, ids):
        answer = kms.decrypt(CiphertextBlob=blob)
        assert (answer["Plaintext"], answer["KeyMaterialId"]) == (secret, material)

    pages = [kms.list_key_rotations(KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL", Limit=2)]
    assert pages[0]["Truncated"] is True
    pages.append(kms.list_key_rotations(
        KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL", Limit=2, Marker=pages[0]["NextMarker"]))
    assert pages[1]["Truncated"] is False and "NextMarker" not in pages[1]
    assert [entry["KeyMaterialId"] for page in pages for entry in page["Rotations"]] == ids
    assert [entry["KeyMaterialId"] for entry in listed(kms, key)] == ids[1:]


# States of the key

def test_a_key_that_is_disabled(kms, key, bring):
    """Import and deletion go on (KMS Developer Guide, "Key states")."""
    bring(A)
    kms.disable_key(KeyId=key["KeyId"])
    bring(A)
    assert wrapping.state(kms, key) == "Disabled"
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    delete(kms, key)
    assert wrapping.state(kms, key) == "PendingImport"
    bring(A)
    assert wrapping.state(kms, key) == "Enabled"


def test_a_key_that_waits_for_its_deletion(kms, key, bring):
    bring(A)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    text = f"{key['Arn']} is pending deletion."
    with refused("KMSInvalidStateException", text):
        wrapping.parameters(kms, key)
    with refused("KMSInvalidStateException", text):
        bring(A)
    delete(kms, key)
    assert wrapping.state(kms, key) == "PendingDeletion"
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    assert wrapping.state(kms, key) == "PendingImport"
    bring(A)
    assert wrapping.state(kms, key) == "Enabled"


def test_a_key_without_material_is_deleted(kms, key):
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert wrapping.state(kms, key) == "PendingDeletion"
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    assert wrapping.state(kms, key) == "PendingImport"


# The token

@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_512", "RSA_2048", "ECC_NIST_P384"])
@pytest.mark.parametrize("placement", ["custom"], indirect=True)
def test_nothing_stays_on_the_token(server, kms, create_external, spec):
    key = create_external(spec)

    def objects():
        return [
            entry for entry in softhsm.all_objects(server.data, server.pin) if entry.get("label") == key["Arn"]]

    assert objects() == []
    for _ in range(2):
        wrapping.bring(kms, key)
        wrapping.bring(kms, key)
        # A re-import takes the place of what was there.
        eventually(lambda: len(objects()) == 1, "the object of one import")
        delete(kms, key)
        eventually(lambda: objects() == [], "nothing on the token")


def test_the_oldest_wrapping_key_gives_way(server, kms, key):
    """A key store keeps few of them: a token has few places for objects."""
    given = [wrapping.parameters(kms, key, "RSAES_OAEP_SHA_256") for _ in range(6)]

    def attempt(number):
        kms.import_key_material(**wrapping.request(key, given[number], A, "RSAES_OAEP_SHA_256"))

    with refused("ExpiredImportTokenException"):
        attempt(0)
    for number in [5, 1]:
        attempt(number)
    wrapping.parameters(kms, key, "RSAES_OAEP_SHA_256")
    with refused("ExpiredImportTokenException"):
        attempt(1)
