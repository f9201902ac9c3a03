"""Encrypt, Decrypt, ReEncrypt, data keys and random numbers, wherever the key lives."""

import os
import uuid

import pytest

from support.expect import INCORRECT_KEY, refused

HEADER_KEY_ID = range(2, 19)  # docs/ciphertext-blob.md: the form and the sixteen bytes of the key id.
NOT_IN_THIS_REGION = (
    r"User: arn:aws:iam::000000000000:\S+ is not authorized to perform: kms:{action} on the resource associated with "
    r"this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or "
    r"a resource-based policy explicitly denies access")


@pytest.fixture
def ciphertext(kms, key):
    return kms.encrypt(KeyId=key["KeyId"], Plaintext=b"attack at dawn", EncryptionContext={"a": "b"})["CiphertextBlob"]


# Round trips

@pytest.mark.parametrize("length", [1, 15, 16, 17, 32, 255, 4095, 4096])
def test_what_was_encrypted_is_decrypted(kms, key, length):
    plaintext = os.urandom(length)
    encrypted = kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext)
    assert encrypted["KeyId"] == key["Arn"]
    assert encrypted["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    assert "KeyMaterialId" not in encrypted
    assert len(encrypted["CiphertextBlob"]) <= 6144
    for identifier in [{}, {"KeyId": key["KeyId"]}, {"KeyId": key["Arn"]}]:
        decrypted = kms.decrypt(CiphertextBlob=encrypted["CiphertextBlob"], **identifier)
        assert decrypted["Plaintext"] == plaintext
        assert decrypted["KeyId"] == key["Arn"]
        assert decrypted["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"


def test_the_material_is_named_where_describe_key_shows_it(kms, key):
    """Keys in custom key stores have no CurrentKeyMaterialId, so no other answer names their material either."""
    expected = key.get("CurrentKeyMaterialId")
    made = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
    bare = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], KeySpec="AES_256")
    decrypted = kms.decrypt(CiphertextBlob=made["CiphertextBlob"])
    assert [answer.get("KeyMaterialId") for answer in (made, bare, decrypted)] == [expected] * 3


def test_encrypting_twice_gives_different_ciphertexts(kms, key):
    blobs = {kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"] for _ in range(20)}
    assert len(blobs) == 20


def test_the_plaintext_is_not_in_the_ciphertext(kms, key):
    plaintext = os.urandom(64)
    assert plaintext not in kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext)["CiphertextBlob"]


def test_an_empty_plaintext_is_refused(kms, key):
    with refused("ValidationException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"")


def test_4097_bytes_are_refused(kms, key):
    with refused(
        "ValidationException",
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=os.urandom(4097))


def test_the_algorithm_may_be_given(kms, key):
    algorithm = {"EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", **algorithm)["CiphertextBlob"]
    assert kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=blob, **algorithm)["Plaintext"] == b"x"


def test_an_algorithm_of_another_key_spec_is_refused(kms, key):
    with refused("InvalidKeyUsageException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def test_encrypt_with_a_missing_key(kms):
    missing = str(uuid.uuid4())
    with refused("NotFoundException", f"Key 'arn:aws:kms:us-east-1:000000000000:key/{missing}' does not exist"):
        kms.encrypt(KeyId=missing, Plaintext=b"x")


# Encryption context

@pytest.mark.parametrize("context", [
    {"a": "b"}, {"": ""}, {"a": ""}, {"": "a"}, {"b": "1", "a": "2", "c": "3"}, {"caf\u00e9": "\U0001f511"},
    {"a" * 1000: "b" * 1000}, {str(index): "x" for index in range(100)},
], ids=lambda context: f"{len(context)} pairs")
def test_the_context_must_be_given_again(kms, key, context):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    backwards = dict(reversed(context.items()))
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=backwards)["Plaintext"] == b"x"
    with refused("InvalidCiphertextException", silent=True):
        kms.decrypt(CiphertextBlob=blob)


DIFFERENT_CONTEXTS = [
    ({"ab": "c"}, {"a": "bc"}),
    ({"a": "b"}, {"b": "a"}),
    ({"a": "b"}, {"A": "b"}),
    ({"a": "b"}, {"a": "B"}),
    ({"a": "b"}, {"a": "b "}),
    ({"a": "b"}, {"a": "b", "c": "d"}),
    ({"a": "b", "c": "d"}, {"a": "bcd"}),
    ({"a": "", "b": ""}, {"a": "b"}),
    ({"a": ""}, {}),
    ({"": ""}, {}),
    ({"caf\u00e9": "x"}, {"cafe\u0301": "x"}),
    ({"x": "caf\u00e9"}, {"x": "cafe\u0301"}),
    ({"x": "\ufb01"}, {"x": "fi"}),
    ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}),
    ({"a": "\u0000"}, {"a": ""}),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT_CONTEXTS, ids=repr)
