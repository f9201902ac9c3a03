"""KMS keys: making, describing, listing, states and deletion."""

import datetime
import re

import pytest

from support import softhsm
from support.expect import refused

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def describe(kms, key_id):
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]


# CreateKey and DescribeKey

def test_create_key_answers_what_describe_key_shows(kms, key):
    assert describe(kms, key["KeyId"]) == key


def test_the_members_of_key_metadata(server, placement, key):
    expected = {
        "AWSAccountId": "000000000000", "Enabled": True, "Description": "", "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled", "KeyManager": "CUSTOMER", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": False,
    }
    if placement == "default":
        expected |= {"Origin": "AWS_KMS"}
        assert re.fullmatch(r"[0-9a-f]{64}", key.pop("CurrentKeyMaterialId"))
    else:
        expected |= {
            "Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"],
            "CloudHsmClusterId": softhsm.CLUSTER,
        }
    assert re.fullmatch(UUID, key["KeyId"])
    assert key.pop("Arn") == f"arn:aws:kms:us-east-1:000000000000:key/{key.pop('KeyId')}"
    age = datetime.datetime.now(datetime.timezone.utc) - key.pop("CreationDate")
    assert abs(age.total_seconds()) < 60
    assert key == expected


def test_only_a_key_in_a_custom_key_store_shows_it(kms, placement, key):
    assert ("CustomKeyStoreId" in key) == (placement == "custom")
    assert ("CurrentKeyMaterialId" in key) == (placement == "default")


def test_material_on_the_token_is_made_there_and_never_leaves_it(server, default_store, placement, key):
    found = softhsm.objects_of(server.data, server.pin, key["Arn"])
    if placement == "default" and default_store == "software":
        assert found == []
        return
    assert len(found) == 1
    assert re.fullmatch(r"[0-9a-f]{32}", found[0]["ID"])
    access = {word.strip() for word in found[0]["Access"].split(",")}
    assert {"sensitive", "always sensitive", "never extractable", "local"} <= access
    assert {word.strip() for word in found[0]["Usage"].split(",")} == {"encrypt", "decrypt"}


def test_describe_key_takes_every_form_of_identifier(kms, key, name):
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    alias_arn = key["Arn"].rsplit(":", 1)[0] + f":alias/{name}"
    for identifier in [key["KeyId"], key["Arn"], f"alias/{name}", alias_arn]:
        assert describe(kms, identifier)["KeyId"] == key["KeyId"]


def test_describe_key_of_a_missing_alias(kms, name):
    with refused("NotFoundException"):
        kms.describe_key(KeyId=f"alias/{name}")


def test_create_key_keeps_description_and_tags(kms, create_key):
    tags = [{"TagKey": "team", "TagValue": "payments"}, {"TagKey": "empty", "TagValue": ""}]
    key = create_key(Description="d\u00e9scription \U0001f511", Tags=tags)
    assert describe(kms, key["KeyId"])["Description"] == "d\u00e9scription \U0001f511"
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == tags


def test_create_key_with_the_older_name_of_key_spec(create_key):
    assert create_key(CustomerMasterKeySpec="SYMMETRIC_DEFAULT")["KeySpec"] == "SYMMETRIC_DEFAULT"


def test_create_key_needs_a_usage_for_asymmetric_keys(kms):
    with refused(
        "ValidationException",
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."):
        kms.create_key(KeySpec="RSA_2048")


def test_create_key_refuses_a_usage_that_does_not_go_with_the_spec(kms):
    with refused("ValidationException", "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048"):
        kms.create_key(KeySpec="RSA_2048", KeyUsage="KEY_AGREEMENT")


def test_create_key_refuses_what_is_not_built_instead_of_half_doing_it(kms):
    for arguments in [
        {"Origin": "EXTERNAL_KEY_STORE"}, {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"},
    ]:
        with refused("UnsupportedOperationException"):
            kms.create_key(**arguments)


def test_create_key_refuses_bad_tags(create_key):
    with refused("TagException", "Duplicate tag keys"):
        create_key(Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}])


# ListKeys

