"""The test interface of `strongroom dev`: moving the clock, resetting the store."""

import datetime
import threading
import time

import pytest

from support import custom_store, softhsm
from support.expect import refused
from support.server import eventually
from support.wire import Wire

DAY = 86400


@pytest.fixture
def clocked(new_server):
    return new_server()


def arguments_for(server, where):
    if where == "default":
        return {}
    return {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}


def test_the_clock_moves_forward_for_good(clocked):
    raw = Wire(clocked)
    assert abs(raw.development("AdvanceClock", {"Seconds": 0})["Now"] - time.time()) < 60
    assert abs(raw.development("AdvanceClock", {"Seconds": 3 * DAY})["Now"] - time.time() - 3 * DAY) < 60
    created = clocked.client().create_key()["KeyMetadata"]["CreationDate"]
    ahead = created - datetime.datetime.now(datetime.timezone.utc)
    assert abs(ahead.total_seconds() - 3 * DAY) < 60
    clocked.restart()
    assert abs(Wire(clocked).development("AdvanceClock", {"Seconds": 0})["Now"] - time.time() - 3 * DAY) < 60


def test_signatures_are_checked_against_the_real_clock(clocked):
    raw = Wire(clocked)
    raw.development("AdvanceClock", {"Seconds": 30 * DAY})
    assert raw.call("ListKeys", {}).status == 200
    assert raw.call("ListKeys", {}, seconds=30 * DAY).code == "InvalidSignatureException"


@pytest.mark.parametrize("body", [{"Seconds": -1}, {"Seconds": "1"}, {"Seconds": 1e300}, {"Seconds": 1.5e18}, {}])
def test_the_clock_refuses_what_is_no_number_of_seconds(clocked, body):
    answer = Wire(clocked).call("StrongroomDev.AdvanceClock", body)
    assert answer.status == 400
    assert answer.code in ("ValidationException", "SerializationException"), answer
    assert clocked.is_running()


@pytest.mark.parametrize("operation", ["AdvanceClock", "Reset"])
def test_the_test_interface_wants_a_signature(clocked, operation):
    raw = Wire(clocked, secret="not the secret")
    answer = raw.call(f"StrongroomDev.{operation}", {"Seconds": 1})
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")


@pytest.mark.parametrize("where", ["default", "custom"])
def test_a_key_is_gone_when_its_window_ends(clocked, default_store, where):
    kms, raw = clocked.client(), Wire(clocked)
    key, kept = (kms.create_key(**arguments_for(clocked, where))["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName="alias/doomed", TargetKeyId=key["KeyId"])
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kept_blob = kms.encrypt(KeyId=kept["KeyId"], Plaintext=b"kept")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    kms.schedule_key_deletion(KeyId=kept["KeyId"], PendingWindowInDays=8)

    raw.development("AdvanceClock", {"Seconds": 7 * DAY - 60})
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
    raw.development("AdvanceClock", {"Seconds": 120})
    with refused("NotFoundException", f"Key '{key['Arn']}' does not exist"):
        kms.describe_key(KeyId=key["KeyId"])
    with refused("NotFoundException"):
        kms.cancel_key_deletion(KeyId=key["KeyId"])
    with refused("NotFoundException"):
        kms.encrypt(KeyId="alias/doomed", Plaintext=b"x")
    with refused("AccessDeniedException"):
        kms.decrypt(CiphertextBlob=blob)
    assert key["KeyId"] not in [entry["KeyId"] for entry in kms.list_keys()["Keys"]]
    assert "alias/doomed" not in [entry["AliasName"] for entry in kms.list_aliases()["Aliases"]]
    kms.create_alias(AliasName="alias/doomed", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])

    if where == "custom" or default_store == "token":
        def destroyed():
            return softhsm.objects_of(clocked.data, clocked.pin, key["Arn"]) == []

        eventually(destroyed, "the object on the token is destroyed")
        assert len(softhsm.objects_of(clocked.data, clocked.pin, kept["Arn"])) == 1

    kms.cancel_key_deletion(KeyId=kept["KeyId"])
    kms.enable_key(KeyId=kept["KeyId"])
    assert kms.decrypt(CiphertextBlob=kept_blob)["Plaintext"] == b"kept"
    clocked.restart()
    with refused("NotFoundException"):
        clocked.client().describe_key(KeyId=key["KeyId"])


def test_a_store_may_be_deleted_when_its_last_key_is_gone(clocked, region):
    kms = clocked.client(region)
    store = custom_store.connected(kms, clocked.pin)
    key = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    Wire(clocked).development("AdvanceClock", {"Seconds": 8 * DAY})
    custom_store.disconnect(kms, store)
    kms.delete_custom_key_store(CustomKeyStoreId=store)


def test_reset_leaves_nothing_behind(clocked, region):
    kms, elsewhere, raw = clocked.client(), clocked.client(region), Wire(clocked)
    own_store = custom_store.connected(elsewhere, clocked.pin)
    keys = [kms.create_key(**arguments_for(clocked, where))["KeyMetadata"] for where in ["default", "custom"]]
    keys.append(elsewhere.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=own_store)["KeyMetadata"])
    blob = kms.encrypt(KeyId=keys[0]["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.create_alias(AliasName="alias/x", TargetKeyId=keys[0]["KeyId"])
    raw.development("AdvanceClock", {"Seconds": DAY})
    raw.development("Reset", {})
    assert kms.list_keys()["Keys"] == [] and elsewhere.list_keys()["Keys"] == []
    assert "alias/x" not in [entry["AliasName"] for entry in kms.list_aliases()["Aliases"]]
    assert abs(raw.development("AdvanceClock", {"Seconds": 0})["Now"] - time.time()) < 60
    assert elsewhere.describe_custom_key_stores()["CustomKeyStores"] == []
    with refused("AccessDeniedException"):
        kms.decrypt(CiphertextBlob=blob)
    for key in keys:
        assert softhsm.objects_of(clocked.data, clocked.pin, key["Arn"]) == []

    [entry] = kms.describe_custom_key_stores(CustomKeyStoreName="softhsm")["CustomKeyStores"]
    entry = custom_store.settled(kms, entry["CustomKeyStoreId"])
    assert (entry["CustomKeyStoreName"], entry["ConnectionState"]) == ("softhsm", "CONNECTED")
    for arguments in [{}, {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": entry["CustomKeyStoreId"]}]:
        key = kms.create_key(**arguments)["KeyMetadata"]["KeyId"]
        blob = kms.encrypt(KeyId=key, Plaintext=b"y")["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"y"
    clocked.restart()
    assert len(clocked.client().list_keys()["Keys"]) == 2


@pytest.mark.parametrize("where", ["default", "custom"])
def test_keys_that_are_created_while_others_are_deleted_live(clocked, where):
    kms = clocked.client()
    arguments = arguments_for(clocked, where)
    for _ in range(30):
        key = kms.create_key(**arguments)["KeyMetadata"]["KeyId"]
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    made = []
    done = threading.Event()

    def create():
        client = clocked.client()
        while not done.is_set():
            made.append(client.create_key(**arguments)["KeyMetadata"]["KeyId"])

    workers = [threading.Thread(target=create) for _ in range(4)]
    for worker in workers:
        worker.start()
    try:
        Wire(clocked).development("AdvanceClock", {"Seconds": 8 * DAY})
        eventually(lambda: made, "a key that was created meanwhile")
    finally:
        done.set()
        for worker in workers:
            worker.join()
    for key in made:
        kms.encrypt(KeyId=key, Plaintext=b"x")
