"""What was acknowledged survives the end of the process, however it ends."""

import concurrent.futures
import contextlib
import random
import re
import signal
import sqlite3
import threading
import urllib.error
import urllib.request
import uuid

import botocore.exceptions
import pytest

from support import audit, custom_store, softhsm
from support.expect import refused
from support.server import eventually

ROUNDS = 8
TROUBLE = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


def in_custom_store(server):
    return {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}


def decrypts(kms, blob):
    """The plaintext, or None while the token is still logging in in the background."""
    with contextlib.suppress(TROUBLE):
        return kms.decrypt(CiphertextBlob=blob)["Plaintext"]
    return None


def test_keys_of_the_first_run_are_found_by_the_second(new_server):
    server = new_server()
    kms = server.client()
    made = {}
    tags = [{"TagKey": "a", "TagValue": "b"}]
    for arguments in [{}, in_custom_store(server)]:
        key = kms.create_key(Description="first run", Tags=tags, **arguments)["KeyMetadata"]
        kms.create_alias(AliasName=f"alias/{key['KeyId']}", TargetKeyId=key["KeyId"])
        made[key["KeyId"]] = (key, kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"])
    store = server.ready["customKeyStoreId"]
    server.restart()
    kms = server.client()
    assert server.ready["customKeyStoreId"] == store
    assert len(kms.describe_custom_key_stores()["CustomKeyStores"]) == 1
    for key_id, (key, blob) in made.items():
        assert kms.describe_key(KeyId=f"alias/{key_id}")["KeyMetadata"] == key
        assert kms.list_resource_tags(KeyId=key_id)["Tags"] == tags
        assert eventually(lambda: decrypts(kms, blob), "decryption after a restart") == b"x"


def test_every_kind_of_change_survives_a_kill(new_server):
    server = new_server()
    kms = server.client()
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(6)]
    kms.disable_key(KeyId=keys[0])
    kms.schedule_key_deletion(KeyId=keys[1], PendingWindowInDays=9)
    kms.schedule_key_deletion(KeyId=keys[2])
    kms.cancel_key_deletion(KeyId=keys[2])
    kms.update_key_description(KeyId=keys[3], Description="described")
    kms.create_alias(AliasName="alias/moved", TargetKeyId=keys[3])
    kms.create_alias(AliasName="alias/removed", TargetKeyId=keys[3])
    kms.update_alias(AliasName="alias/moved", TargetKeyId=keys[4])
    kms.delete_alias(AliasName="alias/removed")
    kms.tag_resource(KeyId=keys[5], Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}])
    kms.untag_resource(KeyId=keys[5], TagKeys=["a"])
    before = [kms.describe_key(KeyId=key)["KeyMetadata"] for key in keys]
    server.kill()
    kms = server.start().client()
    assert [kms.describe_key(KeyId=key)["KeyMetadata"] for key in keys] == before
    assert [metadata["KeyState"] for metadata in before[:3]] == ["Disabled", "PendingDeletion", "Disabled"]
    assert kms.describe_key(KeyId="alias/moved")["KeyMetadata"]["KeyId"] == keys[4]
    with refused("NotFoundException"):
        kms.describe_key(KeyId="alias/removed")
    assert kms.list_resource_tags(KeyId=keys[5])["Tags"] == [{"TagKey": "b", "TagValue": "2"}]


