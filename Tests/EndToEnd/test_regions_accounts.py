"""Several accounts and Regions in one server: each has its own keys, aliases and key stores."""

import pytest

from support import custom_store
from support.expect import refused
from support.principals import Directory
from support.wire import Wire

PEOPLE = Directory()
ALICE = PEOPLE.user("alice", policies=["AdministratorAccess"]).keys
BOB = PEOPLE.user("bob", policies=["AdministratorAccess"]).keys
CAROL = PEOPLE.user("carol", policies=["AdministratorAccess"], account="222222222222").keys


@pytest.fixture(scope="module")
def accounts(default_store):
    with PEOPLE.server(default_store) as server:
        yield server


def key_in(kms, **arguments):
    return kms.create_key(**arguments)["KeyMetadata"]


def test_every_user_acts_in_the_own_account(accounts, region):
    for user, account in [(ALICE, "111111111111"), (BOB, "111111111111"), (CAROL, "222222222222")]:
        key = key_in(accounts.client(region, **user))
        assert key["AWSAccountId"] == account
        assert key["Arn"] == f"arn:aws:kms:{region}:{account}:key/{key['KeyId']}"


def test_users_of_one_account_share_its_keys(accounts, region):
    alice, bob = accounts.client(region, **ALICE), accounts.client(region, **BOB)
    key = key_in(alice)
    blob = bob.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert alice.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_the_key_of_another_account_is_not_reachable(accounts, region):
    alice, carol = accounts.client(region, **ALICE), accounts.client(region, **CAROL)
    key = key_in(alice)
    blob = alice.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("NotFoundException", f"Key 'arn:aws:kms:{region}:222222222222:key/{key['KeyId']}' does not exist"):
        carol.describe_key(KeyId=key["KeyId"])
    with refused("AccessDeniedException"):
        carol.describe_key(KeyId=key["Arn"])
    with refused("AccessDeniedException"):
        carol.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    with refused("AccessDeniedException"):
        carol.decrypt(CiphertextBlob=blob)
    assert carol.list_keys()["Keys"] == []


def test_a_stranger_learns_nothing_about_which_keys_exist(accounts, region):
    carol = accounts.client(region, **CAROL)
    key = key_in(accounts.client(region, **ALICE))
    texts = []
    for arn in [key["Arn"], key["Arn"][:-12] + "000000000000"]:
        with refused("AccessDeniedException") as caught:
            carol.describe_key(KeyId=arn)
        texts.append(caught.value.response["Error"]["Message"].replace(arn, "ARN"))
    assert texts[0] == texts[1]


def test_aliases_belong_to_an_account_and_region(accounts, region, name):
    clients = [
        accounts.client(region, **ALICE), accounts.client(region, **CAROL), accounts.client("us-east-1", **ALICE)]
    keys = []
    for kms in clients:
        key = key_in(kms)
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
        keys.append(key["Arn"])
    assert len(set(keys)) == 3
    assert [kms.encrypt(KeyId=f"alias/{name}", Plaintext=b"x")["KeyId"] for kms in clients] == keys


def test_keys_belong_to_a_region(accounts, region):
    here, there = accounts.client(region, **ALICE), accounts.client("ap-southeast-3", **ALICE)
    key = key_in(here)
    blob = here.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    elsewhere = f"arn:aws:kms:ap-southeast-3:111111111111:key/{key['KeyId']}"
    with refused("NotFoundException", f"Key '{elsewhere}' does not exist"):
        there.describe_key(KeyId=key["KeyId"])
    with refused("NotFoundException", f"Invalid arn {region}"):
        there.describe_key(KeyId=key["Arn"])
    with refused("AccessDeniedException"):
        there.decrypt(CiphertextBlob=blob)
    assert key["KeyId"] not in [entry["KeyId"] for entry in there.list_keys()["Keys"]]


@pytest.mark.parametrize(("region", "partition"), [
    ("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"),
])
def test_the_partition_follows_the_region(accounts, region, partition):
    key = key_in(accounts.client(region, **ALICE))
    assert key["Arn"].startswith(f"arn:{partition}:kms:{region}:111111111111:key/")


def test_two_accounts_and_two_regions_share_a_token(accounts, region):
    clients = [
        accounts.client(region, **ALICE), accounts.client(region, **CAROL), accounts.client("sa-east-1", **ALICE)]
    stores = [custom_store.connected(kms, accounts.pin) for kms in clients]
    keys = [key_in(kms, Origin="AWS_CLOUDHSM", CustomKeyStoreId=store) for kms, store in zip(clients, stores)]
    custom_store.disconnect(clients[0], stores[0])
    assert clients[0].describe_key(KeyId=keys[0]["KeyId"])["KeyMetadata"]["KeyState"] == "Unavailable"
    for kms, key in list(zip(clients, keys))[1:]:
        assert kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["KeyId"] == key["Arn"]
    with refused("CustomKeyStoreNotFoundException"):
        clients[1].create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=stores[2])


def test_an_access_key_of_a_user_has_no_session_token(accounts):
    wire = Wire(accounts, **{**BOB, "token": "some token"})
    answer = wire.call("ListKeys", {})
    assert (answer.status, answer.code, answer.message) == (
        400, "UnrecognizedClientException", "The security token included in the request is invalid.")
    assert Wire(accounts, **BOB).call("ListKeys", {}).status == 200


def test_the_secret_of_one_user_does_not_open_another(accounts):
    answer = Wire(accounts, **{**ALICE, "secret": CAROL["secret"]}).call("ListKeys", {})
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")
