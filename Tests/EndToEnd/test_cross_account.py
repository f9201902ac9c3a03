"""Two accounts: the key's account and the caller's must both agree, and only some operations cross at all."""

import pytest

from support.expect import (
    DENY_IN_IDENTITY_POLICY, DENY_IN_RESOURCE_POLICY, NO_IDENTITY_POLICY, NO_RESOURCE_POLICY, denied,
    denied_by_ciphertext, refused)
from support.principals import (
    ACCOUNT, OTHER_ACCOUNT, Directory, allow, assume, delegation, deny, root, text, trust)
from support.rights import as_, encrypt, server

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
CAROL = PEOPLE.user("carol", allow("kms:*"), account=OTHER_ACCOUNT)
BARE = PEOPLE.user("bare", account=OTHER_ACCOUNT)
DENIED = PEOPLE.user("denied", allow("kms:*"), deny("kms:Encrypt"), account=OTHER_ACCOUNT)
OWN_KEYS = PEOPLE.user(
    "own-keys", allow("kms:*", resource=f"arn:aws:kms:*:{OTHER_ACCOUNT}:key/*"), account=OTHER_ACCOUNT)
ROOT = PEOPLE.root_user(OTHER_ACCOUNT)
WORKER = PEOPLE.role("worker", trust(CAROL), allow("kms:Encrypt"), account=OTHER_ACCOUNT)
TWIN = PEOPLE.user("twin", allow("kms:*"))
OTHER_TWIN = PEOPLE.user("twin", account=OTHER_ACCOUNT)


@pytest.fixture
def shared(own_kms):
    """Makes a key whose policy has these statements beside the delegation to its own account."""
    def make(*statements):
        return own_kms.create_key(Policy=text(delegation(), *statements))["KeyMetadata"]

    return make


# Both sides

def test_the_identity_policy_of_the_caller_alone_does_not_suffice(as_, shared):
    key = shared()
    for who in [CAROL, ROOT]:
        with denied(who, "Encrypt", key["Arn"], NO_RESOURCE_POLICY):
            encrypt(as_(who), key)


@pytest.mark.parametrize("principal", [root(OTHER_ACCOUNT), OTHER_ACCOUNT, BARE.arn, "*"])
def test_the_key_policy_alone_does_not_suffice(as_, shared, principal):
    key = shared(allow("kms:Encrypt", principal={"AWS": principal}))
    with denied(BARE, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(BARE), key)


@pytest.mark.parametrize("principal", [root(OTHER_ACCOUNT), OTHER_ACCOUNT, CAROL.arn, "*"])
def test_both_together_suffice(as_, shared, principal):
    key = shared(allow(["kms:Encrypt", "kms:Decrypt"], principal={"AWS": principal}))
    kms = as_(CAROL)
    blob = encrypt(kms, key)
    for identifier in [{}, {"KeyId": key["Arn"]}]:
        answer = kms.decrypt(CiphertextBlob=blob, **identifier)
        assert (answer["Plaintext"], answer["KeyId"]) == (b"x", key["Arn"])
    with denied(CAROL, "DescribeKey", key["Arn"], NO_RESOURCE_POLICY):
        kms.describe_key(KeyId=key["Arn"])


def test_the_root_user_of_the_other_account(as_, shared):
    encrypt(as_(ROOT), shared(allow("kms:Encrypt", principal=root(OTHER_ACCOUNT))))


def test_the_identity_policy_must_speak_of_the_key(as_, shared):
    key = shared(allow("kms:Encrypt", principal=root(OTHER_ACCOUNT)))
    with denied(OWN_KEYS, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(OWN_KEYS), key)


def test_each_side_can_deny(as_, shared):
    allowed = allow("kms:*", principal=root(OTHER_ACCOUNT))
    key = shared(allowed)
    with denied(DENIED, "Encrypt", key["Arn"], DENY_IN_IDENTITY_POLICY):
        encrypt(as_(DENIED), key)
    key = shared(allowed, deny("kms:Encrypt", principal=CAROL))
    with denied(CAROL, "Encrypt", key["Arn"], DENY_IN_RESOURCE_POLICY):
        encrypt(as_(CAROL), key)


def test_another_user_of_the_named_account_is_not_meant(as_, shared):
    key = shared(allow("kms:Encrypt", principal=CAROL))
    with denied(DENIED, "Decrypt", key["Arn"], NO_RESOURCE_POLICY):
        as_(DENIED).decrypt(KeyId=key["Arn"], CiphertextBlob=encrypt(as_(CAROL), key))


