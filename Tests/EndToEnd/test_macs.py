"""GenerateMac and VerifyMac with every HMAC key spec."""

import os

import pytest

from support import outside
from support.expect import refused
from support.key_specs import HMAC, MATRIX

MESSAGE = b"attack at dawn"
ALL_ALGORITHMS = [MATRIX[spec, "GENERATE_VERIFY_MAC"][0] for spec in HMAC]


@pytest.fixture
def maker(lend):
    """Lends a key and its algorithm."""
    return lambda spec, number=0: (
        lend(spec, "GENERATE_VERIFY_MAC", number), MATRIX[spec, "GENERATE_VERIFY_MAC"][0])


def generate(key, algorithm, message=MESSAGE):
    answer = key.kms.generate_mac(KeyId=key.id, Message=message, MacAlgorithm=algorithm)
    assert (answer["KeyId"], answer["MacAlgorithm"]) == (key.arn, algorithm)
    return answer["Mac"]


def verify(key, algorithm, mac, message=MESSAGE):
    answer = key.kms.verify_mac(KeyId=key.id, Message=message, Mac=mac, MacAlgorithm=algorithm)
    assert (answer["KeyId"], answer["MacAlgorithm"]) == (key.arn, algorithm)
    assert answer["MacValid"] is True


@pytest.mark.parametrize("spec", HMAC)
def test_macs_of_messages(maker, spec):
    key, algorithm = maker(spec)
    macs = set()
    for length in [1, 63, 64, 65, 127, 128, 129, 4095, 4096]:
        message = os.urandom(length)
        mac = generate(key, algorithm, message)
        assert len(mac) == int(spec.split("_")[1]) // 8
        assert generate(key, algorithm, message) == mac
        verify(key, algorithm, mac, message)
        macs.add(mac)
    assert len(macs) == 9


@pytest.mark.parametrize("spec", HMAC)
def test_wrong_macs(maker, spec):
    key, algorithm = maker(spec)
    mac = generate(key, algorithm)
    flipped = [outside.flip(mac, index) for index in range(len(mac))]
    others = [
        mac[:-1], mac[1:], mac[:1], mac[:16], mac + b"\0", b"\0" + mac, mac * 2, bytes(len(mac)), b"\0",
        os.urandom(len(mac)), os.urandom(6144), generate(key, algorithm, MESSAGE + b"!")]
    for wrong in [*flipped, *others]:
        with refused("KMSInvalidMacException", silent=True):
            verify(key, algorithm, wrong)
    for message in [MESSAGE[:-1], MESSAGE + b"\0", b"\0"]:
        with refused("KMSInvalidMacException", silent=True):
            verify(key, algorithm, mac, message)
    verify(key, algorithm, mac)


@pytest.mark.parametrize("spec", HMAC)
def test_the_mac_of_another_key(maker, spec):
    (key, algorithm), (other, _) = maker(spec), maker(spec, number=1)
    mac = generate(other, algorithm)
    assert mac != generate(key, algorithm)
    with refused("KMSInvalidMacException", silent=True):
        verify(key, algorithm, mac)


@pytest.mark.parametrize("spec", HMAC)
def test_the_algorithm_goes_with_the_key_spec(maker, spec):
    key, own = maker(spec)
    for algorithm in set(ALL_ALGORITHMS) - {own}:
        text = f"Algorithm {algorithm} is incompatible with key spec {spec}."
        with refused("InvalidKeyUsageException", text):
            generate(key, algorithm)
        with refused("InvalidKeyUsageException", text):
            verify(key, algorithm, bytes(32))
    with refused("ValidationException"):
        generate(key, "HMAC_SHA_1")


def test_lengths(maker):
    key, algorithm = maker("HMAC_256")
    constraint = "1 validation error detected: Value at '{}' failed to satisfy constraint: Member must have length {}"
    for length, limit in [(0, "greater than or equal to 1"), (4097, "less than or equal to 4096")]:
        with refused("ValidationException", constraint.format("message", limit)):
            generate(key, algorithm, bytes(length))
        with refused("ValidationException", constraint.format("message", limit)):
            verify(key, algorithm, b"x", bytes(length))
    for length, limit in [(0, "greater than or equal to 1"), (6145, "less than or equal to 6144")]:
        with refused("ValidationException", constraint.format("mac", limit)):
            verify(key, algorithm, bytes(length))
