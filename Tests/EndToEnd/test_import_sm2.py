"""SM2PKE, the wrapping algorithm of China Regions: key material under a wrapping key on the SM2 curve."""

import hashlib
import hmac
import os
import secrets

import pytest

from support import curves, der, outside, wrapping
from support.expect import refused
from support.key_specs import HMAC, MATRIX, NOT_ON_TOKEN
from support.materials import describe, server
from support.openssl import openssl
from support.server import servers
from support.wrapping import ELLIPTIC, FOREVER, WRAPPING_KEYS

REGION = "cn-north-1"


@pytest.fixture
def kms(server):
    return server.client(REGION)


def parameters(kms, key, algorithm="SM2PKE", wrapping_key="SM2"):
    return wrapping.parameters(kms, key, algorithm, wrapping_key)


# Wrapping (GB/T 32918.4 §6), as the DER of GB/T 35276 §7.2

def by_openssl(spki, secret):
    return openssl(
        "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "key", "-in", "data", "-out", "out", key=spki,
        data=secret).out


def parts(spki, secret):
    """C1 as two numbers, C3, C2."""
    number = secrets.randbelow(curves.ORDERS["SM2"] - 1) + 1
    first = curves.sm2_multiple(number, curves.G)
    x, y = (each.to_bytes(32, "big") for each in curves.sm2_multiple(number, curves.sm2_point(spki)))

    def sm3(*contents):
        return hashlib.new("sm3", b"".join(contents)).digest()

    stream = b"".join(sm3(x, y, counter.to_bytes(4, "big")) for counter in range(1, len(secret) // 32 + 2))
    return *first, sm3(x, secret, y), bytes(one ^ two for one, two in zip(secret, stream))


def by_numbers(spki, secret):
    x, y, digest, body = parts(spki, secret)
    return der.sequence(der.integer(x), der.integer(y), der.tlv(0x04, digest), der.tlv(0x04, body))


def request(key, given, wrapped):
    return {"KeyId": key["KeyId"], "ImportToken": given["ImportToken"], "EncryptedKeyMaterial": wrapped, **FOREVER}


def assert_works(kms, key):
    spec, name = key["KeySpec"], key["KeyId"]
    if spec == "SYMMETRIC_DEFAULT":
        blob = kms.encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    elif spec in HMAC:
        [algorithm] = MATRIX[spec, "GENERATE_VERIFY_MAC"]
        mac = kms.generate_mac(KeyId=name, Message=b"x", MacAlgorithm=algorithm)["Mac"]
        assert mac == hmac.digest(wrapping.material(spec), b"x", f"sha{spec[5:]}")
    else:
        algorithm = MATRIX[spec, "SIGN_VERIFY"][0]
        signature = kms.sign(KeyId=name, Message=b"x", SigningAlgorithm=algorithm)["Signature"]
        assert outside.is_valid(wrapping.public(spec), algorithm, signature, b"x")


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", *HMAC, *ELLIPTIC, "RSA_2048", "RSA_3072", "RSA_4096"])
def test_imports(kms, default_store, spec):
    key = wrapping.create(kms, spec)
    if default_store == "token":
        with refused(
                "UnsupportedOperationException",
                f"SM2PKE with SM2 is not supported here: {NOT_ON_TOKEN['SM2']}"):
            parameters(kms, key)
        return
    given = parameters(kms, key)
    for wrap in [by_openssl, by_numbers]:
        answer = kms.import_key_material(**request(key, given, wrap(given["PublicKey"], wrapping.material(spec))))
        assert answer["KeyId"] == key["Arn"]
        assert ("KeyMaterialId" in answer) == (spec == "SYMMETRIC_DEFAULT")
        assert_works(kms, key)
        kms.delete_imported_key_material(KeyId=key["KeyId"])


@pytest.fixture
def software_kms():
    """A client of a server with its keys in software, whatever the others do: no token has SM2."""
    with servers() as make:
        yield make("software").client(REGION)


def test_the_parameters(software_kms):
    key = wrapping.create(software_kms)
    one, other = (parameters(software_kms, key) for _ in range(2))
    assert one["PublicKey"] != other["PublicKey"] and one["ImportToken"] != other["ImportToken"]
    # id-ecPublicKey with the name of the curve, and an uncompressed point (RFC 5480 §2).
    algorithm = der.sequence(bytes.fromhex("06072a8648ce3d0201"), curves.parameters("SM2", "named_curve"))
    point = one["PublicKey"][-65:]
    assert point[0] == 4
    assert one["PublicKey"] == der.sequence(algorithm, der.tlv(0x03, b"\0", point))


def test_wrappings_that_are_refused(software_kms):
    kms, secret = software_kms, os.urandom(32)
    key = wrapping.create(kms)
    given, other = parameters(kms, key), parameters(kms, key)
    good = by_openssl(given["PublicKey"], secret)
    x, y, digest, body = parts(given["PublicKey"], secret)
    before = describe(kms, key)
    wrong = [
        *(outside.flip(good, index) for index in [0, 10, 40, len(good) - 40, len(good) - 1]), good[:-1], good[1:],
        good + b"\0", b"x", bytes(len(good)), os.urandom(len(good)), by_openssl(other["PublicKey"], secret),
        # The other orders and encodings of the three parts.
        b"".join([b"\4", x.to_bytes(32, "big"), y.to_bytes(32, "big"), digest, body]),
        der.sequence(der.integer(x), der.integer(y), der.tlv(0x04, body), der.tlv(0x04, digest)),
        der.sequence(der.integer(x), der.integer(y ^ 1), der.tlv(0x04, digest), der.tlv(0x04, body)),
        der.with_long_length(good), der.with_indefinite_length(good)]
    for wrapped in wrong:
        with refused("InvalidCiphertextException", silent=True):
            kms.import_key_material(**request(key, given, wrapped))
    for count in [1, 16, 31, 33, 64]:
        with refused("IncorrectKeyMaterialException"):
            kms.import_key_material(**request(key, given, by_openssl(given["PublicKey"], os.urandom(count))))
    assert describe(kms, key) == before
    kms.import_key_material(**request(key, given, good))


def test_algorithms_and_wrapping_keys_belong_together(kms):
    key = wrapping.create(kms)
    for wrapping_key in WRAPPING_KEYS:
        with refused("ValidationException"):
            parameters(kms, key, "SM2PKE", wrapping_key)
    for algorithm in wrapping.ALGORITHMS:
        with refused("ValidationException"):
            parameters(kms, key, algorithm, "SM2")


@pytest.mark.parametrize("hash_name", ["SHA_1", "SHA_256"])
def test_aes_key_wrap_is_not_for_china(kms, hash_name):
    """KMS Developer Guide, "Importing key material step 3": there SM2PKE wraps private keys."""
    with refused("UnsupportedOperationException"):
        parameters(kms, wrapping.create(kms, "RSA_2048"), f"RSA_AES_KEY_WRAP_{hash_name}", "RSA_2048")


def test_sm2_keys_are_not_imported(kms):
    for usage in ["SIGN_VERIFY", "ENCRYPT_DECRYPT", "KEY_AGREEMENT"]:
        with refused("UnsupportedOperationException"):
            kms.create_key(Origin="EXTERNAL", KeySpec="SM2", KeyUsage=usage)
