"""`strongroom adopt`: objects that others made become KMS keys, and stay what they were (docs/adoption.md)."""

import json
import os
import signal

import pytest

from support import adoption, audit, custom_store, softhsm
from support.expect import refused
from support.server import eventually
from support.wire import Wire

DAY = 86_400


@pytest.fixture
def server(new_server):
    """A server on a token with objects of another application."""
    server = new_server(options=audit.OPTIONS)
    adoption.make_aes(server, "payroll", "0a0b")
    adoption.make_aes(server, "backup", "0c")
    adoption.make_pair(server, "EC:prime256v1", "signer", "0d0e0f", "--usage-sign")
    server.foreign = {name: adoption.description(server, name) for name in ["payroll", "backup", "signer"]}
    return server


def unchanged(server, *names):
    for name in names:
        assert adoption.description(server, name) == server.foreign[name], name


def round_trip(kms, key):
    blob = kms.encrypt(KeyId=key, Plaintext=b"attack at dawn", EncryptionContext={"a": "b"})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == b"attack at dawn"
    return blob


def delete(server, key):
    server.client().schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    Wire(server).development("AdvanceClock", {"Seconds": 8 * DAY})
    with refused("NotFoundException"):
        server.client().describe_key(KeyId=key)


def test_an_object_works_as_a_kms_key_through_everything(server):
    answer = adoption.adopt(
        server, "--key-store", adoption.STORE, "--label", "payroll", "--alias", "alias/payroll", "--description",
        "of another application", "--tag", "team=pay")
    kms, arn = server.client(), answer["arn"]
    assert (answer["keySpec"], answer["keyUsage"], answer["objectID"], answer["objectLabel"]) == (
        "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "0a0b", "payroll")
    assert any("CKA_SIGN" in text for text in answer["observations"])
    found = kms.describe_key(KeyId="alias/payroll")["KeyMetadata"]
    assert (found["Arn"], found["Origin"], found["CustomKeyStoreId"], found["Description"]) == (
        arn, "AWS_CLOUDHSM", server.ready["customKeyStoreId"], "of another application")
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == [{"TagKey": "team", "TagValue": "pay"}]
    blob = round_trip(kms, "alias/payroll")

    store = server.ready["customKeyStoreId"]
    custom_store.disconnect(kms, store)
    with refused("KMSInvalidStateException"):
        kms.encrypt(KeyId=arn, Plaintext=b"x")
    assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
    round_trip(kms, arn)
    kms = server.restart().client()
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == b"attack at dawn"
    with refused("UnsupportedOperationException"):
        kms.rotate_key_on_demand(KeyId=arn)
    unchanged(server, "payroll", "backup", "signer")

    [line] = [line for line in audit.lines(server) if line["eventName"] == "AdoptKey"]
    assert line["resources"][0]["ARN"] == arn and line["eventSource"] == "strongroom"
    details = line["serviceEventDetails"]
    assert (details["objectId"], details["objectLabel"], details["keyOrigin"]) == ("0a0b", "payroll", "AWS_CLOUDHSM")


def test_a_pair_signs(server):
    answer = adoption.adopt(
        server, "--key-store", server.ready["customKeyStoreId"], "--id", "0d:0e:0f", "--key-usage", "SIGN_VERIFY")
    kms, key = server.client(), answer["arn"]
    signature = kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    assert kms.verify(KeyId=key, Message=b"m", Signature=signature, SigningAlgorithm="ECDSA_SHA_256")["SignatureValid"]
    assert kms.get_public_key(KeyId=key)["KeySpec"] == "ECC_NIST_P256"
    unchanged(server, "signer")


def test_deleting_the_kms_key_leaves_the_object(server):
    arn = adoption.adopt(server, "--key-store", adoption.STORE, "--label", "payroll")["arn"]
    round_trip(server.client(), arn)
    delete(server, arn)
    server.restart()
    os.kill(server.pid, signal.SIGUSR1)
    unchanged(server, "payroll", "backup", "signer")
    # It is free again, for another KMS key.
    assert adoption.adopt(server, "--key-store", adoption.STORE, "--label", "payroll")["arn"] != arn


def test_deleting_the_kms_key_takes_the_object_if_told_so(server):
    arn = adoption.adopt(
        server, "--key-store", adoption.STORE, "--label", "signer", "--key-usage", "SIGN_VERIFY",
        "--delete-object")["arn"]
    delete(server, arn)
    left = adoption.description(server, "signer")
    assert left and not [entry for entry in left if "Private Key" in dict(entry)["kind"]]
    unchanged(server, "payroll", "backup")


def test_a_tombstone_outlives_a_key_store_that_is_away(server):
    arn = adoption.adopt(server, "--key-store", adoption.STORE, "--label", "backup", "--delete-object")["arn"]
    kms, store = server.client(), server.ready["customKeyStoreId"]
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    custom_store.disconnect(kms, store)
    Wire(server).development("AdvanceClock", {"Seconds": 8 * DAY})
    if server.default_store != "token":  # Else the same device is at hand another way.
        unchanged(server, "backup")
    custom_store.connect(server.client(), store)
    eventually(lambda: not adoption.description(server, "backup"), "the destruction")
    unchanged(server, "payroll", "signer")


@pytest.mark.parametrize(("arguments", "reason"), [
    (["--label", "nobody"], 'no secret or private key with the label "nobody"'),
    (["--id", "0d0e0f"], "a key usage is to be named: SIGN_VERIFY or KEY_AGREEMENT"),
    (["--id", "0d0e0f", "--key-usage", "ENCRYPT_DECRYPT"], "not for ENCRYPT_DECRYPT"),
    (["--id", "0d0e0f", "--key-usage", "KEY_AGREEMENT"], "KEY_AGREEMENT needs CKA_DERIVE"),
    (["--id", "0g"], "no id in hexadecimal digits"),
    (["--label", "payroll", "--alias", "payroll"], "alias/"),
    (["--label", "payroll", "--alias", "alias/aws/x"], "alias/aws/"),
    (["--label", "payroll", "--tag", "aws:x=y"], "aws:"),
    (["--label", "payroll", "--key-usage", "NOTHING"], "keyUsage"),
    (["--label", "strongroom canary"], "watches over the token"),
])
def test_what_is_refused_is_told_in_a_sentence(server, arguments, reason):
    before = len(server.client().list_keys()["Keys"])
    assert reason in adoption.refusal(server, "adopt", "--key-store", adoption.STORE, *arguments)
    assert len(server.client().list_keys()["Keys"]) == before
    unchanged(server, "payroll", "backup", "signer")


def test_exportable_objects_are_refused(server):
    adoption.make_aes(server, "exportable", "21", "--extractable")
    said = adoption.refusal(server, "adopt", "--key-store", adoption.STORE, "--id", "21")
    assert "CKA_EXTRACTABLE is not false" in said


def test_an_object_is_one_kms_key_and_none_of_ours(server):
    arn = adoption.adopt(server, "--key-store", adoption.STORE, "--label", "payroll")["arn"]
    said = adoption.refusal(server, "adopt", "--key-store", adoption.STORE, "--id", "0a0b")
    assert f"{arn} has adopted it already" in said
    kms = server.client()
    own = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=server.ready["customKeyStoreId"])["KeyMetadata"]["Arn"]
    said = adoption.refusal(server, "adopt", "--key-store", adoption.STORE, "--label", own)
    assert "key material of this installation already" in said
    kms.create_alias(AliasName="alias/taken", TargetKeyId=own)
    said = adoption.refusal(
        server, "adopt", "--key-store", adoption.STORE, "--label", "backup", "--alias", "alias/taken")
    assert "alias/taken" in said and len(kms.list_keys()["Keys"]) == 2


