"""Sign and Verify with every key spec, algorithm and form of message; signatures are checked outside too."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from support import key_specs, outside
from support.der import integer, sequence
from support.expect import refused
from support.key_specs import MATRIX, PREHASHED, PURE, SIGNING

MESSAGE = b"attack at dawn"
TYPES = ["RAW", "DIGEST", "EXTERNAL_MU"]
ALL_ALGORITHMS = sorted({algorithm for _, algorithm in SIGNING})
ONE_OF_EACH = [(spec, algorithm) for spec, algorithm in SIGNING if spec not in ("RSA_3072", "RSA_4096")]
NO_REPRESENTATIVE = "swift-crypto does not verify a message representative of {}"
TOO_LONG, TOO_SHORT = (
    f"1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length {limit}"
    for limit in ["less than or equal to 4096", "greater than or equal to 1"])


@pytest.fixture
def signer(lend):
    """Lends a key that signs with this algorithm; where none does, its refusal is what is looked at."""
    def signer(spec, algorithm):
        key = lend(spec)
        if reason := key_specs.algorithm_refusal(key.store, algorithm):
            for call in [sign, lambda *arguments, **more: verify(*arguments, b"x" * 64, **more)]:
                for type_ in TYPES:
                    with refused("UnsupportedOperationException", f"{key.arn} cannot do {algorithm}: {reason}"):
                        call(key, algorithm, bytes(64), MessageType=type_)
            pytest.skip(reason)
        return key

    return signer


def sign(key, algorithm, message, **more):
    answer = key.kms.sign(KeyId=key.id, Message=message, SigningAlgorithm=algorithm, **more)
    assert (answer["KeyId"], answer["SigningAlgorithm"]) == (key.arn, algorithm)
    return answer["Signature"]


def verify(key, algorithm, message, signature, **more):
    answer = key.kms.verify(
        KeyId=key.id, Message=message, Signature=signature, SigningAlgorithm=algorithm, **more)
    assert (answer["KeyId"], answer["SigningAlgorithm"]) == (key.arn, algorithm)
    assert answer["SignatureValid"] is True


# What goes together

@pytest.mark.parametrize(("spec", "algorithm"), SIGNING)
def test_every_form_of_a_message_gives_a_signature_of_the_message(signer, spec, algorithm):
    key = signer(spec, algorithm)
    public = key.public
    forms = outside.forms(public, algorithm, MESSAGE)
    signatures = {type_: sign(key, algorithm, form, MessageType=type_) for type_, form in forms.items()}
    if "RAW" in forms:
        signatures["none"] = sign(key, algorithm, MESSAGE)
    for signature in signatures.values():
        if algorithm == PREHASHED:
            # `cryptography` has no Ed25519ph. It must at least not be the pure signature.
            assert not outside.is_valid(public, PURE, signature, forms["DIGEST"])
        else:
            assert outside.is_valid(public, algorithm, signature, MESSAGE)
            assert not outside.is_valid(public, algorithm, signature, MESSAGE + b"!")
        for type_, form in forms.items():
            if type_ == "EXTERNAL_MU" and not key_specs.verifies_representatives():
                with refused("UnsupportedOperationException", NO_REPRESENTATIVE.format(spec.replace("_", "-"))):
                    verify(key, algorithm, form, signature, MessageType=type_)
            else:
                verify(key, algorithm, form, signature, MessageType=type_)


@pytest.mark.parametrize(("spec", "algorithm"), SIGNING)
def test_other_forms_are_refused(signer, spec, algorithm):
    key = signer(spec, algorithm)
    allowed = outside.forms(key.public, algorithm, MESSAGE)
    for type_ in set(TYPES) - set(allowed):
        text = f"MessageType {type_} is not valid for algorithm {algorithm}."
        for length in [32, 48, 64]:
            with refused("ValidationException", text):
                sign(key, algorithm, bytes(length), MessageType=type_)
            with refused("ValidationException", text):
                verify(key, algorithm, bytes(length), b"x", MessageType=type_)
    if "RAW" not in allowed:
        with refused("ValidationException", f"MessageType RAW is not valid for algorithm {algorithm}."):
            sign(key, algorithm, bytes(64))
    for type_ in ["", "raw", "HASH"]:
        with refused("ValidationException"):
            sign(key, algorithm, MESSAGE, MessageType=type_)


@pytest.mark.parametrize("spec", [spec for spec, usage in MATRIX if usage == "SIGN_VERIFY"])
def test_algorithms_of_other_key_specs_are_refused(lend, spec):
    key = lend(spec)
    for algorithm in set(ALL_ALGORITHMS) - set(MATRIX[spec, "SIGN_VERIFY"]):
        for type_ in TYPES:
            with refused("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {spec}."):
                sign(key, algorithm, bytes(64), MessageType=type_)
            with refused("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {spec}."):
                verify(key, algorithm, bytes(64), b"x", MessageType=type_)
    with refused("ValidationException"):
        sign(key, "RSASSA_PSS_SHA_1", MESSAGE)


# Lengths

@pytest.mark.parametrize(("spec", "algorithm"), SIGNING)
def test_digests_of_another_length(signer, spec, algorithm):
    key = signer(spec, algorithm)
    for type_, form in outside.forms(key.public, algorithm, MESSAGE).items():
        if type_ == "RAW":
            continue
        for length in {1, 20, 32, 48, 64, len(form) - 1, len(form) + 1, 4096} - {len(form)}:
            text = f"Digest is invalid length for algorithm {algorithm}."
            with refused("ValidationException", text):
                sign(key, algorithm, bytes(length), MessageType=type_)
            with refused("ValidationException", text):
                verify(key, algorithm, bytes(length), b"x", MessageType=type_)


@pytest.mark.parametrize(("spec", "algorithm"), ONE_OF_EACH)
def test_the_length_of_a_message(signer, spec, algorithm):
    key = signer(spec, algorithm)
    public = key.public
    if "RAW" in outside.forms(public, algorithm, MESSAGE):
        for length in [1, 63, 64, 65, 4095, 4096]:
            message = os.urandom(length)
            signature = sign(key, algorithm, message)
            assert outside.is_valid(public, algorithm, signature, message)
            verify(key, algorithm, message, signature)
    for message, text in [(bytes(4097), TOO_LONG), (b"", TOO_SHORT)]:
        for type_ in TYPES:
            with refused("ValidationException", text):
                sign(key, algorithm, message, MessageType=type_)
            with refused("ValidationException", text):
                verify(key, algorithm, message, b"x", MessageType=type_)


# Which signatures are made again and which are not

@pytest.mark.parametrize(("spec", "algorithm"), ONE_OF_EACH)
def test_signing_twice(signer, spec, algorithm):
    key = signer(spec, algorithm)
    type_, form = next(iter(outside.forms(key.public, algorithm, MESSAGE).items()))
    signatures = {sign(key, algorithm, form, MessageType=type_) for _ in range(3)}
    # RFC 8017 §8.2 and RFC 8032 have no randomness; all others must have it.
    is_deterministic = algorithm.startswith(("RSASSA_PKCS1", "ED25519"))
    assert len(signatures) == (1 if is_deterministic else 3)


@pytest.mark.parametrize(("spec", "algorithm"), SIGNING)
def test_the_form_of_a_signature(signer, spec, algorithm):
    """Length, and for curves the strictest DER (FIPS 204 §4, RFC 8032 §5.1.6, RFC 8017 §8, RFC 3279 §2.2.3)."""
    key = signer(spec, algorithm)
    type_, form = next(iter(outside.forms(key.public, algorithm, MESSAGE).items()))
    signature = sign(key, algorithm, form, MessageType=type_)
    lengths = {
        "RSA_2048": 256, "RSA_3072": 384, "RSA_4096": 512, "ECC_NIST_EDWARDS25519": 64, "ML_DSA_44": 2420,
        "ML_DSA_65": 3309, "ML_DSA_87": 4627}
    if spec in lengths:
        assert len(signature) == lengths[spec]
    else:
        r, s = decode_dss_signature(signature)
        assert signature == sequence(integer(r), integer(s))
