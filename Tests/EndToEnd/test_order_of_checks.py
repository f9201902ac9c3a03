"""What every cryptographic operation says first, with DryRun and without, wherever the key lives.

Existence, authorization, state, usage, algorithm, sizes, then what the ciphertext, signature or MAC is worth: each test
breaks one thing, and everything behind it too.
"""

import json
import uuid

import pytest

from support import key_specs, operations
from support.expect import DRY_RUN, INCORRECT_KEY, refused
from support.key_specs import MATRIX
from support.operations import BY_USAGE, KINDS, NAMES, with_key

CRYPTOGRAPHY = [
    "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:Generate*", "kms:Sign", "kms:Verify*",
    "kms:DeriveSharedSecret", "kms:Encapsulate", "kms:Decapsulate"]
# For each usage an operation, and its algorithm, that keys of other usages do not have.
WRONG_ALGORITHMS = {
    "EncryptionAlgorithm": "SM2PKE", "SourceEncryptionAlgorithm": "SM2PKE", "DestinationEncryptionAlgorithm": "SM2PKE",
    "SigningAlgorithm": "SM2DSA", "MacAlgorithm": "HMAC_SHA_224"}


@pytest.fixture(params=[False, True], ids=["run", "dry-run"])
def dry(request):
    return {"DryRun": True} if request.param else {}


@pytest.fixture(params=KINDS, ids="-".join)
def kind(request):
    return request.param


@pytest.fixture
def good(lend, kind):
    """A key and its good calls."""
    key = lend(*kind)
    return key, operations.calls(key.kms, key.metadata)


@pytest.fixture(scope="module")
def broken(lender):
    """Makes a key, its calls while it was whole, and does to it what no shared key may suffer; once for each."""
    made = {}

    def broken(kind, placement, change):
        if (kind, placement, change) not in made:
            if reason := key_specs.refusal(lender.store(placement), kind[0]):
                pytest.skip(f"{kind[0]}: {reason}")
            kms = lender.client("us-east-1")
            key = kms.create_key(
                KeySpec=kind[0], KeyUsage=kind[1], **lender.placing(placement, "us-east-1"))["KeyMetadata"]
            calls = operations.calls(kms, key)
            change(kms, key)
            made[kind, placement, change] = kms, key, calls
        return made[kind, placement, change]

    return broken


def disable(kms, key):
    kms.disable_key(KeyId=key["KeyId"])


def schedule_deletion(kms, key):
    kms.schedule_key_deletion(KeyId=key["KeyId"])


def forbid(kms, key):
    """The key policy denies all use."""
    root = {"AWS": "arn:aws:iam::000000000000:root"}
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": CRYPTOGRAPHY, "Resource": "*"}]}))


def forbid_and_disable(kms, key):
    forbid(kms, key)
    disable(kms, key)


def call(kms, method, arguments):
    return getattr(kms, method)(**arguments)


# Success

def test_a_dry_run_says_that_it_would_have_succeeded(good):
    key, calls = good
    for method, arguments in calls.items():
        with refused(*DRY_RUN):
            call(key.kms, method, {**arguments, "DryRun": True})
        answer = call(key.kms, method, {**arguments, "DryRun": False})
        assert answer["KeyId"] == key.arn


def test_these_are_all_operations_with_a_dry_run(kms):
    model = kms.meta.service_model
    shapes = {name: model.operation_model(name).input_shape for name in model.operation_names}
    found = {name for name, shape in shapes.items() if shape is not None and "DryRun" in shape.members}
    assert found == {*NAMES.values(), "CreateGrant", "RetireGrant", "RevokeGrant"}


# Failures, in their order

def test_a_constraint_comes_first(good, dry):
    key, calls = good
    for method, arguments in calls.items():
        with refused("ValidationException", matching="[12] validation errors? detected: Value '' at '.*eyId' .*"):
            call(key.kms, method, {**with_key(method, arguments, ""), **wrong_algorithm(arguments), **dry})


def test_a_key_that_there_is_not(good, dry):
    key, calls = good
    missing = str(uuid.uuid4())
    for method, arguments in calls.items():
        with refused("NotFoundException", f"Key '{key.arn.rsplit('/', 1)[0]}/{missing}' does not exist"):
            call(key.kms, method, {**with_key(method, arguments, missing), **wrong_algorithm(arguments), **dry})


def test_authorization_comes_before_the_state(broken, kind, placement, dry):
    kms, _, calls = broken(kind, placement, forbid_and_disable)
    for method, arguments in calls.items():
        with refused("AccessDeniedException"):
            call(kms, method, {**arguments, **wrong_algorithm(arguments), **dry})


@pytest.mark.parametrize(("change", "code", "text"), [
    (disable, "DisabledException", "{} is disabled."),
    (schedule_deletion, "KMSInvalidStateException", "{} is pending deletion.")], ids=["disabled", "pending deletion"])
