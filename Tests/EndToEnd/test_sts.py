"""STS on the same endpoint: who am I, who may assume a role, and the AWS CLI with a profile that does."""

import datetime
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse

import pytest

from support.expect import refused
from support.principals import ACCOUNT, OTHER_ACCOUNT, Directory, allow, assume, deny, root, trust
from support.rights import server
from support.wire import Wire

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"], path="/team/")
ROOT = PEOPLE.root_user()
BARE = PEOPLE.user("bare", tags={"team": "blue"})
CAROL = PEOPLE.user("carol", allow("sts:*"), account=OTHER_ACCOUNT)
OTHER_BARE = PEOPLE.user("bare", account=OTHER_ACCOUNT)
CRYPTO = allow(["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"])
FORBIDDEN = PEOPLE.user("forbidden", deny("sts:*"))
WORKER = PEOPLE.role("worker", trust(BARE, ADMIN, CAROL, OTHER_BARE, FORBIDDEN), CRYPTO, path="/ops/")
DELEGATED = PEOPLE.role("delegated", trust(root()), CRYPTO)
PARTNER = PEOPLE.role(
    "partner", trust(root(OTHER_ACCOUNT), condition={"StringEquals": {"sts:ExternalId": "the-secret-word"}}), CRYPTO)
NARROW = PEOPLE.role(
    "narrow", trust(BARE, condition={"StringLike": {"sts:RoleSessionName": "${aws:username}-*"}}), CRYPTO)


@pytest.fixture
def session(server, region):
    """Assumes a role and returns the session."""
    return lambda role, who=BARE, **more: assume(server, who, role, region=region, **more)


def sts(server, who, region="us-east-1"):
    return server.client(region, service="sts", **who.keys)


# GetCallerIdentity

