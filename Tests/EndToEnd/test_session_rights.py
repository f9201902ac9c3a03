"""What a session may do: its role's rights, session policies, session tags, chains of roles."""

import pytest

from support.expect import (
    DENY_IN_SESSION_POLICY, NO_BOUNDARY, NO_IDENTITY_POLICY, NO_RESOURCE_POLICY, NO_SESSION_POLICY, denied, refused)
from support.principals import ACCOUNT, Directory, allow, assume, delegation, deny, document, text, trust
from support.rights import encrypt, key, server

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
BARE = PEOPLE.user("bare")
CRYPTO = allow(["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"])
WORKER = PEOPLE.role("worker", trust(BARE, ADMIN), CRYPTO, path="/ops/")
TAGGED = PEOPLE.role(
    "tagged", trust(BARE, action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]),
    allow("kms:Encrypt", condition={"StringEquals": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team}"}}),
    tags={"team": "role"})
CHAINED = PEOPLE.role(
    "chained", trust(TAGGED, action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]),
    allow("kms:Encrypt", condition={"StringEquals": {
        "kms:EncryptionContext:team": "${aws:PrincipalTag/team}",
        "kms:EncryptionContext:who": "${aws:SourceIdentity}"}, "Null": {"aws:PrincipalTag/step": "true"}}),
    tags={"team": "role"})
CONDITIONED = PEOPLE.role("conditioned", trust(BARE), allow("kms:Encrypt", condition={
    "StringEquals": {
        "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/conditioned", "aws:PrincipalType": "AssumedRole",
        "aws:PrincipalAccount": ACCOUNT, "kms:CallerAccount": ACCOUNT},
    "StringLike": {"aws:userid": "AROA*:some-name"}, "DateGreaterThan": {"aws:TokenIssueTime": "2025-01-01T00:00:00Z"},
    "Bool": {"aws:MultiFactorAuthPresent": "false"}, "Null": {"aws:username": "true"}}))
BOUNDED = PEOPLE.role("bounded", trust(BARE), allow("kms:*"), boundary=[allow("kms:Encrypt")])
SECOND = PEOPLE.role("second", trust(WORKER), CRYPTO, maxSessionDuration=43200)
LONG = PEOPLE.role("long", trust(BARE), CRYPTO, maxSessionDuration=43200)
PEOPLE.account(ACCOUNT).setdefault("policies", {})["OnlyEncrypt"] = document(allow("kms:Encrypt"))
HOUR = 3600


@pytest.fixture
def session(server, region):
    """Assumes a role and returns the session with its KMS client."""
    def make(role, who=BARE, **more):
        made = assume(server, who, role, region=region, **more)
        return made, server.client(region, **made.keys)

    return make


# The role

def test_a_session_has_the_rights_of_its_role_alone(session, key):
    made, kms = session(WORKER, who=ADMIN)
    encrypt(kms, key)
    with denied(made, "DisableKey", key["Arn"], NO_IDENTITY_POLICY):
        kms.disable_key(KeyId=key["KeyId"])


def test_a_key_policy_may_name_the_role_or_the_session(server, session, own_kms):
    made, kms = session(WORKER)
    key = own_kms.create_key(Policy=text(
        allow(["kms:PutKeyPolicy", "kms:Get*"], principal=ADMIN), allow("kms:Encrypt", principal=made.arn),
        allow("kms:DisableKey", principal=WORKER)))["KeyMetadata"]
    encrypt(kms, key)
    kms.disable_key(KeyId=key["KeyId"])
    other, kms = session(WORKER, session="other")
    with denied(other, "Encrypt", key["Arn"], NO_RESOURCE_POLICY):
        encrypt(kms, key)


def test_the_boundary_of_a_role(session, key):
    made, kms = session(BOUNDED)
    blob = encrypt(kms, key)
    with denied(made, "Decrypt", key["Arn"], NO_BOUNDARY):
        kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=blob)


# Session policies

def test_a_session_policy_limits_the_session(session, key):
    made, kms = session(WORKER, Policy=text(allow("kms:Encrypt")))
    blob = encrypt(kms, key)
    with denied(made, "Decrypt", key["Arn"], NO_SESSION_POLICY):
        kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=blob)