def test_the_state_comes_before_usage_and_algorithm(broken, kind, placement, dry, change, code, text):
    kms, key, calls = broken(kind, placement, change)
    for method, arguments in calls.items():
        for more in [{}, wrong_algorithm(arguments)]:
            with refused(code, text.format(key["Arn"])):
                call(kms, method, {**arguments, **more, **dry})


def wrong_algorithm(arguments):
    """Algorithms of which none goes with the key."""
    return {name: value for name, value in WRONG_ALGORITHMS.items() if name in arguments}


@pytest.mark.parametrize(
    ("kind", "other"), [(kind, other) for kind in KINDS for other in KINDS if kind[1] != other[1]],
    ids=lambda kind: kind[1], indirect=["kind"])
def test_the_usage_comes_before_the_algorithm(lend, kind, other, dry):
    """Good calls of every other usage, with a key that is not for them."""
    key, other = lend(*kind), lend(*other)
    for method, arguments in operations.calls(other.kms, other.metadata).items():
        wrong = {**with_key(method, arguments, key.id), **dry}
        if method in ("decrypt", "re_encrypt"):
            # Recorded from AWS: a source key of another usage is the incorrect key.
            with refused(*INCORRECT_KEY):
                call(key.kms, method, wrong)
        else:
            with refused(
                "InvalidKeyUsageException",
                f"{key.arn} key usage is {kind[1]} which is not valid for {NAMES[method]}."):
                call(key.kms, method, wrong)


def test_the_algorithm_comes_before_the_rest(good, kind, dry):
    key, calls = good
    for method, arguments in calls.items():
        wrong = wrong_algorithm(arguments)
        if not wrong:
            # One algorithm for all, or none at all.
            assert method in {
                **operations.DATA_KEYS, **operations.DATA_KEY_PAIRS, **BY_USAGE["KEY_AGREEMENT"],
                **BY_USAGE["ENCAPSULATE_DECAPSULATE"]}
            continue
        algorithm = next(iter(wrong.values()))
        assert algorithm not in MATRIX[kind]
        text = f"Algorithm {algorithm} is incompatible with key spec {kind[0]}."
        spoilt = {name: b"x" for name in ["Signature", "Mac", "CiphertextBlob"] if name in arguments}
        with refused("InvalidKeyUsageException", text):
            call(key.kms, method, {**arguments, **wrong, **spoilt, **dry})


def test_what_is_worth_nothing(good, dry):
    key, calls = good
    codes = {
        "CiphertextBlob": "InvalidCiphertextException", "SharedSecretCiphertextBlob": "InvalidCiphertextException",
        "Signature": "KMSInvalidSignatureException", "Mac": "KMSInvalidMacException",
        "PublicKey": "ValidationException"}
    affected = [(method, content) for method, arguments in calls.items() for content in codes if content in arguments]
    assert affected
    for method, content in affected:
        for wrong in [calls[method][content][:-1], calls[method][content] + b"x", b"x"]:
            with refused(codes[content], silent=True):
                call(key.kms, method, {**calls[method], content: wrong, **dry})


def test_sizes(lend, dry):
    key = lend("RSA_2048", "ENCRYPT_DECRYPT")
    with refused(
        "ValidationException",
        "Algorithm RSAES_OAEP_SHA_1 and key spec RSA_2048 cannot encrypt data larger than 214 bytes."):
        key.kms.encrypt(KeyId=key.id, Plaintext=bytes(215), EncryptionAlgorithm="RSAES_OAEP_SHA_1", **dry)
    key = lend("ECC_NIST_P256")
    arguments = {"KeyId": key.id, "SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "DIGEST", "Message": bytes(31)}
    for method, more in [("sign", {}), ("verify", {"Signature": b"x"})]:
        with refused("ValidationException", "Digest is invalid length for algorithm ECDSA_SHA_256."):
            call(key.kms, method, {**arguments, **more, **dry})


# DryRunModifiers

def test_without_a_ciphertext_only_the_right_is_looked_at(lend, broken, placement):
    for spec in ["SYMMETRIC_DEFAULT", "RSA_2048"]:
        key = lend(spec, "ENCRYPT_DECRYPT")
        algorithm = MATRIX[spec, "ENCRYPT_DECRYPT"][0]
        only = {"DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
        arguments = {
            "decrypt": {"KeyId": key.id, "EncryptionAlgorithm": algorithm},
            "re_encrypt": {
                "SourceKeyId": key.id, "SourceEncryptionAlgorithm": algorithm, "DestinationKeyId": key.id,
                "DestinationEncryptionAlgorithm": algorithm}}
        for method, named in arguments.items():
            with refused(*DRY_RUN):
                call(key.kms, method, {**named, **only, "DryRun": True})
            with refused("ValidationException"):
                call(key.kms, method, {**named, **only})
            kms, forbidden, _ = broken((spec, "ENCRYPT_DECRYPT"), placement, forbid)
            with refused("AccessDeniedException"):
                call(kms, method, {**with_key(method, named, forbidden["KeyId"]), **only, "DryRun": True})
