"""Imports that must fail: AWS's error, and nothing has changed, neither the KMS key nor the token."""

import base64
import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from support import curves, der, outside, softhsm, wrapping
from support.expect import refused
from support.materials import NEW, describe, materials
from support.openssl import openssl
from support.wrapping import ALGORITHMS, ONE_BLOCK, TWO_STEPS

MATERIAL = os.urandom(32)


class Target:
    """A KMS key with an import token for each algorithm; with material or without."""

    def __init__(self, server, kms, spec, imported):
        self.server, self.kms, self.key = server, kms, wrapping.create(kms, spec)
        self.parameters = {}
        if imported:
            self.bring(wrapping.material(spec))

    def given(self, algorithm="RSA_AES_KEY_WRAP_SHA_256"):
        if algorithm not in self.parameters:
            self.parameters[algorithm] = wrapping.parameters(self.kms, self.key, algorithm)
        return self.parameters[algorithm]

    def request(self, secret, algorithm="RSA_AES_KEY_WRAP_SHA_256", **more):
        return wrapping.request(self.key, self.given(algorithm), secret, algorithm, **more)

    def bring(self, secret, **more):
        return self.kms.import_key_material(**self.request(secret, **more))

    def snapshot(self):
        """All that an import could change."""
        listed = materials(self.kms, self.key) if self.key["KeySpec"] == "SYMMETRIC_DEFAULT" else None
        objects = softhsm.all_objects(self.server.data, self.server.pin)
        return describe(self.kms, self.key), listed, sorted(map(str, objects))


@pytest.fixture(scope="module")
def targets():
    return {}


@pytest.fixture
def target(server, kms, targets):
    """Lends a target; whatever a test does to it must leave it as it is."""
    def lend(spec="SYMMETRIC_DEFAULT", imported=False):
        if (spec, imported) not in targets:
            targets[spec, imported] = Target(server, kms, spec, imported)
        return targets[spec, imported]

    return lend


@pytest.fixture(params=[False, True], ids=["without material", "with material"])
def symmetric(request, target):
    return target(imported=request.param)


def all_refused(target, code, requests, **more):
    """Each request is refused in the same way, and none leaves a trace."""
    for algorithm in ALGORITHMS:
        if wrapping.allowed(algorithm, "RSA_2048", target.key["KeySpec"]):
            target.given(algorithm)
    before = target.snapshot()
    count = 0
    for request in requests:
        with refused(code, **more):
            target.kms.import_key_material(**request)
        count += 1
    assert count > 0 and target.snapshot() == before


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


# Material of the wrong kind

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


def other_encodings(spec):
    private = wrapping.private_key(spec)
    good = wrapping.material(spec)
    pkcs8, traditional = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
    return [
        encoded(private, pkcs8, serialization.BestAvailableEncryption(b"password")),
        encoded(private, pkcs8, encoding=serialization.Encoding.PEM), encoded(private, traditional),
        outside.der(private.public_key()), good + b"\0", good[:-1], good[:1], b"\x30\x00", b"\0" * len(good),
        os.urandom(len(good)), der.with_long_length(good), der.with_indefinite_length(good), base64.b64encode(good)]


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1"])
def test_private_keys_in_other_encodings(target, spec):
    target = target(spec)
    all_refused(
        target, "IncorrectKeyMaterialException", (target.request(secret) for secret in other_encodings(spec)))


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
    numbers = wrapping.private_key("RSA_2048").private_numbers()
    other = wrapping.private_key("RSA_2048", 1).private_numbers()
    assert rsa_key() == wrapping.material("RSA_2048")
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    primes = openssl(
        "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_primes:3",
        "-outform", "DER", "-out", "out").out
    wrong = [
        wrapping.pkcs8(small), wrapping.material("RSA_3072"), wrapping.material("RSA_4096"), primes,
        wrapping.material("ECC_NIST_P256"), rsa_key(n=numbers.public_numbers.n + 2), rsa_key(e=3), rsa_key(e=1),
        rsa_key(e=65536), rsa_key(d=numbers.d ^ 2), rsa_key(d=other.d), rsa_key(p=other.p), rsa_key(q=other.q),
        rsa_key(p=1, q=numbers.public_numbers.n), rsa_key(dp=numbers.dmp1 ^ 2), rsa_key(dq=numbers.dmq1 ^ 2),
        rsa_key(qinv=numbers.iqmp ^ 2), rsa_key(n=0), rsa_key(d=0), rsa_key(p=0)]
    all_refused(target, "IncorrectKeyMaterialException", (target.request(secret) for secret in wrong))


def test_new_material_must_be_right_too(target):
    """Beside material that is in use."""
    target = target(imported=True)
    all_refused(target, "IncorrectKeyMaterialException", (
        target.request(secret, **NEW) for secret in [os.urandom(31), os.urandom(33), wrapping.material("RSA_2048")]))
