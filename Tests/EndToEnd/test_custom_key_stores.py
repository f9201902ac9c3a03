"""Custom key stores of type AWS_CLOUDHSM on a PKCS#11 token."""

import re

import pytest

from support import custom_store, softhsm
from support.expect import refused

WRONG_PIN = "wrong-pin"


def in_store(store):
    return {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store}


# Create, describe, delete

def test_the_store_that_dev_makes(server, kms):
    entry = custom_store.describe(kms, server.ready["customKeyStoreId"])
    assert entry["CustomKeyStoreName"] == "softhsm"
    assert entry["ConnectionState"] == "CONNECTED"
    assert entry["CloudHsmClusterId"] == softhsm.CLUSTER


def test_create_and_describe(server, own_kms, name):
    store = custom_store.create(own_kms, server.pin, name=name)
    assert re.fullmatch(r"cks-[0-9a-f]{17}", store)
    by_id = custom_store.describe(own_kms, store)
    [by_name] = own_kms.describe_custom_key_stores(CustomKeyStoreName=name)["CustomKeyStores"]
    everything = own_kms.describe_custom_key_stores()
    assert everything["CustomKeyStores"] == [by_id] == [by_name] and everything["Truncated"] is False
    created = by_id.pop("CreationDate")
    assert created.tzinfo is not None
    assert by_id == {
        "CustomKeyStoreId": store, "CustomKeyStoreName": name, "CustomKeyStoreType": "AWS_CLOUDHSM",
        "CloudHsmClusterId": softhsm.CLUSTER, "TrustAnchorCertificate": custom_store.certificate(),
        "ConnectionState": "DISCONNECTED",
    }


def test_describe_an_unknown_store(own_kms, name):
    for arguments in [{"CustomKeyStoreId": "cks-1234567890abcdef0"}, {"CustomKeyStoreName": name}]:
        with refused("CustomKeyStoreNotFoundException"):
            own_kms.describe_custom_key_stores(**arguments)
    assert own_kms.describe_custom_key_stores()["CustomKeyStores"] == []


def test_describe_takes_one_of_id_and_name(server, kms):
    with refused("ValidationException"):
        kms.describe_custom_key_stores(
            CustomKeyStoreId=server.ready["customKeyStoreId"], CustomKeyStoreName="softhsm")


def test_every_operation_refuses_an_unknown_store(own_kms):
    store = {"CustomKeyStoreId": "cks-1234567890abcdef0"}
    for call in [
        own_kms.connect_custom_key_store, own_kms.disconnect_custom_key_store, own_kms.delete_custom_key_store,
        own_kms.update_custom_key_store,
    ]:
        with refused("CustomKeyStoreNotFoundException"):
            call(**store)
    with refused("CustomKeyStoreNotFoundException"):
        own_kms.create_key(Origin="AWS_CLOUDHSM", **store)


def test_a_store_is_seen_in_its_own_region_only(server, own_kms):
    with refused("CustomKeyStoreNotFoundException"):
        custom_store.describe(own_kms, server.ready["customKeyStoreId"])


@pytest.mark.parametrize("missing", ["CloudHsmClusterId", "TrustAnchorCertificate", "KeyStorePassword"])
def test_create_needs_all_that_belongs_to_the_type(server, own_kms, missing):
    arguments = custom_store.arguments(server.pin)
    del arguments[missing]
    with refused("ValidationException"):
        own_kms.create_custom_key_store(**arguments)


def test_create_for_a_cluster_that_is_not_configured(own_kms):
    with refused("CloudHsmClusterNotFoundException"):
        custom_store.create(own_kms, "some-pin", cluster="cluster-nosuchdevice")


@pytest.mark.parametrize("cluster", ["cluster-short", "cluster-strongroomdev!", "strongroomdevstrongroom"])
def test_create_for_a_malformed_cluster(own_kms, cluster):
    with refused("ValidationException"):
        custom_store.create(own_kms, "some-pin", cluster=cluster)


@pytest.mark.parametrize("password", ["short6", "x" * 33])
def test_the_length_of_a_password(own_kms, password):
    with refused("ValidationException") as caught:
        custom_store.create(own_kms, password)
    assert password not in str(caught.value)


@pytest.mark.parametrize("certificate", [
    "not a certificate", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n***\n",
])
def test_a_trust_anchor_must_be_a_certificate(server, own_kms, certificate):
    arguments = custom_store.arguments(server.pin) | {"TrustAnchorCertificate": certificate}
    with refused("IncorrectTrustAnchorException"):
        own_kms.create_custom_key_store(**arguments)


def test_create_does_not_try_the_password(own_kms):
    assert custom_store.describe(own_kms, custom_store.create(own_kms, WRONG_PIN))["ConnectionState"] == "DISCONNECTED"


