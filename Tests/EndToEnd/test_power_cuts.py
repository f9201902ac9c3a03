"""Keys are made, rotated, replicated and deleted, and in the middle of it the power is cut, again and again: what was
acknowledged has happened, what was not has happened whole or not at all."""

import contextlib
import datetime

import botocore.exceptions

from support import operations
from support.expect import refused
from support.materials import DAY
from support.power_cuts import TROUBLE, Worker, cut_again_and_again, decrypted, only_what_belongs_to_keys
from support.server import eventually
from support.wire import Wire

ROUNDS = 10
HOME, REGIONS = "us-east-1", ["us-east-1", "eu-west-1", "ap-southeast-2", "sa-east-1"]
# (KMS Developer Guide, "Resource quotas".)
MOST_ROTATIONS = 25
# Keys that are made before the power is cut: making them takes longer than all else.
STOCK = 6
# What of a multi-Region key is the same everywhere.
SHARED = ["KeyId", "KeySpec", "KeyUsage", "Origin", "CurrentKeyMaterialId", "MultiRegion"]


def describe(kms, key_id):
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]


def there_is(kms, key_id):
    """The metadata of a key, or None."""
    try:
        return describe(kms, key_id)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NotFoundException"
        return None


# Creation

class Creator(Worker):
    """Makes keys of several kinds, with all that may belong to them."""

    def __init__(self, server, seed):
        super().__init__(server, seed)
        custom = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}
        signing = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
        self.kinds = [
            {}, custom, {"MultiRegion": True}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, signing,
            {**signing, **custom}, {"Origin": "EXTERNAL"}]
        self.made = []

    def step(self):
        tags = [{"TagKey": str(number), "TagValue": "x"} for number in range(self.random.randrange(4))]
        self.made.append((self.attempt(
            "creation", self.kms.create_key, Description=f"number {self.count}", Tags=tags,
            **self.random.choice(self.kinds))["KeyMetadata"], tags))

    def check(self, server):
        kms = server.client()
        for metadata, tags in self.made:
            assert describe(kms, metadata["KeyId"]) == metadata
            assert kms.list_resource_tags(KeyId=metadata["KeyId"])["Tags"] == tags
            if metadata["Origin"] != "EXTERNAL":
                eventually(lambda: usable(kms, metadata), f"the use of {metadata['Arn']}")


def usable(kms, metadata):
    """Every operation of the key; not before the login to the token in the background."""
    with contextlib.suppress(*TROUBLE):
        return operations.calls(kms, metadata)
    return None


def test_creation(new_server):
    server = new_server()
    workers = cut_again_and_again(server, Creator, ROUNDS)
    kms = server.client()
    acknowledged = {metadata["KeyId"] for worker in workers for metadata, _ in worker.made}
    listed = {entry["KeyId"] for page in kms.get_paginator("list_keys").paginate() for entry in page["Keys"]}
    assert acknowledged <= listed
    assert len(listed - acknowledged) <= sum(worker.attempted is not None for worker in workers)
    for key_id in listed:
        metadata = describe(kms, key_id)
        if metadata["Origin"] == "EXTERNAL":
            assert metadata["KeyState"] == "PendingImport"
        else:
            eventually(lambda: usable(kms, metadata), f"the use of {metadata['Arn']}")
    only_what_belongs_to_keys(server, REGIONS)


# Rotation

