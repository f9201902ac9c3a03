"""A token that fails in the middle of an import: the caller learns that it was not the material, nothing has changed,
nothing stays on the token, and the same import token serves again."""

import collections
import threading

import botocore.exceptions
import pytest

from support import faulty, wrapping
from support.faulty import (
    DEVICE_ERROR, DEVICE_MEMORY, DEVICE_REMOVED, FUNCTION_FAILED, SESSION_HANDLE_INVALID, TOKEN_NOT_PRESENT,
    USER_NOT_LOGGED_IN)
from support.materials import describe
from support.server import eventually

ALGORITHM = "RSA_AES_KEY_WRAP_SHA_256"
ANSWERS = [
    DEVICE_ERROR, DEVICE_MEMORY, DEVICE_REMOVED, FUNCTION_FAILED, SESSION_HANDLE_INVALID, TOKEN_NOT_PRESENT,
    USER_NOT_LOGGED_IN]
# What an import calls on SoftHSM, apart from what is asked in the background; C_UnwrapKey passes unseen.
CALLED = {
    "SYMMETRIC_DEFAULT": [
        "C_GetAttributeValue", "C_DecryptInit", "C_Decrypt", "C_CreateObject", "C_EncryptInit", "C_Encrypt"],
    "HMAC_512": ["C_DecryptInit", "C_CreateObject", "C_GetAttributeValue"],
    "RSA_2048": [
        "C_GenerateKey", "C_GetAttributeValue", "C_DecryptInit", "C_CreateObject", "C_DestroyObject", "C_SignInit",
        "C_Sign"],
    "ECC_NIST_P256": ["C_DecryptInit", "C_Decrypt", "C_CreateObject", "C_GetAttributeValue", "C_SignInit", "C_Sign"]}


class Case:
    """A KMS key on the token, and one import that is good."""

    def __init__(self, place, spec):
        self.place = place
        self.key = wrapping.create(place.kms, spec, **place.where)
        given = wrapping.parameters(place.kms, self.key, ALGORITHM)
        self.request = wrapping.request(self.key, given, wrapping.material(spec), ALGORITHM)
        self.blob = None

    def bring(self):
        return self.place.kms.import_key_material(**self.request)

    def prepare(self, imported):
        """With its material, or without it."""
        if imported:
            self.bring()
            if self.key["KeySpec"] == "SYMMETRIC_DEFAULT":
                self.blob = self.place.kms.encrypt(KeyId=self.key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
        else:
            self.place.kms.delete_imported_key_material(KeyId=self.key["KeyId"])
        self.settle(imported)
        return describe(self.place.kms, self.key)

    def objects(self):
        """Kinds of the objects on the token that are this key's, with the wrapping key's."""
        return collections.Counter(
            entry["kind"].split()[0] for entry in self.place.token.objects()
            if self.key["Arn"] in entry.get("label", ""))  # What is being destroyed may have lost its label.

    def expected(self, imported):
        private = {"RSA_2048": 1, "ECC_NIST_P256": 1}.get(self.key["KeySpec"], 0) * imported
        return collections.Counter({"Private": 1 + private, "Secret": imported - private})

    def settle(self, imported):
        eventually(lambda: self.objects() == self.expected(imported), "what the key has on the token, and nothing else")

    def comes_back(self):
        """The same import, as soon as the token is well."""
        def attempt():
            try:
                return self.bring()
            except botocore.exceptions.ClientError as error:
                assert is_trouble(error), error
                return None

        assert eventually(attempt, "the same import")["KeyId"] == self.key["Arn"]
        self.settle(1)
        assert wrapping.state(self.place.kms, self.key) == "Enabled"
        if self.blob is not None:
            assert self.place.kms.decrypt(CiphertextBlob=self.blob)["Plaintext"] == b"x"


def is_trouble(error):
    """KMS API, common to all operations, and KMS Developer Guide, "Troubleshooting a custom key store": with a key in a
    custom key store it is KMSInvalidStateException, with others what SDKs try again."""
    return (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]) in [
        ("KMSInternalException", 500), ("KeyUnavailableException", 500), ("DependencyTimeoutException", 500),
        ("KMSInvalidStateException", 400)]


@pytest.fixture(scope="module")
def place(default_store):
    with faulty.installations() as make:
        yield make(default_store)


@pytest.fixture(scope="module")
def cases(place):
    return {spec: Case(place, spec) for spec in CALLED}


@pytest.fixture(params=[0, 1], ids=["without material", "with material"])
def imported(request):
    return request.param


