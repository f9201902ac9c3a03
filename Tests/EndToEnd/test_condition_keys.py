"""Condition keys and operators, each by a request that fulfils the condition and one that does not."""

import datetime
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.expect import DENY_IN_IDENTITY_POLICY, NO_IDENTITY_POLICY, denied, refused
from support.principals import ACCOUNT, ORGANIZATION, OTHER_ACCOUNT, Directory, allow, delegation, deny, text
from support.rights import server
from support.wire import Wire

PEOPLE = Directory()
PEOPLE.account(ACCOUNT, organizationId=ORGANIZATION)
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
GRANTEE = PEOPLE.user("grantee")
DAY = 86400
CASES = {}


def call(operation, **arguments):
    return operation, arguments


def encrypt(key="key", **more):
    return call("encrypt", KeyId=key, Plaintext=b"x", **more)


def grant(*operations, **more):
    return call("create_grant", GranteePrincipal=GRANTEE.arn, Operations=list(operations), **more)


def tagged(**tags):
    return [{"TagKey": name, "TagValue": value} for name, value in tags.items()]


def case(name, condition, *, yes=(), no=(), action="kms:Encrypt", tags=None, of=None):
    """A user who may do `action` when `condition` holds: `yes` are allowed calls, `no` are refused ones; `of` is the
    key spec and usage of the key, if it is not an ordinary one."""
    user = PEOPLE.user(f"case-{len(CASES)}", allow(action, condition=condition), tags=tags)
    CASES[name] = (user, action, yes, no, of)


def context(**pairs):
    return encrypt(EncryptionContext=pairs)


def sign(algorithm, message=b"x", **more):
    return call("sign", SigningAlgorithm=algorithm, Message=message, **more)


def mac(operation, algorithm, **more):
    return call(operation, MacAlgorithm=algorithm, Message=b"x", **more)


def key_pair(spec, operation="generate_data_key_pair"):
    return call(operation, KeyPairSpec=spec)


PEER = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
DERIVE = call("derive_shared_secret", KeyAgreementAlgorithm="ECDH", PublicKey=PEER)


# Encryption context
case("a pair of the encryption context", {"StringEquals": {"kms:EncryptionContext:AppName": "ExampleApp"}},
     yes=[context(AppName="ExampleApp"), context(AppName="ExampleApp", more="x")],
     no=[encrypt(), context(AppName="exampleapp"), context(App="ExampleApp")])
case("several values are alternatives", {"StringEquals": {"kms:EncryptionContext:AppName": ["a", "b"]}},
     yes=[context(AppName="a"), context(AppName="b")], no=[context(AppName="c")])
case("several keys are all needed",
     {"StringEquals": {"kms:EncryptionContext:a": "1", "kms:EncryptionContext:b": "2"}},
     yes=[context(a="1", b="2")], no=[context(a="1"), context(b="2"), context(a="2", b="1")])
case("without case", {"StringEqualsIgnoreCase": {"kms:encryptioncontext:appname": "EXAMPLEAPP"}},
     yes=[context(AppName="ExampleApp")], no=[context(AppName="x")])
case("a pattern", {"StringLike": {"kms:EncryptionContext:path": "team/*/day-?"}},
     yes=[context(path="team/a/b/day-1")], no=[context(path="team/a/day-10"), context(path="xteam/a/day-1")])
case("the name of the user", {"StringEquals": {"kms:EncryptionContext:user": "${aws:username}"}},
     yes=[context(user="case-5")], no=[context(user="case-4"), context(user="${aws:username}")])
case("a variable with a default", {"StringEquals": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team, 'none'}"}},
     yes=[context(team="none")], no=[context(team="")])
case("an escaped star", {"StringLike": {"kms:EncryptionContext:text": "${*}-*"}},
     yes=[context(text="*-x")], no=[context(text="x-x")])
case("a variable that the request has not",
     {"StringEquals": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team}"}},
     no=[context(team=""), context(team="${aws:PrincipalTag/team}")])
case("all keys of the encryption context are listed", {
     "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["a", "b"]},
     "Null": {"kms:EncryptionContextKeys": "false"}},
     yes=[context(a="1"), context(a="1", b="2")], no=[encrypt(), context(A="1"), context(a="1", c="3")])
case("all keys of no encryption context", {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "a"}},
     yes=[encrypt(), context(a="1")], no=[context(b="1")])
