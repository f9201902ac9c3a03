"""What the server does, done once more without it: by Python's `cryptography` and the command `openssl`."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from support import curves
from support.openssl import openssl

HASHES = {"1": hashes.SHA1(), "256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def hash_of(algorithm):
    """The hash that an algorithm's name ends with."""
    return HASHES[algorithm.rsplit("_", 1)[1]]


def der(public):
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def load(spki):
    return serialization.load_der_public_key(spki)


def load_private(pkcs8):
    return serialization.load_der_private_key(pkcs8, None)


def flip(data, index):
    """`data` with one bit changed."""
    changed = bytearray(data)
    changed[index] ^= 1
    return bytes(changed)


# Signatures

def is_valid(spki, algorithm, signature, message):
    """Whether the signature is one of `message`."""
    if algorithm == "SM2DSA":
        return openssl(
            "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin", "-digest", "sm3", "-in",
            "message", "-sigfile", "signature", "-pkeyopt", "distid:1234567812345678", check=False, key=spki,
            message=message, signature=signature).succeeded
    public = load(spki)
    try:
        if algorithm.startswith("ECDSA"):
            public.verify(signature, message, ec.ECDSA(hash_of(algorithm)))
        elif algorithm.startswith("RSASSA_PSS"):
            hash_ = hash_of(algorithm)
            public.verify(signature, message, padding.PSS(padding.MGF1(hash_), hash_.digest_size), hash_)
        elif algorithm.startswith("RSASSA"):
            public.verify(signature, message, padding.PKCS1v15(), hash_of(algorithm))
        else:
            # Pure Ed25519; ML-DSA with an empty context.
            public.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def sign(private, algorithm, message):
    """A signature by a key pair that is not the server's."""
    if algorithm.startswith("ECDSA"):
        return private.sign(message, ec.ECDSA(hash_of(algorithm)))
    if algorithm.startswith("RSASSA_PSS"):
        hash_ = hash_of(algorithm)
        return private.sign(message, padding.PSS(padding.MGF1(hash_), hash_.digest_size), hash_)
    if algorithm.startswith("RSASSA"):
        return private.sign(message, padding.PKCS1v15(), hash_of(algorithm))
    return private.sign(message)


def forms(spki, algorithm, message):
    """The message in each form that the algorithm takes, by MessageType."""
    if algorithm == "ED25519_SHA_512":
        return {"RAW": message}
    if algorithm == "ED25519_PH_SHA_512":
        return {"DIGEST": hashlib.sha512(message).digest()}
    if algorithm == "ML_DSA_SHAKE_256":
        return {"RAW": message, "EXTERNAL_MU": representative(spki, message)}
    if algorithm == "SM2DSA":
        return {"RAW": message, "DIGEST": curves.sm2_digest(spki, message)}
    return {"RAW": message, "DIGEST": hashlib.new(hash_of(algorithm).name, message).digest()}


def representative(spki, message):
    """µ of a message without context (FIPS 204, Algorithm 2 and Algorithm 7, line 6)."""
    key = hashlib.shake_256(load(spki).public_bytes_raw()).digest(64)
    return hashlib.shake_256(key + b"\0\0" + message).digest(64)
