"""Key policies: the default one, putting and getting them, the lockout check, size and characters."""

import json

import pytest

from support.expect import DENY_IN_RESOURCE_POLICY, denied, refused
from support.principals import ACCOUNT, OTHER_ACCOUNT, Directory, allow, delegation, deny, root, text
from support.rights import server

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
# May change key policies as long as requests come through plain HTTP, as they do here.
CAREFUL = PEOPLE.user(
    "careful", allow("*"), deny("kms:PutKeyPolicy", condition={"Bool": {"aws:SecureTransport": "true"}}),
    boundary=[allow("*")])
KEEPER = PEOPLE.user("keeper", allow(["kms:CreateKey", "kms:GetKeyPolicy", "kms:DescribeKey"]))
ALICE = PEOPLE.user("alice", path="/team/")
PEOPLE.account(OTHER_ACCOUNT)

LOCKOUT = (
    "MalformedPolicyDocumentException",
    "The new key policy will not allow you to update the key policy in the future.")


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["KeyId"]


def policy_of(kms, key):
    answer = kms.get_key_policy(KeyId=key)
    assert answer["PolicyName"] == "default"
    return answer["Policy"]


def put(kms, key, policy, **more):
    kms.put_key_policy(KeyId=key, Policy=policy if isinstance(policy, str) else json.dumps(policy), **more)


# The default policy

DEFAULT = """{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:%s:iam::%s:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}"""


def test_a_key_without_a_policy_gets_the_default_one(kms, key):
    assert policy_of(kms, key) == DEFAULT % ("aws", ACCOUNT)


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_the_default_policy_is_of_the_partition(server, region, partition):
    kms = server.client(region)
    assert policy_of(kms, kms.create_key()["KeyMetadata"]["KeyId"]) == DEFAULT % (partition, ACCOUNT)


def test_list_key_policies_knows_one_name(kms, key):
    answer = kms.list_key_policies(KeyId=key)
    assert (answer["PolicyNames"], answer["Truncated"]) == (["default"], False)
    assert "NextMarker" not in answer
    pages = list(kms.get_paginator("list_key_policies").paginate(KeyId=key, PaginationConfig={"PageSize": 1}))
    assert [page["PolicyNames"] for page in pages] == [["default"]]


# Putting and getting

def test_a_policy_comes_back_as_aws_prints_it(kms, key):
    put(kms, key, (
        '{"Id":"x","Version":"2012-10-17","Statement":{"Resource":"*","Action":["kms:*","kms:Encrypt"],'
        f'"Principal":{{"AWS":["{root()}","{ALICE.arn}"]}},"Effect":"Allow","Sid":"with \\"quotes\\"",'
        '"Condition":{"StringLike":{"aws:UserAgent":["a*","*"]},"Bool":{"aws:SecureTransport":"false"}}}}'))
    assert policy_of(kms, key) == f"""{{
  "Id" : "x",
  "Version" : "2012-10-17",
  "Statement" : {{
    "Resource" : "*",
    "Action" : [ "kms:*", "kms:Encrypt" ],
    "Principal" : {{
      "AWS" : [ "{root()}", "{ALICE.arn}" ]
    }},
    "Effect" : "Allow",
    "Sid" : "with \\"quotes\\"",
    "Condition" : {{
      "StringLike" : {{
        "aws:UserAgent" : [ "a*", "*" ]
      }},
      "Bool" : {{
        "aws:SecureTransport" : "false"
      }}
    }}
  }}
}}"""


@pytest.mark.parametrize("arguments", [{}, {"PolicyName": "default"}])
def test_the_policy_that_was_put_is_the_one_that_is_got(kms, key, arguments):
    policy = text(delegation(), allow("kms:Encrypt", principal=ALICE, sid="alice encrypts"))
    assert kms.put_key_policy(KeyId=key, Policy=policy, **arguments)["ResponseMetadata"]["HTTPStatusCode"] == 200
    answer = kms.get_key_policy(KeyId=key, **arguments)
    assert json.loads(answer["Policy"]) == json.loads(policy)


