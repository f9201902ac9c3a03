"""Imports, deletions and rotations in the middle of which the power is cut: each has happened, or has not."""

import contextlib
import os
import random
import threading
import time

import botocore.exceptions

from support import softhsm, wrapping
from support.materials import DAY, NEW, describe, materials
from support.power_cuts import TROUBLE, decrypted
from support.server import eventually
from support.wire import Wire

ROUNDS = 4
ALGORITHM = "RSAES_OAEP_SHA_256"
# (KMS Developer Guide, "Resource quotas".)
MOST_ROTATIONS = 25


class Worker(threading.Thread):
    """Changes the material of one symmetric key until the server is gone, and notes what was acknowledged.

    `secrets` has the bytes of every material whose import was begun, `acknowledged` its place there by KeyMaterialId.
    """

    def __init__(self, server, seed, **where):
        super().__init__()
        self.random = random.Random(seed)
        self.kms = server.client(connect_timeout=5, read_timeout=20)
        self.key = wrapping.create(self.kms, **where)
        self.given = wrapping.parameters(self.kms, self.key, ALGORITHM)
        self.secrets = [os.urandom(32)]
        self.acknowledged = {self.bring(0): 0}
        self.rotations = 0
        self.blobs = {}
        self.attempted = None
        self.count = 0
        self.error = None

    def bring(self, number, **more):
        return self.kms.import_key_material(
            **wrapping.request(self.key, self.given, self.secrets[number], ALGORITHM, **more))["KeyMaterialId"]

    def run(self):
        try:
            while True:
                self.step()
                self.count += 1
        except botocore.exceptions.BotoCoreError:
            return  # Killed in the middle of a request: nothing was promised.
        except botocore.exceptions.ClientError as error:
            self.error = error

    def step(self):
        name = {"KeyId": self.key["KeyId"]}
        # Material that is imported again, where it is or after it was deleted.
        number = len(self.secrets) - 1
        if self.random.random() < 0.5:
            self.attempted = "deletion"
            self.kms.delete_imported_key_material(**name)
            self.bring(number)
        self.attempted = "import"
        self.bring(self.random.randrange(len(self.secrets)))
        self.attempted = "use"
        blob = self.kms.encrypt(Plaintext=str(number).encode(), **name)["CiphertextBlob"]
        self.blobs[blob] = str(number).encode()
        if self.rotations < MOST_ROTATIONS:
            self.secrets.append(os.urandom(32))
            self.attempted = "new material"
            self.acknowledged[self.bring(number + 1, **NEW)] = number + 1
            self.attempted = "rotation"
            self.kms.rotate_key_on_demand(**name)
            self.rotations += 1
        self.attempted = None

    def check(self, kms):
        """Every acknowledged material is known, and at most one more; what is missing is what was being deleted."""
        entries = materials(kms, self.key)
        ids = [entry["KeyMaterialId"] for entry in entries]
        assert set(self.acknowledged) <= set(ids)
        assert len(ids) <= len(self.secrets) and len(ids) - len(self.acknowledged) <= (self.attempted == "new material")
        missing = [entry["KeyMaterialId"] for entry in entries if entry["ImportState"] != "IMPORTED"]
        assert not missing or (self.attempted == "deletion" and len(missing) == 1)
        described = describe(kms, self.key)
        assert described["KeyState"] == ("PendingImport" if missing else "Enabled")
        assert [entry["KeyMaterialId"] for entry in entries if entry["KeyMaterialState"] == "CURRENT"] == [
            described["CurrentKeyMaterialId"]]
        rotations = sum("RotationDate" in entry for entry in entries)
        assert rotations - self.rotations in ([0, 1] if self.attempted == "rotation" else [0])
        if missing:
            [number] = [self.acknowledged[each] for each in missing]
            wrapping.bring(kms, self.key, self.secrets[number])
            assert describe(kms, self.key)["KeyState"] == "Enabled"
        for blob, plaintext in self.blobs.items():
            assert decrypted(kms, blob)["Plaintext"] == plaintext
        return [entry["KeyMaterialId"] for entry in entries]


class Requester(threading.Thread):
    """Makes wrapping keys until the server is gone."""

    def __init__(self, server, **where):
        super().__init__()
        self.kms = server.client(connect_timeout=5, read_timeout=20)
        self.key = wrapping.create(self.kms, **where)
        self.last = None

    def run(self):
        with contextlib.suppress(*TROUBLE):
            while True:
                self.last = wrapping.parameters(self.kms, self.key, ALGORITHM)

    def check(self, kms):
        """The last parameters that were given still serve."""
        if self.last is not None:
            kms.import_key_material(**wrapping.request(self.key, self.last, os.urandom(32), ALGORITHM))
            self.last = None


def test_kill_in_the_middle_of_imports(new_server):
    server = new_server()
    places = [{}, {"CustomKeyStoreId": server.ready["customKeyStoreId"]}]
    done, requesters, seed = [], [], random.Random(5)
    for round_number in range(ROUNDS):
        workers = [Worker(server, 4 * round_number + number, **places[number % 2]) for number in range(4)]
        requester = Requester(server, **places[round_number % 2])
        for thread in [*workers, requester]:
            thread.start()
        eventually(lambda: all(worker.count or worker.error for worker in workers), "some work", 60)
        time.sleep(seed.uniform(0, 0.4))
        server.kill()
        for thread in [*workers, requester]:
            thread.join()
        assert [worker.error for worker in workers if worker.error] == [], server.log[-4000:]
        done += workers
        requesters.append(requester)
        kms = server.start().client()
        for each in [*workers, *requesters]:
            each.check(kms)
    on_token = [server.default_store == "token" or "CustomKeyStoreId" in worker.key for worker in done]
    counts = {worker.key["Arn"]: len(worker.check(kms)) * there for worker, there in zip(done, on_token)}

    # On the token there is exactly what the keys have, and no wrapping key that has had its day.
    Wire(server).development("AdvanceClock", {"Seconds": (2 * DAY).total_seconds()})

    eventually(lambda: softhsm.wrapping_keys(server.data, server.pin) == [], "no wrapping keys")

    def counted():
        found = [entry.get("label") for entry in softhsm.all_objects(server.data, server.pin)]
        return {arn: found.count(arn) for arn in counts}

    # Another program may look while the server still destroys wrapping keys.
    eventually(lambda: counted() == counts, f"the objects of the keys: {counts}, not {counted()}")
