"""Encapsulate and Decapsulate (ML-KEM, FIPS 203); the other side is done outside of the server."""

import os

import pytest

from support import outside
from support.expect import refused
from support.key_specs import ML_KEM

# Bytes of a ciphertext (FIPS 203, table 3).
CIPHERTEXT_BYTES = {"ML_KEM_512": 768, "ML_KEM_768": 1088, "ML_KEM_1024": 1568}


@pytest.fixture
def receiver(lend):
    return lambda spec, number=0: lend(spec, "ENCAPSULATE_DECAPSULATE", number)


def encapsulate(key):
    answer = key.kms.encapsulate(KeyId=key.id, EncapsulationAlgorithm="ML_KEM")
    assert (answer["KeyId"], answer["EncapsulationAlgorithm"]) == (key.arn, "ML_KEM")
    return answer["SharedSecret"], answer["SharedSecretCiphertextBlob"]


def decapsulate(key, ciphertext):
    answer = key.kms.decapsulate(
        KeyId=key.id, SharedSecretCiphertextBlob=ciphertext, EncapsulationAlgorithm="ML_KEM")
    assert (answer["KeyId"], answer["EncapsulationAlgorithm"]) == (key.arn, "ML_KEM")
    return answer["SharedSecret"]


@pytest.mark.parametrize("spec", ML_KEM)
def test_both_sides_find_the_same_secret(receiver, spec):
    key, secrets = receiver(spec), set()
    for _ in range(5):
        secret, ciphertext = encapsulate(key)
        assert (len(secret), len(ciphertext)) == (32, CIPHERTEXT_BYTES[spec])
        assert decapsulate(key, ciphertext) == secret
        secrets.add(secret)
    assert len(secrets) == 5


@pytest.mark.parametrize("spec", ["ML_KEM_768", "ML_KEM_1024"])
def test_encapsulated_outside(receiver, spec):
    key = receiver(spec)
    secret, ciphertext = outside.load(key.public).encapsulate()
    assert decapsulate(key, ciphertext) == secret


@pytest.mark.parametrize("spec", ["ML_KEM_768", "ML_KEM_1024"])
def test_ciphertexts_of_somebody_else(receiver, spec):
    """FIPS 203 §6.3: another secret, always the same one for the same ciphertext, and no error that would tell."""
    key, other = receiver(spec), receiver(spec, number=1)
    secret, ciphertext = encapsulate(key)
    length = len(ciphertext)
    foreign = [
        encapsulate(other)[1], os.urandom(length), bytes(length), b"\xff" * length,
        *(outside.flip(ciphertext, index) for index in (0, length // 2, length - 1))]
    found = [decapsulate(key, wrong) for wrong in foreign]
    assert found == [decapsulate(key, wrong) for wrong in foreign]
    assert len({secret, *found}) == len(foreign) + 1
    assert all(len(other) == 32 for other in found)


@pytest.mark.parametrize("spec", ["ML_KEM_768", "ML_KEM_1024"])
def test_ciphertexts_of_another_length(receiver, spec):
    key = receiver(spec)
    _, ciphertext = encapsulate(key)
    others = {1, 32, 768, 1088, 1568, 6144} - {len(ciphertext)}
    for wrong in [ciphertext[:-1], ciphertext[1:], ciphertext + b"\0", *(os.urandom(length) for length in others)]:
        with refused("InvalidCiphertextException", silent=True):
            decapsulate(key, wrong)
    for length, limit in [(0, "greater than or equal to 1"), (6145, "less than or equal to 6144")]:
        with refused(
            "ValidationException",
            "1 validation error detected: Value at 'sharedSecretCiphertextBlob' failed to satisfy constraint: "
            f"Member must have length {limit}"):
            decapsulate(key, bytes(length))


def test_the_algorithm_must_be_named(receiver):
    key = receiver("ML_KEM_768")
    _, ciphertext = encapsulate(key)
    for arguments in [{}, {"EncapsulationAlgorithm": "ML_KEM_768"}, {"EncapsulationAlgorithm": ""}]:
        with refused("ValidationException"):
            key.kms.encapsulate(KeyId=key.id, **arguments)
        with refused("ValidationException"):
            key.kms.decapsulate(KeyId=key.id, SharedSecretCiphertextBlob=ciphertext, **arguments)
