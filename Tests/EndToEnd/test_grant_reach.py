"""How far a grant reaches: its constraints, who its grantee is, what beats it, and grants made by it."""

from support.expect import (
    DENY_IN_IDENTITY_POLICY, DENY_IN_RESOURCE_POLICY, NO_BOUNDARY, NO_IDENTITY_POLICY, denied, refused)
from support.principals import OTHER_ACCOUNT, Directory, allow, assume, delegation, deny, root, text, trust
from support.rights import as_, encrypt, grant, key, listed, server

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
GRANTEE = PEOPLE.user("grantee")
OTHER = PEOPLE.user("other")
DENIED = PEOPLE.user("denied", deny("kms:Encrypt"))
STRANGER = PEOPLE.user("stranger", account=OTHER_ACCOUNT)
ALLOWED_STRANGER = PEOPLE.user("allowed-stranger", allow("kms:Encrypt"), account=OTHER_ACCOUNT)
BOUNDED = PEOPLE.user("bounded", boundary=[allow("kms:DescribeKey")])
WORKER = PEOPLE.role("worker", trust(ADMIN))
BOUNDED_ROLE = PEOPLE.role("bounded-role", trust(ADMIN), boundary=[allow("kms:DescribeKey")])


# Constraints

def test_constraints_on_the_encryption_context(as_, key, grant):
    kms = as_(GRANTEE)
    grant("Encrypt", Constraints={"EncryptionContextEquals": {"a": "1", "b": "2"}})
    encrypt(kms, key, EncryptionContext={"b": "2", "a": "1"})
    for context in [{}, {"a": "1"}, {"a": "1", "b": "2", "c": "3"}, {"A": "1", "b": "2"}, {"a": "1", "b": "3"}]:
        with denied(GRANTEE, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
            encrypt(kms, key, EncryptionContext=context)
    grant("Encrypt", Constraints={"EncryptionContextSubset": {"a": "9"}})
    for context in [{"a": "9"}, {"a": "9", "more": "x"}]:
        encrypt(kms, key, EncryptionContext=context)
    with denied(GRANTEE, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(kms, key, EncryptionContext={"more": "9"})


def test_constraints_compare_bytes(as_, key, grant):
    grant("Encrypt", Constraints={"EncryptionContextEquals": {"caf\u00e9": "x"}})
    encrypt(as_(GRANTEE), key, EncryptionContext={"caf\u00e9": "x"})
    with refused("AccessDeniedException"):
        encrypt(as_(GRANTEE), key, EncryptionContext={"cafe\u0301": "x"})


def test_constraints_do_not_count_for_describe_key(as_, key, grant):
    grant("DescribeKey", "Encrypt", Constraints={"EncryptionContextEquals": {"a": "1"}})
    as_(GRANTEE).describe_key(KeyId=key["KeyId"])


def test_constraints_of_re_encrypt_are_for_each_side(as_, own_kms, key, grant):
    kms = as_(GRANTEE)
    grant("ReEncryptFrom", Constraints={"EncryptionContextEquals": {"side": "from"}})
    grant("ReEncryptTo", Constraints={"EncryptionContextEquals": {"side": "to"}})

    def re_encrypt(source, destination):
        return kms.re_encrypt(
            SourceKeyId=key["Arn"], DestinationKeyId=key["Arn"], SourceEncryptionContext={"side": source},
            CiphertextBlob=encrypt(own_kms, key, EncryptionContext={"side": source}),
            DestinationEncryptionContext={"side": destination})

    re_encrypt("from", "to")
    with denied(GRANTEE, "ReEncryptFrom", key["Arn"], NO_IDENTITY_POLICY):
        re_encrypt("to", "to")
    with denied(GRANTEE, "ReEncryptTo", key["Arn"], NO_IDENTITY_POLICY):
        re_encrypt("from", "from")


# Who the grantee may be

def test_a_grant_to_a_role_and_to_one_session(server, region, key, grant):
    kms = {name: server.client(region, **assume(server, ADMIN, WORKER, name, region).keys) for name in ["one", "two"]}
    grant("Encrypt", to=WORKER)
    grant("DescribeKey", to=WORKER.session_arn("one"))
    for name in kms:
        encrypt(kms[name], key)
    kms["one"].describe_key(KeyId=key["KeyId"])
    with refused("AccessDeniedException"):
        kms["two"].describe_key(KeyId=key["KeyId"])


def test_a_boundary_limits_a_grant_to_a_role_but_not_one_to_a_user(server, as_, region, key, grant):
    grant("Encrypt", to=BOUNDED)
    encrypt(as_(BOUNDED), key)
    session = assume(server, ADMIN, BOUNDED_ROLE, region=region)
    kms = server.client(region, **session.keys)
    grant("Encrypt", to=BOUNDED_ROLE)
    with denied(session, "Encrypt", key["Arn"], NO_BOUNDARY):
        encrypt(kms, key)
    grant("Encrypt", to=session)
    encrypt(kms, key)


def test_a_grant_to_an_account_leaves_it_to_its_identity_policies(as_, own_kms, key, grant):
    grant("Encrypt", to=root(OTHER_ACCOUNT))
    encrypt(as_(ALLOWED_STRANGER), key)
    with denied(STRANGER, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(STRANGER), key)


def test_an_explicit_deny_beats_a_grant(as_, own_kms, key, grant):
    grant("Encrypt", to=DENIED)
    with denied(DENIED, "Encrypt", key["Arn"], DENY_IN_IDENTITY_POLICY):
        encrypt(as_(DENIED), key)
    grant("Encrypt")
    encrypt(as_(GRANTEE), key)
    own_kms.put_key_policy(
        KeyId=key["KeyId"], Policy=text(delegation(), deny("kms:Encrypt", principal=GRANTEE)))
    with denied(GRANTEE, "Encrypt", key["Arn"], DENY_IN_RESOURCE_POLICY):
        encrypt(as_(GRANTEE), key)


# Child grants

def child(kms, key, *operations, **more):
    return kms.create_grant(KeyId=key["Arn"], GranteePrincipal=OTHER.arn, Operations=list(operations), **more)


def test_a_child_grant_conveys_no_more_than_its_parent(as_, own_kms, key, grant):
    kms = as_(GRANTEE)
    parent = grant("CreateGrant", "Encrypt", "Decrypt")
    child(kms, key, "Encrypt")
    encrypt(as_(OTHER), key)
    for operations in [["GenerateDataKey"], ["Encrypt", "DescribeKey"], ["RetireGrant"]]:
        with refused("AccessDeniedException"):
            child(kms, key, *operations)
    assert len(listed(own_kms, key)) == 2
    own_kms.revoke_grant(KeyId=key["KeyId"], GrantId=parent["GrantId"])
    with denied(GRANTEE, "CreateGrant", key["Arn"], NO_IDENTITY_POLICY):
        child(kms, key, "Encrypt")
    encrypt(as_(OTHER), key)  # What was made with a grant stays when that grant is revoked.


def test_a_child_grant_is_at_least_as_constrained(as_, key, grant):
    kms = as_(GRANTEE)
    grant("CreateGrant", "Encrypt", Constraints={"EncryptionContextSubset": {"a": "1"}})
    for constraints in [
        {"EncryptionContextSubset": {"a": "1"}}, {"EncryptionContextSubset": {"a": "1", "b": "2"}},
        {"EncryptionContextEquals": {"a": "1", "b": "2"}},
    ]:
        child(kms, key, "Encrypt", Constraints=constraints)
    for constraints in [
        {}, {"EncryptionContextSubset": {"b": "2"}}, {"EncryptionContextEquals": {"a": "2"}},
        {"EncryptionContextSubset": {"a": "2"}},
    ]:
        with refused("AccessDeniedException"):
            child(kms, key, "Encrypt", Constraints=constraints)


def test_a_child_of_an_exact_constraint_keeps_it(as_, key, grant):
    kms = as_(GRANTEE)
    grant("CreateGrant", "Encrypt", Constraints={"EncryptionContextEquals": {"a": "1"}})
    child(kms, key, "Encrypt", Constraints={"EncryptionContextEquals": {"a": "1"}})
    for constraints in [
        {"EncryptionContextSubset": {"a": "1"}}, {"EncryptionContextEquals": {"a": "1", "b": "2"}}, {}]:
        with refused("AccessDeniedException"):
            child(kms, key, "Encrypt", Constraints=constraints)


def test_who_may_create_grants_by_policy_is_not_limited(as_, own_kms, key):
    own_kms.put_key_policy(
        KeyId=key["KeyId"], Policy=text(delegation(), allow("kms:CreateGrant", principal=GRANTEE)))
    child(as_(GRANTEE), key, "Encrypt", "Decrypt")
    encrypt(as_(OTHER), key)