def test_users_of_the_same_name_are_not_the_same(as_, shared):
    key = shared(allow("kms:Encrypt", principal=OTHER_TWIN))
    with denied(OTHER_TWIN, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(OTHER_TWIN), key)


def test_a_role_of_the_other_account(server, region, shared):
    session = assume(server, CAROL, WORKER, region=region)
    kms = server.client(region, **session.keys)
    encrypt(kms, shared(allow("kms:Encrypt", principal=WORKER)))
    encrypt(kms, shared(allow("kms:Encrypt", principal=session.arn)))
    key = shared()
    with denied(session, "Encrypt", key["Arn"], NO_RESOURCE_POLICY):
        encrypt(kms, key)


# Operations that do not cross

EVERYTHING = allow("kms:*", principal="*")
CROSSING = {
    "Encrypt": lambda kms, key, more: encrypt(kms, key),
    "Decrypt": lambda kms, key, more: kms.decrypt(CiphertextBlob=more["blob"]),
    "ReEncrypt": lambda kms, key, more: kms.re_encrypt(CiphertextBlob=more["blob"], DestinationKeyId=key["Arn"]),
    "GenerateDataKey": lambda kms, key, more: kms.generate_data_key(KeyId=key["Arn"], KeySpec="AES_256"),
    "GenerateDataKeyWithoutPlaintext": lambda kms, key, more: kms.generate_data_key_without_plaintext(
        KeyId=key["Arn"], KeySpec="AES_256"),
    "DescribeKey": lambda kms, key, more: kms.describe_key(KeyId=key["Arn"]),
    "CreateGrant": lambda kms, key, more: kms.create_grant(
        KeyId=key["Arn"], GranteePrincipal=CAROL.arn, Operations=["Encrypt"]),
    "ListGrants": lambda kms, key, more: kms.list_grants(KeyId=key["Arn"]),
    "RevokeGrant": lambda kms, key, more: kms.revoke_grant(KeyId=key["Arn"], GrantId=more["grant"]),
}
STAYING = {
    "GetKeyPolicy": lambda kms, key, _: kms.get_key_policy(KeyId=key["Arn"]),
    "PutKeyPolicy": lambda kms, key, _: kms.put_key_policy(KeyId=key["Arn"], Policy=text(EVERYTHING)),
    "ListKeyPolicies": lambda kms, key, _: kms.list_key_policies(KeyId=key["Arn"]),
    "DisableKey": lambda kms, key, _: kms.disable_key(KeyId=key["Arn"]),
    "EnableKey": lambda kms, key, _: kms.enable_key(KeyId=key["Arn"]),
    "ScheduleKeyDeletion": lambda kms, key, _: kms.schedule_key_deletion(KeyId=key["Arn"]),
    "CancelKeyDeletion": lambda kms, key, _: kms.cancel_key_deletion(KeyId=key["Arn"]),
    "UpdateKeyDescription": lambda kms, key, _: kms.update_key_description(KeyId=key["Arn"], Description="x"),
    "TagResource": lambda kms, key, _: kms.tag_resource(KeyId=key["Arn"], Tags=[{"TagKey": "a", "TagValue": "b"}]),
    "UntagResource": lambda kms, key, _: kms.untag_resource(KeyId=key["Arn"], TagKeys=["a"]),
    "ListResourceTags": lambda kms, key, _: kms.list_resource_tags(KeyId=key["Arn"]),
}


@pytest.mark.parametrize("operation", CROSSING)
def test_an_operation_that_crosses_accounts(as_, own_kms, shared, operation):
    key = shared(EVERYTHING)
    grant = own_kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=CAROL.arn, Operations=["Decrypt"])["GrantId"]
    CROSSING[operation](as_(CAROL), key, {"blob": encrypt(own_kms, key), "grant": grant})


@pytest.mark.parametrize("operation", STAYING)
def test_an_operation_that_does_not_cross_accounts(as_, own_kms, shared, operation):
    key = shared(EVERYTHING)
    before = own_kms.describe_key(KeyId=key["KeyId"]), own_kms.get_key_policy(KeyId=key["KeyId"])["Policy"]
    with refused("AccessDeniedException", matching=f"User: {CAROL.arn} is not authorized to perform: "
                 f"kms:{operation} on resource: {key['Arn']} .*"):
        STAYING[operation](as_(CAROL), key, None)
    after = own_kms.describe_key(KeyId=key["KeyId"]), own_kms.get_key_policy(KeyId=key["KeyId"])["Policy"]
    assert [after[0]["KeyMetadata"], after[1]] == [before[0]["KeyMetadata"], before[1]]
    assert own_kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == []


