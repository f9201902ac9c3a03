"""Several accounts and Regions in one server: each has its own keys, aliases and key stores."""

import pytest
import yaml

from support import custom_store
from support.expect import refused
from support.wire import Wire


def user(name, **access_key):
    return {"name": name, "accessKeys": [access_key]}


PRINCIPALS = {
    "accounts": {
        "111111111111": {"users": [
            user("alice", id="AKIDALICE", secret="alice's secret, with / and +"),
            user("bob", id="AKIDBOB", secret="secret of bob", sessionToken="token/of+bob=="),
        ]},
        "222222222222": {"users": [user("carol", id="AKIDCAROL", secret="secret of carol")]},
    },
}
ALICE = {"access_key": "AKIDALICE", "secret": "alice's secret, with / and +"}
BOB = {"access_key": "AKIDBOB", "secret": "secret of bob", "token": "token/of+bob=="}
CAROL = {"access_key": "AKIDCAROL", "secret": "secret of carol"}


def write_principals(path, mode=0o600, principals=None):
    path.write_text(yaml.safe_dump(principals or PRINCIPALS))
    path.chmod(mode)
    return ["--principals", str(path)]


@pytest.fixture(scope="module")
def accounts(default_store):
    from support import server as server_module

    with server_module.servers() as make:
        server = make(default_store, start=False)
        server.options += write_principals(server.directory / "principals.yaml")
        yield server.start()


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


def test_a_session_token_must_be_the_right_one(accounts):
    text = "The security token included in the request is invalid."
    for token in [None, "another token", "token/of+bob==="]:
        wire = Wire(accounts, access_key="AKIDBOB", secret="secret of bob", token=token)
        answer = wire.call("ListKeys", {})
        assert (answer.status, answer.code, answer.message) == (400, "UnrecognizedClientException", text)
    assert Wire(accounts, access_key="AKIDBOB", secret="secret of bob", token="token/of+bob==").call(
        "ListKeys", {}).status == 200


def test_a_session_token_must_be_signed(accounts):
    wire = Wire(accounts, access_key="AKIDBOB", secret="secret of bob")
    headers = wire.signed(
        "TrentService.ListKeys", b"{}", unsigned=[("X-Amz-Security-Token", "token/of+bob==")])
    answer = wire.send(headers, b"{}")
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")


def test_the_secret_of_one_user_does_not_open_another(accounts):
    answer = Wire(accounts, access_key="AKIDALICE", secret="secret of carol").call("ListKeys", {})
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")


def test_a_principals_file_that_others_can_read_is_refused(new_server):
    server = new_server(start=False)
    server.options += write_principals(server.directory / "principals.yaml", mode=0o644)
    assert "principals.yaml" in server.refuses_to_start()


@pytest.mark.parametrize("change", [
    {"accounts": {"12": {"users": []}}}, {"accounts": {}, "acounts": {}},
    {"accounts": {"111111111111": {"users": [user("a", id="X")]}}},
    {"accounts": {"111111111111": {"users": [{"name": "a", "accessKey": []}]}}},
    {"accounts": {
        "111111111111": {"users": [user("a", id="SAME", secret="1")]},
        "222222222222": {"users": [user("b", id="SAME", secret="2")]}}},
], ids=["account number", "unknown key", "no secret", "misspelt", "duplicate access key"])
def test_a_wrong_principals_file_is_refused(new_server, change):
    server = new_server(start=False)
    server.options += write_principals(server.directory / "principals.yaml", principals=change)
    assert "principals.yaml" in server.refuses_to_start()
