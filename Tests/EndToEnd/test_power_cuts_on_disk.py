"""The power is cut as in test_power_cuts.py, with everything on a disk, whose syncs take their time: while keys are
made, rotated and deleted, and while imported material is deleted and comes again."""

import contextlib
import os
import sqlite3

import pytest

from support import softhsm, wrapping
from support.expect import refused
from support.power_cuts import Worker, cut_again_and_again, decrypted, only_what_belongs_to_keys
from support.server import disk_directory, eventually
from test_power_cuts import REGIONS, Creator, Deleter, Rotator, describe

ROUNDS = 3
KEYS = 3
ALGORITHM = "RSAES_OAEP_SHA_256"


@pytest.mark.parametrize("kind", [Creator, Rotator, Deleter])
def test_keys(new_server, kind):
    server = new_server(directory=disk_directory())
    workers = cut_again_and_again(server, kind, ROUNDS)
    for worker in workers:
        worker.check(server)
    only_what_belongs_to_keys(server, REGIONS)


class Remover(Worker):
    """Deletes the material of keys, and imports it again."""

    def __init__(self, server, seed):
        super().__init__(server, seed)
        places = [{}, {"CustomKeyStoreId": server.ready["customKeyStoreId"]}]
        self.keys, self.present, self.blobs, self.requests = [], {}, {}, {}
        for number in range(KEYS):
            key = wrapping.create(self.kms, **places[(seed + number) % 2])
            key_id = key["KeyId"]
            self.requests[key_id] = wrapping.request(
                key, wrapping.parameters(self.kms, key, ALGORITHM), os.urandom(32), ALGORITHM)
            self.kms.import_key_material(**self.requests[key_id])
            self.blobs[key_id] = self.kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
            self.present[key_id] = True
            self.keys.append(key)

    def step(self):
        key_id = self.random.choice(self.keys)["KeyId"]
        if self.present[key_id]:
            self.attempt(key_id, self.kms.delete_imported_key_material, KeyId=key_id)
        else:
            self.attempt(key_id, self.kms.import_key_material, **self.requests[key_id])
        self.present[key_id] = not self.present[key_id]

    def check(self, server):
        kms = server.client()
        for key_id, present in self.present.items():
            is_present = describe(kms, key_id)["KeyState"] == "Enabled"
            assert is_present == present or key_id == self.attempted
            self.present[key_id] = is_present
            if is_present:
                assert decrypted(kms, self.blobs[key_id])["Plaintext"] == b"x"
            else:
                assert describe(kms, key_id)["KeyState"] == "PendingImport"
                with refused("KMSInvalidStateException"):
                    kms.decrypt(CiphertextBlob=self.blobs[key_id])
        self.attempted = None


def test_imported_material(new_server):
    server = new_server(directory=disk_directory())
    workers = cut_again_and_again(server, Remover, ROUNDS)

    def is_settled():
        database = sqlite3.connect(f"file:{server.data / 'strongroom.sqlite'}?mode=ro", uri=True)
        with contextlib.closing(database):
            return database.execute("SELECT count(*) FROM intents").fetchone() == (0,)

    eventually(is_settled, "that everything is finished")
    found = [entry.get("label") for entry in softhsm.all_objects(server.data, server.pin)]
    for worker in workers:
        for key in worker.keys:
            on_token = server.default_store == "token" or "CustomKeyStoreId" in key
            assert found.count(key["Arn"]) == (on_token and worker.present[key["KeyId"]])
    # The same material comes again.
    for worker in workers:
        for key_id in [key_id for key_id, present in worker.present.items() if not present]:
            server.client().import_key_material(**worker.requests[key_id])
            worker.present[key_id] = True
        worker.check(server)
