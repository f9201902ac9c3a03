"""Grants: making and listing them, what none can be, dry runs."""

import datetime
import re

import pytest

from support.expect import DRY_RUN, NO_IDENTITY_POLICY, denied, refused
from support.principals import ACCOUNT, Directory, root
from support.rights import as_, encrypt, grant, key, listed, server

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
GRANTEE = PEOPLE.user("grantee")
OTHER = PEOPLE.user("other")

CONSTRAINED = ["Encrypt", "Decrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"]
ALL_SYMMETRIC = [
    *CONSTRAINED, "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
    "CreateGrant", "RetireGrant", "DescribeKey"]


# Making and listing

def test_a_grant_lets_the_grantee_do_what_it_names(as_, key, grant):
    kms = as_(GRANTEE)
    with denied(GRANTEE, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(kms, key)
    grant("Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "DescribeKey")
    assert kms.decrypt(CiphertextBlob=encrypt(kms, key))["Plaintext"] == b"x"
    kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
    kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], KeySpec="AES_256")
    kms.describe_key(KeyId=key["KeyId"])
    for action, call in [("DisableKey", kms.disable_key), ("ListGrants", kms.list_grants)]:
        with denied(GRANTEE, action, key["Arn"], NO_IDENTITY_POLICY):
            call(KeyId=key["KeyId"])
    with denied(OTHER, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(OTHER), key)


def test_the_members_of_a_grant(own_kms, key, grant):
    made = grant(
        "Decrypt", "Encrypt", RetiringPrincipal=OTHER.arn, Name="a-name",
        Constraints={"EncryptionContextSubset": {"a": "b"}})
    assert re.fullmatch(r"[0-9a-f]{64}", made["GrantId"])
    assert re.fullmatch(r"[A-Za-z0-9+/_=-]{1,8192}", made["GrantToken"])
    [entry] = listed(own_kms, key)
    age = datetime.datetime.now(datetime.timezone.utc) - entry.pop("CreationDate")
    assert abs(age.total_seconds()) < 60
    assert sorted(entry.pop("Operations")) == ["Decrypt", "Encrypt"]
    assert entry == {
        "KeyId": key["Arn"], "GrantId": made["GrantId"], "Name": "a-name", "GranteePrincipal": GRANTEE.arn,
        "RetiringPrincipal": OTHER.arn, "IssuingAccount": root(),
        "Constraints": {"EncryptionContextSubset": {"a": "b"}},
    }


def test_list_grants_filters_and_pages(own_kms, key, grant):
    made = [grant("Encrypt", to=to)["GrantId"] for to in [GRANTEE, OTHER, GRANTEE, GRANTEE, OTHER]]
    assert sorted(entry["GrantId"] for entry in listed(own_kms, key)) == sorted(made)
    assert [entry["GrantId"] for entry in listed(own_kms, key, GrantId=made[2])] == [made[2]]
    found = listed(own_kms, key, GranteePrincipal=OTHER.arn)
    assert sorted(entry["GrantId"] for entry in found) == sorted([made[1], made[4]])
    assert listed(own_kms, key, GranteePrincipal=ADMIN.arn) == []
    pages = list(own_kms.get_paginator("list_grants").paginate(KeyId=key["KeyId"], PaginationConfig={"PageSize": 2}))
    assert [len(page["Grants"]) for page in pages] == [2, 2, 1]
    assert [page["Truncated"] for page in pages] == [True, True, False]
    assert sorted(entry["GrantId"] for page in pages for entry in page["Grants"]) == sorted(made)
    with refused("InvalidMarkerException"):
        own_kms.list_grants(KeyId=key["KeyId"], Marker="rubbish")


def test_a_named_grant_is_made_once(own_kms, key, grant):
    arguments = {"Name": "same", "Constraints": {"EncryptionContextEquals": {"a": "b", "c": "d"}}}
    first = grant("Encrypt", "Decrypt", **arguments)
    second = grant("Decrypt", "Encrypt", **arguments)
    assert first["GrantId"] == second["GrantId"]
    different = [
        grant("Encrypt", **arguments), grant("Encrypt", "Decrypt", to=OTHER, **arguments),
        grant("Encrypt", "Decrypt", Name="same"), grant("Encrypt", "Decrypt", RetiringPrincipal=OTHER.arn, **arguments)]
    assert len({answer["GrantId"] for answer in [first, *different]}) == 5
    assert len(listed(own_kms, key)) == 5


def test_grants_without_a_name_are_new_each_time(own_kms, key, grant):
    assert grant("Encrypt")["GrantId"] != grant("Encrypt")["GrantId"]
    assert len(listed(own_kms, key)) == 2


def test_every_operation_of_a_symmetric_key(own_kms, key, grant):
    grant(*ALL_SYMMETRIC)
    [entry] = listed(own_kms, key)
    assert sorted(entry["Operations"]) == sorted(ALL_SYMMETRIC)


# What no grant can be

@pytest.mark.parametrize("operation", [
    "Sign", "Verify", "GetPublicKey", "GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate",
    "ReEncrypt", "RevokeGrant", "encrypt"])
def test_an_operation_that_no_grant_on_this_key_may_name(own_kms, key, grant, operation):
    with refused("ValidationException"):
        grant("Encrypt", operation)
    assert listed(own_kms, key) == []


@pytest.mark.parametrize("constraints", [
    {"EncryptionContextEquals": {str(index): "x" for index in range(9)}},
    {"EncryptionContextSubset": {"a": "x" * 385}},
], ids=["nine pairs", "a long value"])
def test_constraints_that_are_too_large(own_kms, key, grant, constraints):
    with refused("ValidationException"):
        grant("Encrypt", Constraints=constraints)
    assert listed(own_kms, key) == []


