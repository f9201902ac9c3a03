"""Key policies that the server does not take: nothing has changed afterwards."""

import json

import pytest

from support.expect import refused
from support.principals import ACCOUNT, OTHER_ACCOUNT, Directory, allow, delegation, root, text, trust
from support.rights import server

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
ALICE = PEOPLE.user("alice", path="/team/")
ROLE = PEOPLE.role("deploy", trust(ADMIN), path="/ops/")
CAROL = PEOPLE.user("carol", account=OTHER_ACCOUNT)
INVALID_PRINCIPALS = (
    "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.")


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["KeyId"]


def policy_of(kms, key):
    return kms.get_key_policy(KeyId=key)["Policy"]


def put(kms, key, policy, **more):
    kms.put_key_policy(KeyId=key, Policy=policy, **more)


STATEMENT = allow("kms:*", principal=root())
MALFORMED = {
    "not JSON": "x",
    "cut off": text(delegation())[:-1],
    "more after the end": text(delegation()) + "x",
    "a list": f"[{text(delegation())}]",
    "a string": '"policy"',
    "no Statement": '{"Version": "2012-10-17"}',
    "no statements": '{"Version": "2012-10-17", "Statement": []}',
    "a statement that is a string": '{"Version": "2012-10-17", "Statement": ["Allow"]}',
    "an unknown version": json.dumps({"Version": "2013-10-17", "Statement": [STATEMENT]}),
    "an unknown element of the policy": json.dumps({"Version": "2012-10-17", "Statements": [STATEMENT]}),
    "an unknown element of a statement": text({**STATEMENT, "Actions": "kms:*"}),
    "an element twice": text(delegation()).replace('"Effect": "Allow"', '"Effect": "Allow", "Effect": "Allow"'),
    "no Effect": text({name: value for name, value in STATEMENT.items() if name != "Effect"}),
    "an unknown Effect": text({**STATEMENT, "Effect": "Permit"}),
    "no Principal": text({name: value for name, value in STATEMENT.items() if name != "Principal"}),
    "Principal and NotPrincipal": text({**STATEMENT, "NotPrincipal": {"AWS": ALICE.arn}}),
    "Action and NotAction": text({**STATEMENT, "NotAction": "kms:Encrypt"}),
    "Resource and NotResource": text({**STATEMENT, "NotResource": "*"}),
    "a Principal without a kind": text({**STATEMENT, "Principal": root()}),
    "a Principal of an unknown kind": text({**STATEMENT, "Principal": {"Aws": root()}}),
    "a number as an Action": text({**STATEMENT, "Action": 7}),
    "an Action without a service": text({**STATEMENT, "Action": "Encrypt"}),
    "a Condition that is a list": text({**STATEMENT, "Condition": []}),
    "an unknown operator": text({**STATEMENT, "Condition": {"StringMatches": {"aws:username": "x"}}}),
    "an unknown condition key of KMS": text({**STATEMENT, "Condition": {"StringEquals": {"kms:Nonsense": "x"}}}),
    "an unknown global condition key": text({**STATEMENT, "Condition": {"StringEquals": {"aws:Nonsense": "x"}}}),
    "a number that is none": text({
        **STATEMENT, "Condition": {"NumericEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "seven"}}}),
    "a date that is none": text({**STATEMENT, "Condition": {"DateLessThan": {"aws:CurrentTime": "tomorrow"}}}),
    "an address that is none": text({**STATEMENT, "Condition": {"IpAddress": {"aws:SourceIp": "300.0.0.1/8"}}}),
    "ForAllValues of a single pair": text({
        **STATEMENT, "Condition": {"ForAllValues:StringEquals": {"kms:EncryptionContext:a": "x"}}}),
    "Null with a set operator": text({**STATEMENT, "Condition": {"ForAnyValue:Null": {"kms:RequestAlias": "true"}}}),
    "too deep": text({**STATEMENT, "Condition": json.loads("[" * 60 + "]" * 60)}),
    "much too deep": "[" * 30_000,
    "a lone surrogate": text({**STATEMENT, "Sid": "x"}).replace('"x"', '"\\ud800"'),
}


@pytest.mark.parametrize("policy", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_policy(kms, key, own_kms, policy):
    before = policy_of(kms, key)
    with refused("MalformedPolicyDocumentException"):
        put(kms, key, policy)
    assert policy_of(kms, key) == before
    with refused("MalformedPolicyDocumentException"):
        own_kms.create_key(Policy=policy)
    with refused("MalformedPolicyDocumentException"):
        own_kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    assert own_kms.list_keys()["Keys"] == []


INVALID = {
    "a user that does not exist": f"arn:aws:iam::{ACCOUNT}:user/nobody",
    "a user without the path": f"arn:aws:iam::{ACCOUNT}:user/alice",
    "a role that does not exist": f"arn:aws:iam::{OTHER_ACCOUNT}:role/nothing",
    "a unique id that nobody has": "AIDAAAAAAAAAAAAAAAAAA",
    "a wildcard in an ARN": f"arn:aws:iam::{ACCOUNT}:user/*",
    "a question mark in an ARN": f"arn:aws:iam::{ACCOUNT}:user/team/alic?",
    "a wildcard for the account": "arn:aws:iam::*:root",
    "a group": f"arn:aws:iam::{ACCOUNT}:group/people",
    "a managed policy": f"arn:aws:iam::{ACCOUNT}:policy/adminBoundary",
    "a name": "alice",
    "eleven digits": ACCOUNT[1:],
    "an ARN of KMS": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/x",
    "nothing": "",
}


@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
@pytest.mark.parametrize("principal", INVALID.values(), ids=INVALID.keys())
def test_an_invalid_principal(kms, key, principal, element):
    effect = "Allow" if element == "Principal" else "Deny"
    statement = {"Effect": effect, element: {"AWS": [root(), principal]}, "Action": "kms:*", "Resource": "*"}
    policy, before = text(delegation(), statement), policy_of(kms, key)
    with refused(*INVALID_PRINCIPALS):
        put(kms, key, policy, BypassPolicyLockoutSafetyCheck=True)
    with refused(*INVALID_PRINCIPALS):
        kms.create_key(Policy=policy)
    assert policy_of(kms, key) == before


VALID = {
    "everyone": "*", "an account": OTHER_ACCOUNT, "a root": root(OTHER_ACCOUNT), "a user": ALICE.arn,
    "a user elsewhere": CAROL.arn, "a role": ROLE.arn, "a session": ROLE.session_arn("anything"),
}


@pytest.mark.parametrize("principal", VALID.values(), ids=VALID.keys())
def test_a_valid_principal(kms, key, principal):
    put(kms, key, text(delegation(), allow("kms:Encrypt", principal={"AWS": principal})))
    assert principal in policy_of(kms, key)
