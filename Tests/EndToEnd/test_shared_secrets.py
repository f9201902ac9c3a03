"""DeriveSharedSecret on every curve, against peers outside of the server, and with public keys that are none."""

import base64
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from support import curves, der, outside
from support.curves import CURVES, FIELDS, coordinate_size
from support.der import sequence, tlv
from support.expect import refused
from support.key_specs import NIST_CURVES

AGREEING = [*NIST_CURVES, "SM2"]
ID_EC_PUBLIC_KEY = tlv(0x06, bytes.fromhex("2a8648ce3d0201"))
NULL = b"\x05\0"


def derive(key, public, **more):
    answer = key.kms.derive_shared_secret(KeyId=key.id, KeyAgreementAlgorithm="ECDH", PublicKey=public, **more)
    assert (answer["KeyId"], answer["KeyAgreementAlgorithm"]) == (key.arn, "ECDH")
    assert answer["KeyOrigin"] == key.metadata["Origin"]
    return answer["SharedSecret"]


def assert_no_public_key(key, public):
    with refused("ValidationException", silent=True):
        derive(key, public)


@pytest.fixture
def agreer(lend):
    return lambda spec, number=0: lend(spec, "KEY_AGREEMENT", number)


@pytest.mark.parametrize("spec", NIST_CURVES)
def test_both_sides_find_the_same_secret(agreer, spec):
    key = agreer(spec)
    own = outside.load(key.public)
    assert own.curve.name == CURVES[spec].name
    for _ in range(5):
        peer = ec.generate_private_key(own.curve)
        secret = derive(key, outside.der(peer.public_key()))
        assert secret == peer.exchange(ec.ECDH(), own)
        assert len(secret) == (own.curve.key_size + 7) // 8


@pytest.mark.parametrize("spec", NIST_CURVES)
def test_a_secret_with_a_leading_zero_keeps_it(agreer, spec):
    key = agreer(spec)
    own = outside.load(key.public)
    # One in 256; with P-521, whose first byte holds one bit, one in two.
    peers = (ec.generate_private_key(own.curve) for _ in range(5000))
    peer = next(peer for peer in peers if peer.exchange(ec.ECDH(), own)[0] == 0)
    assert derive(key, outside.der(peer.public_key())) == peer.exchange(ec.ECDH(), own)


def test_sm2_agrees_with_a_peer_outside(agreer):
    key = agreer("SM2")
    symmetric = key.kms.create_key()["KeyMetadata"]["KeyId"]
    peer = key.kms.generate_data_key_pair(KeyId=symmetric, KeyPairSpec="SM2")
    number = curves.sm2_private_number(peer["PrivateKeyPlaintext"])
    x, _ = curves.sm2_multiple(number, curves.sm2_point(key.public))
    assert derive(key, peer["PublicKey"]) == x.to_bytes(32, "big")


@pytest.mark.parametrize("spec", AGREEING)
def test_two_keys_of_the_server_agree(agreer, spec):
    one, two = agreer(spec), agreer(spec, number=1)
    assert derive(one, two.public) == derive(two, one.public)
    assert derive(one, one.public) != derive(one, two.public)


# Public keys that are none

@pytest.mark.parametrize("spec", AGREEING)
def test_keys_of_another_kind(agreer, spec):
    key = agreer(spec)
    others = [ec.generate_private_key(curve) for name, curve in CURVES.items() if name != spec]
    others += [ec.generate_private_key(curve) for curve in [ec.BrainpoolP256R1(), ec.SECP224R1()]]
    others += [
        rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()]
    for other in others:
        assert_no_public_key(key, outside.der(other.public_key()))