class Rotator(Worker):
    """Rotates one key, and encrypts with every one of its materials."""

    def __init__(self, server, seed):
        super().__init__(server, seed)
        self.begin()
        self.keys = []

    def begin(self):
        self.key = self.kms.create_key()["KeyMetadata"]
        self.materials, self.blobs = [self.key["CurrentKeyMaterialId"]], {}

    def step(self):
        name = {"KeyId": self.key["KeyId"]}
        blob = self.kms.encrypt(Plaintext=str(len(self.materials)).encode(), **name)["CiphertextBlob"]
        self.blobs[blob] = len(self.materials) - 1
        if len(self.materials) > MOST_ROTATIONS:
            self.keys.append((self.key, self.materials, self.blobs))
            self.begin()
            return
        self.attempt("rotation", self.kms.rotate_key_on_demand, **name)
        self.materials.append(describe(self.kms, self.key["KeyId"])["CurrentKeyMaterialId"])

    def check(self, server):
        kms = server.client()
        for key, materials, blobs in [*self.keys, (self.key, self.materials, self.blobs)]:
            listed = kms.list_key_rotations(KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
            ids = [entry["KeyMaterialId"] for entry in listed]
            assert ids[:len(materials)] == materials
            # One rotation may have been acknowledged, and its material not yet been asked for; or not acknowledged.
            assert len(ids) - len(materials) <= (key is self.key)
            assert [entry["KeyMaterialState"] for entry in listed] == ["NON_CURRENT"] * (len(ids) - 1) + ["CURRENT"]
            assert describe(kms, key["KeyId"]) == {**key, "CurrentKeyMaterialId": ids[-1]}
            for blob, number in blobs.items():
                answer = decrypted(kms, blob)
                assert (answer["Plaintext"], answer["KeyMaterialId"]) == (str(number + 1).encode(), ids[number])
            assert kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_rotation(new_server):
    server = new_server()
    workers = cut_again_and_again(server, Rotator, ROUNDS)
    for worker in workers:
        worker.check(server)
    only_what_belongs_to_keys(server, REGIONS)


# Replication

class Replicator(Worker):
    """Makes multi-Region keys, replicates them, moves their primary, and rotates them."""

    def __init__(self, server, seed):
        super().__init__(server, seed)
        self.clients = {region: self.client(region) for region in REGIONS}
        self.stock = [self.create() for _ in range(STOCK)]
        self.keys = {}  # By key id: the Regions, that of the primary first, and a ciphertext.

    def create(self):
        return self.kms.create_key(MultiRegion=True, Description=HOME)["KeyMetadata"]["KeyId"]

    def step(self):
        key_id = self.stock.pop() if self.stock else self.create()
        regions = [HOME]
        self.keys[key_id] = regions, self.kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        for region in self.random.sample(REGIONS[1:], self.random.randrange(1, 4)):
            primary = self.clients[regions[0]]
            self.attempt(
                ("replication", key_id, region), primary.replicate_key, KeyId=key_id, ReplicaRegion=region,
                Description=region)
            regions.append(region)
            if self.random.random() < 0.5:
                self.attempt(
                    ("move", key_id, region), primary.update_primary_region, KeyId=key_id, PrimaryRegion=region)
                regions.remove(region)
                regions.insert(0, region)
        if self.random.random() < 0.3:
            self.clients[regions[0]].rotate_key_on_demand(KeyId=key_id)

    def check(self, server):
        clients = {region: server.client(region) for region in REGIONS}
        what, of, where = self.attempted or (None, None, None)
        for key_id, (regions, blob) in self.keys.items():
            primary = regions[0]
            found = {
                region: metadata for region in REGIONS if (metadata := there_is(clients[region], key_id)) is not None}
            assert found.keys() - set(regions) <= ({where} if (what, of) == ("replication", key_id) else set())
            assert set(regions) <= found.keys()
            for region, metadata in found.items():
                assert (metadata["KeyState"], metadata["Description"]) == ("Enabled", region)
            # All of them say the same.
            for names in [SHARED, ["PrimaryKey", "ReplicaKeys"]]:
                said = [
                    {name: each[name] for name in names} for metadata in found.values()
                    for each in [metadata if names is SHARED else metadata["MultiRegionConfiguration"]]]
                assert all(each == said[0] for each in said), said
            place = said[0]["PrimaryKey"]["Region"]
            assert place in ({primary, where} if (what, of) == ("move", key_id) else {primary})
            assert {each["Region"] for each in said[0]["ReplicaKeys"]} == found.keys() - {place}
            for region in found:
                assert found[region]["MultiRegionConfiguration"]["MultiRegionKeyType"] == (
                    "PRIMARY" if region == place else "REPLICA")
                assert decrypted(clients[region], blob)["Plaintext"] == b"x"


def test_replication(new_server):
    server = new_server()
    workers = cut_again_and_again(server, Replicator, ROUNDS)
    for worker in workers:
        worker.check(server)
    only_what_belongs_to_keys(server, REGIONS)


# Deletion

def clock(server):
    """What the test clock shows."""
    return advance(server, 0 * DAY)


def advance(server, duration):
    now = Wire(server).development("AdvanceClock", {"Seconds": duration.total_seconds()})["Now"]
    return datetime.datetime.fromtimestamp(now, datetime.timezone.utc)


class Deleter(Worker):
    """Schedules keys for their deletion, takes some back, and moves the clock."""

    def __init__(self, server, seed):
        super().__init__(server, seed)
        self.away = self.client(REGIONS[1])
        self.custom = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}
        self.kept, self.scheduled, self.cancelled, self.primaries = {}, {}, {}, {}
        self.stock = [self.create() for _ in range(STOCK)]
        self.shown = clock(server)

    def create(self):
        """A key, and whether it has a replica."""
        arguments = self.random.choice([{}, self.custom, {"MultiRegion": True}])
        key_id = self.kms.create_key(**arguments)["KeyMetadata"]["KeyId"]
        self.kept[key_id] = self.kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        if "MultiRegion" in arguments:
            self.kms.replicate_key(KeyId=key_id, ReplicaRegion=REGIONS[1])
        return key_id, "MultiRegion" in arguments

    def step(self):
        key_id, has_replica = self.stock.pop() if self.stock else self.create()
        if has_replica:
            answer = self.attempt(
                ("replica", key_id), self.away.schedule_key_deletion, KeyId=key_id, PendingWindowInDays=7)
            self.primaries[key_id] = answer["DeletionDate"], False
            self.schedule(key_id)
        else:
            self.schedule(key_id)
            if self.random.random() < 0.4:
                self.cancel(key_id)
        if self.random.random() < 0.3:
            self.shown = advance(self.server, self.random.randrange(1, 4) * DAY)

    def schedule(self, key_id):
        answer = self.attempt(
            ("schedule", key_id), self.kms.schedule_key_deletion, KeyId=key_id, PendingWindowInDays=7)
        blob = self.kept.pop(key_id)
        if key_id in self.primaries:
            self.primaries[key_id] = self.primaries[key_id][0], True
        else:
            self.scheduled[key_id] = answer["DeletionDate"], blob

    def cancel(self, key_id):
        try:
            self.attempt(("cancel", key_id), self.kms.cancel_key_deletion, KeyId=key_id)
        except botocore.exceptions.ClientError as error:
            # Somebody moved the clock meanwhile.
            assert error.response["Error"]["Code"] == "NotFoundException"
            self.attempted = None
            return
        self.cancelled[key_id] = self.scheduled.pop(key_id)[1]

    def check(self, server):
        kms, away, now = server.client(), server.client(REGIONS[1]), clock(server)
        assert now >= self.shown - datetime.timedelta(minutes=1)
        what, of = self.attempted or (None, None)
        for key_id, blob in self.kept.items():
            if (what, of) == ("schedule", key_id):
                # Perhaps it was, and perhaps its time has come.
                metadata = there_is(kms, key_id)
                if metadata is None or metadata["KeyState"] != "Enabled":
                    continue
            assert decrypted(kms, blob)["Plaintext"] == b"x"
        for key_id in self.cancelled:
            assert describe(kms, key_id)["KeyState"] == "Disabled"
        for key_id, (date, blob) in self.scheduled.items():
            self.check_scheduled(kms, key_id, date, now, (what, of) == ("cancel", key_id))
            if date < now:
                with refused("AccessDeniedException"):
                    kms.decrypt(CiphertextBlob=blob)
        for key_id, (date, both) in self.primaries.items():
            self.check_scheduled(away, key_id, date, now, False)
            metadata = there_is(kms, key_id)
            if not both:
                continue
            if date > now:
                assert metadata["KeyState"] == "PendingReplicaDeletion"
            elif metadata is not None:
                # Its window began when its replica was gone.
                assert metadata["KeyState"] == "PendingDeletion"
                assert date + 7 * DAY <= metadata["DeletionDate"] <= now + 7 * DAY

    @staticmethod
    def check_scheduled(kms, key_id, date, now, may_be_cancelled):
        metadata = there_is(kms, key_id)
        if metadata is None:
            assert date <= now
        elif metadata["KeyState"] == "Disabled":
            assert may_be_cancelled
        else:
            assert (metadata["KeyState"], metadata["DeletionDate"]) == ("PendingDeletion", date) and date > now


def test_deletion(new_server):
    server = new_server()
    workers = cut_again_and_again(server, Deleter, ROUNDS)
    for worker in workers:
        worker.check(server)
    only_what_belongs_to_keys(server, REGIONS)
    # Until every window is over: that of a primary begins when its last replica is gone.
    for _ in range(3):
        advance(server, 8 * DAY)
    kms, away = server.client(), server.client(REGIONS[1])
    for worker in workers:
        for key_id, blob in worker.cancelled.items():
            kms.enable_key(KeyId=key_id)
            assert decrypted(kms, blob)["Plaintext"] == b"x"
        for key_id, (_, both) in worker.primaries.items():
            assert there_is(away, key_id) is None
            assert not both or there_is(kms, key_id) is None
        for key_id in worker.scheduled:
            assert there_is(kms, key_id) is None or worker.attempted == ("cancel", key_id)
    only_what_belongs_to_keys(server, REGIONS)
