"""What ImportKeyMaterial and DeleteImportedKeyMaterial do to a KMS key, and what they refuse."""

import functools
import os

import pytest

from support import wrapping
from support.expect import refused
from support.materials import DAY, EXISTING, NEW, bring, describe, key, listed, materials, now, server, states

A, B, C = (os.urandom(32) for _ in range(3))
HOUR = DAY / 24


@pytest.fixture(scope="module")
def others(server):
    """Lends a key of another spec, without material."""
    return functools.cache(lambda spec: wrapping.create(server.client(), spec))


# The first import

def test_a_key_without_material(kms, key):
    assert (key["KeyState"], key["Enabled"], key["Origin"]) == ("PendingImport", False, "EXTERNAL")
    assert not key.keys() & {"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"}
    text = f"{key['Arn']} is pending import."
    for call in [
            lambda: kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x"),
            lambda: kms.rotate_key_on_demand(KeyId=key["KeyId"]),
            lambda: kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256"),
            lambda: kms.enable_key(KeyId=key["KeyId"]), lambda: kms.disable_key(KeyId=key["KeyId"]),
            lambda: kms.create_grant(
                KeyId=key["KeyId"], GranteePrincipal="arn:aws:iam::000000000000:root", Operations=["Encrypt"])]:
        with refused("KMSInvalidStateException", text):
            call()
    assert materials(kms, key) == listed(kms, key) == []
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is False
    answer = kms.delete_imported_key_material(KeyId=key["KeyId"])
    assert answer["KeyId"] == key["Arn"] and wrapping.state(kms, key) == "PendingImport"


@pytest.mark.parametrize("more", [{}, NEW])
def test_the_first_import_is_of_new_material(kms, key, bring, more):
    material = bring(A, **more)
    described = describe(kms, key)
    assert (described["KeyState"], described["Enabled"]) == ("Enabled", True)
    assert (described["CurrentKeyMaterialId"], described["ExpirationModel"]) == (
        material, "KEY_MATERIAL_DOES_NOT_EXPIRE")
    assert "ValidTo" not in described and len(material) == 64 and set(material) <= set("0123456789abcdef")
    assert materials(kms, key) == [{
        "KeyId": key["Arn"], "KeyMaterialId": material, "KeyMaterialState": "CURRENT", "ImportState": "IMPORTED",
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}]
    assert listed(kms, key) == []


def test_the_first_import_is_not_of_existing_material(kms, key, bring):
    with refused("IncorrectKeyMaterialException"):
        bring(A, **EXISTING)
    assert describe(kms, key) == key


# Expiration

