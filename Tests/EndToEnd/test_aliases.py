"""Aliases: other names for KMS keys."""

import datetime
import uuid

import pytest

from support.expect import refused

PREFIX_TEXT = (
    'Alias must start with the prefix "alias/". Please see '
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")


def aliases(kms, **arguments):
    return [entry for page in kms.get_paginator("list_aliases").paginate(**arguments) for entry in page["Aliases"]]


def arn(name, region="us-east-1"):
    return f"arn:aws:kms:{region}:000000000000:{name}"


def test_an_alias_names_a_key_in_cryptographic_operations(kms, key, name):
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["Arn"])
    for identifier in [f"alias/{name}", arn(f"alias/{name}")]:
        answer = kms.encrypt(KeyId=identifier, Plaintext=b"x")
        assert answer["KeyId"] == key["Arn"]
        assert kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], KeyId=identifier)["Plaintext"] == b"x"
        assert kms.generate_data_key(KeyId=identifier, KeySpec="AES_128")["KeyId"] == key["Arn"]


def test_list_aliases_of_a_key(kms, key, name):
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    for identifier in [key["KeyId"], key["Arn"]]:
        [entry] = aliases(kms, KeyId=identifier)
        assert entry["AliasName"] == f"alias/{name}"
        assert entry["AliasArn"] == arn(f"alias/{name}")
        assert entry["TargetKeyId"] == key["KeyId"]
        assert entry["CreationDate"] == entry["LastUpdatedDate"]
        age = datetime.datetime.now(datetime.timezone.utc) - entry["CreationDate"]
        assert abs(age.total_seconds()) < 60


def test_list_aliases_of_a_missing_key(kms):
    with refused("NotFoundException"):
        kms.list_aliases(KeyId=str(uuid.uuid4()))


def test_list_aliases_pages_through_every_alias_once(own_kms):
    key = own_kms.create_key()["KeyMetadata"]["KeyId"]
    names = [f"alias/{index}" for index in range(5)]
    for alias in names:
        own_kms.create_alias(AliasName=alias, TargetKeyId=key)
    pages = list(own_kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 2}))
    ours = [
        entry["AliasName"] for page in pages for entry in page["Aliases"]
        if not entry["AliasName"].startswith("alias/aws/")]
    assert sorted(ours) == names
    assert [page["Truncated"] for page in pages] == [True] * (len(pages) - 1) + [False]


def test_list_aliases_refuses_a_marker_that_it_did_not_make(kms):
    with refused("InvalidMarkerException"):
        kms.list_aliases(Marker="!!!")


def test_an_alias_name_is_free_only_once(kms, key, create_key, name):
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    for target in [key["KeyId"], create_key()["KeyId"]]:
        with refused(
            "AlreadyExistsException", f"An alias with the name {arn(f'alias/{name}')} already exists"):
            kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=target)


def test_alias_names_differ_by_case(kms, create_key, name):
    lower, upper = create_key(), create_key()
    kms.create_alias(AliasName=f"alias/{name}-x", TargetKeyId=lower["KeyId"])
    kms.create_alias(AliasName=f"alias/{name}-X", TargetKeyId=upper["KeyId"])
    assert kms.describe_key(KeyId=f"alias/{name}-x")["KeyMetadata"]["KeyId"] == lower["KeyId"]
    assert kms.describe_key(KeyId=f"alias/{name}-X")["KeyMetadata"]["KeyId"] == upper["KeyId"]


@pytest.mark.parametrize("bad", ["name", "ALIAS/name", "key/name"])
def test_an_alias_must_have_its_prefix(kms, key, bad):
    with refused("ValidationException", PREFIX_TEXT):
        kms.create_alias(AliasName=bad, TargetKeyId=key["KeyId"])


def test_the_names_of_aws_are_reserved(kms, key, name):
    with refused("NotAuthorizedException"):
        kms.create_alias(AliasName=f"alias/aws/{name}", TargetKeyId=key["KeyId"])


def test_an_alias_needs_a_key(kms, name):
    with refused("NotFoundException"):
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=str(uuid.uuid4()))
    with refused("NotFoundException"):
        kms.describe_key(KeyId=f"alias/{name}")


def test_the_target_of_an_alias_is_not_an_alias(kms, key, name):
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    with pytest.raises(Exception) as caught:
        kms.create_alias(AliasName=f"alias/{name}-2", TargetKeyId=f"alias/{name}")
    assert caught.value.response["Error"]["Code"] in ("NotFoundException", "ValidationException")


def test_fifty_aliases_a_key(kms, key, name):
    for index in range(50):
        kms.create_alias(AliasName=f"alias/{name}-{index}", TargetKeyId=key["KeyId"])
    with refused("LimitExceededException"):
        kms.create_alias(AliasName=f"alias/{name}-50", TargetKeyId=key["KeyId"])


def test_update_alias_moves_it(kms, create_key, name):
    first, second = create_key(), create_key()
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=first["KeyId"])
    kms.update_alias(AliasName=f"alias/{name}", TargetKeyId=second["Arn"])
    assert kms.encrypt(KeyId=f"alias/{name}", Plaintext=b"x")["KeyId"] == second["Arn"]
    assert aliases(kms, KeyId=first["KeyId"]) == []
    [entry] = aliases(kms, KeyId=second["KeyId"])
    assert entry["LastUpdatedDate"] >= entry["CreationDate"]


def test_update_alias_of_a_missing_alias(kms, key, name):
    with refused("NotFoundException"):
        kms.update_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])


def test_delete_alias(kms, key, name):
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    kms.delete_alias(AliasName=f"alias/{name}")
    with refused("NotFoundException"):
        kms.encrypt(KeyId=f"alias/{name}", Plaintext=b"x")
    with refused("NotFoundException"):
        kms.delete_alias(AliasName=f"alias/{name}")
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
