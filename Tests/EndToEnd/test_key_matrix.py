"""Every key spec with every usage: which pairs there are, and what a key of each lists, wherever it lives."""

import json

import pytest

from support import key_specs, outside
from support.expect import refused
from support.key_specs import LISTS, MATRIX, SPECS, USAGES, region_of

FORBIDDEN = [(spec, usage) for spec in SPECS for usage in USAGES if (spec, usage) not in MATRIX]


@pytest.fixture
def kms_of(lender):
    """A client of a Region that has the key spec."""
    return lambda spec: lender.client(region_of(spec))


@pytest.mark.parametrize(("spec", "usage"), MATRIX)
def test_an_allowed_pair(lender, placement, kms_of, spec, usage):
    store = lender.store(placement)
    if reason := key_specs.refusal(store, spec):
        with refused(
            "UnsupportedOperationException",
            f"KeySpec {spec} with KeyUsage {usage} is not supported here: {reason}"):
            kms_of(spec).create_key(KeySpec=spec, KeyUsage=usage, **lender.placing(placement, region_of(spec)))
        return
    key = lender(spec, usage, placement)
    assert kms_of(spec).describe_key(KeyId=key.id)["KeyMetadata"] == key.metadata
    listed = {name: key.metadata[name] for name in LISTS.values() if name in key.metadata}
    assert listed == {LISTS[usage]: key_specs.algorithms(store, spec, usage)}
    expected = {
        "KeySpec": spec, "KeyUsage": usage, "KeyState": "Enabled", "Enabled": True, "MultiRegion": False,
        "Origin": "AWS_CLOUDHSM" if placement == "custom" else "AWS_KMS"}
    assert {name: key.metadata[name] for name in expected} == expected
    older = None if spec in key_specs.WITHOUT_CUSTOMER_MASTER_KEY_SPEC else spec
    assert key.metadata.get("CustomerMasterKeySpec") == older
    # AWS names the material of symmetric encryption keys only, and not in a custom key store.
    names_material = spec == "SYMMETRIC_DEFAULT" and placement == "default"
    assert ("CurrentKeyMaterialId" in key.metadata) == names_material