@pytest.mark.parametrize("spec", AGREEING)
def test_points_that_are_not_on_the_curve(agreer, spec):
    key = agreer(spec)
    good = key.public
    size = coordinate_size(spec)
    prefix, x, y = good[: -2 * size], good[-2 * size: -size], good[-size:]
    field = FIELDS[spec]
    number = int.from_bytes(x, "big")
    wrong = [
        prefix + x + outside.flip(y, -1), prefix + outside.flip(x, -1) + y, prefix + y + x,
        prefix + bytes(2 * size), prefix + x + bytes(size), prefix + bytes(size) + y,
        prefix + b"\xff" * (2 * size), prefix + os.urandom(2 * size),
        # Numbers that are no elements of the field: the field itself, and x again, one field further, where it fits.
        prefix + field.to_bytes(size, "big") + y, prefix + x + field.to_bytes(size, "big"),
    ]
    if (number + field).bit_length() <= 8 * size:
        wrong.append(prefix + (number + field).to_bytes(size, "big") + y)
    for public in wrong:
        assert_no_public_key(key, public)
    assert derive(key, good)


@pytest.mark.parametrize("spec", AGREEING)
def test_other_encodings_of_a_good_point(agreer, spec):
    """Taken is the one encoding that everybody must support (RFC 5480 §2.1.1, §2.2): a named curve, uncompressed."""
    key = agreer(spec)
    good = key.public
    size = coordinate_size(spec)
    point = good[-1 - 2 * size:]
    x, y = point[1: 1 + size], point[1 + size:]
    name = curves.parameters(spec, "named_curve")
    odd = y[-1] & 1

    def spki(point, parameters=name, algorithm=ID_EC_PUBLIC_KEY, unused=b"\0"):
        return sequence(sequence(algorithm, parameters), tlv(0x03, unused, point))

    assert spki(point) == good
    wrong = [
        # SEC 1 §2.3.3: compressed, hybrid, the point at infinity; then no known form.
        spki(bytes([2 + odd]) + x), spki(bytes([6 + odd]) + x + y), spki(bytes([7 - odd]) + x + y), spki(b"\0"),
        spki(b"\x05" + x + y), spki(x + y), spki(point + b"\0"), spki(point[:-1]), spki(b""),
        # RFC 3279 §2.3.5: parameters that are inherited, or explicit.
        spki(point, NULL), spki(point, b""), spki(point, curves.parameters(spec, "explicit")),
        # id-ecDH (RFC 5480 §2.1.2) restricts the key; AWS documents only id-ecPublicKey.
        spki(point, algorithm=tlv(0x06, bytes.fromhex("2b81040112"))),
        # Not DER.
        spki(point, unused=b"\1"), good + b"\0", good[:-1], good[1:],
        der.with_long_length(good), der.with_indefinite_length(good), point, b"\0", b"\x30\0", b"x",
        os.urandom(91), os.urandom(8192), good * 2, good + bytes(8192 - len(good)),
    ]
    for number, public in enumerate(wrong):
        try:
            assert_no_public_key(key, public)
        except BaseException as error:
            raise AssertionError(f"encoding {number}") from error
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(good) + b"-----END PUBLIC KEY-----\n"
    assert_no_public_key(key, pem)


@pytest.mark.parametrize(("length", "limit"), [(0, "greater than or equal to 1"), (8193, "less than or equal to 8192")])
def test_the_length_of_a_public_key(agreer, length, limit):
    with refused(
        "ValidationException",
        matching="1 validation error detected: Value .*at 'publicKey' failed to satisfy constraint: "
        f"Member must have length {limit}"):
        derive(agreer("ECC_NIST_P256"), bytes(length))


def test_an_unknown_algorithm(agreer):
    key = agreer("ECC_NIST_P256")
    with refused("ValidationException"):
        key.kms.derive_shared_secret(KeyId=key.id, KeyAgreementAlgorithm="X25519", PublicKey=key.public)


def test_a_key_for_signatures_does_not_agree(lend):
    for spec in [*NIST_CURVES, "ECC_SECG_P256K1"]:
        key = lend(spec, "SIGN_VERIFY")
        with refused(
            "InvalidKeyUsageException",
            f"{key.arn} key usage is SIGN_VERIFY which is not valid for DeriveSharedSecret."):
            derive(key, key.public)