def test_a_user_is_told_who_it_is(server):
    answer = sts(server, ADMIN).get_caller_identity()
    assert (answer["Account"], answer["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/team/admin")
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", answer["UserId"])
    assert sts(server, BARE).get_caller_identity()["Account"] == ACCOUNT  # No right is needed.
    assert sts(server, CAROL).get_caller_identity()["Account"] == OTHER_ACCOUNT


def test_a_root_user_is_told_who_it_is(server):
    answer = sts(server, ROOT).get_caller_identity()
    assert [answer[name] for name in ["UserId", "Account", "Arn"]] == [ACCOUNT, ACCOUNT, root()]


def test_a_session_is_told_who_it_is(server, session):
    made = session(WORKER)
    answer = sts(server, made).get_caller_identity()
    assert answer["Arn"] == made.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/session"
    assert re.fullmatch(r"AROA[A-Z2-7]{17}:session", answer["UserId"])


@pytest.mark.parametrize(("wrong", "code"), [
    ({"secret": "wrong"}, "SignatureDoesNotMatch"), ({"access_key": "AKIANOBODY"}, "InvalidClientTokenId"),
    ({"token": "never issued"}, "InvalidClientTokenId"),
])
def test_sts_refuses_who_is_nobody(server, wrong, code):
    with refused(code, status=403):
        server.client(service="sts", **{**BARE.keys, **wrong}).get_caller_identity()


# AssumeRole

def test_the_answer_of_assume_role(server):
    answer = sts(server, BARE).assume_role(RoleArn=WORKER.arn, RoleSessionName="a.b@c=d,e-f_g", DurationSeconds=900)
    credentials, user = answer["Credentials"], answer["AssumedRoleUser"]
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", credentials["AccessKeyId"])
    assert len(credentials["SecretAccessKey"]) == 40 and credentials["SessionToken"]
    left = credentials["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert abs(left.total_seconds() - 900) < 60
    assert user["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/a.b@c=d,e-f_g"
    assert re.fullmatch(r"AROA[A-Z2-7]{17}:a\.b@c=d,e-f_g", user["AssumedRoleId"])


# Who may assume a role

def test_the_account_in_a_trust_policy_leaves_it_to_identity_policies(session):
    session(DELEGATED, who=ADMIN)
    with refused("AccessDenied", status=403, matching=(
            f"User: {re.escape(BARE.arn)} is not authorized to perform: sts:AssumeRole on resource: "
            f"{re.escape(DELEGATED.arn)}.*")):
        session(DELEGATED, who=BARE)


def test_an_explicit_deny_beats_the_trust_policy(server, session):
    with refused("AccessDenied", status=403):
        session(WORKER, who=FORBIDDEN)
    sts(server, FORBIDDEN).get_caller_identity()  # Nothing can deny this one (STS API Reference, GetCallerIdentity).


def test_across_accounts_both_sides_must_agree(session):
    made = session(WORKER, who=CAROL)
    assert made.account == ACCOUNT
    for role, who in [(WORKER, OTHER_BARE), (DELEGATED, CAROL)]:
        with refused("AccessDenied", status=403):
            session(role, who=who)


def test_an_external_id(session):
    session(PARTNER, who=CAROL, ExternalId="the-secret-word")
    for more in [{}, {"ExternalId": "another-word"}]:
        with refused("AccessDenied", status=403):
            session(PARTNER, who=CAROL, **more)


def test_a_condition_on_the_session_name(session):
    session(NARROW, session="bare-1")
    with refused("AccessDenied", status=403):
        session(NARROW, session="admin-1")


def test_a_role_that_does_not_exist(session):
    gone = type(WORKER)(f"arn:aws:iam::{ACCOUNT}:role/nothing")
    for role in [gone, type(WORKER)(WORKER.arn.replace("/ops", ""))]:
        with refused("AccessDenied", status=403):
            session(role, who=ADMIN)


def test_the_root_user_may_not_assume_roles(session):
    with refused("AccessDenied", "Roles may not be assumed by root accounts.", status=403):
        session(DELEGATED, who=ROOT)


@pytest.mark.parametrize("arguments", [
    {"session": "x"}, {"session": "no spaces"}, {"session": "x" * 65}, {"DurationSeconds": 899},
    {"DurationSeconds": 43201}, {"DurationSeconds": 3601}, {"Policy": "x" * 2049}, {"ExternalId": "x"},
    {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, {"Tags": [{"Key": "", "Value": "1"}]},
], ids=lambda arguments: ", ".join(arguments))
def test_arguments_that_assume_role_refuses(session, arguments):
    with pytest.raises(Exception) as caught:
        session(WORKER, **arguments)
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400, error
    assert error["Error"]["Code"] in ("ValidationError", "InvalidParameterValue", "PackedPolicyTooLarge"), error


# The protocol

def test_what_is_no_call_of_sts(server):
    wire = Wire(server, **BARE.keys)
    for body, code in [
        ({"Action": "GetFederationToken", "Version": "2011-06-15", "Name": "x"}, "InvalidAction"),
        ({"Version": "2011-06-15"}, "MissingAction"),
        ({"Action": "GetCallerIdentity", "Version": "1999-01-01"}, "InvalidAction"),
    ]:
        data = urllib.parse.urlencode(body).encode()
        headers = wire.signed(None, data, service="sts", extra=[
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")])
        answer = wire.send(headers, data)
        assert answer.status == 400 and f"<Code>{code}</Code>".encode() in answer.body, answer
        assert answer.headers["Content-Type"].startswith("text/xml")


def test_a_signature_for_kms_is_none_for_sts(server):
    wire = Wire(server, **BARE.keys)
    data = b"Action=GetCallerIdentity&Version=2011-06-15"
    headers = wire.signed(None, data, service="kms", extra=[("Content-Type", "application/x-www-form-urlencoded")])
    assert wire.send(headers, data).status == 403


# The way of people: a profile that assumes a role

CONFIG = """\
[profile admin]
region = us-east-1
endpoint_url = {endpoint}

[profile worker]
region = us-east-1
endpoint_url = {endpoint}
role_arn = {role}
role_session_name = from-the-cli
source_profile = admin
"""
CREDENTIALS = """\
[admin]
aws_access_key_id = {admin.access_key}
aws_secret_access_key = {admin.secret}
"""


def test_the_cli_with_a_profile_that_assumes_a_role(server, tmp_path):
    (tmp_path / "config").write_text(CONFIG.format(endpoint=server.endpoint, role=WORKER.arn))
    (tmp_path / "credentials").write_text(CREDENTIALS.format(admin=ADMIN))
    environment = {
        "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path), "AWS_PAGER": "",
        "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
    }

    def aws(profile, *arguments):
        result = subprocess.run(
            ["aws", "--profile", profile, "--output", "json", *arguments], cwd=tmp_path, env=environment,
            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        return json.loads(result.stdout) if result.returncode == 0 else result.stderr

    key = aws("admin", "kms", "create-key")["KeyMetadata"]["KeyId"]
    assert aws("worker", "sts", "get-caller-identity")["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/from-the-cli")
    (tmp_path / "plain").write_bytes(b"hello")
    assert aws("worker", "kms", "encrypt", "--key-id", key, "--plaintext", "fileb://plain")["CiphertextBlob"]
    refusal = aws("worker", "kms", "disable-key", "--key-id", key)
    assert "(AccessDeniedException)" in refusal and "assumed-role/worker/from-the-cli" in refusal
