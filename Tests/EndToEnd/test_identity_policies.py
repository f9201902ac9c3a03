"""Identity policies, permissions boundaries, and how they and the key policy decide together; AWS's sentences."""

from support.expect import (
    DENY_IN_BOUNDARY, DENY_IN_IDENTITY_POLICY, DENY_IN_RESOURCE_POLICY, DRY_RUN, NO_BOUNDARY, NO_IDENTITY_POLICY,
    NO_RESOURCE_POLICY, denied, denied_by_ciphertext, refused)
from support.principals import ACCOUNT, Directory, allow, delegation, deny, root, text
from support.rights import as_, encrypt, key, server
from support.wire import Wire

KEYS = f"arn:aws:kms:*:{ACCOUNT}:key/*"
ALIASES = f"arn:aws:kms:*:{ACCOUNT}:alias/*"

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
ROOT = PEOPLE.root_user()
BARE = PEOPLE.user("bare")
CRYPTO = PEOPLE.user("crypto", allow(["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:DescribeKey"]))
LOWER = PEOPLE.user("lower", allow("KMS:enCRYPT", resource="*"))
NOT_ACTION = PEOPLE.user("not-action", {"Effect": "Allow", "NotAction": "kms:Decrypt", "Resource": "*"})
ONLY_ALIAS = PEOPLE.user("only-alias", allow("kms:*", resource=ALIASES))
ONLY_KEYS = PEOPLE.user("only-keys", allow("kms:*", resource=KEYS))
ONE_REGION = PEOPLE.user("one-region", allow("kms:*", resource=f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/*"))
DENIED = PEOPLE.user("denied", allow("kms:*"), deny("kms:Decrypt"))
BOUNDED = PEOPLE.user("bounded", allow("kms:*"), boundary=[allow(["kms:Encrypt", "kms:CreateKey"])])
BOUNDARY_DENIES = PEOPLE.user("boundary-denies", allow("kms:*"), boundary=[allow("*"), deny("kms:Decrypt")])
BOUNDARY_ONLY = PEOPLE.user("boundary-only", boundary=[allow("*")])
CLOCK = PEOPLE.user("clock", allow("strongroom:AdvanceClock"))
FROM = PEOPLE.user("from", allow("kms:ReEncryptFrom"))
TO = PEOPLE.user("to", allow("kms:ReEncryptTo"))
ALIAS_MAKER = PEOPLE.user(
    "alias-maker", allow("kms:*Alias", resource=[f"arn:aws:kms:*:{ACCOUNT}:alias/team/*", KEYS]))
MANAGED = PEOPLE.user("managed", policies=["Encrypters", "Decrypters"])
PEOPLE.account(ACCOUNT).setdefault("policies", {}).update(
    Encrypters={"Version": "2012-10-17", "Statement": allow("kms:Encrypt")},
    Decrypters={"Version": "2012-10-17", "Statement": [allow("kms:Decrypt")]})


# Who may do what under the default key policy

def test_a_user_without_policies_may_do_nothing(as_, key):
    kms, arn = as_(BARE), key["Arn"]
    blob = encrypt(as_(ADMIN), key)
    for action, call in {
        "Encrypt": lambda: encrypt(kms, key),
        "GenerateDataKey": lambda: kms.generate_data_key(KeyId=arn, KeySpec="AES_256"),
        "DescribeKey": lambda: kms.describe_key(KeyId=arn),
        "Decrypt": lambda: kms.decrypt(KeyId=arn, CiphertextBlob=blob),
        "DisableKey": lambda: kms.disable_key(KeyId=arn),
        "ScheduleKeyDeletion": lambda: kms.schedule_key_deletion(KeyId=arn),
        "CancelKeyDeletion": lambda: kms.cancel_key_deletion(KeyId=arn),
        "GetKeyPolicy": lambda: kms.get_key_policy(KeyId=arn),
        "PutKeyPolicy": lambda: kms.put_key_policy(KeyId=arn, Policy=text(delegation())),
        "ListKeyPolicies": lambda: kms.list_key_policies(KeyId=arn),
        "UpdateKeyDescription": lambda: kms.update_key_description(KeyId=arn, Description=""),
        "ListResourceTags": lambda: kms.list_resource_tags(KeyId=arn),
        "TagResource": lambda: kms.tag_resource(KeyId=arn, Tags=[{"TagKey": "a", "TagValue": "b"}]),
        "UntagResource": lambda: kms.untag_resource(KeyId=arn, TagKeys=["a"]),
        "CreateGrant": lambda: kms.create_grant(KeyId=arn, GranteePrincipal=BARE.arn, Operations=["Encrypt"]),
        "ListGrants": lambda: kms.list_grants(KeyId=arn),
        "RevokeGrant": lambda: kms.revoke_grant(KeyId=arn, GrantId="0" * 64),
    }.items():
        with denied(BARE, action, arn, NO_IDENTITY_POLICY):
            call()


def test_operations_that_identity_policies_alone_decide(as_, key):
    for who in [BARE, ONLY_KEYS]:  # Their resource is `*`, which no policy for keys matches.
        kms = as_(who)
        for action, call in {
            "CreateKey": kms.create_key, "ListKeys": kms.list_keys, "ListAliases": kms.list_aliases,
            "GenerateRandom": lambda: kms.generate_random(NumberOfBytes=1),
            "DescribeCustomKeyStores": kms.describe_custom_key_stores,
            "ConnectCustomKeyStore": lambda: kms.connect_custom_key_store(CustomKeyStoreId="cks-1234567890abcdef0"),
        }.items():
            with denied(who, action, "*", NO_IDENTITY_POLICY):
                call()
    as_(CRYPTO).describe_key(KeyId=key["KeyId"])


def test_allowed_actions_are_allowed_and_others_not(as_, key):
    kms = as_(CRYPTO)
    assert kms.decrypt(CiphertextBlob=encrypt(kms, key))["Plaintext"] == b"x"
    with denied(CRYPTO, "GenerateDataKey", key["Arn"], NO_IDENTITY_POLICY):
        kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")


def test_action_names_compare_without_case(as_, key):
    encrypt(as_(LOWER), key)


def test_not_action(as_, key):
    blob = encrypt(as_(NOT_ACTION), key)
    with denied(NOT_ACTION, "Decrypt", key["Arn"], NO_IDENTITY_POLICY):
        as_(NOT_ACTION).decrypt(KeyId=key["KeyId"], CiphertextBlob=blob)


def test_several_managed_policies_count_together(as_, key):
    kms = as_(MANAGED)
    assert kms.decrypt(CiphertextBlob=encrypt(kms, key))["Plaintext"] == b"x"
    with denied(MANAGED, "DescribeKey", key["Arn"], NO_IDENTITY_POLICY):
        kms.describe_key(KeyId=key["KeyId"])


def test_a_policy_for_keys_of_one_region(server, key):
    elsewhere = server.client().create_key()["KeyMetadata"]
    here = server.client("eu-central-1").create_key()["KeyMetadata"]
    encrypt(server.client("eu-central-1", **ONE_REGION.keys), here)
    with denied(ONE_REGION, "Encrypt", elsewhere["Arn"], NO_IDENTITY_POLICY):
        encrypt(server.client(**ONE_REGION.keys), elsewhere)


def test_an_alias_in_resource_does_not_let_anyone_use_the_key(as_, key, own_kms):
    own_kms.create_alias(AliasName="alias/x", TargetKeyId=key["KeyId"])
    with denied(ONLY_ALIAS, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        as_(ONLY_ALIAS).encrypt(KeyId="alias/x", Plaintext=b"x")
    assert as_(ONLY_KEYS).encrypt(KeyId="alias/x", Plaintext=b"x")["KeyId"] == key["Arn"]


def test_an_explicit_deny_wins(as_, key):
    kms = as_(DENIED)
    blob = encrypt(kms, key)
    with denied(DENIED, "Decrypt", key["Arn"], DENY_IN_IDENTITY_POLICY):
        kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=blob)


def test_the_root_user_needs_no_identity_policy_but_a_key_policy(as_, key, own_kms):
    kms = as_(ROOT)
    assert kms.decrypt(CiphertextBlob=encrypt(kms, key))["Plaintext"] == b"x"
    own_kms.put_key_policy(
        KeyId=key["KeyId"], Policy=text(allow("kms:*", principal=ADMIN)))
    with denied(ROOT, "Encrypt", key["Arn"], NO_RESOURCE_POLICY):
        encrypt(kms, key)
    assert kms.create_key()["KeyMetadata"]["AWSAccountId"] == ACCOUNT


# Boundaries

def test_a_boundary_limits_what_identity_policies_allow(as_, key):
    kms = as_(BOUNDED)
    blob = encrypt(kms, key)
    with denied(BOUNDED, "Decrypt", key["Arn"], NO_BOUNDARY):
        kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=blob)
    with denied(BOUNDED, "ListKeys", "*", NO_BOUNDARY):
        kms.list_keys()


def test_a_boundary_does_not_allow_by_itself(as_, key):
    with denied(BOUNDARY_ONLY, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(BOUNDARY_ONLY), key)


def test_a_deny_in_a_boundary(as_, key):
    kms = as_(BOUNDARY_DENIES)
    blob = encrypt(kms, key)
    with denied(BOUNDARY_DENIES, "Decrypt", key["Arn"], DENY_IN_BOUNDARY):
        kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=blob)


def test_a_key_policy_that_names_a_user_is_not_limited_by_the_boundarys_silence(as_, key, own_kms):
    own_kms.put_key_policy(
        KeyId=key["KeyId"], Policy=text(delegation(), allow("kms:*", principal=[BOUNDED, BOUNDARY_DENIES])))
    blob = encrypt(as_(BOUNDED), key)
    assert as_(BOUNDED).decrypt(KeyId=key["KeyId"], CiphertextBlob=blob)["Plaintext"] == b"x"
    with denied(BOUNDARY_DENIES, "Decrypt", key["Arn"], DENY_IN_BOUNDARY):
        as_(BOUNDARY_DENIES).decrypt(KeyId=key["KeyId"], CiphertextBlob=blob)


# Key policy and identity policies together

def test_a_key_policy_suffices_in_its_account(as_, key, own_kms):
    own_kms.put_key_policy(
        KeyId=key["KeyId"], Policy=text(delegation(), allow("kms:Encrypt", principal=BARE)))
    encrypt(as_(BARE), key)


def test_a_key_policy_with_everyone_suffices_in_its_account(as_, key, own_kms):
    own_kms.put_key_policy(KeyId=key["KeyId"], Policy=text(delegation(), allow("kms:Encrypt", principal="*")))
    encrypt(as_(BARE), key)


def test_without_the_account_statement_identity_policies_allow_nothing(as_, key, own_kms):
    own_kms.put_key_policy(
        KeyId=key["KeyId"],
        Policy=text(allow(["kms:PutKeyPolicy", "kms:GetKeyPolicy"], principal=ADMIN)))
    with denied(ADMIN, "Encrypt", key["Arn"], NO_RESOURCE_POLICY):
        encrypt(own_kms, key)
    with denied(CRYPTO, "DescribeKey", key["Arn"], NO_RESOURCE_POLICY):
        as_(CRYPTO).describe_key(KeyId=key["KeyId"])


def test_the_account_statement_delegates_only_what_it_names(as_, key, own_kms):
    own_kms.put_key_policy(KeyId=key["KeyId"], Policy=text(
        allow(["kms:PutKeyPolicy", "kms:Encrypt"], principal=root())))
    encrypt(as_(CRYPTO), key)
    with denied(CRYPTO, "DescribeKey", key["Arn"], NO_RESOURCE_POLICY):
        as_(CRYPTO).describe_key(KeyId=key["KeyId"])
    with denied(BARE, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(BARE), key)


def test_a_deny_in_the_key_policy_beats_every_allow(as_, key, own_kms):
    own_kms.put_key_policy(KeyId=key["KeyId"], Policy=text(
        delegation(), allow("kms:*", principal=CRYPTO), deny("kms:Encrypt", principal=CRYPTO)))
    with denied(CRYPTO, "Encrypt", key["Arn"], DENY_IN_RESOURCE_POLICY):
        encrypt(as_(CRYPTO), key)
    encrypt(as_(ADMIN), key)


# Operations with two resources

def test_re_encrypt_needs_both_rights(as_, key, own_kms):
    other = own_kms.create_key()["KeyMetadata"]
    blob = encrypt(own_kms, key)

    def re_encrypt(who):
        return as_(who).re_encrypt(
            SourceKeyId=key["KeyId"], CiphertextBlob=blob, DestinationKeyId=other["KeyId"])["KeyId"]

    assert re_encrypt(CRYPTO) == other["Arn"]
    with denied(FROM, "ReEncryptTo", other["Arn"], NO_IDENTITY_POLICY):
        re_encrypt(FROM)
    with denied(TO, "ReEncryptFrom", key["Arn"], NO_IDENTITY_POLICY):
        re_encrypt(TO)
    with denied_by_ciphertext(TO, "ReEncryptFrom"):
        as_(TO).re_encrypt(CiphertextBlob=blob, DestinationKeyId=other["KeyId"])


def test_an_alias_needs_rights_on_itself_and_on_the_key(as_, key, own_kms):
    kms, other = as_(ALIAS_MAKER), own_kms.create_key()["KeyMetadata"]
    start = key["Arn"].rsplit(":", 1)[0]
    kms.create_alias(AliasName="alias/team/a", TargetKeyId=key["KeyId"])
    with denied(ALIAS_MAKER, "CreateAlias", f"{start}:alias/b", NO_IDENTITY_POLICY):
        kms.create_alias(AliasName="alias/b", TargetKeyId=key["KeyId"])
    own_kms.put_key_policy(
        KeyId=other["KeyId"], Policy=text(delegation(), deny("kms:*Alias", principal=ALIAS_MAKER)))
    with denied(ALIAS_MAKER, "CreateAlias", other["Arn"], DENY_IN_RESOURCE_POLICY):
        kms.create_alias(AliasName="alias/team/c", TargetKeyId=other["KeyId"])
    with denied(ALIAS_MAKER, "UpdateAlias", other["Arn"], DENY_IN_RESOURCE_POLICY):
        kms.update_alias(AliasName="alias/team/a", TargetKeyId=other["KeyId"])
    own_kms.create_alias(AliasName="alias/team/d", TargetKeyId=other["KeyId"])
    with denied(ALIAS_MAKER, "UpdateAlias", other["Arn"], DENY_IN_RESOURCE_POLICY):
        kms.update_alias(AliasName="alias/team/d", TargetKeyId=key["KeyId"])
    with denied(ALIAS_MAKER, "DeleteAlias", other["Arn"], DENY_IN_RESOURCE_POLICY):
        kms.delete_alias(AliasName="alias/team/d")
    targets = {entry["AliasName"]: entry["TargetKeyId"] for entry in own_kms.list_aliases()["Aliases"]}
    assert targets == {"alias/team/a": key["KeyId"], "alias/team/d": other["KeyId"]}
    kms.delete_alias(AliasName="alias/team/a")


def test_an_alias_cannot_be_made_with_rights_on_it_alone(as_, key):
    with denied(ONLY_ALIAS, "CreateAlias", key["Arn"], NO_IDENTITY_POLICY):
        as_(ONLY_ALIAS).create_alias(AliasName="alias/x", TargetKeyId=key["KeyId"])


# What a stranger learns

def test_decrypt_without_a_key_id_is_authorized_on_the_key_of_the_ciphertext(as_, key, own_kms):
    other = own_kms.create_key()["KeyMetadata"]
    blobs = {entry["KeyId"]: encrypt(own_kms, entry) for entry in [key, other]}
    own_kms.put_key_policy(
        KeyId=key["KeyId"], Policy=text(delegation(), allow("kms:Decrypt", principal=BARE)))
    own_kms.put_key_policy(
        KeyId=other["KeyId"], Policy=text(delegation(), deny("kms:Decrypt", principal=BARE)))
    assert as_(BARE).decrypt(CiphertextBlob=blobs[key["KeyId"]])["KeyId"] == key["Arn"]
    with denied_by_ciphertext(BARE):
        as_(BARE).decrypt(CiphertextBlob=blobs[other["KeyId"]])


def test_who_may_not_touch_a_key_does_not_learn_its_state(as_, key, own_kms):
    own_kms.disable_key(KeyId=key["KeyId"])
    with denied(BARE, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(BARE), key)
    with refused("DisabledException"):
        encrypt(as_(CRYPTO), key)


def test_who_may_not_touch_keys_does_not_learn_which_exist(as_, key):
    missing = key["Arn"][:-12] + "000000000000"
    for arn in [key["Arn"], missing]:
        with denied(BARE, "DescribeKey", arn, NO_IDENTITY_POLICY):
            as_(BARE).describe_key(KeyId=arn)
    with refused("NotFoundException", f"Key '{missing}' does not exist"):
        as_(CRYPTO).describe_key(KeyId=missing)


def test_the_test_interface_needs_permissions_of_its_own(server, as_, key):
    assert Wire(server, **CLOCK.keys).call("StrongroomDev.AdvanceClock", {"Seconds": 0}).status == 200
    assert Wire(server, **CLOCK.keys).call("StrongroomDev.Reset", {}).code == "AccessDeniedException"
    for who in [BARE, ONLY_KEYS, CRYPTO]:
        for operation in ["AdvanceClock", "Reset"]:
            answer = Wire(server, **who.keys).call(f"StrongroomDev.{operation}", {"Seconds": 1})
            assert (answer.status, answer.code) == (400, "AccessDeniedException"), answer
    as_(ADMIN).describe_key(KeyId=key["KeyId"])


def test_a_dry_run_needs_the_same_rights(as_, key):
    with refused(*DRY_RUN):
        encrypt(as_(CRYPTO), key, DryRun=True)
    with denied(BARE, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        encrypt(as_(BARE), key, DryRun=True)
