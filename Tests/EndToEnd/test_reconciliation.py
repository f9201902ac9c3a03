"""What a server finds when it compares its metadata with a token that others have changed: told in the log and in the
audit log, at every connect and at SIGUSR1, and never repaired unasked."""

import os
import re
import signal

import pytest

from support import audit, custom_store, softhsm
from support.expect import refused
from support.power_cuts import decrypted
from support.server import eventually

EVENTS = {"KeyMaterialMissing", "KeyMaterialDuplicated", "KeyMaterialExposed"}
OF_A_KEY_STORE = {"UnknownObjectsFound", "DeviceExchanged", "LeftoversDestroyed"}


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


def of_key_stores(server):
    """The findings that concern no key: their names and details."""
    return [
        (line["eventName"], line["serviceEventDetails"]) for line in audit.lines(server)
        if line["eventName"] in OF_A_KEY_STORE]


def expected(server):
    return {(f"KeyMaterial{name.capitalize()}", server.keys[name]) for name in ["missing", "duplicated", "exposed"]}


def counts(server):
    return len(softhsm.objects(server.data, server.pin))


def test_an_untouched_token_has_no_findings(server):
    server.restart()
    os.kill(server.pid, signal.SIGUSR1)
    server.client().list_keys()
    assert found(server) == set() and of_key_stores(server) == []
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
    eventually(lambda: of_key_stores(server), "the finding of the foreign object")
    for name, details in of_key_stores(server):
        assert (name, details["keyStore"], details["count"]) == ("UnknownObjectsFound", softhsm.CLUSTER, 1)
        assert [entry["objectLabel"] for entry in details["objects"]] == ["a second foreign"]
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


@pytest.fixture
def second(new_server):
    """A server with a key store on a token of its own, which is exchanged while the server is down."""
    server = new_server(start=False)
    folder = server.directory / "devices"
    server.options = ["--hsm-config", str(folder), *audit.OPTIONS]
    folder.mkdir()
    server.start()  # It makes the SoftHSM configuration that the second token goes into.
    softhsm.make_token(server.data, "second", "second pin")
    server.stop()
    softhsm.write_device(folder, "second", "cluster-secondtoken", label="second")
    kms = server.start().client()
    server.store = custom_store.connected(kms, "second pin", cluster="cluster-secondtoken")
    server.arn = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=server.store)["KeyMetadata"]["Arn"]
    server.blob = kms.encrypt(KeyId=server.arn, Plaintext=b"x")["CiphertextBlob"]
    server.serial = serial_number(server)
    server.stop()
    return server


def serial_number(server):
    listing = softhsm.run(server.data, "pkcs11-tool", "--module", softhsm.MODULE, "--list-token-slots")
    return re.search(r"token label\s*: second\n(?:.*\n)*?\s*serial num\s*: (\w+)", listing).group(1)


def the_exchange_is_told(server):
    """In the log and in the audit log, and once, not at every start."""
    text = "the key store is on another device than before"
    eventually(lambda: text in server.log, "the finding")
    exchanged = {
        "keyStore": "cluster-secondtoken", "serialNumberBefore": server.serial, "serialNumber": serial_number(server)}
    eventually(lambda: of_key_stores(server) == [("DeviceExchanged", exchanged)], "the audit event")
    count = server.log.count(text)
    server.restart()
    assert server.log.count(text) == count


def test_another_device_behind_the_same_name(second):
    softhsm.run(second.data, "softhsm2-util", "--delete-token", "--token", "second")
    softhsm.make_token(second.data, "second", "second pin")
    second.start()
    the_exchange_is_told(second)
    missing = next(line for line in second.log.splitlines() if "the material of a KMS key is missing" in line)
    assert second.arn in missing


def test_the_same_objects_on_another_device(second):
    """As after a backup was restored to a new HSM: everything works, and it is told."""
    [token] = [
        path for path in softhsm.token_directory(second.data).rglob("token.object")
        if second.serial.encode() in path.read_bytes()]
    other = second.serial[::-1]
    assert other != second.serial
    token.write_bytes(token.read_bytes().replace(second.serial.encode(), other.encode()))
    second.start()
    assert serial_number(second) == other
    the_exchange_is_told(second)
    assert "is missing" not in second.log and found(second) == set()
    assert decrypted(second.client(), second.blob)["Plaintext"] == b"x"
