"""Clients that change keys until the power is cut, and know afterwards what they were promised."""

import collections
import contextlib
import random
import re
import sqlite3
import threading
import time

import botocore.exceptions

from support import softhsm
from support.server import eventually

TROUBLE = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


class Worker(threading.Thread):
    """Does one step after another until the server is gone; `attempted` is what was begun and not acknowledged."""

    def __init__(self, server, seed):
        super().__init__()
        self.server, self.random = server, random.Random(seed)
        self.kms = self.client("us-east-1")
        self.attempted, self.count, self.error = None, 0, None

    def client(self, region):
        return self.server.client(region, connect_timeout=5, read_timeout=20)

    def attempt(self, what, call, **arguments):
        self.attempted = what
        answer = call(**arguments)
        self.attempted = None
        return answer

    def run(self):
        try:
            while True:
                self.step()
                self.count += 1
        except botocore.exceptions.BotoCoreError:
            return  # Killed in the middle of a request: nothing was promised.
        except OSError:
            return  # Likewise, for requests that do not go through boto3.
        except botocore.exceptions.ClientError as error:
            self.error = error


def cut_again_and_again(server, make, rounds, workers=2):
    """Kills the server in the middle of the work of `make(server, seed)`'s workers, and lets each check what it finds
    at the next start. Returns all workers."""
    pause, done = random.Random(rounds), []
    for number in range(rounds):
        working = [make(server, workers * number + index) for index in range(workers)]
        for worker in working:
            worker.start()
        eventually(lambda: all(worker.count or worker.error for worker in working), "some work", 60)
        time.sleep(pause.uniform(0, 0.15))
        server.kill()
        for worker in working:
            worker.join()
        assert [worker.error for worker in working if worker.error] == [], server.log[-4000:]
        server.start()
        for worker in working:
            worker.check(server)
        done += working
    return done


def decrypted(kms, blob, **more):
    """The answer of Decrypt; waits for the login to the token in the background."""
    def attempt():
        with contextlib.suppress(TROUBLE):
            return kms.decrypt(CiphertextBlob=blob, **more)
        return None

    return eventually(attempt, "decryption after a restart")


def all_keys(server, regions):
    """Metadata of every key in these Regions, by Region and id."""
    found = {}
    for region in regions:
        kms = server.client(region)
        for page in kms.get_paginator("list_keys").paginate():
            for entry in page["Keys"]:
                found[region, entry["KeyId"]] = kms.describe_key(KeyId=entry["KeyId"])["KeyMetadata"]
    return found


def on_token(server, metadata):
    return server.default_store == "token" or "CustomKeyStoreId" in metadata


def only_what_belongs_to_keys(server, regions):
    """On the token are the objects of keys that there are, one for each symmetric key material, and no others; and
    nothing is left to finish."""
    def expected():
        counts = {}
        for (region, key_id), metadata in all_keys(server, regions).items():
            if on_token(server, metadata) and metadata["KeySpec"] == "SYMMETRIC_DEFAULT":
                counts[key_id] = 1 if "CustomKeyStoreId" in metadata else len(server.client(region).list_key_rotations(
                    KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"])
        return counts

    def objects(kind):
        labels = [entry.get("label", "") for entry in softhsm.objects(server.data, server.pin, kinds=kind)]
        # The label names the key with the Region in which it was made; that of a primary may have moved since.
        return collections.Counter(
            found.group(1) for label in labels if (found := re.fullmatch(r"arn:.*:key/([0-9a-z-]+)", label)))

    def pending():
        with contextlib.closing(sqlite3.connect(f"file:{server.data / 'strongroom.sqlite'}?mode=ro", uri=True)) as file:
            return file.execute("SELECT count(*) FROM intents").fetchone()[0]

    eventually(lambda: pending() == 0, "that everything is finished")
    known = {key_id for _, key_id in all_keys(server, regions)}
    assert set(objects("")) <= known
    found = objects("--type secrkey")
    assert {key_id: found[key_id] for key_id in expected()} == expected()
