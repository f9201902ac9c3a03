"""Many KMS keys on one token: what a start and an operation ask of it does not grow with their number."""

import collections
import concurrent.futures

import pytest

from support import faulty
from support.workload import MESSAGE

FEW, MANY = 10, 1000


class Keys:
    def __init__(self, installation):
        self.installation, self.ids = installation, []

    def grow(self, count):
        kms = self.installation.client(max_pool_connections=8)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            made = pool.map(lambda _: kms.create_key()["KeyMetadata"]["KeyId"], range(count - len(self.ids)))
            self.ids.extend(made)

    def start(self):
        """Restarts the server, and waits until its token serves. The calls of the start."""
        self.installation.server.stop()
        self.installation.token.calls()
        self.installation.server.start()
        kms = self.installation.client()
        self.installation.serves(lambda: self.use(kms, self.ids[0]))
        return collections.Counter(self.installation.token.calls())

    @staticmethod
    def use(kms, key):
        blob = kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == MESSAGE

    def calls_of(self, numbers):
        kms = self.installation.client()
        self.installation.token.calls()
        for number in numbers:
            self.use(kms, self.ids[number])
        return collections.Counter(self.installation.token.calls())


@pytest.fixture(scope="module", params=[False, True], ids=["originals", "copies"])
def keys(request):
    # The canary keeps still: it would be counted.
    with faulty.prepared(
            sessionCopies=request.param, canaryIntervalMilliseconds=600_000, callTimeoutMilliseconds=10_000) as made:
        yield Keys(made), request.param


def test_many_keys_cost_what_few_cost(keys):
    keys, are_copied = keys
    keys.grow(FEW)
    start, few = keys.start(), keys.calls_of(range(1, FEW))
    assert start["C_FindObjectsInit"] >= 1 and few["C_Encrypt"] == few["C_Decrypt"] == FEW - 1
    assert few["C_CopyObject"] == (FEW - 1 if are_copied else 0)
    keys.grow(MANY)
    again = keys.start()
    # One sweep for the handles and one to compare the token with the metadata, however many keys there are.
    assert again["C_FindObjectsInit"] == start["C_FindObjectsInit"]
    assert again["C_CopyObject"] == start["C_CopyObject"] == (1 if are_copied else 0)
    for function in ["C_Login", "C_Encrypt", "C_Decrypt", "C_Sign", "C_GenerateKey", "C_GenerateKeyPair"]:
        assert again[function] == start[function], function
    step = (MANY - 1) // (FEW - 1)
    assert keys.calls_of(range(1, MANY, step)[:FEW - 1]) == few
    # Of keys that have been used, no copy is made again.
    assert keys.calls_of(range(1, MANY, step)[:FEW - 1])["C_CopyObject"] == 0


def test_every_one_of_many_keys_works(keys):
    keys, _ = keys
    kms = keys.installation.client(max_pool_connections=8)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda key: keys.use(kms, key), keys.ids)) == [None] * MANY
