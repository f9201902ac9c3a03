"""Key material of one's own, and how it is wrapped for ImportKeyMaterial: by Python's `cryptography`, and by the
commands of the KMS Developer Guide, "Encrypt key material"."""

import functools
import os

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from support import curves, outside
from support.key_specs import HMAC, NIST_CURVES, RSA
from support.openssl import openssl

ONE_BLOCK = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
TWO_STEPS = ["RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"]
ALGORITHMS = [*ONE_BLOCK, *TWO_STEPS]
WRAPPING_KEYS = RSA
ELLIPTIC = [*NIST_CURVES, "ECC_SECG_P256K1"]
# Every key spec whose material can be imported, with a usage.
IMPORTABLE = {
    "SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT", **{spec: "GENERATE_VERIFY_MAC" for spec in HMAC},
    **{spec: "SIGN_VERIFY" for spec in [*RSA, *ELLIPTIC]}}
FOREVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
# (RFC 5649 §3.)
PADDED_WRAP_IV = "A65959A6"


def allowed(algorithm, wrapping_key, spec):
    """KMS API, GetParametersForImport, WrappingAlgorithm: an RSA private key does not fit into one block, a P-521 key
    not into the smallest."""
    if algorithm in TWO_STEPS:
        return True
    return spec not in RSA and (spec, wrapping_key) != ("ECC_NIST_P521", "RSA_2048")


def in_turn(number, algorithm, spec):
    """The wrapping key with this number, or the next one that will do."""
    while not allowed(algorithm, WRAPPING_KEYS[number % 3], spec):
        number += 1
    return WRAPPING_KEYS[number % 3]


# Material

def pkcs8(private):
    return private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def private_key(spec, number=0):
    """The key pair with this number; RSA key pairs are slow to make."""
    return _private_key(spec, number)


@functools.cache
def _private_key(spec, number):
    if spec in RSA:
        return rsa.generate_private_key(public_exponent=65537, key_size=int(spec[4:]))
    return ec.generate_private_key(curves.CURVES[spec])


def material(spec, number=0):
    """What is wrapped: the same for the same number."""
    return _material(spec, number)


@functools.cache
def _material(spec, number):
    if spec in RSA or spec in ELLIPTIC:
        return pkcs8(private_key(spec, number))
    return os.urandom(32 if spec == "SYMMETRIC_DEFAULT" else int(spec[5:]) // 8)


def public(spec, number=0):
    """SubjectPublicKeyInfo, DER."""
    return outside.der(private_key(spec, number).public_key())


# Wrapping

def oaep(algorithm):
    hash_ = outside.hash_of(algorithm)
    return padding.OAEP(padding.MGF1(hash_), hash_, None)


def by_cryptography(algorithm, public_key, secret):
    recipient = outside.load(public_key)
    if algorithm in ONE_BLOCK:
        return recipient.encrypt(secret, oaep(algorithm))
    key = os.urandom(32)
    return recipient.encrypt(key, oaep(algorithm)) + keywrap.aes_key_wrap_with_padding(key, secret)


def by_openssl(algorithm, public_key, secret):
    """The commands of the guide, unchanged but for the names of the files."""
    name = "sha256" if algorithm.endswith("256") else "sha1"

    def encrypted(data):
        return openssl(
            "pkeyutl", "-encrypt", "-in", "data", "-out", "out", "-inkey", "key", "-keyform", "DER", "-pubin",
            "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", f"rsa_oaep_md:{name}", "-pkeyopt", f"rsa_mgf1_md:{name}",
            data=data, key=public_key).out

    if algorithm in ONE_BLOCK:
        return encrypted(secret)
    key = os.urandom(32)
    wrapped = openssl(
        "enc", "-id-aes256-wrap-pad", "-K", key.hex(), "-iv", PADDED_WRAP_IV, "-in", "data", "-out", "out",
        data=secret).out
    return encrypted(key) + wrapped


TOOLS = {"cryptography": by_cryptography, "openssl": by_openssl}


# The ceremony

def create(kms, spec="SYMMETRIC_DEFAULT", usage=None, **more):
    """A KMS key without material."""
    return kms.create_key(
        Origin="EXTERNAL", KeySpec=spec, KeyUsage=usage or IMPORTABLE[spec], **more)["KeyMetadata"]


def parameters(kms, key, algorithm="RSA_AES_KEY_WRAP_SHA_256", wrapping_key="RSA_2048"):
    return kms.get_parameters_for_import(
        KeyId=key["KeyId"], WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_key)


def request(key, given, secret, algorithm="RSA_AES_KEY_WRAP_SHA_256", tool=by_cryptography, **more):
    """The arguments of ImportKeyMaterial; the material does not expire unless `more` says when, or how."""
    expiration = {} if more.keys() & {"ValidTo", "ExpirationModel"} else FOREVER
    return {
        "KeyId": key["KeyId"], "ImportToken": given["ImportToken"],
        "EncryptedKeyMaterial": tool(algorithm, given["PublicKey"], secret), **expiration, **more}


def bring(kms, key, secret=None, **more):
    """The whole ceremony: parameters, wrapping, import."""
    secret = material(key["KeySpec"]) if secret is None else secret
    return kms.import_key_material(**request(key, parameters(kms, key), secret, **more))


def state(kms, key):
    return kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"]
