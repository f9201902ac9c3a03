"""The switch `compatibility`: what AWS refuses in a custom key store, and what a token can do there all the same."""

import pytest

from support import server as server_module
from support.expect import refused

OTHERS = [
    ("RSA_2048", "ENCRYPT_DECRYPT"), ("RSA_4096", "SIGN_VERIFY"), ("ECC_NIST_P256", "SIGN_VERIFY"),
    ("ECC_NIST_P384", "KEY_AGREEMENT"), ("ECC_SECG_P256K1", "SIGN_VERIFY"), ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
    ("HMAC_256", "GENERATE_VERIFY_MAC"), ("ML_DSA_65", "SIGN_VERIFY"), ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"),
]


@pytest.fixture(scope="module")
def strict(default_store):
    with server_module.servers() as make:
        yield make(default_store, ["--compatibility", "aws"])


def in_store(server):
    return {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}


@pytest.mark.parametrize(("spec", "usage"), OTHERS, ids=lambda value: value)
def test_aws_takes_symmetric_keys_only(strict, spec, usage):
    kms = strict.client()
    for more in ({}, {"CustomKeyStoreId": "cks-1234567890abcdef0"}):
        with refused(
                "UnsupportedOperationException",
                f"KeySpec {spec} is not supported in a custom key store: it holds SYMMETRIC_DEFAULT keys only."):
            kms.create_key(**in_store(strict) | more, KeySpec=spec, KeyUsage=usage)


def test_aws_says_first_what_is_wrong_with_the_request(strict):
    kms = strict.client()
    with refused("ValidationException", "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048"):
        kms.create_key(**in_store(strict), KeySpec="RSA_2048", KeyUsage="KEY_AGREEMENT")


def test_aws_limits_custom_key_stores_and_nothing_else(strict):
    kms = strict.client()
    key = kms.create_key(**in_store(strict))["KeyMetadata"]
    assert (key["KeySpec"], key["Origin"]) == ("SYMMETRIC_DEFAULT", "AWS_CLOUDHSM")
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")["Plaintext"]
    with refused("UnsupportedOperationException"):
        kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256")
    with refused("UnsupportedOperationException"):
        kms.generate_data_key_pair_without_plaintext(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256")
    # Where the server itself places keys, on a token too, every kind of key is AWS's own.
    for spec, usage in [("ECC_NIST_P256", "KEY_AGREEMENT"), ("HMAC_384", "GENERATE_VERIFY_MAC")]:
        assert kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Origin"] == "AWS_KMS"


def test_what_was_made_before_goes_on_working(new_server):
    server = new_server()
    kms = server.client()
    signing = kms.create_key(**in_store(server), KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    agreeing = kms.create_key(**in_store(server), KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]
    server.options += ["--compatibility", "aws"]
    server.restart()
    kms = server.client()
    arguments = {"KeyId": signing["KeyId"], "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**arguments)["Signature"]
    assert kms.verify(Signature=signature, **arguments)["SignatureValid"] is True
    peer = kms.get_public_key(KeyId=agreeing["KeyId"])["PublicKey"]
    arguments = {"KeyId": agreeing["KeyId"], "KeyAgreementAlgorithm": "ECDH"}
    assert kms.derive_shared_secret(PublicKey=peer, **arguments)["SharedSecret"]
    with refused("UnsupportedOperationException"):
        kms.create_key(**in_store(server), KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