def test_a_key_may_be_created_with_a_policy(server, kms):
    policy = text(delegation(), allow("kms:Encrypt", principal=ALICE))
    key = kms.create_key(Policy=policy, Description="with a policy")["KeyMetadata"]["KeyId"]
    assert json.loads(policy_of(kms, key)) == json.loads(policy)
    server.client(**ALICE.keys).encrypt(KeyId=key, Plaintext=b"x")


@pytest.mark.parametrize("operation", ["get_key_policy", "put_key_policy"])
def test_no_other_policy_exists(kms, key, operation):
    arguments = {"Policy": text(delegation())} if operation == "put_key_policy" else {}
    with refused("NotFoundException", "No such policy exists"):
        getattr(kms, operation)(KeyId=key, PolicyName="other", **arguments)
    assert policy_of(kms, key) == DEFAULT % ("aws", ACCOUNT)


@pytest.mark.parametrize("operation", ["get_key_policy", "list_key_policies", "put_key_policy"])
def test_a_missing_key_and_an_alias(kms, key, name, operation):
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    arguments = {"Policy": text(delegation())} if operation == "put_key_policy" else {}
    missing = "1234abcd-12ab-34cd-56ef-1234567890ab"
    with refused("NotFoundException", f"Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/{missing}' does not exist"):
        getattr(kms, operation)(KeyId=missing, **arguments)
    with refused("NotFoundException", f"Invalid keyId 'alias/{name}'"):
        getattr(kms, operation)(KeyId=f"alias/{name}", **arguments)


def test_a_policy_is_kept_through_every_state(kms, key):
    for change in [
        lambda: kms.disable_key(KeyId=key), lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
        lambda: kms.cancel_key_deletion(KeyId=key), lambda: kms.enable_key(KeyId=key),
    ]:
        change()
        sid = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        put(kms, key, text({**delegation(), "Sid": sid}))
        assert json.loads(policy_of(kms, key))["Statement"][0]["Sid"] == sid
        assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_policies_survive_the_end_of_the_process(new_server, end):
    server = new_server()
    kms = server.client()
    account = delegation("000000000000")
    created = kms.create_key(Policy=text(account, deny("kms:Encrypt", principal="*")))["KeyMetadata"]
    changed = kms.create_key()["KeyMetadata"]["KeyId"]
    put(kms, changed, text({**account, "Sid": "changed"}))
    untouched = kms.create_key()["KeyMetadata"]["KeyId"]
    before = [policy_of(kms, key) for key in [created["KeyId"], changed, untouched]]
    getattr(server, end)()
    kms = server.start().client()
    assert [policy_of(kms, key) for key in [created["KeyId"], changed, untouched]] == before
    with refused("AccessDeniedException", matching=f".*{DENY_IN_RESOURCE_POLICY}"):
        kms.encrypt(KeyId=created["KeyId"], Plaintext=b"x")


# The lockout check

