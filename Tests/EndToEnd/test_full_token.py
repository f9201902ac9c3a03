"""A token without room for another key (CKR_DEVICE_MEMORY): what needs an object is refused as AWS refuses a quota, what
does not goes on, nothing is left behind, and all works again when there is room. Full disks are in test_full_disk.py."""

import collections
import urllib.request

import pytest

from support import custom_store, faulty, wrapping
from support.expect import NO_ROOM, refused
from support.workload import MESSAGE

# What makes objects on the token.
MAKERS = "C_GenerateKey,C_GenerateKeyPair,C_CreateObject,C_UnwrapKey"
FULL = f"{MAKERS} return {faulty.DEVICE_MEMORY}"
KINDS = {
    "symmetric": {}, "HMAC": {"KeySpec": "HMAC_384", "KeyUsage": "GENERATE_VERIFY_MAC"},
    "EC": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
    "RSA": {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
    "Ed25519": {"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY"},
}


@pytest.fixture(scope="module")
def installation():
    with faulty.prepared() as made:
        yield made


@pytest.fixture(scope="module")
def stores(installation):
    """By place: what CreateKey needs for a key there, and for a key whose material is imported."""
    kms = installation.client()
    store = installation.create_store(kms)
    assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
    return {
        "default": ({}, {}),
        "custom": ({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store}, {"CustomKeyStoreId": store})}


@pytest.fixture
def kms(installation):
    return installation.client()


@pytest.fixture(params=["default", "custom"])
def place(request, stores):
    return stores[request.param]


def on_token(installation):
    """Objects of every kind, public keys too."""
    return collections.Counter((entry["kind"], entry.get("label"), entry.get("ID")) for entry in installation.token.objects())


def listed(kms):
    return {entry["KeyId"] for entry in kms.list_keys(Limit=1000)["Keys"]}


@pytest.fixture
def nothing_made(installation, stores, kms):
    """No object, no KMS key, and no word of a token that is not well: at the end of a test as at its beginning."""
    objects, keys, length = on_token(installation), listed(kms), len(installation.server.log)
    yield
    assert on_token(installation) == objects
    assert listed(kms) == keys
    assert "sick" not in installation.events(length)


@pytest.mark.parametrize("kind", KINDS)
def test_create_key(installation, kms, place, kind, nothing_made):
    with installation.token.failing(FULL), refused("LimitExceededException", NO_ROOM):
        kms.create_key(**place[0], **KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_create_key_when_the_object_is_there_after_all(installation, kms, place, kind, nothing_made):
    """The token makes it, and then finds that it has no room."""
    with installation.token.failing(f"{MAKERS} lose {faulty.DEVICE_MEMORY}"):
        with refused("LimitExceededException", NO_ROOM):
            kms.create_key(**place[0], **KINDS[kind])


def test_rotation(installation, kms, stores):
    key = kms.create_key()["KeyMetadata"]
    before = on_token(installation)
    with installation.token.failing(FULL):
        for _ in range(2):
            with refused("LimitExceededException", NO_ROOM):
                kms.rotate_key_on_demand(KeyId=key["KeyId"])
    assert on_token(installation) == before
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"] == key["CurrentKeyMaterialId"]
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    after = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"]
    assert after != key["CurrentKeyMaterialId"]


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256", "RSA_2048"])
@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"])
def test_import(installation, kms, place, spec, algorithm):
    if not wrapping.allowed(algorithm, "RSA_2048", spec):
        algorithm = "RSA_AES_KEY_WRAP_SHA_1"
    key = wrapping.create(kms, spec, **place[1])
    before = on_token(installation)
    with installation.token.failing(FULL), refused("KMSInvalidStateException", NO_ROOM):
        wrapping.parameters(kms, key, algorithm)
    assert on_token(installation) == before

    given = wrapping.parameters(kms, key, algorithm)
    request = wrapping.request(key, given, wrapping.material(spec), algorithm)
    before = on_token(installation)
    with installation.token.failing(FULL), refused("KMSInvalidStateException", NO_ROOM):
        kms.import_key_material(**request)
    assert on_token(installation) == before
    assert wrapping.state(kms, key) == "PendingImport"
    kms.import_key_material(**request)
    assert wrapping.state(kms, key) == "Enabled"


def test_what_goes_on(installation, kms, place):
    """Keys that are there, and whatever needs no object of its own: data keys, pairs of them, replicas."""
    key = kms.create_key(**place[0])["KeyMetadata"]["KeyId"]
    signer = kms.create_key(**place[0], **KINDS["EC"])["KeyMetadata"]["KeyId"]
    mac = kms.create_key(**place[0], **KINDS["HMAC"])["KeyMetadata"]["KeyId"]
    shared = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    before, length = on_token(installation), len(installation.server.log)
    with installation.token.failing(FULL):
        for _ in range(3):
            with refused("LimitExceededException", NO_ROOM):
                kms.create_key(**place[0])
            blob = kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
            assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == MESSAGE
            kms.sign(KeyId=signer, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")
            kms.generate_mac(KeyId=mac, Message=MESSAGE, MacAlgorithm="HMAC_SHA_384")
            kms.generate_data_key(KeyId=key, KeySpec="AES_256")
        if not place[0]:
            kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
        region = f"eu-full-{len(listed(kms))}"
        kms.replicate_key(KeyId=shared, ReplicaRegion=region)
        away = installation.client(region=region)
        blob = away.encrypt(KeyId=shared, Plaintext=MESSAGE)["CiphertextBlob"]
        assert kms.decrypt(KeyId=shared, CiphertextBlob=blob)["Plaintext"] == MESSAGE
        ready = urllib.request.urlopen(f"{installation.server.endpoint}/ready", timeout=30)
        assert ready.status == 200
    assert on_token(installation) == before
    assert "sick" not in installation.events(length)
    kms.create_key(**place[0])


def test_a_token_with_so_many_slots(installation, kms, place):
    """As a device with a limited number of objects has it: some fit, then none, and one more when there is room."""
    before, keys = on_token(installation), listed(kms)
    made = []
    with installation.token.failing(f"C_GenerateKey,C_GenerateKeyPair return {faulty.DEVICE_MEMORY} skip 4"):
        for number in range(8):
            kind = KINDS["symmetric"] if number % 2 else KINDS["EC"]
            try:
                made.append(kms.create_key(**place[0], **kind)["KeyMetadata"])
            except kms.exceptions.LimitExceededException:
                pass
    assert len(made) == 4
    assert listed(kms) - keys == {key["KeyId"] for key in made}
    added = on_token(installation) - before
    assert sorted(label for _, label, _ in added) == sorted(key["Arn"] for key in made)
    assert not any(kind.startswith("Public") for kind, _, _ in added)
    kms.create_key(**place[0])


def test_after_a_restart(installation, stores):
    """Nothing had to be finished, and nobody finds anything unknown."""
    length = len(installation.server.log)
    installation.server.restart()
    kms = installation.client()
    key = installation.serves(lambda: kms.create_key())["KeyMetadata"]["KeyId"]
    installation.serves(lambda: kms.encrypt(KeyId=key, Plaintext=MESSAGE))
    assert "that is no key of this installation" not in installation.server.log[length:]
