"""Custom key stores on several devices, some of them with faults: a server of their own, with further tokens and a
directory of device files."""

import pytest

from support import custom_store, softhsm
from support import server as server_module
from support.expect import refused
from support.server import eventually

WRONG_PIN = "wrong-pin"
SECOND = "cluster-secondtoken"
NO_TOKEN = "cluster-notokenthere"
NO_MODULE = "cluster-nomodulethere"
NOT_A_MODULE = "cluster-notamodule22"
NO_USER = "cluster-nousersetyet"
SPARES = [f"cluster-sparetoken{index}a" for index in range(2, 8)] + ["cluster-anothertoken", "cluster-stillonemore"]
SECOND_PIN = "second-pin"


def in_store(store):
    return {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store}


@pytest.fixture(scope="module")
def devices(default_store):
    with server_module.servers() as make:
        server = make(default_store)
        server.stop()
        folder = server.directory / "devices"
        softhsm.make_token(server.data, "second", SECOND_PIN)
        softhsm.make_token_without_user(server.data, "no-user")
        softhsm.write_device(folder, "second", SECOND, label="second")
        softhsm.write_device(folder, "no-token", NO_TOKEN, label="there is no such token")
        softhsm.write_device(folder, "no-module", NO_MODULE, module="/nonexistent/libpkcs11.so")
        text_file = server.directory / "text.so"
        text_file.write_text("this is not a shared library\n")
        softhsm.write_device(folder, "not-a-module", NOT_A_MODULE, module=text_file)
        softhsm.write_device(folder, "no-user", NO_USER, label="no-user")
        for index, cluster in enumerate(SPARES):
            softhsm.write_device(folder, f"spare{index}", cluster, label=f"spare{index}")
        server.options += ["--hsm-config", str(folder)]
        yield server.start()


@pytest.fixture
def devices_kms(devices, region):
    return devices.client(region)


def test_a_second_token(devices, devices_kms):
    store = custom_store.connected(devices_kms, SECOND_PIN, cluster=SECOND)
    key = devices_kms.create_key(**in_store(store))["KeyMetadata"]
    blob = devices_kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert devices_kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    labels = [entry.get("label") for entry in softhsm.objects(devices.data, SECOND_PIN, label="second")]
    assert key["Arn"] in labels
    assert softhsm.objects_of(devices.data, devices.pin, key["Arn"]) == []


@pytest.mark.parametrize(("cluster", "code"), [
    (NO_TOKEN, "CLUSTER_NOT_FOUND"), (NO_MODULE, "CLUSTER_NOT_FOUND"), (NOT_A_MODULE, "INTERNAL_ERROR"),
    (NO_USER, "USER_NOT_FOUND"),
])
def test_connection_error_codes_from_real_causes(devices, devices_kms, cluster, code):
    store = custom_store.create(devices_kms, "any-password", cluster=cluster)
    entry = custom_store.connect(devices_kms, store)
    assert (entry["ConnectionState"], entry["ConnectionErrorCode"]) == ("FAILED", code)
    assert devices.is_running()
    custom_store.disconnect(devices_kms, store)
    devices_kms.delete_custom_key_store(CustomKeyStoreId=store)


def test_a_refused_pin_is_remembered_over_restarts(new_server):
    server = new_server()
    server.stop()
    folder = server.directory / "devices"
    softhsm.make_token(server.data, "second", SECOND_PIN)
    softhsm.write_device(folder, "second", SECOND, label="second")
    server.options += ["--hsm-config", str(folder)]
    kms = server.start().client()
    store = custom_store.create(kms, WRONG_PIN, cluster=SECOND)
    for _ in range(2):
        assert custom_store.connect(kms, store)["ConnectionErrorCode"] == "INVALID_CREDENTIALS"
        custom_store.disconnect(kms, store)
    # The token now has the PIN that it refused before: only a memory of the refusal can refuse it again.
    softhsm.run(
        server.data, "pkcs11-tool", "--module", softhsm.MODULE, "--token-label", "second", "--login", "--pin",
        SECOND_PIN, "--change-pin", "--new-pin", WRONG_PIN)
    kms = server.restart().client()
    assert custom_store.connect(kms, store)["ConnectionErrorCode"] == "INVALID_CREDENTIALS"
    custom_store.disconnect(kms, store)
    softhsm.run(
        server.data, "pkcs11-tool", "--module", softhsm.MODULE, "--token-label", "second", "--login", "--pin",
        WRONG_PIN, "--change-pin", "--new-pin", SECOND_PIN)
    # SoftHSM reads a token's PIN once: what another process changed is seen after a restart.
    kms = server.restart().client()
    kms.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword=SECOND_PIN)
    assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"


def test_a_name_is_in_use_only_once(devices, devices_kms, name):
    custom_store.create(devices_kms, "any-password", cluster=SECOND, name=name)
    with refused("CustomKeyStoreNameInUseException"):
        custom_store.create(devices_kms, "any-password", cluster=NO_TOKEN, name=name)
    other = custom_store.create(devices_kms, "any-password", cluster=NO_TOKEN)
    with refused("CustomKeyStoreNameInUseException"):
        devices_kms.update_custom_key_store(CustomKeyStoreId=other, NewCustomKeyStoreName=name)


def test_ten_stores_an_account_and_region(devices, devices_kms, region):
    clusters = [softhsm.CLUSTER, SECOND, NO_TOKEN, NO_MODULE, NO_USER, *SPARES]
    stores = {custom_store.create(devices_kms, "any-password", cluster=cluster) for cluster in clusters[:10]}
    with refused("LimitExceededException"):
        custom_store.create(devices_kms, "any-password", cluster=clusters[10])
    pages = list(devices_kms.get_paginator("describe_custom_key_stores").paginate(PaginationConfig={"PageSize": 4}))
    assert [len(page["CustomKeyStores"]) for page in pages] == [4, 4, 2]
    assert {entry["CustomKeyStoreId"] for page in pages for entry in page["CustomKeyStores"]} == stores


def test_a_trust_anchor_that_the_device_configures(new_server):
    server = new_server(start=False)
    folder = server.directory / "devices"
    softhsm.write_device(folder, "anchored", SECOND, label="second", trustAnchor=custom_store.certificate())
    server.options += ["--hsm-config", str(folder)]
    kms = server.start().client()
    custom_store.certificate.cache_clear()
    with refused("IncorrectTrustAnchorException"):
        custom_store.create(kms, "any-password", cluster=SECOND)


def test_a_device_for_some_accounts_only(new_server):
    server = new_server(start=False)
    folder = server.directory / "devices"
    softhsm.write_device(folder, "private", SECOND, label="second", accounts=["999999999999"])
    server.options += ["--hsm-config", str(folder)]
    with refused("CloudHsmClusterNotFoundException"):
        custom_store.create(server.start().client(), "any-password", cluster=SECOND)


def test_a_key_whose_object_was_deleted_behind_our_back(new_server):
    server = new_server()
    kms = server.client()
    key = kms.create_key(**in_store(server.ready["customKeyStoreId"]))["KeyMetadata"]
    [entry] = softhsm.objects_of(server.data, server.pin, key["Arn"])
    softhsm.delete_key(server.data, server.pin, entry["ID"])
    before = len(server.log)
    server.restart()
    kms = server.client()
    assert key["Arn"] in server.log[before:]

    def refusal():
        with refused("KMSInvalidStateException") as caught:
            kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
        return caught.value.response["Error"]["Message"]

    eventually(refusal, "KMSInvalidStateException")
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
    assert kms.create_key(**in_store(server.ready["customKeyStoreId"]))["KeyMetadata"]["KeyState"] == "Enabled"
