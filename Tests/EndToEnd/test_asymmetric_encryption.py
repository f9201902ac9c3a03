"""Encrypt, Decrypt and ReEncrypt with RSA and SM2 keys; the other side is done outside of the server."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from support import der, key_specs, outside
from support.expect import INCORRECT_KEY, refused
from support.key_specs import OAEP, RSA
from support.openssl import openssl

PLAINTEXT = b"attack at dawn"
BYTES = {"RSA_2048": 256, "RSA_3072": 384, "RSA_4096": 512}
# KMS Developer Guide: what OAEP leaves of the modulus, 1024 bytes for SM2PKE.
LIMITS = {
    ("RSA_2048", "RSAES_OAEP_SHA_1"): 214, ("RSA_2048", "RSAES_OAEP_SHA_256"): 190,
    ("RSA_3072", "RSAES_OAEP_SHA_1"): 342, ("RSA_3072", "RSAES_OAEP_SHA_256"): 318,
    ("RSA_4096", "RSAES_OAEP_SHA_1"): 470, ("RSA_4096", "RSAES_OAEP_SHA_256"): 446,
    ("SM2", "SM2PKE"): 1024,
}


def encrypt(key, algorithm, plaintext=PLAINTEXT, **more):
    answer = key.kms.encrypt(KeyId=key.id, Plaintext=plaintext, EncryptionAlgorithm=algorithm, **more)
    assert (answer["KeyId"], answer["EncryptionAlgorithm"]) == (key.arn, algorithm)
    assert "KeyMaterialId" not in answer
    return answer["CiphertextBlob"]


def decrypt(key, algorithm, ciphertext, **more):
    answer = key.kms.decrypt(KeyId=key.id, CiphertextBlob=ciphertext, EncryptionAlgorithm=algorithm, **more)
    assert (answer["KeyId"], answer["EncryptionAlgorithm"]) == (key.arn, algorithm)
    assert "KeyMaterialId" not in answer
    return answer["Plaintext"]


def encrypt_outside(spki, algorithm, plaintext):
    if algorithm == "SM2PKE":
        return openssl(
            "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "key", "-in", "plaintext", "-out", "out",
            key=spki, plaintext=plaintext).out
    return outside.load(spki).encrypt(plaintext, oaep(algorithm))


def oaep(algorithm, label=None, mask=None):
    hash_ = outside.hash_of(algorithm)
    return padding.OAEP(padding.MGF1(mask or hash_), hash_, label)


@pytest.mark.parametrize(("spec", "algorithm"), LIMITS)
def test_the_limit_of_a_plaintext(lend, spec, algorithm):
    key, limit = lend(spec, "ENCRYPT_DECRYPT"), LIMITS[spec, algorithm]
    public = key.public
    for length in [1, 32, limit - 1, limit]:
        plaintext = os.urandom(length)
        ciphertext = encrypt(key, algorithm, plaintext)
        if spec in BYTES:
            assert len(ciphertext) == BYTES[spec]
        assert decrypt(key, algorithm, ciphertext) == plaintext
        assert decrypt(key, algorithm, encrypt_outside(public, algorithm, plaintext)) == plaintext
    for length in [limit + 1, 4096]:
        with refused(
            "ValidationException",
            f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {limit} bytes."):
            encrypt(key, algorithm, bytes(length))
    for length, bound in [(0, "greater than or equal to 1"), (4097, "less than or equal to 4096")]:
        with refused(
            "ValidationException",
            "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
            f"Member must have length {bound}"):
            encrypt(key, algorithm, bytes(length))


def test_openssl_encrypts_as_python_does(lend):
    """A second implementation, with the hash of MGF1 said and not said."""
    key = lend("RSA_2048", "ENCRYPT_DECRYPT")
    for algorithm, hash_ in zip(OAEP, ["sha1", "sha256"]):
        ciphertext = openssl(
            "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "key", "-in", "plaintext", "-out", "out",
            "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", f"rsa_oaep_md:{hash_}", key=key.public,
            plaintext=PLAINTEXT).out
        assert decrypt(key, algorithm, ciphertext) == PLAINTEXT


@pytest.mark.parametrize("spec", [*RSA, "SM2"])
def test_encryption_is_random(lend, spec):
    key = lend(spec, "ENCRYPT_DECRYPT")
    assert len({encrypt(key, key_specs.MATRIX[spec, "ENCRYPT_DECRYPT"][0]) for _ in range(5)}) == 5


# Ciphertexts that are none

@pytest.mark.parametrize(("spec", "algorithm"), LIMITS)
def test_changed_ciphertexts(lend, spec, algorithm):
    key = lend(spec, "ENCRYPT_DECRYPT")
    good = encrypt(key, algorithm)
    length = len(good)
    changed = [outside.flip(good, index) for index in {0, 1, length // 2, length - 1}]
    cut = [good[:-1], good[1:], good[: length // 2], good[:1]]
    longer = [good + b"\0", b"\0" + good, good * 2, good + bytes(6144 - length)]
    others = [bytes(length), b"\xff" * length, os.urandom(length), os.urandom(6144)]
    if spec == "SM2":
        others += [der.with_long_length(good), der.with_indefinite_length(good)]
    else:
        number, modulus = int.from_bytes(good, "big"), outside.load(key.public).public_numbers().n
        # RFC 8017 §5.1.2: a ciphertext is less than the modulus.
        others += [value.to_bytes(length, "big") for value in (1, modulus - 1, modulus)]
        others += [(number + modulus).to_bytes(length + 1, "big")]
    for wrong in [*changed, *cut, *longer, *others]:
        with refused("InvalidCiphertextException", silent=True):
            decrypt(key, algorithm, wrong)
    assert decrypt(key, algorithm, good) == PLAINTEXT
    with refused(
        "ValidationException",
        "1 validation error detected: Value at 'ciphertextBlob' failed to satisfy constraint: "
        "Member must have length less than or equal to 6144"):
        decrypt(key, algorithm, bytes(6145))


@pytest.mark.parametrize("spec", RSA)
def test_other_parameters_of_oaep(lend, spec):
    """Bad padding, another hash, another hash in MGF1, a label: all alike."""
    key = lend(spec, "ENCRYPT_DECRYPT")
    public = outside.load(key.public)
    sha1, sha256 = outside.HASHES["1"], outside.HASHES["256"]
    for algorithm, other in [OAEP, OAEP[::-1]]:
        mask = sha256 if algorithm == OAEP[0] else sha1
        for made in [
            encrypt(key, other), public.encrypt(PLAINTEXT, oaep(algorithm, mask=mask)),
            public.encrypt(PLAINTEXT, oaep(algorithm, label=b"label")),
            public.encrypt(PLAINTEXT, padding.PKCS1v15()),
        ]:
            with refused("InvalidCiphertextException", silent=True):
                decrypt(key, algorithm, made)


def test_an_empty_message_from_outside(lend):
    """Encrypt takes one byte at least; what was encrypted elsewhere may be empty (RFC 8017 §7.1)."""
    key = lend("RSA_2048", "ENCRYPT_DECRYPT")
    for algorithm in OAEP:
        assert decrypt(key, algorithm, encrypt_outside(key.public, algorithm, b"")) == b""


def test_the_ciphertext_of_another_key(lend):
    key, other = lend("RSA_2048", "ENCRYPT_DECRYPT"), lend("RSA_3072", "ENCRYPT_DECRYPT")
    for algorithm in OAEP:
        for one, two in [(key, other), (other, key)]:
            with refused("InvalidCiphertextException", silent=True):
                decrypt(one, algorithm, encrypt(two, algorithm))


# Keys and algorithms that do not go together

def test_the_key_and_the_algorithm_must_be_named(lend):
    key = lend("RSA_2048", "ENCRYPT_DECRYPT")
    ciphertext = encrypt(key, OAEP[0])
    incompatible = ("InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.")
    with refused(*incompatible):
        key.kms.encrypt(KeyId=key.id, Plaintext=b"x")
    with refused(*incompatible):
        key.kms.decrypt(KeyId=key.id, CiphertextBlob=ciphertext)
    for arguments in [{}, {"EncryptionAlgorithm": OAEP[0]}]:
        with refused("InvalidCiphertextException", silent=True):
            key.kms.decrypt(CiphertextBlob=ciphertext, **arguments)


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "RSA_2048", "SM2"])
def test_algorithms_of_other_key_specs(lend, spec):
    key = lend(spec, "ENCRYPT_DECRYPT")
    for algorithm in {"SYMMETRIC_DEFAULT", "SM2PKE", *OAEP} - set(key_specs.MATRIX[spec, "ENCRYPT_DECRYPT"]):
        for call in [
            lambda: encrypt(key, algorithm), lambda: decrypt(key, algorithm, bytes(256)),
            lambda: key.kms.re_encrypt(
                CiphertextBlob=bytes(256), SourceKeyId=key.id, SourceEncryptionAlgorithm=algorithm,
                DestinationKeyId=key.id),
        ]:
            with refused("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {spec}."):
                call()


def test_asymmetric_encryption_has_no_context(lend):
    key = lend("RSA_2048", "ENCRYPT_DECRYPT")
    ciphertext = encrypt(key, OAEP[1])
    with refused("ValidationException"):
        encrypt(key, OAEP[1], EncryptionContext={"a": "b"})
    with refused("ValidationException"):
        decrypt(key, OAEP[1], ciphertext, EncryptionContext={"a": "b"})
    # An empty one is none.
    assert decrypt(key, OAEP[1], encrypt(key, OAEP[1], EncryptionContext={}), EncryptionContext={}) == PLAINTEXT


@pytest.mark.parametrize("usage", ["SIGN_VERIFY", "KEY_AGREEMENT"])
def test_keys_for_something_else(lend, usage):
    key = lend("RSA_2048" if usage == "SIGN_VERIFY" else "ECC_NIST_P256", usage)
    with refused("InvalidKeyUsageException", f"{key.arn} key usage is {usage} which is not valid for Encrypt."):
        encrypt(key, OAEP[0])
    with refused(*INCORRECT_KEY):
        decrypt(key, OAEP[0], bytes(256))