def test_an_empty_constraint_is_none(own_kms, key, grant):
    """An empty encryption context is the same as none; a policy that wants a constraint must not be satisfied by it."""
    grant("Encrypt", Constraints={})
    grant("Encrypt", Constraints={"EncryptionContextSubset": {}})
    assert [entry.get("Constraints") for entry in listed(own_kms, key)] == [None, None]


def test_constraints_of_the_largest_size(grant):
    pairs = {f"{index}": "x" * 384 for index in range(8)}
    grant("Encrypt", Constraints={"EncryptionContextEquals": pairs})


@pytest.mark.parametrize("principal", [
    f"arn:aws:iam::{ACCOUNT}:user/nobody", f"arn:aws:iam::{ACCOUNT}:role/nothing",
    "arn:aws:iam::333333333333:root", f"arn:aws:iam::{ACCOUNT}:group/people", "grantee", "arn:aws:iam",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/nothing/session"])
@pytest.mark.parametrize("member", ["GranteePrincipal", "RetiringPrincipal"])
def test_a_principal_that_does_not_exist(own_kms, key, member, principal):
    arguments = {"GranteePrincipal": GRANTEE.arn, "Operations": ["Encrypt"], member: principal}
    with refused("InvalidArnException"):
        own_kms.create_grant(KeyId=key["KeyId"], **arguments)
    assert listed(own_kms, key) == []


@pytest.mark.parametrize("member", ["GranteeServicePrincipal", "RetiringServicePrincipal"])
def test_services_of_aws_cannot_be_principals_of_a_grant(own_kms, key, member):
    arguments = {"GranteePrincipal": GRANTEE.arn, "Operations": ["Encrypt"], member: "s3.amazonaws.com"}
    if member == "GranteeServicePrincipal":
        del arguments["GranteePrincipal"]
    with refused("UnsupportedOperationException"):
        own_kms.create_grant(KeyId=key["KeyId"], **arguments)
    assert listed(own_kms, key) == []


@pytest.mark.parametrize("arguments", [
    {"Operations": []}, {"Name": ""}, {"Name": "x" * 257}, {"Name": "no spaces"}, {"GranteePrincipal": "with space"},
    {"GrantTokens": ["x"] * 11}, {"GranteePrincipal": None},
], ids=str)
def test_arguments_that_no_grant_has(own_kms, key, arguments):
    complete = {"KeyId": key["KeyId"], "GranteePrincipal": GRANTEE.arn, "Operations": ["Encrypt"], **arguments}
    with refused("ValidationException"):
        own_kms.create_grant(**{name: value for name, value in complete.items() if value is not None})
    assert listed(own_kms, key) == []


def test_a_grant_is_made_on_an_enabled_key_only(own_kms, key, grant):
    own_kms.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        grant("Encrypt")
    own_kms.schedule_key_deletion(KeyId=key["KeyId"])
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        grant("Encrypt")
    assert listed(own_kms, key) == []


@pytest.mark.parametrize("spec, usage, valid, invalid", [
    ("RSA_2048", "ENCRYPT_DECRYPT", "Decrypt", "GenerateDataKey"),
    ("HMAC_256", "GENERATE_VERIFY_MAC", "VerifyMac", "Sign"),
    ("ECC_NIST_P256", "SIGN_VERIFY", "GetPublicKey", "DeriveSharedSecret"),
])
def test_grants_on_other_keys_have_their_operations_and_no_constraints(own_kms, spec, usage, valid, invalid):
    key = own_kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
    account = own_kms.describe_key(KeyId=key)["KeyMetadata"]["AWSAccountId"]
    arguments = {"KeyId": key, "GranteePrincipal": f"arn:aws:iam::{account}:root"}
    with refused("ValidationException"):
        own_kms.create_grant(Operations=[valid, invalid], **arguments)
    with refused("ValidationException"):
        own_kms.create_grant(Operations=[valid], Constraints={"EncryptionContextSubset": {"a": "b"}}, **arguments)
    assert own_kms.list_grants(KeyId=key)["Grants"] == []
    own_kms.create_grant(Operations=[valid], **arguments)
    assert [grant["Operations"] for grant in own_kms.list_grants(KeyId=key)["Grants"]] == [[valid]]


# Dry runs

def test_dry_runs_of_grants_change_nothing(as_, own_kms, key, grant):
    with refused(*DRY_RUN):
        grant("Encrypt", DryRun=True)
    assert listed(own_kms, key) == []
    made = grant("Encrypt", "RetireGrant")
    with refused(*DRY_RUN):
        encrypt(as_(GRANTEE), key, DryRun=True)
    with refused(*DRY_RUN):
        own_kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"], DryRun=True)
    for who, identifier in [
        (own_kms, {"GrantToken": made["GrantToken"]}),
        (as_(GRANTEE), {"KeyId": key["Arn"], "GrantId": made["GrantId"]}),
    ]:
        with refused(*DRY_RUN):
            who.retire_grant(DryRun=True, **identifier)
    assert [entry["GrantId"] for entry in listed(own_kms, key)] == [made["GrantId"]]
    with denied(OTHER, "CreateGrant", key["Arn"], NO_IDENTITY_POLICY):
        grant("Encrypt", by=as_(OTHER), DryRun=True)
    with denied(OTHER, "RevokeGrant", key["Arn"], NO_IDENTITY_POLICY):
        as_(OTHER).revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"], DryRun=True)