def test_material_that_expires(kms, key, bring):
    valid_to = now() + 30 * DAY
    material = bring(A, ValidTo=valid_to)
    described = describe(kms, key)
    assert (described["ExpirationModel"], described["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", valid_to)
    [entry] = materials(kms, key)
    assert (entry["ExpirationModel"], entry["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", valid_to)
    # By re-import only, and in every direction.
    for more in [{"ValidTo": valid_to + DAY, "ExpirationModel": "KEY_MATERIAL_EXPIRES"}, {"ValidTo": now() + DAY}]:
        assert bring(A, **more) == material
        assert describe(kms, key)["ValidTo"] == more["ValidTo"]
    assert bring(A) == material
    described = describe(kms, key)
    assert described["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE" and "ValidTo" not in described


@pytest.mark.parametrize("more", [
    {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", "ValidTo": now() + DAY}, {"ValidTo": now() - DAY},
    {"ValidTo": now() + 366 * DAY}, {"ValidTo": 0}, {"ValidTo": now() - DAY, "ExpirationModel": "KEY_MATERIAL_EXPIRES"},
    {"ExpirationModel": "NEVER"},
], ids=str)
def test_dates_that_are_refused(kms, key, bring, more):
    with refused("ValidationException"):
        bring(A, **more)
    assert describe(kms, key) == key
    bring(A, ValidTo=now() + 9 * DAY)
    before = describe(kms, key), materials(kms, key)
    for secret, kind in [(A, {}), (A, EXISTING), (B, NEW)]:
        with refused("ValidationException"):
            bring(secret, **kind, **more)
    assert (describe(kms, key), materials(kms, key)) == before


def test_the_farthest_date(kms, key, bring):
    """365 days from the request (KMS API, ImportKeyMaterial, ValidTo)."""
    with refused("ValidationException"):
        bring(A, ValidTo=now() + 365 * DAY + HOUR)
    bring(A, ValidTo=now() + 365 * DAY - HOUR)
    assert describe(kms, key)["ValidTo"] - now() > 364 * DAY


@pytest.mark.parametrize("more", [{"ExpirationModel": None}, {"ExpirationModel": "KEY_MATERIAL_EXPIRES"}])
def test_a_date_is_needed(kms, key, more):
    """Recorded from AWS."""
    arguments = wrapping.request(key, wrapping.parameters(kms, key), A, **more)
    with refused(
            "ValidationException", "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"):
        kms.import_key_material(**{name: value for name, value in arguments.items() if value is not None})
    assert describe(kms, key) == key


# Later imports

def test_later_imports_are_of_existing_material(kms, key, bring):
    material = bring(A)
    before = describe(kms, key)
    for more in [{}, EXISTING, {"KeyMaterialId": material}, EXISTING | {"KeyMaterialId": material}]:
        assert bring(A, **more) == material
    for more in [{}, EXISTING, {"KeyMaterialId": material}, EXISTING | {"KeyMaterialId": material}]:
        with refused("IncorrectKeyMaterialException"):
            bring(B, **more)
    with refused("IncorrectKeyMaterialException"):
        bring(A, KeyMaterialId="0" * 64)
    with refused("IncorrectKeyMaterialException"):
        bring(A, **NEW)
    assert describe(kms, key) == before


def test_new_material_waits_for_its_rotation(kms, key, bring):
    first = bring(A)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused(
            "KMSInvalidStateException", f"No available key material pending rotation for the key: {key['Arn']}."):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    second = bring(B, KeyMaterialDescription="the second", **NEW)
    assert describe(kms, key)["CurrentKeyMaterialId"] == first
    assert states(kms, key) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]
    with refused("KMSInvalidStateException") as caught:
        bring(C, **NEW)
    text = caught.value.response["Error"]["Message"]
    third = text[22:86]
    assert third not in (first, second)
    assert text == (
        f"New key material (id: {third}) cannot be imported into KMS key {key['Arn']}, because another key material "
        f"(id: {second}) is pending rotation.")
    assert bring(B, **EXISTING) == second
    with refused("IncorrectKeyMaterialException"):
        bring(B, **NEW)

    assert kms.rotate_key_on_demand(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    assert describe(kms, key)["CurrentKeyMaterialId"] == second
    old, current = materials(kms, key)
    assert (old["KeyMaterialId"], old["KeyMaterialState"]) == (first, "NON_CURRENT") and "RotationDate" not in old
    assert abs(current.pop("RotationDate") - now()) < DAY
    assert current == {
        "KeyId": key["Arn"], "KeyMaterialId": second, "KeyMaterialState": "CURRENT", "RotationType": "ON_DEMAND",
        "ImportState": "IMPORTED", "KeyMaterialDescription": "the second",
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    assert [entry["KeyMaterialId"] for entry in listed(kms, key)] == [second]
    status = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (status["KeyId"], status["KeyRotationEnabled"]) == (key["Arn"], False)
    new_blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"y")["CiphertextBlob"]
    for each, plaintext, material in [(blob, b"x", first), (new_blob, b"y", second)]:
        answer = kms.decrypt(CiphertextBlob=each)
        assert (answer["Plaintext"], answer["KeyMaterialId"]) == (plaintext, material)
    # There is never a way back: material that was once current is not new.
    with refused("IncorrectKeyMaterialException"):
        bring(A, **NEW)


def test_an_id_does_not_go_with_new_material(kms, key, bring):
    for more in [{"KeyMaterialId": "0" * 64}, {"KeyMaterialId": "0" * 64, **NEW}]:
        with refused("ValidationException"):
            bring(A, **more)
    material = bring(A)
    with refused("ValidationException"):
        bring(B, KeyMaterialId=material, **NEW)


@pytest.mark.parametrize("more", [NEW, EXISTING, {"KeyMaterialId": "0" * 64}, {"KeyMaterialDescription": "x"}], ids=str)
@pytest.mark.parametrize("spec", ["HMAC_256", "ECC_NIST_P256", "RSA_2048"])
def test_what_only_symmetric_keys_have(kms, others, spec, more):
    with refused("ValidationException"):
        wrapping.bring(kms, others(spec), **more)
    assert wrapping.state(kms, others(spec)) == "PendingImport"


# KeyMaterialDescription

def test_the_description_is_kept(kms, key, bring):
    bring(A, KeyMaterialDescription="A-1: by_hand/2026")
    for more, expected in [({}, "A-1: by_hand/2026"), ({"KeyMaterialDescription": "other"}, "other"), ({}, "other")]:
        bring(A, **more)
        assert materials(kms, key)[0]["KeyMaterialDescription"] == expected
    kms.delete_imported_key_material(KeyId=key["KeyId"])
    assert materials(kms, key)[0]["KeyMaterialDescription"] == "other"
    bring(A)
    assert materials(kms, key)[0]["KeyMaterialDescription"] == "other"


@pytest.mark.parametrize("text", ["semicolon;", "é", "x" * 257])
def test_descriptions_that_are_refused(kms, key, bring, text):
    with refused("ValidationException", matching=".* at 'keyMaterialDescription' failed to satisfy constraint: .*"):
        bring(A, KeyMaterialDescription=text)
