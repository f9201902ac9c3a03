"""GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext with every key pair spec, used outside of the server."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support import key_specs, outside
from support.expect import refused
from support.key_specs import MATRIX, ML_DSA, region_of
from support.openssl import openssl
from support.operations import DATA_KEY_PAIRS

SPECS = [
    *key_specs.RSA, *key_specs.NIST_CURVES, "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", *key_specs.ML_KEM, "SM2"]
CONTEXT = {"purpose": "pairs"}
MESSAGE = b"attack at dawn"


@pytest.fixture(scope="module")
def wrapping_key(lender):
    """A symmetric key in a Region that has the key pair spec."""
    made = {}

    def wrapping_key(spec):
        region = region_of(spec)
        if region not in made:
            kms = lender.client(region)
            made[region] = key_specs.Lent(kms, lender.default_store, kms.create_key()["KeyMetadata"])
        return made[region]

    return wrapping_key


def generate(key, spec, **more):
    """Both operations, one after the other: their answers differ in the private key only."""
    arguments = {"KeyId": key.id, "KeyPairSpec": spec, **more}
    pair = key.kms.generate_data_key_pair(**arguments)
    without = key.kms.generate_data_key_pair_without_plaintext(**arguments)
    members = {"KeyId", "KeyPairSpec", "KeyMaterialId", "PublicKey", "PrivateKeyCiphertextBlob", "ResponseMetadata"}
    assert without.keys() == members
    assert pair.keys() == members | {"PrivateKeyPlaintext"}
    for answer in (pair, without):
        assert (answer["KeyId"], answer["KeyPairSpec"]) == (key.arn, spec)
        assert answer["KeyMaterialId"] == key.metadata["CurrentKeyMaterialId"]
    assert pair["PublicKey"] != without["PublicKey"]
    return pair, without


def private_key(key, answer, **more):
    return key.kms.decrypt(CiphertextBlob=answer["PrivateKeyCiphertextBlob"], **more)["Plaintext"]


def public_key_of(pkcs8, spec):
    """As SubjectPublicKeyInfo, computed outside of the server."""
    if spec == "SM2":
        return openssl(
            "pkey", "-inform", "DER", "-in", "key", "-pubout", "-outform", "DER", "-out", "out", key=pkcs8).out
    return outside.der(outside.load_private(pkcs8).public_key())


@pytest.mark.parametrize("spec", SPECS)
def test_every_key_pair_spec(wrapping_key, spec):
    key = wrapping_key(spec)
    # Key pairs are made in software, wherever the key that wraps them lives.
    if reason := key_specs.refusal("software", spec):
        for operation in [key.kms.generate_data_key_pair, key.kms.generate_data_key_pair_without_plaintext]:
            with refused("UnsupportedOperationException", f"KeyPairSpec {spec} is not supported here: {reason}"):
                operation(KeyId=key.id, KeyPairSpec=spec)
        return
    pair, without = generate(key, spec, EncryptionContext=CONTEXT)
    assert private_key(key, pair, EncryptionContext=CONTEXT) == pair["PrivateKeyPlaintext"]
    for answer in (pair, without):
        pkcs8 = private_key(key, answer, EncryptionContext=CONTEXT)
        assert public_key_of(pkcs8, spec) == answer["PublicKey"]
        for context in [{}, {"EncryptionContext": {"purpose": "other"}}]:
            with refused("InvalidCiphertextException", silent=True):
                private_key(key, answer, **context)


@pytest.mark.parametrize("spec", ["RSA_2048", *key_specs.NIST_CURVES, "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"])
def test_signatures_by_a_data_key_pair(wrapping_key, spec):
    key = wrapping_key(spec)
    pair, _ = generate(key, spec)
    private = outside.load_private(pair["PrivateKeyPlaintext"])
    algorithms = [algorithm for algorithm in MATRIX[spec, "SIGN_VERIFY"] if algorithm != key_specs.PREHASHED]
    for algorithm in algorithms:
        assert outside.is_valid(pair["PublicKey"], algorithm, outside.sign(private, algorithm, MESSAGE), MESSAGE)


@pytest.mark.parametrize("spec", ["ML_KEM_768", "ML_KEM_1024"])
def test_a_data_key_pair_decapsulates(wrapping_key, spec):
    key = wrapping_key(spec)
    pair, _ = generate(key, spec)
    secret, ciphertext = outside.load(pair["PublicKey"]).encapsulate()
    assert outside.load_private(pair["PrivateKeyPlaintext"]).decapsulate(ciphertext) == secret


@pytest.mark.parametrize("spec", key_specs.NIST_CURVES)
def test_a_data_key_pair_agrees_with_a_kms_key(wrapping_key, lender, spec):
    key, agreeing = wrapping_key(spec), lender(spec, "KEY_AGREEMENT")
    pair, _ = generate(key, spec)
    private = outside.load_private(pair["PrivateKeyPlaintext"])
    answer = agreeing.kms.derive_shared_secret(
        KeyId=agreeing.id, KeyAgreementAlgorithm="ECDH", PublicKey=pair["PublicKey"])
    assert answer["SharedSecret"] == private.exchange(ec.ECDH(), outside.load(agreeing.public))


# Refusals

OPERATIONS = list(DATA_KEY_PAIRS.items())


@pytest.mark.parametrize(("method", "operation"), OPERATIONS)
def test_only_symmetric_keys_wrap_key_pairs(lender, method, operation):
    rsa = lender("RSA_2048", "ENCRYPT_DECRYPT")
    with refused("InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."):
        getattr(rsa.kms, method)(KeyId=rsa.id, KeyPairSpec="ECC_NIST_P256")
    kinds = [("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC"), ("ECC_NIST_P256", "KEY_AGREEMENT")]
    for spec, usage in kinds:
        key = lender(spec, usage)
        with refused("InvalidKeyUsageException", f"{key.arn} key usage is {usage} which is not valid for {operation}."):
            getattr(key.kms, method)(KeyId=key.id, KeyPairSpec="ECC_NIST_P256")


@pytest.mark.parametrize(("method", "operation"), OPERATIONS)
def test_a_custom_key_store_makes_no_data_key_pairs(lender, method, operation):
    key = lender("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "custom")
    for spec in ["RSA_2048", "ECC_NIST_P256"]:
        with refused("UnsupportedOperationException"):
            getattr(key.kms, method)(KeyId=key.id, KeyPairSpec=spec)


@pytest.mark.parametrize(("method", "operation"), OPERATIONS)
def test_key_pair_specs_that_there_are_not(lender, method, operation):
    key = lender("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    for spec in [*ML_DSA, "AES_256", "SYMMETRIC_DEFAULT", "HMAC_256", "", "rsa_2048"]:
        with refused(
            "ValidationException",
            matching=rf"1 validation error detected: Value '{spec}' at 'keyPairSpec' failed to satisfy constraint: "
            r"Member must satisfy enum value set: \[.*\]"):
            getattr(key.kms, method)(KeyId=key.id, KeyPairSpec=spec)
    with refused("UnsupportedOperationException", "KeyPairSpec SM2 is not supported in the Region us-east-1."):
        getattr(key.kms, method)(KeyId=key.id, KeyPairSpec="SM2")


def test_every_key_pair_spec_of_the_service_model(kms):
    assert set(kms.meta.service_model.shape_for("DataKeyPairSpec").enum) == set(SPECS)
