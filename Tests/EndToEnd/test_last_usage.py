"""GetKeyLastUsage: what a key was used for last, and which line of the audit log tells about it."""

import datetime
import os

import pytest

from support import audit
from support.expect import refused
from support.principals import OTHER_ACCOUNT, Directory, allow, delegation, root, text

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
CAROL = PEOPLE.user("carol", allow("kms:*"), account=OTHER_ACCOUNT)


@pytest.fixture(scope="module")
def audited(default_store):
    with PEOPLE.server(default_store, admin=ADMIN, options=audit.OPTIONS) as server:
        yield server


@pytest.fixture
def kms(audited, region):
    return audited.client(region)


def make(kms, spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT"):
    return kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]


def usage(kms, key):
    return kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]


def test_a_new_key_has_no_use(kms):
    key = kms.create_key()["KeyMetadata"]
    for identifier in [key["KeyId"], key["Arn"]]:
        answer = kms.get_key_last_usage(KeyId=identifier)
        assert answer["KeyLastUsage"] == {} and answer["KeyId"] == key["KeyId"]
        assert answer["KeyCreationDate"] == key["CreationDate"]
        assert answer["TrackingStartDate"] <= answer["KeyCreationDate"]


def symmetric(kms):
    key = make(kms)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    return key, {
        "Encrypt": lambda: kms.encrypt(KeyId=key, Plaintext=b"x"),
        "Decrypt": lambda: kms.decrypt(CiphertextBlob=blob),
        "ReEncrypt": lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key),
        "GenerateDataKey": lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
        "GenerateDataKeyWithoutPlaintext": lambda: kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256"),
        "GenerateDataKeyPair": lambda: kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256"),
        "GenerateDataKeyPairWithoutPlaintext":
            lambda: kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec="ECC_NIST_P256"),
    }


def signing(kms):
    key, message = make(kms, "ECC_NIST_P256", "SIGN_VERIFY"), os.urandom(20)
    arguments = {"KeyId": key, "Message": message, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**arguments)["Signature"]
    return key, {
        "Sign": lambda: kms.sign(**arguments), "Verify": lambda: kms.verify(**arguments, Signature=signature)}


def codes(kms):
    key = make(kms, "HMAC_256", "GENERATE_VERIFY_MAC")
    arguments = {"KeyId": key, "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.generate_mac(**arguments)["Mac"]
    return key, {
        "GenerateMac": lambda: kms.generate_mac(**arguments), "VerifyMac": lambda: kms.verify_mac(**arguments, Mac=mac)}


def agreement(kms):
    key, peer = [make(kms, "ECC_NIST_P256", "KEY_AGREEMENT") for _ in range(2)]
    public = kms.get_public_key(KeyId=peer)["PublicKey"]
    return key, {
        "DeriveSharedSecret":
            lambda: kms.derive_shared_secret(KeyId=key, PublicKey=public, KeyAgreementAlgorithm="ECDH")}


@pytest.mark.parametrize("kind", [symmetric, signing, codes, agreement])
def test_every_successful_operation_counts(audited, kms, kind):
    key, operations = kind(kms)
    for operation, call in operations.items():
        request = call()["ResponseMetadata"]["RequestId"]
        use = usage(kms, key)
        [line] = audit.of_request(audited, request)
        age = datetime.datetime.now(datetime.timezone.utc) - use.pop("Timestamp")
        assert abs(age) < datetime.timedelta(minutes=1)
        assert use == {"Operation": operation, "KmsRequestId": request, "CloudTrailEventId": line["eventID"]}
        # What reads, or fails, or only tries, is no use.
        kms.describe_key(KeyId=key)
        if kind is not symmetric:
            if kind is not codes:
                kms.get_public_key(KeyId=key)
            with refused("InvalidKeyUsageException"):
                kms.encrypt(KeyId=key, Plaintext=b"x")
        else:
            with refused("DryRunOperationException"):
                kms.encrypt(KeyId=key, Plaintext=b"x", DryRun=True)
            with refused("InvalidCiphertextException"):
                kms.decrypt(KeyId=key, CiphertextBlob=b"no ciphertext")
        assert usage(kms, key)["KmsRequestId"] == request


def test_re_encrypt_counts_for_both_keys(kms):
    source, destination = make(kms), make(kms)
    blob = kms.encrypt(KeyId=source, Plaintext=b"x")["CiphertextBlob"]
    request = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination)["ResponseMetadata"]["RequestId"]
    uses = [usage(kms, key) for key in (source, destination)]
    assert [(use["Operation"], use["KmsRequestId"]) for use in uses] == [("ReEncrypt", request)] * 2


def test_a_use_from_another_account_names_the_event_of_the_owner(audited, kms, region):
    key = kms.create_key(Policy=text(delegation(), allow("kms:*", principal=root(OTHER_ACCOUNT))))["KeyMetadata"]
    carol = audited.client(region, **CAROL.keys)
    request = carol.encrypt(KeyId=key["Arn"], Plaintext=b"x")["ResponseMetadata"]["RequestId"]
    events = {line["recipientAccountId"]: line["eventID"] for line in audit.of_request(audited, request)}
    assert usage(kms, key["KeyId"])["CloudTrailEventId"] == events["111111111111"]
    # The operation itself is not for other accounts, whatever the key policy says.
    with refused("AccessDeniedException"):
        carol.get_key_last_usage(KeyId=key["Arn"])


def test_aliases_are_not_taken_and_every_state_is(kms, name):
    key = make(kms)
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    with refused("NotFoundException"):
        kms.get_key_last_usage(KeyId=f"alias/{name}")
    with refused("NotFoundException"):
        kms.get_key_last_usage(KeyId="00000000-0000-4000-8000-000000000000")
    request = kms.encrypt(KeyId=key, Plaintext=b"x")["ResponseMetadata"]["RequestId"]
    kms.disable_key(KeyId=key)
    assert usage(kms, key)["KmsRequestId"] == request
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert usage(kms, key)["KmsRequestId"] == request


def test_uses_outlive_a_restart_and_end_with_their_key(new_server):
    server = new_server()
    kms = server.client()
    key = make(kms)
    started = kms.get_key_last_usage(KeyId=key)["TrackingStartDate"]
    request = kms.encrypt(KeyId=key, Plaintext=b"x")["ResponseMetadata"]["RequestId"]
    before = usage(kms, key)
    assert before["KmsRequestId"] == request
    server.restart()
    kms = server.client()
    assert usage(kms, key) == before
    kms.update_key_description(KeyId=key, Description="changed")
    server.restart()
    answer = server.client().get_key_last_usage(KeyId=key)
    assert answer["KeyLastUsage"] == before and answer["TrackingStartDate"] == started