case("any key of the encryption context", {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": ["a", "b"]}},
     yes=[context(a="1", x="2")], no=[encrypt(), context(A="1")])
case("no encryption context", {"Null": {"kms:EncryptionContextKeys": "true"}},
     yes=[encrypt()], no=[context(a="1")])

# Operators on keys that are absent
case("a negated operator on an absent key", {"StringNotEquals": {"kms:EncryptionContext:a": "secret"}},
     yes=[encrypt(), context(a="x")], no=[context(a="secret")])
case("IfExists", {"StringEqualsIfExists": {"kms:EncryptionContext:a": "x"}},
     yes=[encrypt(), context(a="x")], no=[context(a="y")])
case("BoolIfExists", {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, yes=[encrypt()])
case("Bool on an absent key", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, no=[encrypt()])

# The request
case("the algorithm", {"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}},
     yes=[encrypt(), encrypt(EncryptionAlgorithm="SYMMETRIC_DEFAULT")])
case("another algorithm", {"StringLike": {"kms:EncryptionAlgorithm": "RSAES_*"}}, no=[encrypt()])
case("an algorithm of RSA", {"StringLike": {"kms:EncryptionAlgorithm": "RSAES_OAEP_SHA_2*"}},
     of=("RSA_2048", "ENCRYPT_DECRYPT"), yes=[encrypt(EncryptionAlgorithm="RSAES_OAEP_SHA_256")],
     no=[encrypt(EncryptionAlgorithm="RSAES_OAEP_SHA_1"), encrypt()])
case("a signing algorithm", {"StringLike": {"kms:SigningAlgorithm": "RSASSA_PSS_*"}}, action="kms:Sign",
     of=("RSA_2048", "SIGN_VERIFY"), yes=[sign("RSASSA_PSS_SHA_256"), sign("RSASSA_PSS_SHA_512")],
     no=[sign("RSASSA_PKCS1_V1_5_SHA_256"), sign("ECDSA_SHA_256")])
case("a signing algorithm to verify with", {"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_384"}},
     action="kms:Verify", of=("ECC_NIST_P384", "SIGN_VERIFY"),
     no=[call("verify", SigningAlgorithm="ECDSA_SHA_256", Message=b"x", Signature=b"x")])
case("a type of message", {"StringEquals": {"kms:MessageType": "DIGEST"}}, action="kms:Sign",
     of=("ECC_NIST_P256", "SIGN_VERIFY"), yes=[sign("ECDSA_SHA_256", b"x" * 32, MessageType="DIGEST")],
     no=[sign("ECDSA_SHA_256", b"x" * 32, MessageType="RAW"), sign("ECDSA_SHA_256")])
case("an algorithm of MACs", {"StringEquals": {"kms:MacAlgorithm": "HMAC_SHA_384"}}, action="kms:GenerateMac",
     of=("HMAC_384", "GENERATE_VERIFY_MAC"), yes=[mac("generate_mac", "HMAC_SHA_384")],
     no=[mac("generate_mac", "HMAC_SHA_256")])
case("an algorithm of MACs to verify with", {"StringNotEquals": {"kms:MacAlgorithm": "HMAC_SHA_384"}},
     action="kms:VerifyMac", of=("HMAC_384", "GENERATE_VERIFY_MAC"),
     no=[mac("verify_mac", "HMAC_SHA_384", Mac=b"x")])
case("key agreement", {"StringEquals": {"kms:KeyAgreementAlgorithm": "ECDH"}}, action="kms:DeriveSharedSecret",
     of=("ECC_NIST_P256", "KEY_AGREEMENT"), yes=[DERIVE])
case("other key agreement", {"StringNotEquals": {"kms:KeyAgreementAlgorithm": "ECDH"}},
     action="kms:DeriveSharedSecret", of=("ECC_NIST_P256", "KEY_AGREEMENT"), no=[DERIVE])
case("a kind of data key pair", {"StringLike": {"kms:DataKeyPairSpec": "ECC_NIST_*"}},
     action="kms:GenerateDataKeyPair", yes=[key_pair("ECC_NIST_P256"), key_pair("ECC_NIST_P521")],
     no=[key_pair("RSA_2048"), key_pair("ECC_SECG_P256K1")])
case("a kind of data key pair without plaintext", {"StringEquals": {"kms:DataKeyPairSpec": "ECC_NIST_P256"}},
     action="kms:GenerateDataKeyPairWithoutPlaintext",
     yes=[key_pair("ECC_NIST_P256", "generate_data_key_pair_without_plaintext")],
     no=[key_pair("RSA_2048", "generate_data_key_pair_without_plaintext")])
case("the alias of the request", {"StringLike": {"kms:RequestAlias": "alias/k*"}},
     yes=[encrypt("alias/key"), encrypt("alias ARN")], no=[encrypt(), encrypt("ARN"), encrypt("alias/other")])
case("an address", {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]}}, yes=[encrypt()])
case("another address", {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.2", "::1/128"]}}, no=[encrypt()])
case("not an address", {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, yes=[encrypt()])
case("before a date", {"DateLessThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}}, yes=[encrypt()])
case("after a date", {"DateGreaterThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}}, no=[encrypt()])
case("seconds", {"NumericLessThan": {"aws:EpochTime": 32472144000}}, yes=[encrypt()])
case("the Region", {"StringLike": {"aws:RequestedRegion": "eu-test-*"}}, yes=[encrypt()])
case("another Region", {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}, no=[encrypt()])
case("plain text", {"Bool": {"aws:SecureTransport": "false"}}, yes=[encrypt()])
case("TLS", {"Bool": {"aws:SecureTransport": "true"}}, no=[encrypt()])
case("the user agent", {"StringLike": {"aws:UserAgent": "Boto3/*"}}, yes=[encrypt()])
case("an endpoint in a VPC", {"StringEquals": {"aws:SourceVpce": "vpce-1"}}, no=[encrypt()])
case("not through a service", {"Null": {"kms:ViaService": "true"}}, yes=[encrypt()])
case("a waiting period", {"NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "14"}},
     action="kms:ScheduleKeyDeletion", no=[call("schedule_key_deletion", PendingWindowInDays=13)],
     yes=[call("schedule_key_deletion", PendingWindowInDays=14)])
case("tags of the request", {
     "StringEquals": {"aws:RequestTag/project": ["blue", "red"]},
     "ForAllValues:StringEquals": {"aws:TagKeys": ["project", "x"]}},
     action="kms:TagResource",
     yes=[call("tag_resource", Tags=tagged(project="blue")), call("tag_resource", Tags=tagged(x="1", project="red"))],
     no=[call("tag_resource", Tags=tagged(x="1")), call("tag_resource", Tags=tagged(project="green")),
         call("tag_resource", Tags=tagged(project="blue", y="1"))])
case("tag keys", {"ForAllValues:StringEquals": {"aws:TagKeys": "x"}}, action="kms:UntagResource",
     yes=[call("untag_resource", TagKeys=["x"])], no=[call("untag_resource", TagKeys=["x", "project"])])
case("operations of a grant", {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]}},
     action="kms:CreateGrant", yes=[grant("Encrypt"), grant("Decrypt", "Encrypt")],
     no=[grant("Encrypt", "GenerateDataKey")])
case("the grantee", {"StringEquals": {"kms:GranteePrincipal": GRANTEE.arn}}, action="kms:CreateGrant",
     yes=[grant("Encrypt")], no=[call("create_grant", GranteePrincipal=ADMIN.arn, Operations=["Encrypt"])])
case("the retiring principal", {"StringEquals": {"kms:RetiringPrincipal": ADMIN.arn}}, action="kms:CreateGrant",
     yes=[grant("Encrypt", RetiringPrincipal=ADMIN.arn)], no=[grant("Encrypt")])
case("the kind of constraint", {"StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset"}},
     action="kms:CreateGrant", yes=[grant("Encrypt", Constraints={"EncryptionContextSubset": {"a": "b"}})],
     no=[grant("Encrypt"), grant("Encrypt", Constraints={"EncryptionContextEquals": {"a": "b"}}),
         grant("Encrypt", Constraints={"EncryptionContextSubset": {}})])
case("a grant for a service of AWS", {"Bool": {"kms:GrantIsForAWSResource": "true"}}, action="kms:CreateGrant",
     no=[grant("Encrypt")])
case("the kind of a new key", {"StringEquals": {
     "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT", "kms:KeyOrigin": "AWS_KMS"}},
     action="kms:CreateKey",
     yes=[call("create_key", KeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT", Origin="AWS_KMS")],
     no=[call("create_key", KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT", Origin="AWS_KMS"),
         call("create_key", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Origin="AWS_KMS"),
         call("create_key", KeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT", Origin="EXTERNAL")])
case("tags of a new key", {"StringEquals": {"aws:RequestTag/project": "blue"}},
     action=["kms:CreateKey", "kms:TagResource"], yes=[call("create_key", Tags=tagged(project="blue"))],
     no=[call("create_key"), call("create_key", Tags=tagged(project="red"))])

# The key
case("a tag of the key", {"StringEquals": {"aws:ResourceTag/project": "blue"}},
     yes=[encrypt()], no=[encrypt("other")])
case("an alias of the key", {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/key"}},
     yes=[encrypt(), encrypt("alias/key")], no=[encrypt("other"), encrypt("alias/other")])
case("the kind of the key", {"StringEquals": {
     "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT", "kms:KeyOrigin": "AWS_KMS",
     "kms:CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "aws:ResourceAccount": ACCOUNT},
     "Bool": {"kms:MultiRegion": "false"}},
     yes=[encrypt()])
case("another kind of key", {"StringNotEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}, no=[encrypt()])

# The caller
case("a tag of the caller is the key's", {"StringEquals": {"aws:ResourceTag/project": "${aws:PrincipalTag/project}"}},
     tags={"project": "red"}, yes=[encrypt("other")], no=[encrypt()])
case("the account", {"StringEquals": {"kms:CallerAccount": ACCOUNT, "aws:PrincipalAccount": ACCOUNT}}, yes=[encrypt()])
case("another account", {"StringEquals": {"kms:CallerAccount": OTHER_ACCOUNT}}, no=[encrypt()])
case("the organization", {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}, yes=[encrypt()])
case("the ARN", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/case-*"}}, yes=[encrypt()])
case("another ARN", {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/case-*"}}, no=[encrypt()])
case("the type", {"StringEquals": {"aws:PrincipalType": "User"}}, yes=[encrypt()])


@pytest.fixture
def keys(own_kms):
    made = {}
    for name, project in [("key", "blue"), ("other", "red")]:
        made[name] = own_kms.create_key(Tags=tagged(project=project, x="0"))["KeyMetadata"]
        own_kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=made[name]["KeyId"])
    return made


def run(kms, keys, operation, arguments):
    """Makes one call of a case."""
    if operation != "create_key":
        key = arguments.get("KeyId", "key")
        names = {"ARN": keys["key"]["Arn"], "alias ARN": keys["key"]["Arn"].rsplit(":", 1)[0] + ":alias/key"}
        named = keys[key]["KeyId"] if key in keys else names.get(key, key)
        arguments = {**arguments, "KeyId": named}
    return getattr(kms, operation)(**arguments)


@pytest.mark.parametrize("name", CASES)
def test_a_condition(server, region, own_kms, keys, name):
    user, action, yes, no, of = CASES[name]
    if of is not None:
        keys["key"] = own_kms.create_key(KeySpec=of[0], KeyUsage=of[1])["KeyMetadata"]
    kms = server.client(region, **user.keys)
    for operation, arguments in no:
        if isinstance(action, list):
            with refused("AccessDeniedException"):
                run(kms, keys, operation, arguments)
            continue
        key = keys["other" if "other" in arguments.get("KeyId", "") else "key"]["Arn"]
        with denied(user, action.removeprefix("kms:"), "*" if operation == "create_key" else key, NO_IDENTITY_POLICY):
            run(kms, keys, operation, arguments)
    for operation, arguments in yes:
        run(kms, keys, operation, arguments)


# What needs more than one call

VIA = PEOPLE.user("via", allow("kms:Encrypt", condition={"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}),
                  via="s3")
DIRECT = PEOPLE.another_access_key(VIA)
THROUGH_DYNAMODB = PEOPLE.another_access_key(VIA, via="dynamodb")
RE_ENCRYPTER = PEOPLE.user(
    "re-encrypter", allow("kms:ReEncrypt*", condition={"Bool": {"kms:ReEncryptOnSameKey": True}}))
BYPASSER = PEOPLE.user("bypasser", allow("kms:*"), deny(
    ["kms:CreateKey", "kms:PutKeyPolicy"], condition={"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}))
UNTAGGED = PEOPLE.user("untagged", allow("kms:CreateKey"))
HURRIED = PEOPLE.user("hurried", allow("kms:Encrypt", condition={"DateLessThan": {
    "aws:CurrentTime": (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).strftime(
        "%Y-%m-%dT%H:%M:%SZ")}}))
UNKNOWING = PEOPLE.user("unknowing", allow("kms:Encrypt"), deny("kms:Encrypt", condition={
    "StringEquals": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team}"}}))


def test_requests_through_a_service(server, region, keys):
    run(server.client(region, **VIA.keys), keys, *encrypt())
    for who in [DIRECT, THROUGH_DYNAMODB]:
        with denied(VIA, "Encrypt", keys["key"]["Arn"], NO_IDENTITY_POLICY):
            run(server.client(region, **who.keys), keys, *encrypt())


def test_the_address_is_that_of_the_connection_whatever_headers_say(server, region, keys):
    user, *_ = CASES["another address"]
    wire = Wire(server, region, **user.keys)
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP"]:
        body = json.dumps({"KeyId": keys["key"]["KeyId"], "Plaintext": "eA=="}).encode()
        headers = wire.signed("TrentService.Encrypt", body, unsigned=[(header, "10.1.2.3")])
        assert wire.send(headers, body).code == "AccessDeniedException"


def test_a_key_policy_for_one_service(server, region, keys, own_kms):
    own_kms.put_key_policy(KeyId=keys["key"]["KeyId"], Policy=text(delegation(), allow(
        ["kms:Encrypt"], principal={"AWS": "*"}, condition={"StringEquals": {
            "kms:ViaService": f"dynamodb.{region}.amazonaws.com", "kms:CallerAccount": ACCOUNT}})))
    run(server.client(region, **THROUGH_DYNAMODB.keys), keys, *encrypt())
    with denied(VIA, "Encrypt", keys["key"]["Arn"], NO_IDENTITY_POLICY):
        run(server.client(region, **DIRECT.keys), keys, *encrypt())


def test_re_encryption_on_the_same_key(server, region, keys, own_kms):
    blob = run(own_kms, keys, *encrypt())["CiphertextBlob"]
    kms = server.client(region, **RE_ENCRYPTER.keys)
    arguments = {"CiphertextBlob": blob, "SourceKeyId": keys["key"]["KeyId"]}
    assert kms.re_encrypt(DestinationKeyId="alias/key", **arguments)["KeyId"] == keys["key"]["Arn"]
    with refused("AccessDeniedException"):
        kms.re_encrypt(DestinationKeyId=keys["other"]["KeyId"], **arguments)


def test_the_bypass_of_the_lockout_check_can_be_denied(server, region, keys):
    kms, policy = server.client(region, **BYPASSER.keys), text(delegation())
    kms.create_key(Policy=policy)
    kms.put_key_policy(KeyId=keys["key"]["KeyId"], Policy=policy, BypassPolicyLockoutSafetyCheck=False)
    with denied(BYPASSER, "CreateKey", "*", DENY_IN_IDENTITY_POLICY):
        kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    with denied(BYPASSER, "PutKeyPolicy", keys["key"]["Arn"], DENY_IN_IDENTITY_POLICY):
        kms.put_key_policy(KeyId=keys["key"]["KeyId"], Policy=policy, BypassPolicyLockoutSafetyCheck=True)


def test_tags_of_a_new_key_need_the_right_to_tag(server, region):
    kms = server.client(region, **UNTAGGED.keys)
    kms.create_key()
    with refused("AccessDeniedException", matching=".*kms:TagResource.*"):
        kms.create_key(Tags=tagged(a="b"))


def test_a_deny_that_cannot_be_evaluated_denies(server, region, keys):
    kms = server.client(region, **UNKNOWING.keys)
    run(kms, keys, *encrypt())
    with denied(UNKNOWING, "Encrypt", keys["key"]["Arn"], DENY_IN_IDENTITY_POLICY):
        run(kms, keys, *context(team="blue"))


def test_the_test_clock_is_the_time_of_policies(default_store):
    with PEOPLE.server(default_store, admin=ADMIN) as server:
        key = server.client().create_key()["KeyMetadata"]
        kms = server.client(**HURRIED.keys)
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
        Wire(server).development("AdvanceClock", {"Seconds": 3 * DAY})
        with denied(HURRIED, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
            kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