def test_a_session_policy_allows_nothing_by_itself(session, key):
    made, kms = session(WORKER, Policy=text(allow("kms:*")))
    with denied(made, "DisableKey", key["Arn"], NO_IDENTITY_POLICY):
        kms.disable_key(KeyId=key["KeyId"])


def test_a_deny_in_a_session_policy(session, key):
    made, kms = session(WORKER, Policy=text(allow("*"), deny("kms:Encrypt")))
    with denied(made, "Encrypt", key["Arn"], DENY_IN_SESSION_POLICY):
        encrypt(kms, key)


def test_a_key_policy_that_names_the_session_is_not_limited_by_the_session_policys_silence(session, own_kms):
    made, kms = session(WORKER, session="limited", Policy=text(allow("kms:DescribeKey")))
    for principal, allowed in [(WORKER, False), ("*", False), (made.arn, True)]:
        key = own_kms.create_key(Policy=text(
            delegation(), allow("kms:GenerateDataKey", principal=principal)))["KeyMetadata"]
        if allowed:
            kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
            continue
        with denied(made, "GenerateDataKey", key["Arn"], NO_SESSION_POLICY):
            kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")


def test_a_managed_policy_as_session_policy(session, key):
    made, kms = session(WORKER, PolicyArns=[{"arn": f"arn:aws:iam::{ACCOUNT}:policy/OnlyEncrypt"}])
    blob = encrypt(kms, key)
    with denied(made, "Decrypt", key["Arn"], NO_SESSION_POLICY):
        kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=blob)


@pytest.mark.parametrize("policy", ["x", "{}", text({"Effect": "Allow"}), text(allow("kms:*", principal="*"))])
def test_a_malformed_session_policy(session, policy):
    with refused("MalformedPolicyDocument"):
        session(WORKER, Policy=policy)


def test_a_managed_policy_that_does_not_exist(session):
    with pytest.raises(Exception) as caught:
        session(WORKER, PolicyArns=[{"arn": f"arn:aws:iam::{ACCOUNT}:policy/Nothing"}])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


# Tags and chains

def test_session_tags_override_the_tags_of_the_role(session, key):
    made, kms = session(TAGGED)
    encrypt(kms, key, EncryptionContext={"team": "role"})
    made, kms = session(TAGGED, Tags=[{"Key": "team", "Value": "session"}])
    encrypt(kms, key, EncryptionContext={"team": "session"})
    with denied(made, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(kms, key, EncryptionContext={"team": "role"})


def test_session_tags_need_the_right_to_tag(session):
    with refused("AccessDenied", status=403, matching=".*sts:TagSession.*"):
        session(WORKER, Tags=[{"Key": "team", "Value": "session"}])


def test_transitive_tags_and_the_source_identity_stay_along_a_chain(session, key):
    tags = [{"Key": "team", "Value": "green"}, {"Key": "step", "Value": "first"}]
    first, _ = session(TAGGED, Tags=tags, TransitiveTagKeys=["team"], SourceIdentity="somebody")
    second, kms = session(CHAINED, who=first)
    for context, allowed in [({"team": "green", "who": "somebody"}, True), ({"team": "role", "who": "somebody"}, False),
                             ({"team": "green", "who": "nobody"}, False)]:
        if allowed:
            encrypt(kms, key, EncryptionContext=context)
            continue
        with denied(second, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
            encrypt(kms, key, EncryptionContext=context)
    with refused("InvalidParameterValue"):
        session(CHAINED, who=first, Tags=[{"Key": "Team", "Value": "another"}])
    with refused("ValidationError"):
        session(CHAINED, who=first, SourceIdentity="another")


def test_what_a_session_has_for_condition_keys(session, key):
    made, kms = session(CONDITIONED, session="some-name")
    encrypt(kms, key)


def test_a_chained_session_lasts_an_hour_at_most(session, key):
    first, _ = session(WORKER)
    second, kms = session(SECOND, who=first, DurationSeconds=HOUR)
    encrypt(kms, key)
    assert second.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/second/session"
    with refused("ValidationError", matching=".*1 hour.*role chaining.*"):
        session(SECOND, who=first, DurationSeconds=HOUR + 1)
    session(LONG, DurationSeconds=12 * HOUR)
