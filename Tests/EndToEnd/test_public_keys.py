"""GetPublicKey: its members for every kind of key, and when there is none."""

import pytest

from support import key_specs, outside
from support.curves import CURVES
from support.expect import refused
from support.key_specs import HMAC, LISTS, MATRIX

ASYMMETRIC = [(spec, usage) for spec, usage in MATRIX if spec not in ("SYMMETRIC_DEFAULT", *HMAC)]
# Bytes of the key itself (FIPS 204, table 2; FIPS 203, table 3; RFC 8032 §5.1.5).
RAW_BYTES = {
    "ML_DSA_44": 1312, "ML_DSA_65": 1952, "ML_DSA_87": 2592, "ML_KEM_768": 1184, "ML_KEM_1024": 1568,
    "ECC_NIST_EDWARDS25519": 32}


@pytest.mark.parametrize(("spec", "usage"), ASYMMETRIC)
def test_the_members_of_the_answer(lend, name, spec, usage):
    key = lend(spec, usage)
    answer = key.kms.get_public_key(KeyId=key.id)
    del answer["ResponseMetadata"]
    expected = {
        "KeyId": key.arn, "KeySpec": spec, "KeyUsage": usage, "PublicKey": answer["PublicKey"],
        LISTS[usage]: key_specs.algorithms(key.store, spec, usage)}
    if spec not in key_specs.WITHOUT_CUSTOMER_MASTER_KEY_SPEC:
        expected["CustomerMasterKeySpec"] = spec
    assert answer == expected
    for identifier in [key.arn, key.id]:
        assert key.kms.get_public_key(KeyId=identifier)["PublicKey"] == answer["PublicKey"]
    alias = f"alias/{name}"
    key.kms.create_alias(AliasName=alias, TargetKeyId=key.id)
    assert key.kms.get_public_key(KeyId=alias)["KeyId"] == key.arn
    key.kms.delete_alias(AliasName=alias)


@pytest.mark.parametrize(("spec", "usage"), [kind for kind in ASYMMETRIC if kind[0] != "SM2"])
def test_the_key_is_a_subject_public_key_info(lend, spec, usage):
    key = lend(spec, usage)
    spki = key.public
    public = outside.load(spki)
    assert outside.der(public) == spki
    if spec.startswith("RSA"):
        assert public.key_size == int(spec.split("_")[1])
        assert public.public_numbers().e == 65537
    elif spec in RAW_BYTES:
        assert len(public.public_bytes_raw()) == RAW_BYTES[spec]
    else:
        assert public.curve.name == CURVES[spec].name


def test_keys_of_one_kind_differ(lend):
    for spec, usage in [("ECC_NIST_P256", "SIGN_VERIFY"), ("ECC_NIST_P256", "KEY_AGREEMENT")]:
        assert lend(spec, usage).public != lend(spec, usage, number=1).public


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", *HMAC])
def test_secret_keys_have_no_public_key(lend, spec):
    key = lend(spec, "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "GENERATE_VERIFY_MAC")
    with refused("UnsupportedOperationException"):
        key.kms.get_public_key(KeyId=key.id)


def test_a_disabled_key_shows_nothing(create_key, kms):
    key = create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    shown = kms.get_public_key(KeyId=key["KeyId"])["PublicKey"]
    kms.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        kms.get_public_key(KeyId=key["KeyId"])
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] == shown
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        kms.get_public_key(KeyId=key["KeyId"])


def test_a_key_that_there_is_not(kms):
    missing = "00000000-0000-0000-0000-000000000000"
    with refused("NotFoundException", f"Key 'arn:aws:kms:us-east-1:000000000000:key/{missing}' does not exist"):
        kms.get_public_key(KeyId=missing)