LOCKING = {
    "nobody": text(deny("kms:GenerateMac", principal="*")),
    "another user": text(allow("kms:*", principal=ALICE)),
    "another account": text(delegation(OTHER_ACCOUNT)),
    "no PutKeyPolicy": text(allow(["kms:Get*", "kms:Encrypt"], principal=root())),
    "a Deny": text(delegation(), deny("kms:Put*", principal="*")),
    "a condition": text(
        allow("kms:*", principal=root(), condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
    "no action": text(allow(None, principal=root())),
    "another resource": text(allow("kms:*", principal=root(), resource="arn:aws:kms:us-east-1:111111111111:key/x")),
}


@pytest.mark.parametrize("policy", LOCKING.values(), ids=LOCKING.keys())
def test_a_policy_that_locks_its_author_out(kms, key, own_kms, policy):
    with refused(*LOCKOUT):
        put(kms, key, policy)
    with refused(*LOCKOUT):
        put(kms, key, policy, BypassPolicyLockoutSafetyCheck=False)
    assert policy_of(kms, key) == DEFAULT % ("aws", ACCOUNT)
    with refused(*LOCKOUT):
        own_kms.create_key(Policy=policy)
    assert own_kms.list_keys()["Keys"] == []


@pytest.mark.parametrize("policy", LOCKING.values(), ids=LOCKING.keys())
def test_the_lockout_check_can_be_bypassed(kms, key, policy):
    put(kms, key, policy, BypassPolicyLockoutSafetyCheck=True)
    with refused("AccessDeniedException"):
        put(kms, key, text(delegation()))
    kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)


def test_the_lockout_check_asks_for_the_identity_policies_too(server, own_kms, region):
    keeper = server.client(region, **KEEPER.keys)
    with refused(*LOCKOUT):
        keeper.create_key(Policy=text(delegation()))
    assert own_kms.list_keys()["Keys"] == []
    key = keeper.create_key(Policy=text(allow("kms:*", principal=KEEPER)))["KeyMetadata"]["KeyId"]
    put(keeper, key, text(allow("kms:PutKeyPolicy", principal=[KEEPER, ALICE])))
    with refused(*LOCKOUT):
        put(keeper, key, text(delegation()))


def test_the_lockout_check_looks_at_conditions_of_identity_policies(server, region):
    careful = server.client(region, **CAREFUL.keys)
    key = careful.create_key(Policy=text(delegation()))["KeyMetadata"]["KeyId"]
    put(careful, key, text(delegation(), allow("kms:Encrypt", principal=ALICE)))


# Size and characters

STATEMENT = allow("kms:*", principal=root())


def padded(length):
    policy = text({**STATEMENT, "Sid": ""})
    return policy.replace('"Sid": ""', '"Sid": "' + "x" * (length - len(policy)) + '"')


def test_a_policy_of_the_documented_size(kms, key):
    policy = padded(32_768)
    put(kms, key, policy)
    assert json.loads(policy_of(kms, key)) == json.loads(policy)


def test_a_policy_that_is_too_long(kms, key):
    with refused("LimitExceededException"):
        put(kms, key, padded(32_769))
    with refused("ValidationException", matching=".*Member must have length less than or equal to 131072"):
        put(kms, key, padded(131_073))
    with refused("ValidationException"):
        put(kms, key, "")
    assert policy_of(kms, key) == DEFAULT % ("aws", ACCOUNT)


def test_the_characters_of_a_policy(kms, key):
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**STATEMENT, "Sid": "é ÿ"}]}, ensure_ascii=False)
    put(kms, key, "\t\r\n " + policy)
    assert json.loads(policy_of(kms, key)) == json.loads(policy)
    before = policy_of(kms, key)
    for character in ["€", "\u0100", "😀", "\u0000", "\u000b"]:
        with refused("ValidationException"):
            put(kms, key, policy.replace("ÿ", character))
    assert policy_of(kms, key) == before


# What policies without effect do

def test_a_statement_without_action_or_resource_has_no_effect(kms, key):
    put(kms, key, text(delegation(), deny(None, principal="*"), deny("kms:*", resource=None, principal="*")))
    kms.encrypt(KeyId=key, Plaintext=b"x")


def test_not_principal_with_deny_exempts_the_listed(server, kms, key):
    arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    put(kms, key, text(
        delegation(), allow("kms:Encrypt", principal="*"),
        {"Effect": "Deny", "NotPrincipal": {"AWS": [ALICE.arn, ADMIN.arn, root()]}, "Action": "kms:Encrypt",
         "Resource": "*"}))
    server.client(**ALICE.keys).encrypt(KeyId=key, Plaintext=b"x")
    with denied(KEEPER, "Encrypt", arn, DENY_IN_RESOURCE_POLICY):
        server.client(**KEEPER.keys).encrypt(KeyId=key, Plaintext=b"x")


def test_a_glob_that_is_slow_elsewhere(server, kms, key):
    """A backtracking matcher needs years for this one."""
    pattern = "*a" * 120 + "b"
    put(kms, key, text(
        delegation(), deny("kms:Encrypt", principal="*", condition={
            "StringLike": {"kms:EncryptionContext:text": pattern}})))
    kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"text": "a" * 4000})
    with refused("AccessDeniedException"):
        kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"text": "a" * 4000 + "b"})
