"""How grants end: revoked, retired, with their key; grant tokens; and what survives the end of the process."""

import pytest

from support.expect import DENY_IN_RESOURCE_POLICY, NO_IDENTITY_POLICY, denied, refused
from support.principals import (
    ACCOUNT, OTHER_ACCOUNT, Directory, allow, assume, delegation, deny, root, text, trust)
from support.rights import as_, encrypt, grant, key, server
from support.wire import Wire

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
GRANTEE = PEOPLE.user("grantee")
RETIRER = PEOPLE.user("retirer")
RETIRE_BY_POLICY = PEOPLE.user("retire-by-policy", allow("kms:RetireGrant"))
REVOKER = PEOPLE.user("revoker", allow("kms:RevokeGrant"))
STRANGER = PEOPLE.user("stranger", allow("kms:*"), account=OTHER_ACCOUNT)
RETIRING_ROLE = PEOPLE.role("retiring", trust(ADMIN))
ROOT = PEOPLE.root_user()
UNKNOWN_GRANT = "0" * 64
DAY = 86400


def ids(kms, key):
    return {entry["GrantId"] for entry in kms.list_grants(KeyId=key["KeyId"])["Grants"]}


# Revoking

def test_a_revoked_grant_is_gone(as_, own_kms, key, grant):
    revoked, kept = grant(), grant("Decrypt")
    encrypt(as_(GRANTEE), key)
    own_kms.revoke_grant(KeyId=key["Arn"], GrantId=revoked["GrantId"])
    with denied(GRANTEE, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(GRANTEE), key)
    assert ids(own_kms, key) == {kept["GrantId"]}
    with refused("NotFoundException"):
        own_kms.revoke_grant(KeyId=key["KeyId"], GrantId=revoked["GrantId"])


def test_who_may_revoke(as_, own_kms, key, grant):
    made = grant("Encrypt", "RetireGrant", RetiringPrincipal=RETIRER.arn)
    for who in [GRANTEE, RETIRER, RETIRE_BY_POLICY]:
        with denied(who, "RevokeGrant", key["Arn"], NO_IDENTITY_POLICY):
            as_(who).revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    assert ids(own_kms, key) == {made["GrantId"]}
    as_(REVOKER).revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    assert ids(own_kms, key) == set()


def test_a_grant_is_revoked_on_its_own_key(own_kms, key, grant):
    made, other = grant(), own_kms.create_key()["KeyMetadata"]
    with refused("NotFoundException"):
        own_kms.revoke_grant(KeyId=other["KeyId"], GrantId=made["GrantId"])
    with refused("NotFoundException"):
        own_kms.revoke_grant(KeyId=key["KeyId"], GrantId=UNKNOWN_GRANT)
    with refused("InvalidGrantIdException"):
        own_kms.revoke_grant(KeyId=key["KeyId"], GrantId="rubbish")
    assert ids(own_kms, key) == {made["GrantId"]}


# Retiring

def identifiers(key, made):
    return [{"GrantToken": made["GrantToken"]}, {"KeyId": key["Arn"], "GrantId": made["GrantId"]}]


@pytest.mark.parametrize("way", [0, 1], ids=["by token", "by id"])
@pytest.mark.parametrize("who", [RETIRER, GRANTEE, ROOT, RETIRE_BY_POLICY, ADMIN], ids=lambda who: who.arn[26:])
def test_who_may_retire(as_, own_kms, key, grant, who, way):
    made = grant("Encrypt", "RetireGrant", RetiringPrincipal=RETIRER.arn)
    as_(who).retire_grant(**identifiers(key, made)[way])
    assert ids(own_kms, key) == set()
    with refused("AccessDeniedException"):
        encrypt(as_(GRANTEE), key)


@pytest.mark.parametrize("way", [0, 1], ids=["by token", "by id"])
@pytest.mark.parametrize("who", [RETIRER, GRANTEE, REVOKER, STRANGER], ids=lambda who: who.arn[26:])
def test_who_may_not_retire(as_, own_kms, key, grant, who, way):
    """The grant conveys no RetireGrant and names no retiring principal."""
    made = grant("Encrypt")
    with refused("AccessDeniedException"):
        as_(who).retire_grant(**identifiers(key, made)[way])
    assert ids(own_kms, key) == {made["GrantId"]}
    encrypt(as_(GRANTEE), key)


def test_a_role_as_retiring_principal(server, region, own_kms, key, grant):
    session = server.client(region, **assume(server, ADMIN, RETIRING_ROLE, region=region).keys)
    made, other = grant("Encrypt", RetiringPrincipal=RETIRING_ROLE.arn), grant("Encrypt")
    session.retire_grant(GrantToken=made["GrantToken"])
    with refused("AccessDeniedException"):
        session.retire_grant(GrantToken=other["GrantToken"])
    assert ids(own_kms, key) == {other["GrantId"]}


