"""A change that was acknowledged holds for the very next request, on the same connection and on every other."""

import concurrent.futures

import pytest

from support.expect import refused
from support.principals import Directory, allow, delegation, deny, text
from support.rights import server

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
USER = PEOPLE.user("user")
TAGGED = PEOPLE.user("tagged", allow("kms:Encrypt", condition={"StringEquals": {"aws:ResourceTag/open": "yes"}}))
ALIASED = PEOPLE.user(
    "aliased", allow("kms:Encrypt", condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/open"}}))
ROUNDS = 50


@pytest.fixture
def key(own_kms):
    return own_kms.create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture
def check(server, region):
    """Asserts that somebody may, or may not, encrypt with a key: on two warm connections, at the same moment."""
    pool = concurrent.futures.ThreadPoolExecutor(2)

    def attempt(kms, key, allowed, code):
        if allowed:
            return kms.encrypt(KeyId=key, Plaintext=b"x")["KeyId"]
        with refused(code):
            kms.encrypt(KeyId=key, Plaintext=b"x")

    clients = {}

    def check(who, key, allowed, code="AccessDeniedException"):
        if who not in clients:
            clients[who] = [server.client(region, **who.keys) for _ in range(2)]
        return [future.result() for future in [
            pool.submit(attempt, kms, key, allowed, code) for kms in clients[who]]]

    yield check
    pool.shutdown()


def test_grants(own_kms, key, check):
    check(USER, key, False)
    for _ in range(ROUNDS):
        made = own_kms.create_grant(KeyId=key, GranteePrincipal=USER.arn, Operations=["Encrypt"])
        check(USER, key, True)
        own_kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
        check(USER, key, False)


def test_retired_grants(own_kms, key, check):
    for _ in range(ROUNDS):
        made = own_kms.create_grant(KeyId=key, GranteePrincipal=USER.arn, Operations=["Encrypt"])
        check(USER, key, True)
        own_kms.retire_grant(GrantToken=made["GrantToken"])
        check(USER, key, False)


def test_states(own_kms, key, check):
    for _ in range(ROUNDS):
        check(ADMIN, key, True)
        own_kms.disable_key(KeyId=key)
        check(ADMIN, key, False, "DisabledException")
        own_kms.enable_key(KeyId=key)


def test_key_policies(own_kms, key, check):
    for _ in range(ROUNDS):
        own_kms.put_key_policy(KeyId=key, Policy=text(delegation(), allow("kms:Encrypt", principal=USER)))
        check(USER, key, True)
        own_kms.put_key_policy(KeyId=key, Policy=text(delegation(), deny("kms:Encrypt", principal=USER)))
        check(USER, key, False)


def test_aliases(own_kms, key, check):
    other = own_kms.create_key()["KeyMetadata"]
    arn = own_kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    own_kms.create_alias(AliasName="alias/open", TargetKeyId=other["KeyId"])
    for _ in range(ROUNDS):
        check(ALIASED, key, False)
        own_kms.update_alias(AliasName="alias/open", TargetKeyId=key)
        assert check(ALIASED, "alias/open", True) == [arn, arn]
        own_kms.update_alias(AliasName="alias/open", TargetKeyId=other["KeyId"])
        assert check(ALIASED, "alias/open", True) == [other["Arn"], other["Arn"]]


def test_tags(own_kms, key, check):
    for _ in range(ROUNDS):
        own_kms.tag_resource(KeyId=key, Tags=[{"TagKey": "open", "TagValue": "yes"}])
        check(TAGGED, key, True)
        own_kms.tag_resource(KeyId=key, Tags=[{"TagKey": "open", "TagValue": "no"}])
        check(TAGGED, key, False)
        own_kms.untag_resource(KeyId=key, TagKeys=["open"])
        check(TAGGED, key, False)
