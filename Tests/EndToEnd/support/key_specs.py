"""What every key spec does, as the tests expect it: the whole matrix, and the one table of what a key store cannot do.

Nothing here asks the server. A store that can do less, or more, than these tables say is a failed test.
"""

import dataclasses
import functools
import re
import subprocess

import pytest

from support import custom_store

USAGES = ["SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"]
# The member of KeyMetadata and GetPublicKey that lists the algorithms of a usage.
LISTS = {
    "SIGN_VERIFY": "SigningAlgorithms", "ENCRYPT_DECRYPT": "EncryptionAlgorithms",
    "GENERATE_VERIFY_MAC": "MacAlgorithms", "KEY_AGREEMENT": "KeyAgreementAlgorithms",
    "ENCAPSULATE_DECAPSULATE": "EncapsulationAlgorithms"}

RSA = ["RSA_2048", "RSA_3072", "RSA_4096"]
NIST_CURVES = ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"]
HMAC = ["HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"]
ML_DSA = ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"]
ML_KEM = ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"]
SPECS = [
    "SYMMETRIC_DEFAULT", *HMAC, *RSA, *NIST_CURVES, "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", *ML_DSA, *ML_KEM, "SM2"]

OAEP = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
RSA_SIGNING = [f"RSASSA_{scheme}_SHA_{size}" for scheme in ["PKCS1_V1_5", "PSS"] for size in [256, 384, 512]]
ECDSA = {
    "ECC_NIST_P256": "ECDSA_SHA_256", "ECC_NIST_P384": "ECDSA_SHA_384", "ECC_NIST_P521": "ECDSA_SHA_512",
    "ECC_SECG_P256K1": "ECDSA_SHA_256"}
PURE, PREHASHED = "ED25519_SHA_512", "ED25519_PH_SHA_512"

# Every pair that AWS allows, with its algorithms in the order in which AWS lists them.
MATRIX = {
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): ["SYMMETRIC_DEFAULT"],
    **{(spec, "GENERATE_VERIFY_MAC"): [spec.replace("_", "_SHA_")] for spec in HMAC},
    **{(spec, "ENCRYPT_DECRYPT"): OAEP for spec in RSA},
    **{(spec, "SIGN_VERIFY"): RSA_SIGNING for spec in RSA},
    **{(spec, "SIGN_VERIFY"): [algorithm] for spec, algorithm in ECDSA.items()},
    **{(spec, "KEY_AGREEMENT"): ["ECDH"] for spec in NIST_CURVES},
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"): [PURE, PREHASHED],
    **{(spec, "SIGN_VERIFY"): ["ML_DSA_SHAKE_256"] for spec in ML_DSA},
    **{(spec, "ENCAPSULATE_DECAPSULATE"): ["ML_KEM"] for spec in ML_KEM},
    ("SM2", "ENCRYPT_DECRYPT"): ["SM2PKE"],
    ("SM2", "SIGN_VERIFY"): ["SM2DSA"],
    ("SM2", "KEY_AGREEMENT"): ["ECDH"],
}
SIGNING = [
    (spec, algorithm) for (spec, usage), listed in MATRIX.items() if usage == "SIGN_VERIFY" for algorithm in listed]

# KeySpec has values that the older CustomerMasterKeySpec does not have; such keys are described without it.
WITHOUT_CUSTOMER_MASTER_KEY_SPEC = {"ECC_NIST_EDWARDS25519", *ML_DSA, *ML_KEM}


# What the key stores cannot do

@functools.cache
def libcrypto():
    """The version of the libcrypto that the server is linked with: `openssl` comes from the same package."""
    found = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.match(r"OpenSSL (\d+)\.(\d+)", found).groups())


# Key specs of which no key can be made on the SoftHSM token, and why, as the server says it.
NOT_ON_TOKEN = {
    **{spec: "the token does not have ML-DSA (Cryptoki before 3.2)" for spec in ML_DSA},
    **{spec: "the token does not have ML-KEM (Cryptoki before 3.2)" for spec in ML_KEM},
    "SM2": "the token store does not know SM2",
}
# Key specs and algorithms that wait for a libcrypto: (version, what the server says until then).
NOT_YET_IN_SOFTWARE = {
    "ML_KEM_512": ((3, 5), "neither the installed libcrypto nor swift-crypto offers ML-KEM-512"),
    PREHASHED: ((3, 2), "Ed25519ph needs libcrypto 3.2 or newer; the installed one signs as pure Ed25519"),
}
PREHASHED_ON_TOKEN = (
    "the token fails at ED25519_PH_SHA_512 with ECC_NIST_EDWARDS25519: no token is known that signs Ed25519ph as the "
    "API means it")


def _not_in_software(name):
    version, reason = NOT_YET_IN_SOFTWARE.get(name, ((0, 0), None))
    return reason if libcrypto() < version else None


def refusal(store, spec):
    """Why `store` ("software" or "token") makes no keys of this spec; None if it does."""
    return NOT_ON_TOKEN.get(spec) if store == "token" else _not_in_software(spec)


def algorithm_refusal(store, algorithm):
    """Why keys in `store` do not do what others of their spec do; None if they do."""
    if algorithm != PREHASHED:
        return None
    return PREHASHED_ON_TOKEN if store == "token" else _not_in_software(algorithm)


def algorithms(store, spec, usage):
    """What a key in `store` lists."""
    return [algorithm for algorithm in MATRIX[spec, usage] if algorithm_refusal(store, algorithm) is None]


def verifies_representatives():
    """Whether Verify takes EXTERNAL_MU: wherever the private key is, libcrypto does it, from 3.5."""
    return libcrypto() >= (3, 5)


# Keys

def region_of(spec):
    """A Region in which keys of this spec are made."""
    return "cn-north-1" if spec == "SM2" else "us-east-1"


@dataclasses.dataclass(frozen=True)
class Lent:
    """A key that many tests use. Nobody changes it."""

    kms: object  # A client of the key's Region.
    store: str
    metadata: dict

    @property
    def id(self):
        return self.metadata["KeyId"]

    @property
    def arn(self):
        return self.metadata["Arn"]

    @property
    def public(self):
        """SubjectPublicKeyInfo, DER."""
        return self.kms.get_public_key(KeyId=self.id)["PublicKey"]


class Lender:
    """Makes each kind of key once: for some of them the token needs seconds."""

    def __init__(self, server, default_store):
        self.server, self.default_store = server, default_store
        self.clients, self.keys = {}, {}
        self.stores = {"us-east-1": server.ready["customKeyStoreId"]}

    def client(self, region):
        if region not in self.clients:
            self.clients[region] = self.server.client(region)
        return self.clients[region]

    def store(self, placement):
        return "token" if placement == "custom" else self.default_store

    def placing(self, placement, region):
        """What CreateKey needs for a key in `placement`."""
        if placement == "default":
            return {}
        if region not in self.stores:
            self.stores[region] = custom_store.connected(self.client(region), self.server.pin)
        return {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": self.stores[region]}

    def __call__(self, spec, usage="SIGN_VERIFY", placement="default", number=0):
        """The key with this number of its kind. A test of something that the store cannot do is skipped, with the
        reason that test_key_matrix.py insists on."""
        if reason := refusal(self.store(placement), spec):
            pytest.skip(f"{spec}: {reason}")
        name = (spec, usage, placement, number)
        if name not in self.keys:
            kms = self.client(region_of(spec))
            metadata = kms.create_key(
                KeySpec=spec, KeyUsage=usage, **self.placing(placement, region_of(spec)))["KeyMetadata"]
            self.keys[name] = Lent(kms, self.store(placement), metadata)
        return self.keys[name]