def test_a_key_policy_cannot_allow_retiring_but_deny_it(as_, own_kms, key, grant):
    made = grant("Encrypt", RetiringPrincipal=RETIRER.arn)
    by_id = identifiers(key, made)[1]
    own_kms.put_key_policy(
        KeyId=key["KeyId"], Policy=text(delegation(), allow("kms:RetireGrant", principal=GRANTEE)))
    with refused("AccessDeniedException"):
        as_(GRANTEE).retire_grant(**by_id)
    own_kms.put_key_policy(
        KeyId=key["KeyId"], Policy=text(delegation(), deny("kms:RetireGrant", principal=RETIRER)))
    with denied(RETIRER, "RetireGrant", key["Arn"], DENY_IN_RESOURCE_POLICY):
        as_(RETIRER).retire_grant(**by_id)
    assert ids(own_kms, key) == {made["GrantId"]}


def test_constraints_do_not_count_for_retiring(as_, own_kms, key, grant):
    made = grant("Encrypt", "RetireGrant", Constraints={"EncryptionContextEquals": {"a": "1"}})
    as_(GRANTEE).retire_grant(GrantToken=made["GrantToken"])
    assert ids(own_kms, key) == set()


def test_retiring_needs_to_know_what(own_kms, key, grant):
    made = grant()
    for arguments in [{}, {"KeyId": key["Arn"]}, {"GrantId": made["GrantId"]}]:
        with refused("ValidationException"):
            own_kms.retire_grant(**arguments)
    with refused("NotFoundException"):
        own_kms.retire_grant(KeyId=key["Arn"], GrantId=UNKNOWN_GRANT)
    with refused("InvalidGrantTokenException"):
        own_kms.retire_grant(GrantToken="cnViYmlzaA==")
    assert ids(own_kms, key) == {made["GrantId"]}


def test_grants_end_in_every_state_of_the_key(as_, own_kms, key, grant):
    made = [grant("Encrypt", RetiringPrincipal=RETIRER.arn)["GrantId"] for _ in range(4)]
    own_kms.disable_key(KeyId=key["KeyId"])
    own_kms.revoke_grant(KeyId=key["KeyId"], GrantId=made[0])
    as_(RETIRER).retire_grant(KeyId=key["Arn"], GrantId=made[1])
    own_kms.schedule_key_deletion(KeyId=key["KeyId"])
    own_kms.revoke_grant(KeyId=key["KeyId"], GrantId=made[2])
    as_(RETIRER).retire_grant(KeyId=key["Arn"], GrantId=made[3])
    assert ids(own_kms, key) == set()


# ListRetirableGrants

def test_list_retirable_grants_spans_keys(own_kms, region):
    made = set()
    for _ in range(3):
        key = own_kms.create_key()["KeyMetadata"]["KeyId"]
        for retiring in [RETIRER, RETIRER, REVOKER]:
            answer = own_kms.create_grant(
                KeyId=key, GranteePrincipal=GRANTEE.arn, Operations=["Encrypt"], RetiringPrincipal=retiring.arn)
            if retiring is RETIRER:
                made.add(answer["GrantId"])
    pages = list(own_kms.get_paginator("list_retirable_grants").paginate(
        RetiringPrincipal=RETIRER.arn, PaginationConfig={"PageSize": 4}))
    entries = [entry for page in pages for entry in page["Grants"]]
    assert [len(page["Grants"]) for page in pages] == [4, 2]
    assert {entry["GrantId"] for entry in entries} == made and len(entries) == 6
    assert {entry["RetiringPrincipal"] for entry in entries} == {RETIRER.arn}
    assert own_kms.list_retirable_grants(RetiringPrincipal=GRANTEE.arn)["Grants"] == []


def test_list_retirable_grants_is_for_identity_policies(as_, key, grant):
    grant("Encrypt", RetiringPrincipal=RETIRER.arn)
    with refused("AccessDeniedException", matching=".*kms:ListRetirableGrants.*no identity-based policy allows.*"):
        as_(RETIRER).list_retirable_grants(RetiringPrincipal=RETIRER.arn)


def test_list_retirable_grants_is_for_principals_of_the_own_account(as_, own_kms, key, grant):
    grant("Encrypt", RetiringPrincipal=STRANGER.arn)
    [entry] = as_(STRANGER).list_retirable_grants(RetiringPrincipal=STRANGER.arn)["Grants"]
    assert entry["KeyId"] == key["Arn"]
    with refused("AccessDeniedException"):
        own_kms.list_retirable_grants(RetiringPrincipal=STRANGER.arn)


# Grant tokens

