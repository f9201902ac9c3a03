"""Signatures that are none: always the same answer without a message, never `false`, wherever the key lives."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from support import der, key_specs, outside
from support.curves import ED25519_ORDER, ORDERS, coordinate_size
from support.der import integer, sequence, tlv
from support.expect import refused
from support.key_specs import ECDSA, PREHASHED, RSA_SIGNING, SIGNING

MESSAGE = b"attack at dawn"
ONE_OF_EACH = [
    (spec, algorithm) for spec, algorithm in SIGNING if spec not in ("RSA_3072", "RSA_4096") and algorithm != PREHASHED]


def sign(key, algorithm, message=MESSAGE):
    return key.kms.sign(KeyId=key.id, Message=message, SigningAlgorithm=algorithm)["Signature"]


def verify(key, algorithm, signature, message=MESSAGE, **more):
    return key.kms.verify(KeyId=key.id, Message=message, Signature=signature, SigningAlgorithm=algorithm, **more)


def assert_invalid(key, algorithm, signature, message=MESSAGE, **more):
    with refused("KMSInvalidSignatureException", silent=True):
        verify(key, algorithm, signature, message, **more)


@pytest.mark.parametrize(("spec", "algorithm"), ONE_OF_EACH)
def test_changed_signatures_and_messages(lend, spec, algorithm):
    key = lend(spec)
    signature = sign(key, algorithm)
    length = len(signature)
    changed = [outside.flip(signature, index) for index in {0, 1, length // 2, length - 1}]
    cut = [signature[:-1], signature[1:], signature[:1], signature[: length // 2]]
    longer = [signature + b"\0", b"\0" + signature, signature * 2 if length < 3000 else signature + bytes(100)]
    others = [bytes(length), b"\xff" * length, os.urandom(length), b"\0", os.urandom(6144)]
    for wrong in [*changed, *cut, *longer, *others]:
        assert_invalid(key, algorithm, wrong)
    for message in [MESSAGE[:-1], MESSAGE + b"\0", b"\0", outside.flip(MESSAGE, 0), bytes(4096)]:
        assert_invalid(key, algorithm, signature, message)
    form = outside.forms(key.public, algorithm, MESSAGE).get("DIGEST")
    if form:
        assert_invalid(key, algorithm, signature, outside.flip(form, -1), MessageType="DIGEST")
        # The digest is not the message.
        assert_invalid(key, algorithm, signature, form)
    assert verify(key, algorithm, signature)["SignatureValid"]


@pytest.mark.parametrize(("spec", "algorithm"), ONE_OF_EACH)
def test_the_signature_of_another_key(lend, lender, spec, algorithm):
    key = lend(spec)
    if spec == "RSA_2048":
        # They take long: the other one is not made for this test alone.
        other = lender(spec, placement="custom" if key.metadata["Origin"] == "AWS_KMS" else "default")
    else:
        other = lend(spec, number=1)
    assert other.id != key.id
    assert_invalid(key, algorithm, sign(other, algorithm))


@pytest.mark.parametrize(("length", "limit"), [(0, "greater than or equal to 1"), (6145, "less than or equal to 6144")])
def test_the_length_of_a_signature(lend, length, limit):
    key = lend("ECC_NIST_P256")
    with refused(
        "ValidationException",
        "1 validation error detected: Value at 'signature' failed to satisfy constraint: "
        f"Member must have length {limit}"):
        verify(key, "ECDSA_SHA_256", bytes(length))


@pytest.mark.parametrize("made", RSA_SIGNING)
def test_an_rsa_signature_is_of_one_algorithm(lend, made):
    key = lend("RSA_2048")
    signature = sign(key, made)
    for algorithm in set(RSA_SIGNING) - {made}:
        assert_invalid(key, algorithm, signature)


@pytest.mark.parametrize("algorithm", RSA_SIGNING)
def test_rsa_signatures_out_of_range(lend, algorithm):
    """RFC 8017 §5.2.2: a signature is less than the modulus. The same number plus the modulus is none."""
    key = lend("RSA_2048")
    modulus = outside.load(key.public).public_numbers().n
    signature = int.from_bytes(sign(key, algorithm), "big")
    for number in [0, 1, modulus - 1, modulus, modulus - signature]:
        assert_invalid(key, algorithm, number.to_bytes(256, "big"))
    for number in range(1, 3):
        assert_invalid(key, algorithm, (signature + number * modulus).to_bytes(257, "big"))


@pytest.mark.parametrize("algorithm", ["RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PSS_SHA_256"])
def test_a_leading_zero_belongs_to_an_rsa_signature(lend, algorithm):
    """RFC 8017 §8.1.2 and §8.2.2, step 1: as long as the modulus, although the number would be the same."""
    key = lend("RSA_2048")
    # One signature in 256 begins with a zero; none in 5000 would be a sensation.
    messages = (b"%d" % number for number in range(5000))
    message, signature = next(
        (message, signature) for message in messages if (signature := sign(key, algorithm, message))[0] == 0)
    for wrong in [signature[1:], signature.lstrip(b"\0"), b"\0" + signature]:
        assert_invalid(key, algorithm, wrong, message)
    assert verify(key, algorithm, signature, message)["SignatureValid"]


@pytest.mark.parametrize("spec", [*ECDSA, "SM2"])
def test_signatures_on_curves_in_another_form(lend, spec):
    """RFC 3279 §2.2.3: SEQUENCE { r, s } in DER, 0 < r, s < n."""
    key, algorithm = lend(spec), ECDSA.get(spec, "SM2DSA")
    signature = sign(key, algorithm)
    r, s = decode_dss_signature(signature)
    order, size = ORDERS[spec], coordinate_size(spec)
    content = integer(r) + integer(s)
    wrong = [
        r.to_bytes(size, "big") + s.to_bytes(size, "big"),
        sequence(integer(s), integer(r)),
        sequence(integer(0), integer(s)), sequence(integer(r), integer(0)), sequence(integer(0), integer(0)),
        sequence(integer(order), integer(s)), sequence(integer(r), integer(order)),
        sequence(integer(r + order), integer(s)), sequence(integer(r), integer(s + order)),
        sequence(integer(r)), sequence(), sequence(integer(r), integer(s), integer(1)),
        # BER that is not DER, and a number with a superfluous zero; then bytes behind the end.
        der.with_long_length(signature), der.with_indefinite_length(signature),
        sequence(tlv(0x02, b"\0" + der.content(integer(r))), integer(s)),
        signature + b"\x05\0",
        tlv(0x31, content), sequence(tlv(0x04, der.content(integer(r))), integer(s)),
    ]
    for number, form in enumerate(wrong):
        try:
            assert_invalid(key, algorithm, form)
        except BaseException as error:
            raise AssertionError(f"form {number}") from error
    assert verify(key, algorithm, sequence(integer(r), integer(s)))["SignatureValid"]


def test_a_signature_of_ed25519_has_one_form(lend):
    """RFC 8032 §5.1.7: S is below the order of the group; S plus the order would satisfy the equation too."""
    key = lend("ECC_NIST_EDWARDS25519")
    signature = sign(key, "ED25519_SHA_512")
    s = int.from_bytes(signature[32:], "little")
    for number in [s + ED25519_ORDER, ED25519_ORDER, 0]:
        assert_invalid(key, "ED25519_SHA_512", signature[:32] + number.to_bytes(32, "little"))
    # The neutral element as R, and points that are no points.
    for point in [b"\x01" + bytes(31), b"\xff" * 32, b"\x02" + bytes(31)]:
        assert_invalid(key, "ED25519_SHA_512", point + signature[32:])


@pytest.mark.parametrize("spec", key_specs.ML_DSA)
def test_an_ml_dsa_signature_is_of_one_parameter_set(lend, spec):
    key = lend(spec)
    for other in set(key_specs.ML_DSA) - {spec}:
        assert_invalid(key, "ML_DSA_SHAKE_256", sign(lend(other), "ML_DSA_SHAKE_256"))
    # The representative is not the message: signed as RAW, it is another one.
    representative = outside.representative(key.public, MESSAGE)
    assert_invalid(key, "ML_DSA_SHAKE_256", sign(key, "ML_DSA_SHAKE_256", representative))
