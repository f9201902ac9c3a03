"""What a server finds when it compares its metadata with a token that others have changed: told in the log and in the
audit log, at every connect and at SIGUSR1, and never repaired unasked."""

import os
import signal

import pytest

from support import audit, softhsm
from support.expect import refused
from support.server import eventually

EVENTS = {"KeyMaterialMissing", "KeyMaterialDuplicated", "KeyMaterialExposed"}


@pytest.fixture
def server(new_server):
    server = new_server(options=audit.OPTIONS)
    server.keys = {
        name: server.client().create_key(
            Origin="AWS_CLOUDHSM", CustomKeyStoreId=server.ready["customKeyStoreId"])["KeyMetadata"]["Arn"]
        for name in ["sound", "missing", "duplicated", "exposed"]}
    return server


def identifier(server, name):
    """The CKA_ID of the only object of a key, as pkcs11-tool writes it."""
    [entry] = softhsm.objects_of(server.data, server.pin, server.keys[name])
    return entry["ID"]


def add(server, number, name, *more):
    softhsm.tool(
        server.data, server.pin, "--keygen", "--key-type", "AES:32", "--id", number, "--label", f"a second {name}", *more)


def change(server):
    """As somebody with the PIN and a tool might."""
    numbers = {name: identifier(server, name) for name in server.keys}
    softhsm.delete_key(server.data, server.pin, numbers["missing"])
    add(server, numbers["duplicated"], "duplicated", "--sensitive")
    softhsm.delete_key(server.data, server.pin, numbers["exposed"])
    add(server, numbers["exposed"], "exposed", "--sensitive", "--extractable")
    add(server, "0102", "foreign", "--sensitive")


def found(server):
    """The findings that the audit log has, by key."""
    return {
        (line["eventName"], line["resources"][0]["ARN"]) for line in audit.lines(server) if line["eventName"] in EVENTS}


def expected(server):
    return {(f"KeyMaterial{name.capitalize()}", server.keys[name]) for name in ["missing", "duplicated", "exposed"]}


def counts(server):
    return len(softhsm.objects(server.data, server.pin))


def test_an_untouched_token_has_no_findings(server):
    server.restart()
    os.kill(server.pid, signal.SIGUSR1)
    server.client().list_keys()
    assert found(server) == set()
    for text in ["is missing", "several objects", "give the material", "no key of this installation", "another device"]:
        assert text not in server.log


@pytest.mark.parametrize("when", ["connect", "signal"])
def test_what_others_did_is_told_and_left_alone(server, when):
    change(server)
    before = counts(server)
    if when == "connect":
        server.restart()
    else:
        os.kill(server.pid, signal.SIGUSR1)
    eventually(lambda: found(server) == expected(server), "the findings")
    for text in [
            "the material of a KMS key is missing", "several objects have the id of a KMS key's material",
            "the device would give the material of a KMS key away",
            "the key store holds an object that is no key of this installation"]:
        assert text in server.log, text
    assert [line for line in server.log.splitlines() if "foreign" in line]
    assert server.pin not in server.log + audit.text(server)
    assert counts(server) == before
    line = next(line for line in audit.lines(server) if line["eventName"] == "KeyMaterialMissing")
    assert (line["eventSource"], line["eventType"]) == ("strongroom", "AwsServiceEvent")
    assert len(line["serviceEventDetails"]["keyMaterialId"]) == 64
    kms = server.client()
    assert kms.encrypt(KeyId=server.keys["sound"], Plaintext=b"x")["CiphertextBlob"]
    if when == "connect":
        for name, code, status in [
                ("missing", "KMSInvalidStateException", 400), ("duplicated", "KMSInternalException", 500)]:
            with refused(code, status=status):
                kms.encrypt(KeyId=server.keys[name], Plaintext=b"x")


def test_another_device_behind_the_same_name(new_server):
    server = new_server(start=False)
    folder = server.directory / "devices"
    server.options = ["--hsm-config", str(folder)]
    folder.mkdir()
    server.start()  # It makes the SoftHSM configuration that the second token goes into.
    softhsm.make_token(server.data, "second", "second pin")
    server.stop()
    softhsm.write_device(folder, "second", "cluster-secondtoken", label="second")
    server.start()
    kms = server.client()
    store = kms.create_custom_key_store(
        CustomKeyStoreName="second", CloudHsmClusterId="cluster-secondtoken",
        TrustAnchorCertificate=kms.describe_custom_key_stores()["CustomKeyStores"][0]["TrustAnchorCertificate"],
        KeyStorePassword="second pin")["CustomKeyStoreId"]
    kms.connect_custom_key_store(CustomKeyStoreId=store)

    def connected():
        [entry] = server.client().describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"]
        return entry["ConnectionState"] == "CONNECTED"

    eventually(connected, "the second key store")
    arn = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["Arn"]
    server.stop()
    softhsm.run(server.data, "softhsm2-util", "--delete-token", "--token", "second")
    softhsm.make_token(server.data, "second", "second pin")
    server.start()
    eventually(lambda: "the key store is on another device than before" in server.log, "the finding")
    assert f"{arn}" in next(line for line in server.log.splitlines() if "the material of a KMS key is missing" in line)
    # Said once, not at every start.
    count = server.log.count("the key store is on another device than before")
    server.restart()
    assert server.log.count("the key store is on another device than before") == count