def test_list_keys_pages_through_every_key_once(own_kms, own_store):
    keys = {own_kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(3)}
    keys |= {
        own_kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=own_store)["KeyMetadata"]["KeyId"] for _ in range(2)}
    own_kms.disable_key(KeyId=min(keys))
    own_kms.schedule_key_deletion(KeyId=max(keys))
    pages = list(own_kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Keys"]) for page in pages] == [2, 2, 1]
    assert [page["Truncated"] for page in pages] == [True, True, False]
    assert ["NextMarker" in page for page in pages] == [True, True, False]
    listed = [entry for page in pages for entry in page["Keys"]]
    assert {entry["KeyId"] for entry in listed} == keys
    assert len(listed) == len(keys)
    assert all(entry["KeyArn"].endswith(f":key/{entry['KeyId']}") for entry in listed)


def test_list_keys_of_an_empty_region(own_kms):
    answer = own_kms.list_keys()
    assert answer["Keys"] == [] and answer["Truncated"] is False and "NextMarker" not in answer


def test_list_keys_goes_on_after_keys_are_added(own_kms):
    keys = {own_kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(4)}
    first = own_kms.list_keys(Limit=2)
    own_kms.create_key()
    second = own_kms.list_keys(Limit=1000, Marker=first["NextMarker"])
    listed = [entry["KeyId"] for entry in first["Keys"] + second["Keys"]]
    assert len(listed) == len(set(listed)) and keys <= set(listed)


@pytest.mark.parametrize("marker", ["x", "!!!", "AAAA", "\u00e9"])
def test_list_keys_refuses_a_marker_that_it_did_not_make(kms, marker):
    with refused("InvalidMarkerException"):
        kms.list_keys(Marker=marker)


# Description

def test_update_key_description(kms, key):
    kms.update_key_description(KeyId=key["Arn"], Description="new")
    assert describe(kms, key["KeyId"])["Description"] == "new"
    kms.update_key_description(KeyId=key["KeyId"], Description="")
    assert describe(kms, key["KeyId"])["Description"] == ""


def test_the_length_of_a_description_counts_characters_not_graphemes(kms, key):
    with refused("ValidationException"):
        kms.update_key_description(KeyId=key["KeyId"], Description="e\u0301" * 4097)
    kms.update_key_description(KeyId=key["KeyId"], Description="e\u0301" * 4096)


# Enable, disable

def test_disable_and_enable(kms, key):
    kms.disable_key(KeyId=key["KeyId"])
    metadata = describe(kms, key["KeyId"])
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Disabled", False)
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    kms.enable_key(KeyId=key["Arn"])
    metadata = describe(kms, key["KeyId"])
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Enabled", True)
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_disable_and_enable_are_idempotent(kms, key):
    for operation in [kms.disable_key, kms.disable_key, kms.enable_key, kms.enable_key]:
        operation(KeyId=key["KeyId"])
    assert describe(kms, key["KeyId"])["KeyState"] == "Enabled"


def test_disable_does_not_take_an_alias(kms, key, name):
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    with pytest.raises(Exception) as caught:
        kms.disable_key(KeyId=f"alias/{name}")
    assert caught.value.response["Error"]["Code"] in ("NotFoundException", "ValidationException")
    assert describe(kms, key["KeyId"])["KeyState"] == "Enabled"


# Deletion

@pytest.mark.parametrize("days", [7, 8, 30])
def test_schedule_key_deletion_sets_the_date(kms, key, days):
    before = datetime.datetime.now(datetime.timezone.utc)
    answer = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=days)
    assert answer["KeyId"] == key["Arn"]
    assert answer["KeyState"] == "PendingDeletion"
    assert answer["PendingWindowInDays"] == days
    window = answer["DeletionDate"] - before
    assert abs(window - datetime.timedelta(days=days)) < datetime.timedelta(minutes=1)
    metadata = describe(kms, key["KeyId"])
    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingDeletion", False)
    assert metadata["DeletionDate"] == answer["DeletionDate"]


def test_the_window_is_30_days_when_not_given(kms, key):
    assert kms.schedule_key_deletion(KeyId=key["Arn"])["PendingWindowInDays"] == 30


@pytest.mark.parametrize("days", [1, 6, 31, 365])
def test_a_window_outside_of_7_to_30_days(kms, key, days):
    with refused("ValidationException"):
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=days)
    assert describe(kms, key["KeyId"])["KeyState"] == "Enabled"


def test_cancel_key_deletion_leaves_the_key_disabled(kms, key):
    ciphertext = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"still here")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    assert kms.cancel_key_deletion(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    metadata = describe(kms, key["KeyId"])
    assert metadata["KeyState"] == "Disabled" and "DeletionDate" not in metadata
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"still here"
