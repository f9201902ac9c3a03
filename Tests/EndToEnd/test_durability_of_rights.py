"""Key policies and grants in the middle of whose changes the power is cut: what was acknowledged is there."""

import contextlib
import itertools
import json
import random
import re
import threading
import time

import botocore.exceptions

from support.principals import Directory, allow, delegation, text
from support.server import eventually

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
GRANTEES = [PEOPLE.user(f"grantee-{number}") for number in range(3)]
ROUNDS = 6
TROUBLE = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


class Worker(threading.Thread):
    """Changes the grants and the policy of one key until the server is gone, and notes what was acknowledged."""

    def __init__(self, server, seed):
        super().__init__()
        self.kms = server.client(connect_timeout=5, read_timeout=5)
        self.key = self.kms.create_key()["KeyMetadata"]["KeyId"]
        self.random = random.Random(seed)
        self.created, self.revoking, self.revoked = set(), set(), set()
        self.put_started = self.put_done = 0

    def run(self):
        with contextlib.suppress(*TROUBLE):
            for number in itertools.count(1):
                self.created.add(self.kms.create_grant(
                    KeyId=self.key, GranteePrincipal=self.random.choice(GRANTEES).arn, Operations=["Encrypt"],
                    Constraints={"EncryptionContextEquals": {"number": str(number)}})["GrantId"])
                if number % 2:
                    grant = self.random.choice(sorted(self.created - self.revoking))
                    self.revoking.add(grant)
                    self.kms.revoke_grant(KeyId=self.key, GrantId=grant)
                    self.revoked.add(grant)
                self.put_started = number
                self.kms.put_key_policy(KeyId=self.key, Policy=text(
                    delegation(), allow("kms:Encrypt", principal=GRANTEES[0], sid=f"number {number}")))
                self.put_done = number

    def check(self, kms):
        pages = kms.get_paginator("list_grants").paginate(KeyId=self.key)
        found = {entry["GrantId"] for page in pages for entry in page["Grants"]}
        assert self.created - self.revoking <= found
        assert not self.revoked & found
        assert len(found - self.created) <= 1  # The one that was made, but not acknowledged.
        policy = json.loads(kms.get_key_policy(KeyId=self.key)["Policy"])
        [number] = re.findall(r"number (\d+)", policy["Statement"][-1].get("Sid", "number 0")) or ["0"]
        assert self.put_done <= int(number) <= self.put_started


def test_kill_in_the_middle_of_changing_grants_and_policies(default_store):
    with PEOPLE.server(default_store, admin=ADMIN) as server:
        done = []
        for round_number in range(ROUNDS):
            workers = [Worker(server, seed) for seed in range(4)]
            for worker in workers:
                worker.start()
            eventually(lambda: all(worker.created for worker in workers), "every worker has made a grant")
            time.sleep(random.Random(round_number).uniform(0.1, 0.5))
            server.kill()
            for worker in workers:
                worker.join()
            done += workers
            kms = server.start().client()
            for worker in done:
                worker.check(kms)