def test_different_contexts_do_not_decrypt_each_other(kms, key, one, other):
    for first, second in [(one, other), (other, one)]:
        blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext=first)["CiphertextBlob"]
        with refused("InvalidCiphertextException", silent=True):
            kms.decrypt(CiphertextBlob=blob, EncryptionContext=second)
        assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=first)["Plaintext"] == b"x"


def test_an_empty_context_is_no_context(kms, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


# Ciphertexts that were tampered with

def test_every_changed_byte_is_noticed(kms, ciphertext):
    context = {"EncryptionContext": {"a": "b"}}
    for index in range(len(ciphertext)):
        for flip in [0x01, 0x80]:
            changed = bytearray(ciphertext)
            changed[index] ^= flip
            with pytest.raises(Exception) as caught:
                kms.decrypt(CiphertextBlob=bytes(changed), **context)
            error = caught.value.response["Error"]
            # Another key id names a key that does not exist; everything else is simply a bad ciphertext.
            allowed = ["InvalidCiphertextException"] + ["AccessDeniedException"] * (index in HEADER_KEY_ID)
            assert error["Code"] in allowed, (index, flip, error)
            if error["Code"] == "InvalidCiphertextException":
                assert not error.get("Message"), (index, flip, error)
    assert kms.decrypt(CiphertextBlob=ciphertext, **context)["Plaintext"] == b"attack at dawn"


def test_every_truncation_is_noticed(kms, ciphertext):
    for length in range(1, len(ciphertext)):
        with refused("InvalidCiphertextException", silent=True):
            kms.decrypt(CiphertextBlob=ciphertext[:length], EncryptionContext={"a": "b"})


@pytest.mark.parametrize("more", [b"\0", b"\0" * 100, b"x"])
def test_more_bytes_are_noticed(kms, ciphertext, more):
    with refused("InvalidCiphertextException", silent=True):
        kms.decrypt(CiphertextBlob=ciphertext + more, EncryptionContext={"a": "b"})


@pytest.mark.parametrize("length", [1, 2, 16, 100, 6144])
def test_random_bytes_are_no_ciphertext(kms, length):
    for filler in [os.urandom(length), bytes(length), b"\xff" * length]:
        with refused("InvalidCiphertextException", silent=True):
            kms.decrypt(CiphertextBlob=filler)


def test_random_bytes_after_a_good_header_are_no_ciphertext(kms, ciphertext):
    for length in [0, 1, 16, 29, 1000]:
        with refused("InvalidCiphertextException", silent=True):
            kms.decrypt(CiphertextBlob=ciphertext[:51] + os.urandom(length), EncryptionContext={"a": "b"})


def test_a_ciphertext_of_another_key(kms, create_key, ciphertext):
    other = create_key()
    with refused(*INCORRECT_KEY):
        kms.decrypt(CiphertextBlob=ciphertext, KeyId=other["KeyId"], EncryptionContext={"a": "b"})


def test_the_ciphertexts_of_two_keys_cannot_be_mixed(kms, create_key):
    blobs = [kms.encrypt(KeyId=create_key()["KeyId"], Plaintext=b"x")["CiphertextBlob"] for _ in range(2)]
    header = HEADER_KEY_ID.stop
    with refused("InvalidCiphertextException", silent=True):
        kms.decrypt(CiphertextBlob=blobs[0][:header] + blobs[1][header:])
    with refused("InvalidCiphertextException", silent=True):
        kms.decrypt(CiphertextBlob=blobs[0][:51] + blobs[1][51:])


def test_a_ciphertext_of_another_region(server, own_kms, ciphertext):
    with refused("AccessDeniedException", matching=NOT_IN_THIS_REGION.format(action="Decrypt")):
        own_kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext={"a": "b"})


def test_re_encrypt_of_a_ciphertext_of_another_region(own_kms, ciphertext):
    destination = own_kms.create_key()["KeyMetadata"]["KeyId"]
    with refused("AccessDeniedException"):
        own_kms.re_encrypt(
            CiphertextBlob=ciphertext, SourceEncryptionContext={"a": "b"}, DestinationKeyId=destination)


# ReEncrypt

@pytest.fixture(params=["default", "custom"])
def destination(request, server, kms):
    arguments = {}
    if request.param == "custom":
        arguments = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}
    return kms.create_key(**arguments)["KeyMetadata"]