def test_a_cluster_serves_one_store_an_account_and_region(server, own_kms):
    custom_store.create(own_kms, server.pin)
    with refused("CloudHsmClusterInUseException"):
        custom_store.create(own_kms, server.pin)


def test_external_key_stores_are_not_built(own_kms, name):
    with refused("UnsupportedOperationException"):
        own_kms.create_custom_key_store(
            CustomKeyStoreName=name, CustomKeyStoreType="EXTERNAL_KEY_STORE", XksProxyConnectivity="PUBLIC_ENDPOINT",
            XksProxyUriEndpoint="https://xks.example.com", XksProxyUriPath="/kms/xks/v1",
            XksProxyAuthenticationCredential={
                "AccessKeyId": "A" * 20, "RawSecretAccessKey": "a" * 43})


def test_delete(server, own_kms):
    store = custom_store.create(own_kms, server.pin)
    own_kms.delete_custom_key_store(CustomKeyStoreId=store)
    with refused("CustomKeyStoreNotFoundException"):
        custom_store.describe(own_kms, store)
    custom_store.create(own_kms, server.pin)


def test_delete_refuses_a_connected_store(own_kms, own_store):
    with refused("CustomKeyStoreInvalidStateException"):
        own_kms.delete_custom_key_store(CustomKeyStoreId=own_store)


def test_delete_refuses_a_store_with_keys_in_any_state(own_kms, own_store):
    key = own_kms.create_key(**in_store(own_store))["KeyMetadata"]["KeyId"]
    own_kms.schedule_key_deletion(KeyId=key)
    custom_store.disconnect(own_kms, own_store)
    with refused("CustomKeyStoreHasCMKsException"):
        own_kms.delete_custom_key_store(CustomKeyStoreId=own_store)


# Connect and disconnect

def test_connect_is_asynchronous_and_idempotent(server, own_kms):
    store = custom_store.create(own_kms, server.pin)
    answer = own_kms.connect_custom_key_store(CustomKeyStoreId=store)
    assert set(answer) == {"ResponseMetadata"}
    assert custom_store.describe(own_kms, store)["ConnectionState"] in ("CONNECTING", "CONNECTED")
    assert custom_store.settled(own_kms, store)["ConnectionState"] == "CONNECTED"
    own_kms.connect_custom_key_store(CustomKeyStoreId=store)
    entry = custom_store.settled(own_kms, store)
    assert entry["ConnectionState"] == "CONNECTED" and "ConnectionErrorCode" not in entry


def test_disconnect_twice(own_kms, own_store):
    custom_store.disconnect(own_kms, own_store)
    with refused("CustomKeyStoreInvalidStateException"):
        own_kms.disconnect_custom_key_store(CustomKeyStoreId=own_store)


def test_nothing_new_in_a_store_that_is_not_connected(server, own_kms):
    store = custom_store.create(own_kms, server.pin)
    with refused("CustomKeyStoreInvalidStateException"):
        own_kms.create_key(**in_store(store))
    with refused("CustomKeyStoreInvalidStateException"):
        own_kms.generate_random(NumberOfBytes=1, CustomKeyStoreId=store)


