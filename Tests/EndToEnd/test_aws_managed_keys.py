"""AWS managed keys: made when they are first asked for, used by services for the callers of the account."""

import concurrent.futures
import json

import pytest

from support.expect import refused
from support.principals import ACCOUNT, OTHER_ACCOUNT, Directory, allow, deny
from support.wire import Wire

ALIAS = "alias/aws/s3"


@pytest.fixture(scope="module")
def people():
    people = Directory()
    people.admin = people.user("admin", allow("*"))
    people.through_s3 = people.another_access_key(people.admin, via="s3")
    people.through_lambda = people.another_access_key(people.admin, via="lambda")
    people.blind = people.user("blind", allow("kms:Encrypt"))
    people.warned = people.user("warned", allow("kms:*"), deny("kms:DescribeKey"))
    people.stranger = people.user("stranger", allow("kms:*"), account=OTHER_ACCOUNT)
    return people


@pytest.fixture(scope="module")
def server(people, default_store):
    with people.server(default_store, people.admin) as server:
        yield server


@pytest.fixture
def client(server, region):
    """Clients in this test's own Region."""
    return lambda who=None: server.client(region, **(who.keys if who else {}))


def describe(kms, alias=ALIAS):
    return kms.describe_key(KeyId=alias)["KeyMetadata"]


def aliases(kms):
    return {entry["AliasName"]: entry["TargetKeyId"] for entry in kms.list_aliases()["Aliases"]}


def test_the_first_description_makes_the_key(client):
    kms = client()
    assert aliases(kms) == {} and kms.list_keys()["Keys"] == []
    key = describe(kms)
    assert key["KeyManager"] == "AWS" and key["Origin"] == "AWS_KMS" and key["Enabled"]
    assert (key["KeySpec"], key["KeyUsage"], key["MultiRegion"]) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", False)
    assert key["Description"] == "Default key that protects my data in s3 when no other key is defined"
    assert aliases(kms) == {ALIAS: key["KeyId"]}
    assert [entry["KeyId"] for entry in kms.list_keys()["Keys"]] == [key["KeyId"]]
    # The same afterwards, by each name.
    for identifier in [ALIAS, key["KeyId"], key["Arn"], key["Arn"].split("key/")[0] + ALIAS]:
        assert describe(kms, identifier) == key
    assert describe(kms, "alias/aws/ebs")["KeyId"] != key["KeyId"]


def test_each_account_and_region_has_its_own(server, people, region):
    keys = {
        describe(server.client(place, **who.keys))["Arn"]
        for place in [region, f"{region}0"] for who in [people.admin, people.stranger]}
    assert len(keys) == 4


def test_many_who_ask_at_once_get_one_key(client):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: describe(client())["KeyId"], range(16)))
    assert len(keys) == 1
    assert [entry["KeyId"] for entry in client().list_keys()["Keys"]] == list(keys)


@pytest.mark.parametrize("alias", ["alias/aws/nothing", "alias/aws/", "alias/aws/s3x", "alias/aws/S3"])
def test_only_services_that_there_are_have_keys(client, alias):
    kms = client()
    with refused("NotFoundException"):
        describe(kms, alias)
    assert kms.list_keys()["Keys"] == []


def test_only_a_description_makes_the_key(client):
    kms = client()
    for attempt in [
            lambda: kms.encrypt(KeyId=ALIAS, Plaintext=b"x"),
            lambda: kms.generate_data_key(KeyId=ALIAS, KeySpec="AES_256")]:
        with refused("NotFoundException", f"Alias arn:aws:kms:{kms.meta.region_name}:{ACCOUNT}:{ALIAS} is not found."):
            attempt()
    assert kms.list_keys()["Keys"] == []


@pytest.mark.parametrize("who", ["blind", "warned"])
def test_who_may_not_see_the_key_makes_none(client, people, who):
    with refused("AccessDeniedException"):
        describe(client(getattr(people, who)))
    assert client().list_keys()["Keys"] == []


def test_another_account_makes_none(client, people):
    kms = client(people.stranger)
    with refused("AccessDeniedException"):
        describe(kms, f"arn:aws:kms:{kms.meta.region_name}:{ACCOUNT}:{ALIAS}")
    assert client().list_keys()["Keys"] == []


def test_the_service_uses_it_for_callers_of_the_account(client, people):
    key = describe(client())
    kms = client(people.through_s3)
    context = {"aws:s3:arn": "arn:aws:s3:::bucket"}
    made = kms.generate_data_key(KeyId=ALIAS, KeySpec="AES_256", EncryptionContext=context)
    assert made["KeyId"] == key["Arn"]
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)
    assert opened["Plaintext"] == made["Plaintext"]
    for other in [client(), client(people.through_lambda)]:
        with refused("AccessDeniedException"):
            other.generate_data_key(KeyId=ALIAS, KeySpec="AES_256")
        with refused("AccessDeniedException"):
            other.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)


def test_nobody_changes_it(client):
    kms = client()
    key = describe(kms)["KeyId"]
    own = kms.create_key()["KeyMetadata"]["KeyId"]
    policy = kms.get_key_policy(KeyId=key)["Policy"]
    for attempt in [
            lambda: kms.disable_key(KeyId=key),
            lambda: kms.schedule_key_deletion(KeyId=key),
            lambda: kms.put_key_policy(KeyId=key, Policy=policy),
            lambda: kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
            lambda: kms.update_key_description(KeyId=key, Description="mine"),
            lambda: kms.disable_key_rotation(KeyId=key),
            lambda: kms.enable_key_rotation(KeyId=key),
            lambda: kms.rotate_key_on_demand(KeyId=key),
            lambda: kms.create_alias(AliasName="alias/mine", TargetKeyId=key)]:
        with refused("AccessDeniedException"):
            attempt()
    for attempt in [
            lambda: kms.update_alias(AliasName=ALIAS, TargetKeyId=own), lambda: kms.delete_alias(AliasName=ALIAS),
            lambda: kms.create_alias(AliasName="alias/aws/mine", TargetKeyId=own)]:
        with refused("NotAuthorizedException"):
            attempt()


def test_its_policy_is_for_its_service(client):
    kms = client()
    statements = json.loads(kms.get_key_policy(KeyId=describe(kms, "alias/aws/ebs")["KeyId"])["Policy"])["Statement"]
    assert statements[0]["Condition"]["StringEquals"] == {
        "kms:CallerAccount": ACCOUNT, "kms:ViaService": f"ec2.{kms.meta.region_name}.amazonaws.com"}
    assert statements[1]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def test_it_is_there_after_a_restart_and_rotates_every_year(people, default_store):
    with people.server(default_store, people.admin) as server:
        kms = server.client()
        key = describe(kms)
        through_s3 = server.client(**people.through_s3.keys)
        blob = through_s3.encrypt(KeyId=ALIAS, Plaintext=b"x")["CiphertextBlob"]
        server.restart()
        kms = server.client()
        assert describe(kms) == key
        status = kms.get_key_rotation_status(KeyId=key["KeyId"])
        assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 365
        Wire(server).development("AdvanceClock", {"Seconds": 366 * 24 * 3600})
        rotations = kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]
        assert [rotation["RotationType"] for rotation in rotations] == ["AUTOMATIC"]
        opened = server.client(**people.through_s3.keys).decrypt(CiphertextBlob=blob)
        assert opened["Plaintext"] == b"x"