@pytest.mark.parametrize(("spec", "usage"), FORBIDDEN)
def test_a_forbidden_pair(lender, placement, kms_of, spec, usage):
    with refused("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}"):
        kms_of(spec).create_key(KeySpec=spec, KeyUsage=usage, **lender.placing(placement, region_of(spec)))


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec != "SYMMETRIC_DEFAULT"])
def test_the_usage_must_be_said(kms_of, spec):
    with refused(
        "ValidationException",
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."):
        kms_of(spec).create_key(KeySpec=spec)


def test_symmetric_encryption_is_the_default(kms):
    for arguments in [{}, {"KeySpec": "SYMMETRIC_DEFAULT"}, {"KeyUsage": "ENCRYPT_DECRYPT"}]:
        key = kms.create_key(**arguments)["KeyMetadata"]
        assert (key["KeySpec"], key["KeyUsage"]) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")


def test_the_whole_service_model_is_in_the_matrix(kms):
    """A key spec or a usage that a newer SDK brings must not go untested."""
    shape = kms.meta.service_model.shape_for
    assert set(shape("KeySpec").enum) == set(SPECS)
    assert set(shape("KeyUsageType").enum) == set(USAGES)
    listed = {algorithm for algorithms in MATRIX.values() for algorithm in algorithms}
    names = ["SigningAlgorithmSpec", "EncryptionAlgorithmSpec", "MacAlgorithmSpec", "KeyAgreementAlgorithmSpec"]
    assert {algorithm for name in names for algorithm in shape(name).enum} == listed - {"ML_KEM"}
    assert set(shape("KeySpec").enum) - set(shape("CustomerMasterKeySpec").enum) == (
        key_specs.WITHOUT_CUSTOMER_MASTER_KEY_SPEC)


# Regions

@pytest.mark.parametrize("usage", ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1"])
def test_sm2_is_for_china(server, region, usage):
    with refused("UnsupportedOperationException", f"KeySpec SM2 is not supported in the Region {region}."):
        server.client(region).create_key(KeySpec="SM2", KeyUsage=usage)


@pytest.mark.parametrize("spec", key_specs.ML_KEM)
@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
def test_ml_kem_is_not_for_china(server, region, spec):
    with refused("UnsupportedOperationException", f"KeySpec {spec} is not supported in the Region {region}."):
        server.client(region).create_key(KeySpec=spec, KeyUsage="ENCAPSULATE_DECAPSULATE")


# CustomerMasterKeySpec, the older name

def test_the_older_name_of_key_spec(kms):
    key = kms.create_key(CustomerMasterKeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert (key["KeySpec"], key["CustomerMasterKeySpec"]) == ("ECC_NIST_P256", "ECC_NIST_P256")
    with refused("ValidationException", "KeyUsage KEY_AGREEMENT is not compatible with KeySpec ECC_SECG_P256K1"):
        kms.create_key(CustomerMasterKeySpec="ECC_SECG_P256K1", KeyUsage="KEY_AGREEMENT")


@pytest.mark.parametrize("other", ["ECC_NIST_P256", "RSA_2048"])
def test_both_names_of_key_spec(kms, other):
    with refused("ValidationException"):
        kms.create_key(KeySpec="ECC_NIST_P256", CustomerMasterKeySpec=other, KeyUsage="SIGN_VERIFY")


@pytest.mark.parametrize(("arguments", "member"), [
    ({"KeySpec": "RSA_1024", "KeyUsage": "SIGN_VERIFY"}, "keySpec"),
    ({"KeySpec": "rsa_2048", "KeyUsage": "SIGN_VERIFY"}, "keySpec"),
    ({"KeySpec": "", "KeyUsage": "SIGN_VERIFY"}, "keySpec"),
    ({"KeySpec": "RSA_2048", "KeyUsage": "SIGN"}, "keyUsage"),
    ({"CustomerMasterKeySpec": "ML_DSA_65", "KeyUsage": "SIGN_VERIFY"}, "customerMasterKeySpec"),
], ids=json.dumps)
def test_names_that_there_are_not(kms, arguments, member):
    with refused(
        "ValidationException",
        matching=rf"1 validation error detected: Value '.*' at '{member}' failed to satisfy constraint: "
        r"Member must satisfy enum value set: \[.*\]"):
        kms.create_key(**arguments)


# Restart

def test_every_kind_of_key_outlives_a_restart(new_server, default_store):
    server = new_server()
    lender = key_specs.Lender(server, default_store)
    kinds = [
        (spec, usage) for spec, usage in MATRIX if spec not in ("RSA_3072", "RSA_4096")
        and key_specs.refusal(default_store, spec) is None]
    before = {kind: (lender(*kind), work(lender(*kind))) for kind in kinds}
    server.restart()
    for (spec, _), (key, results) in before.items():
        after = key_specs.Lent(server.client(region_of(spec)), key.store, key.metadata)
        assert after.kms.describe_key(KeyId=key.id)["KeyMetadata"] == key.metadata
        check(after, results)


def work(key):
    """Something that only the key can have made."""
    spec, usage = key.metadata["KeySpec"], key.metadata["KeyUsage"]
    name = {"KeyId": key.id}
    match usage:
        case "ENCRYPT_DECRYPT":
            return key.kms.encrypt(Plaintext=b"x", EncryptionAlgorithm=MATRIX[spec, usage][0], **name)["CiphertextBlob"]
        case "SIGN_VERIFY":
            return key.public
        case "GENERATE_VERIFY_MAC":
            return key.kms.generate_mac(Message=b"x", MacAlgorithm=MATRIX[spec, usage][0], **name)["Mac"]
        case "KEY_AGREEMENT":
            return key.kms.derive_shared_secret(
                PublicKey=key.public, KeyAgreementAlgorithm="ECDH", **name)["SharedSecret"]
        case _:
            return key.kms.encapsulate(EncapsulationAlgorithm="ML_KEM", **name)


def check(key, made):
    """Whether the key still is the one that made it."""
    spec, usage = key.metadata["KeySpec"], key.metadata["KeyUsage"]
    name, algorithm = {"KeyId": key.id}, MATRIX[spec, usage][0]
    match usage:
        case "ENCRYPT_DECRYPT":
            answer = key.kms.decrypt(CiphertextBlob=made, EncryptionAlgorithm=algorithm, **name)
            assert answer["Plaintext"] == b"x"
        case "SIGN_VERIFY":
            assert key.public == made
            signature = key.kms.sign(Message=b"x", SigningAlgorithm=algorithm, **name)["Signature"]
            assert outside.is_valid(made, algorithm, signature, b"x")
        case "GENERATE_VERIFY_MAC":
            assert key.kms.verify_mac(Message=b"x", Mac=made, MacAlgorithm=algorithm, **name)["MacValid"]
        case "KEY_AGREEMENT":
            assert work(key) == made
        case _:
            answer = key.kms.decapsulate(
                SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"], EncapsulationAlgorithm="ML_KEM", **name)
            assert answer["SharedSecret"] == made["SharedSecret"]