def test_key_stores_that_cannot_be_meant(server):
    assert "custom key store nowhere was not found" in adoption.refusal(
        server, "adopt", "--key-store", "nowhere", "--label", "payroll")
    if server.default_store == "software":
        assert "is in software" in adoption.refusal(server, "adopt", "--key-store", "default", "--label", "payroll")
    else:
        answer = adoption.adopt(server, "--key-store", "default", "--label", "payroll", "--region", "eu-central-1")
        kms = server.client("eu-central-1")
        assert kms.describe_key(KeyId=answer["arn"])["KeyMetadata"]["Origin"] == "AWS_KMS"
        round_trip(kms, answer["arn"])
        with refused("UnsupportedOperationException"):
            kms.enable_key_rotation(KeyId=answer["arn"])
        assert "has adopted it already" in adoption.refusal(
            server, "adopt", "--key-store", adoption.STORE, "--label", "payroll")
    custom_store.disconnect(server.client(), server.ready["customKeyStoreId"])
    assert "connect it first" in adoption.refusal(server, "adopt", "--key-store", adoption.STORE, "--label", "backup")


def test_what_somebody_does_to_an_adopted_object_is_found(server):
    arns = {
        name: adoption.adopt(server, "--key-store", adoption.STORE, "--label", name)["arn"]
        for name in ["payroll", "backup"]}
    before = len(server.log)
    softhsm.delete_key(server.data, server.pin, "0a0b")
    adoption.make_aes(server, "a second backup", "0c")
    server.restart()
    found = {
        (line["eventName"], line["resources"][0]["ARN"]) for line in audit.lines(server)
        if line["eventName"].startswith("KeyMaterial")}
    assert found == {("KeyMaterialMissing", arns["payroll"]), ("KeyMaterialDuplicated", arns["backup"])}
    # Adopted objects are no strangers any more.
    strangers = [line for line in server.log[before:].splitlines() if "no key of this installation" in line]
    assert strangers and all("signer" in line for line in strangers)
    kms = server.client()
    with refused("KMSInvalidStateException"):
        kms.encrypt(KeyId=arns["payroll"], Plaintext=b"x")
    with refused("KMSInternalException", status=500):
        kms.encrypt(KeyId=arns["backup"], Plaintext=b"x")
    problems = {row["arn"]: row.get("problem") for row in adoption.listing(server)["rows"]}
    assert problems == {
        arns["payroll"]: "the device does not hold it", arns["backup"]: "several objects could be it; none is used"}