def test_grant_tokens_are_taken_by_every_operation_that_uses_grants(as_, key, grant):
    kms = as_(GRANTEE)
    made = grant(
        "Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "DescribeKey", "CreateGrant")
    tokens = {"GrantTokens": [made["GrantToken"]]}
    blob = encrypt(kms, key, **tokens)
    assert kms.decrypt(CiphertextBlob=blob, **tokens)["Plaintext"] == b"x"
    kms.generate_data_key(KeyId=key["Arn"], KeySpec="AES_256", **tokens)
    kms.generate_data_key_without_plaintext(KeyId=key["Arn"], KeySpec="AES_256", **tokens)
    kms.describe_key(KeyId=key["Arn"], **tokens)
    kms.create_grant(KeyId=key["Arn"], GranteePrincipal=RETIRER.arn, Operations=["Encrypt"], **tokens)


def test_a_grant_token_allows_nothing_to_others(as_, key, grant):
    made = grant()
    with denied(RETIRER, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(RETIRER), key, GrantTokens=[made["GrantToken"]])


@pytest.mark.parametrize("token", ["rubbish", "cnViYmlzaA==", "A" * 300, "€", "=", "x" * 8192])
def test_a_grant_token_that_is_none(own_kms, key, token):
    for call in [
        lambda: encrypt(own_kms, key, GrantTokens=[token]),
        lambda: own_kms.describe_key(KeyId=key["KeyId"], GrantTokens=[token]),
        lambda: own_kms.retire_grant(GrantToken=token),
    ]:
        with refused("InvalidGrantTokenException"):
            call()


def test_a_changed_grant_token(own_kms, key, grant):
    token = grant()["GrantToken"]
    for changed in [token[1:], token[:-4], token[: len(token) // 2]]:
        with refused("InvalidGrantTokenException"):
            own_kms.retire_grant(GrantToken=changed)
    assert len(ids(own_kms, key)) == 1


def test_the_token_of_a_grant_that_is_gone(own_kms, key, grant):
    made = grant()
    own_kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    with refused("InvalidGrantTokenException"):
        encrypt(own_kms, key, GrantTokens=[made["GrantToken"]])


# What survives

def settle(server, kms):
    """Makes grants, ends some, and returns what must be there afterwards."""
    key = kms.create_key()["KeyMetadata"]
    made = [
        kms.create_grant(
            KeyId=key["KeyId"], GranteePrincipal=GRANTEE.arn, Operations=["Encrypt"], RetiringPrincipal=ADMIN.arn,
            Name=f"grant-{index}", Constraints={"EncryptionContextEquals": {"number": str(index)}})
        for index in range(4)]
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made[1]["GrantId"])
    kms.retire_grant(GrantToken=made[2]["GrantToken"])
    return key, made, kms.list_grants(KeyId=key["KeyId"])["Grants"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_grants_survive_the_end_of_the_process(default_store, end):
    with PEOPLE.server(default_store, admin=ADMIN) as server:
        key, made, before = settle(server, server.client())
        assert {entry["GrantId"] for entry in before} == {made[0]["GrantId"], made[3]["GrantId"]}
        getattr(server, end)()
        kms = server.start().client()
        assert kms.list_grants(KeyId=key["KeyId"])["Grants"] == before
        grantee = server.client(**GRANTEE.keys)
        for index, allowed in enumerate([True, False, False, True]):
            arguments = {"EncryptionContext": {"number": str(index)}}
            if allowed:
                encrypt(grantee, key, **arguments)
            else:
                with refused("AccessDeniedException"):
                    encrypt(grantee, key, **arguments)
        again = kms.create_grant(
            KeyId=key["KeyId"], GranteePrincipal=GRANTEE.arn, Operations=["Encrypt"], RetiringPrincipal=ADMIN.arn,
            Name="grant-3", Constraints={"EncryptionContextEquals": {"number": "3"}})
        assert again["GrantId"] == made[3]["GrantId"]
        kms.retire_grant(GrantToken=made[3]["GrantToken"])
        assert ids(kms, key) == {made[0]["GrantId"]}


def test_grants_die_with_their_key(default_store):
    with PEOPLE.server(default_store, admin=ADMIN) as server:
        kms = server.client()
        key, made, before = settle(server, kms)
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
        assert kms.list_grants(KeyId=key["KeyId"])["Grants"] == before
        Wire(server).development("AdvanceClock", {"Seconds": 8 * DAY})
        assert kms.list_retirable_grants(RetiringPrincipal=ADMIN.arn)["Grants"] == []
        with refused("NotFoundException"):
            kms.list_grants(KeyId=key["KeyId"])
        with refused("InvalidGrantTokenException"):
            kms.retire_grant(GrantToken=made[0]["GrantToken"])
        server.restart()
        assert server.client().list_retirable_grants(RetiringPrincipal=ADMIN.arn)["Grants"] == []


def test_root_is_the_issuing_account_of_whoever_creates_the_grant(as_, own_kms, key):
    own_kms.put_key_policy(
        KeyId=key["KeyId"], Policy=text(delegation(), allow("kms:CreateGrant", principal=STRANGER)))
    made = as_(STRANGER).create_grant(KeyId=key["Arn"], GranteePrincipal=GRANTEE.arn, Operations=["Encrypt"])
    [entry] = own_kms.list_grants(KeyId=key["KeyId"])["Grants"]
    assert entry["IssuingAccount"] == root(OTHER_ACCOUNT) and ACCOUNT in entry["KeyId"]
    as_(STRANGER).retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
    assert ids(own_kms, key) == set()