def test_re_encrypt_from_any_store_to_any_store(kms, key, destination):
    plaintext = os.urandom(4096)
    source = kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext, EncryptionContext={"from": "here"})
    answer = kms.re_encrypt(
        CiphertextBlob=source["CiphertextBlob"], SourceEncryptionContext={"from": "here"},
        DestinationKeyId=destination["KeyId"], DestinationEncryptionContext={"to": "there"})
    assert answer["SourceKeyId"] == key["Arn"]
    assert answer["KeyId"] == destination["Arn"]
    assert answer["SourceEncryptionAlgorithm"] == answer["DestinationEncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    decrypted = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext={"to": "there"})
    assert decrypted["Plaintext"] == plaintext
    assert decrypted["KeyId"] == destination["Arn"]
    assert answer.get("SourceKeyMaterialId") == key.get("CurrentKeyMaterialId")
    assert answer.get("DestinationKeyMaterialId") == destination.get("CurrentKeyMaterialId")


def test_re_encrypt_under_the_same_key_changes_the_context(kms, key, ciphertext):
    answer = kms.re_encrypt(
        CiphertextBlob=ciphertext, SourceKeyId=key["KeyId"], SourceEncryptionContext={"a": "b"},
        DestinationKeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"] == b"attack at dawn"


def test_re_encrypt_checks_the_source(kms, key, create_key, ciphertext):
    with refused("InvalidCiphertextException", silent=True):
        kms.re_encrypt(CiphertextBlob=ciphertext, DestinationKeyId=key["KeyId"])
    with refused(*INCORRECT_KEY):
        kms.re_encrypt(
            CiphertextBlob=ciphertext, SourceKeyId=create_key()["KeyId"], SourceEncryptionContext={"a": "b"},
            DestinationKeyId=key["KeyId"])


def test_re_encrypt_to_a_missing_key(kms, ciphertext):
    with refused("NotFoundException"):
        kms.re_encrypt(
            CiphertextBlob=ciphertext, SourceEncryptionContext={"a": "b"}, DestinationKeyId=str(uuid.uuid4()))


# Data keys

@pytest.mark.parametrize(("size", "length"), [
    ({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1}, 1),
    ({"NumberOfBytes": 1024}, 1024),
], ids=repr)
def test_generate_data_key(kms, key, size, length):
    context = {"EncryptionContext": {"a": "b"}}
    made = kms.generate_data_key(KeyId=key["KeyId"], **size, **context)
    assert len(made["Plaintext"]) == length
    assert made["KeyId"] == key["Arn"]
    decrypted = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], **context)
    assert decrypted["Plaintext"] == made["Plaintext"]
    with refused("InvalidCiphertextException", silent=True):
        kms.decrypt(CiphertextBlob=made["CiphertextBlob"])


def test_generate_data_key_without_plaintext(kms, key):
    made = kms.generate_data_key_without_plaintext(KeyId=key["Arn"], KeySpec="AES_256")
    assert "Plaintext" not in made
    assert made["KeyId"] == key["Arn"]
    assert len(kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"]) == 32


@pytest.mark.parametrize("operation", ["generate_data_key", "generate_data_key_without_plaintext"])
@pytest.mark.parametrize("size", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}], ids=["neither", "both"])
def test_a_data_key_has_a_spec_or_a_number_of_bytes(kms, key, operation, size):
    with refused("ValidationException"):
        getattr(kms, operation)(KeyId=key["KeyId"], **size)


@pytest.mark.parametrize("number", [0, 1025])
def test_the_number_of_bytes_of_a_data_key(kms, key, number):
    with refused("ValidationException"):
        kms.generate_data_key(KeyId=key["KeyId"], NumberOfBytes=number)


def test_data_keys_differ(kms, key):
    made = {kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")["Plaintext"] for _ in range(20)}
    assert len(made) == 20


# Random numbers

@pytest.mark.parametrize("where", ["server", "token"])
def test_generate_random(server, kms, where):
    arguments = {"CustomKeyStoreId": server.ready["customKeyStoreId"]} if where == "token" else {}
    for length in [1, 32, 1024]:
        assert len(kms.generate_random(NumberOfBytes=length, **arguments)["Plaintext"]) == length
    assert len({kms.generate_random(NumberOfBytes=16, **arguments)["Plaintext"] for _ in range(20)}) == 20


def test_generate_random_in_an_unknown_key_store(kms):
    with refused("CustomKeyStoreNotFoundException"):
        kms.generate_random(NumberOfBytes=1, CustomKeyStoreId="cks-1234567890abcdef0")


# Many at once

def test_many_requests_at_once(server, key):
    from concurrent.futures import ThreadPoolExecutor

    def work(number):
        kms = server.client()
        for index in range(10):
            plaintext = f"{number}/{index}".encode()
            blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext)["CiphertextBlob"]
            assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext
        return True

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))