def test_a_connected_store_comes_back_connected_by_itself(new_server):
    server = new_server()
    kms = server.client()
    key = kms.create_key(**in_custom_store(server))["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    server.kill()
    kms = server.start().client()
    assert custom_store.describe(kms, server.ready["customKeyStoreId"])["ConnectionState"] == "CONNECTED"
    assert eventually(lambda: decrypts(kms, blob), "decryption after the login in the background") == b"x"


def test_a_store_that_was_disconnected_or_failed_stays_so(new_server, region):
    server = new_server()
    kms = server.client(region)
    stores = {region: custom_store.connected(kms, server.pin)}
    custom_store.disconnect(kms, stores[region])
    other = server.client(f"{region}1")
    failed = custom_store.create(other, "wrong-pin")
    assert custom_store.connect(other, failed)["ConnectionState"] == "FAILED"
    server.kill()
    server.start()
    assert custom_store.describe(server.client(region), stores[region])["ConnectionState"] == "DISCONNECTED"
    entry = custom_store.describe(server.client(f"{region}1"), failed)
    assert (entry["ConnectionState"], entry["ConnectionErrorCode"]) == ("FAILED", "INVALID_CREDENTIALS")


class Acknowledged:
    """What the server has promised to keep, written down by the clients that it promised it to."""

    def __init__(self):
        self.lock = threading.Lock()
        self.keys = {}
        self.aliases = {}
        self.disabled = set()
        self.count = 0

    def note(self, change):
        with self.lock:
            change()
            self.count += 1

    def work(self, server, number):
        """Creates and changes keys until the server is gone."""
        kms = server.client()
        custom = in_custom_store(server)
        try:
            for index in range(1000):
                arguments = custom if (number + index) % 2 else {}
                key = kms.create_key(**arguments)["KeyMetadata"]["KeyId"]
                self.note(lambda: self.keys.setdefault(key, None))
                blob = kms.encrypt(KeyId=key, Plaintext=key.encode())["CiphertextBlob"]
                self.note(lambda: self.keys.update({key: blob}))
                alias = f"alias/{uuid.uuid4()}"
                kms.create_alias(AliasName=alias, TargetKeyId=key)
                self.note(lambda: self.aliases.update({alias: key}))
                if index % 3 == 0:
                    kms.disable_key(KeyId=key)
                    self.note(lambda: self.disabled.add(key))
        except botocore.exceptions.BotoCoreError:
            return  # Killed in the middle of a request: nothing was promised.

    def check(self, server):
        kms = server.client()
        listed = {entry["KeyId"] for page in kms.get_paginator("list_keys").paginate() for entry in page["Keys"]}
        assert set(self.keys) <= listed
        aliases = {
            entry["AliasName"]: entry.get("TargetKeyId")
            for page in kms.get_paginator("list_aliases").paginate() for entry in page["Aliases"]}
        assert self.aliases.items() <= aliases.items()
        for key in self.disabled:
            assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
        for key, blob in self.keys.items():
            if blob is not None and kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled":
                plaintext = eventually(lambda: decrypts(kms, blob), f"decryption under {key}")
                assert plaintext == key.encode()
        # Every key that is listed is whole, acknowledged or not.
        for key in listed - set(self.keys):
            if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled":
                kms.encrypt(KeyId=key, Plaintext=b"x")


def test_kill_in_the_middle_of_creating_keys(new_server):
    server = new_server()
    acknowledged = Acknowledged()
    for _ in range(ROUNDS):
        goal = acknowledged.count + random.randint(1, 40)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            workers = [pool.submit(acknowledged.work, server, number) for number in range(4)]
            eventually(lambda: acknowledged.count >= goal, "acknowledged changes", 60)
            server.kill()
            for worker in workers:
                worker.result()
        server.start()
        acknowledged.check(server)
    # Nothing that belongs to no key stays on the token: interrupted creations were finished or swept.
    kms = server.client()
    arns = {entry["KeyArn"] for page in kms.get_paginator("list_keys").paginate() for entry in page["Keys"]}
    labelled = {
        entry["label"] for entry in softhsm.objects(server.data, server.pin)
        if entry.get("label", "").startswith("arn:")}
    assert labelled <= arns


def test_an_object_of_somebody_else_is_reported_and_left_alone(new_server):
    server = new_server()
    server.stop()
    before = len(server.log)
    identifier = uuid.uuid4().hex
    softhsm.make_foreign_key(server.data, server.pin, "somebody-elses-key", identifier)
    server.start()
    eventually(lambda: "somebody-elses-key" in server.log[before:], "a report of the foreign object")
    labels = [entry.get("label") for entry in softhsm.objects(server.data, server.pin)]
    assert "somebody-elses-key" in labels
    assert server.client().create_key(**in_custom_store(server))["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.parametrize("kind", ["generate", "destroy"])
def test_what_an_interruption_left_on_the_token_is_finished_and_reported(new_server, kind):
    server = new_server(options=audit.OPTIONS)
    blob = server.client().encrypt(
        KeyId=server.client().create_key(**in_custom_store(server))["KeyMetadata"]["KeyId"], Plaintext=b"x")
    server.stop()
    # As if the server had been killed between the object on the token and the commit (or after a tombstone).
    identifier = uuid.uuid4().hex
    softhsm.make_foreign_key(server.data, server.pin, "half-made", identifier)
    with contextlib.closing(sqlite3.connect(server.data / "strongroom.sqlite")) as database, database:
        database.execute(
            "INSERT INTO intents (backing_key_id, kind, placement, cluster_id, key_arn, creation_date)"
            " VALUES (?, ?, 'device', 'cluster-strongroomdev', 'arn:aws:kms:us-east-1:000000000000:key/x', 1.0)",
            (bytes.fromhex(identifier), kind))
    before = len(server.log)
    server.start()
    eventually(
        lambda: re.search(f"{identifier}.*finished what an interruption left behind", server.log[before:]),
        "a report of what was finished")
    [destroyed] = [line for line in audit.lines(server) if line["eventName"] == "LeftoversDestroyed"]
    assert destroyed["serviceEventDetails"] == {"keyStore": softhsm.CLUSTER, "count": 1, "objectIds": [identifier]}
    assert "half-made" not in [entry.get("label") for entry in softhsm.objects(server.data, server.pin)]
    eventually(lambda: decrypts(server.client(), blob["CiphertextBlob"]) == b"x", "the other key to work")


def test_a_half_written_object_on_the_token_does_no_harm(new_server):
    """SoftHSM leaves empty object files when it is killed while it makes a key."""
    server = new_server()
    kms = server.client()
    key = kms.create_key(**in_custom_store(server))["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    server.kill()
    [folder] = [path for path in softhsm.token_directory(server.data).iterdir() if path.is_dir()]
    (folder / f"{uuid.uuid4()}.object").write_bytes(b"")
    kms = server.start().client()
    assert eventually(lambda: decrypts(kms, blob), "decryption beside a half-written object") == b"x"
    assert kms.create_key(**in_custom_store(server))["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly_under_load(new_server, with_signal):
    server = new_server()
    acknowledged = Acknowledged()

    def work(number):
        with contextlib.suppress(botocore.exceptions.ClientError):
            acknowledged.work(server, number)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work, number) for number in range(4)]
        eventually(lambda: acknowledged.count >= 20, "acknowledged changes", 60)
        server.stop(with_signal)
        for worker in workers:
            worker.result()
    server.start()
    acknowledged.check(server)


def test_one_server_per_data_directory(new_server):
    server = new_server()
    ready = server.ready
    text = server.refuses_to_start()
    assert str(server.data) in text
    server.ready = ready
    assert server.is_running()
    assert server.client().list_keys()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_root_key_that_is_gone_is_not_replaced(new_server):
    """A new root key would open nothing; starting with one would hide that every software key is lost."""
    server = new_server()
    server.client().create_key()
    server.stop()
    root_key = server.data / "root.key"
    kept = root_key.read_bytes()
    root_key.unlink()
    server.refuses_to_start()
    root_key.write_bytes(kept)
    root_key.chmod(0o600)
    server.start()


def test_a_development_server_starts_although_its_key_store_had_failed(new_server):
    server = new_server()
    kms = server.client()
    store = server.ready["customKeyStoreId"]
    custom_store.disconnect(kms, store)
    kms.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword="wrong-pin")
    assert custom_store.connect(kms, store)["ConnectionErrorCode"] == "INVALID_CREDENTIALS"
    kms = server.restart().client()
    assert custom_store.describe(kms, store)["ConnectionState"] == "CONNECTED"


def readiness(server):
    try:
        with urllib.request.urlopen(f"{server.endpoint}/ready", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_readiness_follows_the_default_key_store(new_server):
    server = new_server()
    assert readiness(server) == 200
    tokens, hidden = server.data / "softhsm", server.data / "softhsm-hidden"
    tokens.rename(hidden)
    expected = 503 if server.default_store == "token" else 200
    eventually(lambda: readiness(server) == expected, "readiness without the token", seconds=60)
    hidden.rename(tokens)
    eventually(lambda: readiness(server) == 200, "readiness with the token back", seconds=60)
