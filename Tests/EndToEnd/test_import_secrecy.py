"""What can be seen of imported material, and of the keys that unwrapped it: on the token, in the files of the server,
in the answers of the API."""

import concurrent.futures
import hashlib
import hmac
import itertools
import os

import pytest

from support import softhsm, wrapping
from support.expect import refused
from support.key_specs import HMAC
from support.materials import server
from support.wrapping import ALGORITHMS, ELLIPTIC

SPECS = ["SYMMETRIC_DEFAULT", *HMAC, "RSA_2048", *ELLIPTIC]
# (GetParametersForImport; docs/api-coverage.md)
MOST_WRAPPING_KEYS, MOST_OF_A_KEY = 100, 5


# On the token

@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_wrapping_key_does_one_thing(server, kms, create_external, placement, default_store, algorithm):
    key = create_external()
    wrapping.parameters(kms, key, algorithm)
    found = softhsm.wrapping_keys(server.data, server.pin, key["Arn"])
    assert len(found) == (placement == "custom" or default_store == "token")
    for entry in found:
        assert entry["kind"].startswith("Private Key Object; RSA")
        assert entry["Usage"] in ("decrypt", "unwrap")
        assert {"sensitive", "always sensitive", "never extractable", "local"} <= set(entry["Access"].split(", "))


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("placement", ["custom"], indirect=True)
def test_imported_material_does_not_leave_the_token(server, kms, create_external, spec):
    """It was outside once, so it is not always sensitive, nor never extractable, nor local; from now on it stays."""
    key = create_external(spec)
    wrapping.bring(kms, key)
    [entry] = [entry for entry in softhsm.all_objects(server.data, server.pin) if entry.get("label") == key["Arn"]]
    assert entry["Access"] == "sensitive"
    # pkcs11-tool does not look at CKA_SIGN and CKA_VERIFY of secret keys.
    usages = {"SYMMETRIC_DEFAULT": "encrypt, decrypt", **{name: "none" for name in HMAC}}
    assert entry["Usage"] == usages.get(spec, "sign")


# In the answers

def test_a_key_that_lives_on_the_token_unasked_says_nothing_of_it(kms):
    described = kms.describe_key(KeyId=wrapping.create(kms)["KeyId"])["KeyMetadata"]
    assert set(described) == {
        "AWSAccountId", "Arn", "CreationDate", "CustomerMasterKeySpec", "Description", "Enabled",
        "EncryptionAlgorithms", "KeyId", "KeyManager", "KeySpec", "KeyState", "KeyUsage", "MultiRegion", "Origin"}


def digests(secret, *more):
    """What can be computed of material by whoever guesses it and knows the key's names."""
    for name in ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sm3"]:
        yield hashlib.new(name, secret).digest()
        for text in more:
            for joined in [secret + text, text + secret]:
                yield hashlib.new(name, joined).digest()
            yield hmac.digest(secret, text, name)
            yield hmac.digest(text, secret, name)


def names(key):
    return [key["KeyId"].encode(), key["Arn"].encode(), bytes.fromhex(key["KeyId"].replace("-", ""))]


def test_an_id_of_material_is_no_oracle_for_it(kms, create_external):
    key, secret = create_external(), os.urandom(32)
    material = wrapping.bring(kms, key, secret)["KeyMaterialId"]
    assert material not in {digest.hex()[:64] for digest in digests(secret, *names(key))}


# In the files

def numbers(spec):
    """The numbers that are the secret of a key pair."""
    private = wrapping.private_key(spec)
    if spec in ELLIPTIC:
        return [private.private_numbers().private_value.to_bytes((private.key_size + 7) // 8, "big")]
    return [number.to_bytes(private.key_size // 16, "big") for number in [
        private.private_numbers().p, private.private_numbers().q]]


def test_nothing_of_the_material_is_stored_in_the_clear(new_server):
    """Neither itself nor a digest of it without a key: a stolen database does not tell whether a guess is right. The
    second half of the keys has lost its material, and knows it still."""
    server = new_server()
    kms = server.client()
    keys = []
    for deleted, spec, where in itertools.product(
            [False, True], SPECS, [{}, {"CustomKeyStoreId": server.ready["customKeyStoreId"]}]):
        keys.append(wrapping.create(kms, spec, **where))
        wrapping.bring(kms, keys[-1])
        if deleted:
            kms.delete_imported_key_material(KeyId=keys[-1]["KeyId"])
    server.stop()
    files = [path for path in server.data.rglob("*") if path.is_file()]
    assert any(path.name == "strongroom.sqlite" for path in files)
    stored = b"\0".join(path.read_bytes() for path in [*files, server.log_path])
    for spec in SPECS:
        secret = wrapping.material(spec)
        is_pair = spec in [*ELLIPTIC, "RSA_2048"]
        for part in numbers(spec) if is_pair else [secret, *digests(secret)]:
            assert part not in stored and part.hex().encode() not in stored
    for key in keys:
        assert key["Arn"].encode() in stored or key["KeyId"].encode() in stored
        if key["KeySpec"] in ["SYMMETRIC_DEFAULT", *HMAC]:
            assert not any(digest in stored for digest in digests(wrapping.material(key["KeySpec"]), *names(key)))


# How many there are

def test_the_oldest_wrapping_keys_of_a_key_store_give_way(server):
    """A key store has places for a hundred: one more is made, and the oldest goes."""
    kms = server.client()
    first = wrapping.create(kms)
    given = wrapping.parameters(kms, first)
    secret = wrapping.material("SYMMETRIC_DEFAULT")

    def fill(_):
        key = wrapping.create(kms)
        for _ in range(MOST_OF_A_KEY):
            wrapping.parameters(kms, key)

    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        list(threads.map(fill, range(MOST_WRAPPING_KEYS // MOST_OF_A_KEY - 1)))
    kms.import_key_material(**wrapping.request(first, given, secret))
    fill(None)
    with refused("ExpiredImportTokenException"):
        kms.import_key_material(**wrapping.request(first, given, secret))
    wrapping.bring(kms, first)