def test_keys_of_a_disconnected_store_are_unavailable_and_come_back(own_kms, own_store):
    enabled, disabled, doomed = (
        own_kms.create_key(**in_store(own_store))["KeyMetadata"] for _ in range(3))
    blob = own_kms.encrypt(KeyId=enabled["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    own_kms.disable_key(KeyId=disabled["KeyId"])
    own_kms.schedule_key_deletion(KeyId=doomed["KeyId"])
    custom_store.disconnect(own_kms, own_store)

    def states():
        described = [own_kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in (enabled, disabled, doomed)]
        return [(key["KeyState"], key["Enabled"]) for key in described]

    assert states() == [("Unavailable", False), ("Unavailable", False), ("PendingDeletion", False)]
    for call in [
        lambda: own_kms.decrypt(CiphertextBlob=blob),
        lambda: own_kms.encrypt(KeyId=enabled["KeyId"], Plaintext=b"x"),
        lambda: own_kms.generate_data_key(KeyId=enabled["KeyId"], KeySpec="AES_256"),
    ]:
        with refused("KMSInvalidStateException", f"{enabled['Arn']} is unavailable."):
            call()
    assert custom_store.connect(own_kms, own_store)["ConnectionState"] == "CONNECTED"
    assert states() == [("Enabled", True), ("Disabled", False), ("PendingDeletion", False)]
    assert own_kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_enable_and_disable_take_effect_when_the_store_reconnects(own_kms, own_store):
    enabled, disabled = (own_kms.create_key(**in_store(own_store))["KeyMetadata"]["KeyId"] for _ in range(2))
    own_kms.disable_key(KeyId=disabled)
    custom_store.disconnect(own_kms, own_store)
    own_kms.disable_key(KeyId=enabled)
    own_kms.enable_key(KeyId=disabled)
    for key in [enabled, disabled]:
        assert own_kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Unavailable"
    custom_store.connect(own_kms, own_store)
    assert own_kms.describe_key(KeyId=enabled)["KeyMetadata"]["KeyState"] == "Disabled"
    assert own_kms.describe_key(KeyId=disabled)["KeyMetadata"]["KeyState"] == "Enabled"


def test_disconnecting_one_of_two_stores_on_a_token_leaves_the_other_alone(server, kms, own_kms, own_store):
    elsewhere = kms.create_key(**in_store(server.ready["customKeyStoreId"]))["KeyMetadata"]["KeyId"]
    custom_store.disconnect(own_kms, own_store)
    assert custom_store.describe(kms, server.ready["customKeyStoreId"])["ConnectionState"] == "CONNECTED"
    assert kms.encrypt(KeyId=elsewhere, Plaintext=b"x")["CiphertextBlob"]


# Keys

def test_origin_and_store_belong_together(own_kms, own_store):
    with refused("ValidationException"):
        own_kms.create_key(CustomKeyStoreId=own_store)
    with refused("ValidationException"):
        own_kms.create_key(Origin="AWS_CLOUDHSM")


def test_a_key_in_a_store_is_not_multi_region(own_kms, own_store):
    with pytest.raises(Exception) as caught:
        own_kms.create_key(MultiRegion=True, **in_store(own_store))
    assert caught.value.response["Error"]["Code"] in ("UnsupportedOperationException", "ValidationException")


# Wrong passwords. The shared token is logged in, so that a wrong PIN is compared and never tried.

def test_a_wrong_password_where_another_store_is_logged_in(server, own_kms):
    store = custom_store.create(own_kms, WRONG_PIN)
    entry = custom_store.connect(own_kms, store)
    assert (entry["ConnectionState"], entry["ConnectionErrorCode"]) == ("FAILED", "INVALID_CREDENTIALS")
    for call in [own_kms.connect_custom_key_store, own_kms.delete_custom_key_store]:
        with refused("CustomKeyStoreInvalidStateException"):
            call(CustomKeyStoreId=store)
    with refused("CustomKeyStoreInvalidStateException"):
        own_kms.create_key(**in_store(store))
    custom_store.disconnect(own_kms, store)
    assert "ConnectionErrorCode" not in custom_store.describe(own_kms, store)
    own_kms.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword=server.pin)
    assert custom_store.connect(own_kms, store)["ConnectionState"] == "CONNECTED"


# Update

def test_update_the_name(server, own_kms, own_store, name):
    own_kms.update_custom_key_store(CustomKeyStoreId=own_store, NewCustomKeyStoreName=name)
    assert custom_store.describe(own_kms, own_store)["CustomKeyStoreName"] == name
    assert own_kms.describe_custom_key_stores(CustomKeyStoreName=name)["CustomKeyStores"]


def test_on_aws_the_password_is_updated_only_while_disconnected(new_server):
    server = new_server(options=["--compatibility", "aws"])
    kms, store = server.client(), server.ready["customKeyStoreId"]
    with refused("CustomKeyStoreInvalidStateException"):
        kms.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword=server.pin)
    custom_store.disconnect(kms, store)
    kms.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword=server.pin)
    assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"


def test_the_next_login_takes_an_updated_password(server, own_kms, own_store):
    key = own_kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=own_store)["KeyMetadata"]["KeyId"]
    # Nobody is disconnected, and the token is not asked.
    own_kms.update_custom_key_store(CustomKeyStoreId=own_store, KeyStorePassword=server.pin)
    assert own_kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]


def test_a_wrong_password_shows_at_the_next_connect(server, own_kms, own_store):
    custom_store.disconnect(own_kms, own_store)
    own_kms.update_custom_key_store(CustomKeyStoreId=own_store, KeyStorePassword=WRONG_PIN)
    assert custom_store.connect(own_kms, own_store)["ConnectionErrorCode"] == "INVALID_CREDENTIALS"


def test_the_cluster_cannot_change_to_an_unrelated_one(server, own_kms):
    store = custom_store.create(own_kms, server.pin)
    with pytest.raises(Exception) as caught:
        own_kms.update_custom_key_store(CustomKeyStoreId=store, CloudHsmClusterId="cluster-nosuchdevice")
    assert caught.value.response["Error"]["Code"] in (
        "CloudHsmClusterNotFoundException", "CloudHsmClusterNotRelatedException")
    assert custom_store.describe(own_kms, store)["CloudHsmClusterId"] == softhsm.CLUSTER
