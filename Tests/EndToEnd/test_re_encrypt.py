"""ReEncrypt between symmetric and RSA keys, in software and on the token, in every direction."""

import itertools
import os

import pytest

from support.expect import INCORRECT_KEY, refused
from support.key_specs import OAEP

# Key spec, algorithm, placement.
ENDS = [
    (spec, algorithm, placement)
    for spec, algorithm in [("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"), ("RSA_2048", OAEP[0]), ("RSA_2048", OAEP[1])]
    for placement in ["default", "custom"]]


def context(algorithm, **content):
    return content if algorithm == "SYMMETRIC_DEFAULT" else {}


@pytest.mark.parametrize(("source", "destination"), list(itertools.product(ENDS, ENDS)))
def test_from_any_key_to_any_key(lender, source, destination):
    algorithm, to_algorithm = source[1], destination[1]
    key, to = (lender(end[0], "ENCRYPT_DECRYPT", end[2]) for end in (source, destination))
    kms, plaintext = key.kms, os.urandom(190)
    made = kms.encrypt(
        KeyId=key.id, Plaintext=plaintext, EncryptionAlgorithm=algorithm,
        EncryptionContext=context(algorithm, side="from"))["CiphertextBlob"]
    arguments = {
        "CiphertextBlob": made, "SourceKeyId": key.id, "SourceEncryptionAlgorithm": algorithm,
        "SourceEncryptionContext": context(algorithm, side="from"), "DestinationKeyId": to.id,
        "DestinationEncryptionAlgorithm": to_algorithm,
        "DestinationEncryptionContext": context(to_algorithm, side="to")}
    answer = kms.re_encrypt(**arguments)
    assert (answer["SourceKeyId"], answer["KeyId"]) == (key.arn, to.arn)
    assert answer["SourceEncryptionAlgorithm"] == algorithm
    assert answer["DestinationEncryptionAlgorithm"] == to_algorithm
    assert answer.get("SourceKeyMaterialId") == key.metadata.get("CurrentKeyMaterialId")
    assert answer.get("DestinationKeyMaterialId") == to.metadata.get("CurrentKeyMaterialId")
    decrypted = kms.decrypt(
        KeyId=to.id, CiphertextBlob=answer["CiphertextBlob"], EncryptionAlgorithm=to_algorithm,
        EncryptionContext=context(to_algorithm, side="to"))
    assert (decrypted["Plaintext"], decrypted["KeyId"]) == (plaintext, to.arn)


@pytest.mark.parametrize("algorithm", OAEP)
def test_the_limit_of_the_destination(lender, algorithm):
    key, to = lender("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), lender("RSA_2048", "ENCRYPT_DECRYPT")
    limit = 214 if algorithm == OAEP[0] else 190
    for length in [limit, limit + 1]:
        made = key.kms.encrypt(KeyId=key.id, Plaintext=bytes(length))["CiphertextBlob"]
        arguments = {
            "CiphertextBlob": made, "DestinationKeyId": to.id, "DestinationEncryptionAlgorithm": algorithm}
        if length == limit:
            assert key.kms.re_encrypt(**arguments)["CiphertextBlob"]
        else:
            with refused(
                "ValidationException",
                f"Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {limit} bytes."):
                key.kms.re_encrypt(**arguments)


def test_what_each_side_must_be(lender):
    key, to = lender("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), lender("RSA_2048", "ENCRYPT_DECRYPT")
    signer = lender("RSA_2048", "SIGN_VERIFY")
    kms, source = key.kms, {"SourceKeyId": to.id, "SourceEncryptionAlgorithm": OAEP[0]}
    made = kms.encrypt(KeyId=to.id, Plaintext=b"x", EncryptionAlgorithm=OAEP[0])["CiphertextBlob"]
    with refused("InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."):
        kms.re_encrypt(CiphertextBlob=made, **source, DestinationKeyId=to.id)
    with refused("InvalidKeyUsageException", f"Algorithm {OAEP[0]} is incompatible with key spec SYMMETRIC_DEFAULT."):
        kms.re_encrypt(
            CiphertextBlob=made, **source, DestinationKeyId=key.id, DestinationEncryptionAlgorithm=OAEP[0])
    with refused(
        "InvalidKeyUsageException", f"{signer.arn} key usage is SIGN_VERIFY which is not valid for ReEncrypt."):
        kms.re_encrypt(
            CiphertextBlob=made, **source, DestinationKeyId=signer.id, DestinationEncryptionAlgorithm=OAEP[0])
    with refused(*INCORRECT_KEY):
        kms.re_encrypt(
            CiphertextBlob=made, SourceKeyId=signer.id, SourceEncryptionAlgorithm=OAEP[0], DestinationKeyId=key.id)
    for arguments in [{"SourceEncryptionContext": {"a": "b"}}, {"DestinationEncryptionContext": {"a": "b"}}]:
        with refused("ValidationException"):
            kms.re_encrypt(
                CiphertextBlob=made, **source, DestinationKeyId=to.id, DestinationEncryptionAlgorithm=OAEP[0],
                **arguments)


@pytest.mark.parametrize("placement", ["default", "custom"])
def test_bad_ciphertexts(lender, placement):
    key, to = lender("RSA_2048", "ENCRYPT_DECRYPT", placement), lender("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    good = key.kms.encrypt(KeyId=key.id, Plaintext=b"x", EncryptionAlgorithm=OAEP[1])["CiphertextBlob"]
    for wrong in [good[:-1], good + b"x", bytes(256), os.urandom(256), bytes([good[0] ^ 1]) + good[1:]]:
        for algorithm in OAEP:
            with refused("InvalidCiphertextException", silent=True):
                key.kms.re_encrypt(
                    CiphertextBlob=wrong, SourceKeyId=key.id, SourceEncryptionAlgorithm=algorithm,
                    DestinationKeyId=to.id)