def test_quotas_count_adopted_keys(new_server):
    server = new_server(options=["--quota", "keys=1"])
    server.client().create_key()
    adoption.make_aes(server, "payroll", "0a0b")
    said = adoption.refusal(server, "adopt", "--key-store", adoption.STORE, "--label", "payroll")
    assert "at most 1 KMS keys" in said


def test_a_seed_adopts_once(new_server, tmp_path):
    key = "11111111-2222-4333-8444-555555555555"
    seed = tmp_path / "seed.yaml"
    seed.write_text(json.dumps({"keys": [{
        "id": key, "aliases": ["alias/payroll"], "adopt": {"keyStore": adoption.STORE, "objectId": "0a0b"}}]}))
    server = new_server()
    adoption.make_aes(server, "payroll", "0a0b")
    before = adoption.description(server, "payroll")
    server.stop()
    server.options = ["--seed", str(seed)]
    blob = round_trip(server.start().client(), key)
    for _ in range(2):
        kms = server.restart().client()
        assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == b"attack at dawn"
    # The same object under the same id is the same key material.
    Wire(server).development("Reset", {})
    kms = server.client()
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == b"attack at dawn"
    assert kms.describe_key(KeyId="alias/payroll")["KeyMetadata"]["KeyId"] == key
    assert adoption.description(server, "payroll") == before


@pytest.mark.parametrize(("member", "reason"), [
    ({"adopt": {"keyStore": adoption.STORE}}, "label or objectId is missing"),
    ({"adopt": {"label": "x"}, "origin": "EXTERNAL"}, "has no origin"),
    ({"adopt": {"objectId": "xyz"}}, "hexadecimal"),
    ({"adopt": {"label": "nobody", "keyStore": adoption.STORE}}, "no secret or private key"),
])
def test_a_seed_that_cannot_adopt_stops_the_server(new_server, tmp_path, member, reason):
    seed = tmp_path / "seed.yaml"
    seed.write_text(json.dumps({"keys": [{"id": "11111111-2222-4333-8444-555555555555"} | member]}))
    server = new_server(options=["--seed", str(seed)], start=False)
    assert reason in server.refuses_to_start()
