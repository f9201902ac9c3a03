"""Import tokens and wrappings that must be refused: AWS's error, and nothing has changed, neither the KMS key nor the
token."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from support import outside, wrapping
from support.materials import all_refused, server, symmetric, target, targets
from support.wrapping import ALGORITHMS, TWO_STEPS

MATERIAL = os.urandom(32)


# Tokens

def test_garbage_for_a_token(symmetric):
    good = symmetric.request(MATERIAL)
    token = good["ImportToken"]
    wrong = [
        b"\0", b"x", os.urandom(len(token)), os.urandom(6144), token[:-1], token[1:], token[:16], token + b"\0",
        token * 2, bytes(len(token)), *(outside.flip(token, index) for index in range(len(token)))]
    all_refused(symmetric, "InvalidImportTokenException", ({**good, "ImportToken": each} for each in wrong))


def test_the_token_of_another_key(server, symmetric):
    clients = [symmetric.kms, server.client("eu-central-1")]
    given = [wrapping.parameters(kms, wrapping.create(kms)) for kms in clients]
    all_refused(
        symmetric, "InvalidImportTokenException",
        (wrapping.request(symmetric.key, each, MATERIAL) for each in given))


def test_the_public_key_of_another_token(symmetric):
    """Public key and token belong together (KMS API, GetParametersForImport)."""
    other = wrapping.parameters(symmetric.kms, symmetric.key)
    good = symmetric.request(MATERIAL)
    all_refused(
        symmetric, "InvalidCiphertextException", [{**good, "ImportToken": other["ImportToken"]}], silent=True)


# Wrappings

@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_damaged_wrappings(symmetric, algorithm):
    good = symmetric.request(MATERIAL, algorithm)
    wrapped = good["EncryptedKeyMaterial"]
    indices = [0, 1, 100, 255, *([256, 257, 270, len(wrapped) - 1] if algorithm in TWO_STEPS else [])]
    wrong = [
        *(outside.flip(wrapped, index) for index in indices), wrapped[:-1], wrapped[1:], wrapped[:255], wrapped[:1],
        wrapped + b"\0", b"\0" + wrapped, wrapped * 2, bytes(len(wrapped)), b"\xff" * len(wrapped), os.urandom(256),
        os.urandom(255), os.urandom(257), os.urandom(6144), b"x"]
    if algorithm in TWO_STEPS:
        wrong += [wrapped[:256], wrapped[:264], wrapped[:256] + os.urandom(40), wrapped[256:], wrapped[:-8],
                  wrapped + bytes(8), wrapped[:256] + bytes(16)]
    all_refused(
        symmetric, "InvalidCiphertextException", ({**good, "EncryptedKeyMaterial": each} for each in wrong),
        silent=True)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_wrapping_of_another_algorithm(symmetric, algorithm):
    given = symmetric.given(algorithm)
    good = symmetric.request(MATERIAL, algorithm)
    all_refused(symmetric, "InvalidCiphertextException", (
        {**good, "EncryptedKeyMaterial": wrapping.by_cryptography(other, given["PublicKey"], MATERIAL)}
        for other in ALGORITHMS if other != algorithm), silent=True)


def test_right_blocks_with_a_wrong_key_inside(symmetric):
    """Where an AES-256 key belongs there is something else, or another one than has wrapped."""
    algorithm = "RSA_AES_KEY_WRAP_SHA_256"
    good, recipient = symmetric.request(MATERIAL), outside.load(symmetric.given()["PublicKey"])
    second_part = good["EncryptedKeyMaterial"][256:]
    blocks = [recipient.encrypt(os.urandom(count), wrapping.oaep(algorithm)) for count in [0, 1, 16, 24, 31, 32, 33]]
    all_refused(
        symmetric, "InvalidCiphertextException",
        ({**good, "EncryptedKeyMaterial": block + second_part} for block in blocks), silent=True)


def test_blocks_with_other_padding(symmetric):
    """PKCS #1 v1.5, another label, a number that is not below the modulus."""
    algorithm = "RSAES_OAEP_SHA_256"
    good, recipient = symmetric.request(MATERIAL, algorithm), outside.load(symmetric.given(algorithm)["PublicKey"])
    hash_ = outside.hash_of(algorithm)
    modulus = recipient.public_numbers().n
    wrong = [
        recipient.encrypt(MATERIAL, padding.PKCS1v15()),
        recipient.encrypt(MATERIAL, padding.OAEP(padding.MGF1(hash_), hash_, b"label")),
        recipient.encrypt(MATERIAL, padding.OAEP(padding.MGF1(outside.HASHES["1"]), hash_, None)),
        modulus.to_bytes(256, "big"), (modulus - 1).to_bytes(256, "big"), (1).to_bytes(256, "big")]
    all_refused(
        symmetric, "InvalidCiphertextException", ({**good, "EncryptedKeyMaterial": each} for each in wrong),
        silent=True)


@pytest.mark.parametrize(("member", "name"), [
    ("EncryptedKeyMaterial", "encryptedKeyMaterial"), ("ImportToken", "importToken")])
def test_lengths(symmetric, member, name):
    good = symmetric.request(MATERIAL)
    for content, text in [(bytes(6145), "less than or equal to 6144"), (b"", "greater than or equal to 1")]:
        all_refused(
            symmetric, "ValidationException", [{**good, member: content}],
            matching=f"1 validation error detected: Value.* at '{name}' failed to satisfy constraint: "
                     f"Member must have length {text}")
