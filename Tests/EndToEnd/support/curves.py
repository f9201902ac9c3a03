"""Elliptic curves as numbers, and SM2, which `cryptography` does not have."""

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec

from support.openssl import openssl

CURVES = {
    "ECC_NIST_P256": ec.SECP256R1(), "ECC_NIST_P384": ec.SECP384R1(), "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1()}
# The orders of their groups; SM2 as in GB/T 32918.5.
ORDERS = {
    **{spec: curve.group_order for spec, curve in CURVES.items()},
    "SM2": 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123}
# The primes of their fields (SEC 2 §2; GB/T 32918.5).
FIELDS = {
    "ECC_NIST_P256": 2**256 - 2**224 + 2**192 + 2**96 - 1, "ECC_NIST_P384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
    "ECC_NIST_P521": 2**521 - 1, "SM2": 2**256 - 2**224 - 2**96 + 2**64 - 1}
# The order of the group of Ed25519 (RFC 8032 §5.1).
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def coordinate_size(spec):
    return (ORDERS[spec].bit_length() + 7) // 8


def parameters(spec, form):
    """AlgorithmIdentifier parameters: the curve's "named_curve", or all its numbers, "explicit"."""
    name = CURVES[spec].name if spec in CURVES else "SM2"
    name = {"secp256r1": "prime256v1"}.get(name, name)
    return openssl("ecparam", "-name", name, "-param_enc", form, "-outform", "DER", "-out", "out").out


# SM2

P = FIELDS["SM2"]
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)


def sm2_digest(spki, message):
    """What is signed: SM3 over Z (GB/T 32918.2 §5.5, with the default identifier) and the message."""
    identifier = b"1234567812345678"
    numbers = b"".join(number.to_bytes(32, "big") for number in [A, B, *G])
    z = hashlib.new("sm3", (8 * len(identifier)).to_bytes(2, "big") + identifier + numbers + spki[-64:]).digest()
    return hashlib.new("sm3", z + message).digest()


def sm2_private_number(pkcs8):
    """RFC 5915 §3: version 1, then the number as 32 bytes."""
    start = pkcs8.index(b"\x02\x01\x01\x04\x20") + 5
    return int.from_bytes(pkcs8[start: start + 32], "big")


def sm2_multiple(number, point):
    """`number` times a point."""
    result = None
    for bit in bin(number)[2:]:
        result = _sum(result, result)
        if bit == "1":
            result = _sum(result, point)
    return result


def _sum(one, other):
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if one == other else (y2 - y1) * pow(x2 - x1, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def sm2_point(spki):
    return int.from_bytes(spki[-64:-32], "big"), int.from_bytes(spki[-32:], "big")