@pytest.mark.parametrize("function", ["C_DecryptInit", "C_Decrypt"])
def test_a_fault_that_passes_does_not_make_a_good_wrapping_wrong(place, cases, function):
    case = cases["ECC_NIST_P256"]
    for answer in ANSWERS:
        case.prepare(0)
        with place.token.failing(f"{function} return {answer} times 1"):
            try:
                case.bring()
            except botocore.exceptions.ClientError as error:
                assert is_trouble(error), (answer, error)
        case.comes_back()


@pytest.mark.parametrize("answer", ["60", "82"])
def test_an_invalid_handle_of_the_new_object_does_not_cost_the_wrapping_key(place, cases, answer):
    """CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID."""
    case = cases["SYMMETRIC_DEFAULT"]
    case.prepare(0)
    with place.token.failing(f"C_CreateObject return {answer}"):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            case.bring()
    assert is_trouble(caught.value)
    case.comes_back()


@pytest.mark.parametrize(("spec", "function"), [(spec, function) for spec in CALLED for function in CALLED[spec]])
def test_a_call_that_fails(place, cases, imported, spec, function):
    case = cases[spec]
    before = case.prepare(imported)
    for answer in ANSWERS:
        place.token.calls()
        with place.token.failing(f"{function} return {answer}"):
            with pytest.raises(botocore.exceptions.ClientError) as caught:
                case.bring()
        assert is_trouble(caught.value), (answer, caught.value)
        # A full token is not what comes back by itself.
        is_full = answer == faulty.DEVICE_MEMORY
        assert is_full or place.where or caught.value.response["Error"]["Code"] != "KMSInvalidStateException"
        assert function in place.token.calls()
        assert describe(place.kms, case.key) == before
        place.recovers()
    case.comes_back()


@pytest.mark.parametrize("spec", CALLED)
def test_an_object_that_is_lost_after_it_was_made(place, cases, imported, spec):
    """What reads the new key back fails once, then it is destroyed, or cannot even be destroyed."""
    case = cases[spec]
    before = case.prepare(imported)
    for more in [[], ["C_DestroyObject return 30"]]:
        with place.token.failing("C_GetAttributeValue return 30 skip 1", *more):
            with pytest.raises(botocore.exceptions.ClientError) as caught:
                case.bring()
        assert is_trouble(caught.value)
        assert describe(place.kms, case.key) == before
        place.recovers()
    case.comes_back()


def test_an_answer_that_comes_too_late(place, cases):
    """Nobody waits for the new key any more."""
    case = cases["SYMMETRIC_DEFAULT"]
    before = case.prepare(1)
    with place.token.failing("C_CreateObject block"):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            case.bring()
        assert is_trouble(caught.value)
        assert describe(place.kms, case.key) == before
    case.settle(1)
    case.comes_back()


# Parameters

@pytest.mark.parametrize("function", ["C_GetAttributeValue", "C_DecryptInit", "C_Decrypt"])
def test_a_wrapping_key_that_cannot_be_tried(place, cases, function):
    case = cases["ECC_NIST_P256"]
    case.prepare(1)
    for answer in ANSWERS:
        with place.token.failing(f"{function} return {answer}"):
            with pytest.raises(botocore.exceptions.ClientError) as caught:
                wrapping.parameters(place.kms, case.key)
        assert is_trouble(caught.value), (answer, caught.value)
        place.recovers()
    # No wrapping key stays that nobody was given, and none had to go for one.
    case.comes_back()


# The power cut

@pytest.mark.parametrize(("spec", "function", "skip"), [
    ("SYMMETRIC_DEFAULT", "C_CreateObject", 0), ("SYMMETRIC_DEFAULT", "C_GetAttributeValue", 1),
    ("SYMMETRIC_DEFAULT", "C_Encrypt", 0), ("RSA_2048", "C_CreateObject", 0), ("RSA_2048", "C_DestroyObject", 0),
    ("RSA_2048", "C_Sign", 0)])
def test_a_kill_between_the_unwrapping_and_the_commit(place, cases, imported, spec, function, skip):
    """Before the restart the new key may be on the token, which the server cannot know of; afterwards it is not."""
    case = cases[spec]
    before = case.prepare(imported)
    place.token.calls()
    with place.token.failing(f"{function} block skip {skip}"):
        def attempt():
            with pytest.raises(botocore.exceptions.BotoCoreError):
                place.server.client().import_key_material(**case.request)

        caller = threading.Thread(target=attempt)
        caller.start()
        seen = []

        def is_blocked():
            seen.extend(place.token.calls())
            return seen.count(function) > skip

        eventually(is_blocked, "the call that is blocked")
        place.server.kill()
        caller.join()
    place.again()
    assert describe(place.kms, case.key)["KeyState"] in (before["KeyState"], "Unavailable")
    eventually(lambda: describe(place.kms, case.key) == before, "the key as it was before")
    case.settle(imported)
    case.comes_back()