def test_an_alias_of_one_account_does_not_name_a_key_of_another(as_, shared):
    key = shared(EVERYTHING)
    with refused("AccessDeniedException"):
        as_(CAROL).create_alias(AliasName="alias/x", TargetKeyId=key["Arn"])
    assert as_(CAROL).list_aliases()["Aliases"] == []


# Names across accounts

def test_the_alias_arn_of_another_account(as_, own_kms, shared):
    key = shared(allow(["kms:Encrypt", "kms:DescribeKey"], principal=root(OTHER_ACCOUNT)))
    own_kms.create_alias(AliasName="alias/shared", TargetKeyId=key["KeyId"])
    arn = key["Arn"].rsplit(":", 1)[0] + ":alias/shared"
    kms = as_(CAROL)
    assert kms.encrypt(KeyId=arn, Plaintext=b"x")["KeyId"] == key["Arn"]
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["AWSAccountId"] == ACCOUNT
    with refused("NotFoundException"):
        kms.encrypt(KeyId="alias/shared", Plaintext=b"x")
    with denied(CAROL, "GenerateDataKey", key["Arn"], NO_RESOURCE_POLICY):
        kms.generate_data_key(KeyId=arn, KeySpec="AES_256")


def test_an_id_means_a_key_of_the_own_account(as_, shared):
    key = shared(EVERYTHING)
    own_arn = key["Arn"].replace(ACCOUNT, OTHER_ACCOUNT)
    with refused("NotFoundException", f"Key '{own_arn}' does not exist"):
        as_(CAROL).encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_decrypt_without_a_key_id_finds_the_key_of_the_other_account(as_, own_kms, shared):
    key = shared()
    blob = encrypt(own_kms, key)
    with denied_by_ciphertext(CAROL):
        as_(CAROL).decrypt(CiphertextBlob=blob)
    own_kms.put_key_policy(KeyId=key["KeyId"], Policy=text(delegation(), allow("kms:Decrypt", principal=CAROL)))
    assert as_(CAROL).decrypt(CiphertextBlob=blob)["KeyId"] == key["Arn"]


def test_re_encrypt_from_one_account_to_another(as_, own_kms, shared):
    source = shared(allow("kms:ReEncryptFrom", principal=CAROL))
    destination = as_(CAROL).create_key()["KeyMetadata"]
    blob = encrypt(own_kms, source)
    moved = as_(CAROL).re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination["KeyId"])
    assert (moved["SourceKeyId"], moved["KeyId"]) == (source["Arn"], destination["Arn"])
    with denied(CAROL, "ReEncryptTo", source["Arn"], NO_RESOURCE_POLICY):
        as_(CAROL).re_encrypt(CiphertextBlob=moved["CiphertextBlob"], DestinationKeyId=source["Arn"])


def test_a_stranger_cannot_tell_a_key_that_exists_from_one_that_does_not(as_, shared):
    key = shared()
    texts = []
    for arn in [key["Arn"], key["Arn"][:-12] + "000000000000"]:
        with denied(CAROL, "DescribeKey", arn, NO_RESOURCE_POLICY) as caught:
            as_(CAROL).describe_key(KeyId=arn)
        texts.append(caught.value.response["Error"]["Message"].replace(arn, "ARN"))
    assert texts[0] == texts[1]


def test_a_key_policy_may_name_principals_of_other_accounts_only_if_they_exist(own_kms):
    with refused("MalformedPolicyDocumentException"):
        own_kms.create_key(
            Policy=text(delegation(), allow("kms:Encrypt", principal=f"arn:aws:iam::{OTHER_ACCOUNT}:user/nobody")))


# Grants across accounts

def test_a_grant_to_a_user_of_another_account_suffices(as_, own_kms, shared):
    key = shared()
    own_kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=BARE.arn, Operations=["Encrypt", "DescribeKey"])
    encrypt(as_(BARE), key)
    as_(BARE).describe_key(KeyId=key["Arn"])
    with denied(BARE, "GenerateDataKey", key["Arn"], NO_RESOURCE_POLICY):
        as_(BARE).generate_data_key(KeyId=key["Arn"], KeySpec="AES_256")
