"""Material that unwraps, and is not what the key spec needs: refused, and nothing has changed."""

import base64
import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support import curves, der, outside, wrapping
from support.key_specs import RSA_SIGNING
from support.materials import NEW, Importer, all_refused, server, target, targets
from support.openssl import openssl
from support.wrapping import ONE_BLOCK


def wrong_lengths(spec):
    length = len(wrapping.material(spec))
    return [os.urandom(count) for count in sorted({1, 16, 24, length - 1, length + 1, 2 * length} - {length})]


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"])
@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"])
def test_secret_keys_of_other_lengths(target, spec, algorithm):
    target = target(spec)
    all_refused(target, "IncorrectKeyMaterialException", (
        target.request(secret, algorithm) for secret in [*wrong_lengths(spec), *[b""] * (algorithm in ONE_BLOCK)]))


def explicit(curve):
    """RFC 5480 §2.1.1 allows named curves only."""
    return openssl(
        "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-pkeyopt",
        "ec_param_enc:explicit", "-outform", "DER", "-out", "out").out


def encoded(private, form, encryption=serialization.NoEncryption(), encoding=serialization.Encoding.DER):
    return private.private_bytes(encoding, form, encryption)


def no_pkcs8(spec):
    private = wrapping.private_key(spec)
    good = wrapping.material(spec)
    pkcs8, traditional = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
    return [
        encoded(private, pkcs8, serialization.BestAvailableEncryption(b"password")),
        encoded(private, pkcs8, encoding=serialization.Encoding.PEM), encoded(private, traditional),
        outside.der(private.public_key()), good[:-1], good[:1], b"\x30\x00", b"\0" * len(good), os.urandom(len(good)),
        base64.b64encode(good)]


def no_der(spec):
    """Encodings that are not the only one."""
    good = wrapping.material(spec)
    return [good + b"\0", der.with_long_length(good), der.with_indefinite_length(good)]


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1"])
def test_private_keys_in_other_encodings(default_store, target, spec):
    target = target(spec)
    all_refused(target, "IncorrectKeyMaterialException", (target.request(secret) for secret in no_pkcs8(spec)))
    judged_by_the_token(default_store, target, no_der(spec))


def judged_by_the_token(default_store, target, secrets):
    """RSA keys that a token unwraps are never seen here. Some tokens take more than this server does; but what they
    take has the right public key, and works."""
    if default_store == "software" or target.key["KeySpec"] != "RSA_2048":
        all_refused(target, "IncorrectKeyMaterialException", (target.request(secret) for secret in secrets))
        return
    kms, key = target.kms, wrapping.create(target.kms, "RSA_2048")
    bring = Importer(kms, key)
    for secret in secrets:
        try:
            bring(secret)
        except kms.exceptions.IncorrectKeyMaterialException:
            continue
        assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] == wrapping.public("RSA_2048")
        for algorithm in RSA_SIGNING:
            signature = kms.sign(KeyId=key["KeyId"], Message=b"x", SigningAlgorithm=algorithm)["Signature"]
            assert outside.is_valid(wrapping.public("RSA_2048"), algorithm, signature, b"x")


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"])
def test_private_keys_of_other_curves(target, spec):
    target = target(spec)
    others = [wrapping.material(other) for other in [*wrapping.ELLIPTIC, "RSA_2048"] if other != spec]
    name = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(curves.CURVES[spec].name, "secp256k1")
    all_refused(target, "IncorrectKeyMaterialException", (
        target.request(secret) for secret in [*others, explicit(name), os.urandom(32)]))


def without_meaning(spec):
    """EC private keys whose number, or whose public key, cannot be (SEC 1 §3.2.1)."""
    private, other = wrapping.private_key(spec), wrapping.private_key(spec, 1)
    size, good = curves.coordinate_size(spec), wrapping.material(spec)
    number = private.private_numbers().private_value.to_bytes(size, "big")
    assert good.count(number) == 1
    replaced = [
        good.replace(number, value.to_bytes(size, "big"))
        for value in [0, curves.ORDERS[spec], curves.ORDERS[spec] + 1, 2**(8 * size) - 1]]
    return [*replaced, good.replace(number, other.private_numbers().private_value.to_bytes(size, "big"))]


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_SECG_P256K1"])
def test_private_keys_without_meaning(target, spec):
    target = target(spec)
    all_refused(
        target, "IncorrectKeyMaterialException", (target.request(secret) for secret in without_meaning(spec)))


def rsa_key(**changes):
    """A PKCS#8 RSA key with some numbers changed (RFC 8017 §A.1.2)."""
    numbers = wrapping.private_key("RSA_2048").private_numbers()
    names = {"n": numbers.public_numbers.n, "e": numbers.public_numbers.e, "d": numbers.d, "p": numbers.p,
             "q": numbers.q, "dp": numbers.dmp1, "dq": numbers.dmq1, "qinv": numbers.iqmp}
    inner = der.sequence(der.integer(0), *(der.integer(number) for number in {**names, **changes}.values()))
    # rsaEncryption, 1.2.840.113549.1.1.1, with NULL parameters.
    algorithm = der.sequence(bytes.fromhex("06092a864886f70d0101010500"))
    return der.sequence(der.integer(0), algorithm, der.tlv(0x04, inner))


def test_rsa_keys_that_are_none(target):
    target = target("RSA_2048")
    modulus = wrapping.private_key("RSA_2048").private_numbers().public_numbers.n
    assert rsa_key() == wrapping.material("RSA_2048")
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    primes = openssl(
        "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_primes:3",
        "-outform", "DER", "-out", "out").out
    wrong = [
        wrapping.pkcs8(small), wrapping.material("RSA_3072"), wrapping.material("RSA_4096"), primes,
        wrapping.material("ECC_NIST_P256"), rsa_key(n=modulus + 2), rsa_key(e=3), rsa_key(e=1), rsa_key(e=65536),
        rsa_key(n=0)]
    all_refused(target, "IncorrectKeyMaterialException", (target.request(secret) for secret in wrong))


def test_rsa_keys_whose_parts_do_not_belong_together(default_store, target):
    numbers = wrapping.private_key("RSA_2048").private_numbers()
    other = wrapping.private_key("RSA_2048", 1).private_numbers()
    judged_by_the_token(default_store, target("RSA_2048"), [
        rsa_key(d=numbers.d ^ 2), rsa_key(d=other.d), rsa_key(p=other.p), rsa_key(q=other.q),
        rsa_key(p=1, q=numbers.public_numbers.n), rsa_key(dp=numbers.dmp1 ^ 2), rsa_key(dq=numbers.dmq1 ^ 2),
        rsa_key(qinv=numbers.iqmp ^ 2), rsa_key(d=0), rsa_key(p=0)])


def test_new_material_must_be_right_too(target):
    """Beside material that is in use."""
    target = target(imported=True)
    all_refused(target, "IncorrectKeyMaterialException", (
        target.request(secret, **NEW) for secret in [os.urandom(31), os.urandom(33), wrapping.material("RSA_2048")]))
