"""Each call has its line in the audit log before it is answered, and nothing secret stands in it."""

import base64
import datetime
import os
import re
import resource
import subprocess
import threading

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from support import audit, custom_store
from support.expect import refused
from support.principals import OTHER_ACCOUNT, Directory, allow, assume, delegation, root, text, trust
from support.server import BINARY, client, eventually
from support.wire import Wire

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
BARE = PEOPLE.user("bare")
CAROL = PEOPLE.user("carol", allow("kms:*"), account=OTHER_ACCOUNT)
WORKER = PEOPLE.role("worker", trust(ADMIN), allow("kms:*"))
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def audited(default_store):
    with PEOPLE.server(default_store, options=audit.OPTIONS) as server:
        yield server


@pytest.fixture
def kms(audited, region):
    return audited.client(region, **ADMIN.keys)


@pytest.fixture
def line(audited):
    """The line of an answer."""
    return lambda answer: audit.of_answer(audited, answer)


def error_line(server, caught):
    return audit.of_answer(server, caught.value.response)


# One line for each call

def test_a_line_has_the_shape_of_cloudtrail(audited, kms, region, line):
    key = kms.create_key()["KeyMetadata"]
    made = line(kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"Department": "10 \"é\" \n\u2028"}))
    chain = made.pop("strongroomChain")
    assert chain["sequence"] > 0 and re.fullmatch("[0-9a-f]{64}", chain["previousLineSHA256"])
    for name in ["requestID", "eventID"]:
        assert re.fullmatch(UUID, made.pop(name))
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs(datetime.datetime.fromisoformat(made.pop("eventTime")) - now) < datetime.timedelta(minutes=1)
    assert made.pop("userAgent").startswith("Boto3/")
    assert made.pop("userIdentity") == {
        "type": "IAMUser", "principalId": made_principal(audited), "arn": ADMIN.arn, "accountId": "111111111111",
        "accessKeyId": ADMIN.access_key, "userName": "admin"}
    assert made == {
        "eventVersion": "1.11", "eventSource": "kms.amazonaws.com", "eventName": "Encrypt", "awsRegion": region,
        "sourceIPAddress": "127.0.0.1",
        "requestParameters": {
            "keyId": key["KeyId"], "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "encryptionContext": {"Department": "10 \"é\" \n\u2028"}},
        "responseElements": None, "readOnly": True,
        "resources": [{"accountId": "111111111111", "type": "AWS::KMS::Key", "ARN": key["Arn"]}],
        "eventType": "AwsApiCall", "managementEvent": True, "eventCategory": "Management",
        "recipientAccountId": "111111111111"}


def made_principal(server):
    sts = client(server.endpoint, service="sts", **{
        "access_key": ADMIN.access_key, "secret": ADMIN.secret})
    return sts.get_caller_identity()["UserId"]


def test_what_is_changed_is_shown(kms, name, line):
    made = kms.create_key(Description="ours", Tags=[{"TagKey": "Team", "TagValue": "blue"}])
    shown = line(made)
    assert shown["requestParameters"] == {
        "description": "ours", "tags": [{"tagKey": "Team", "tagValue": "blue"}], "origin": "AWS_KMS",
        "keyUsage": "ENCRYPT_DECRYPT", "bypassPolicyLockoutSafetyCheck": False, "multiRegion": False}
    metadata = shown["responseElements"]["keyMetadata"]
    key = made["KeyMetadata"]
    assert (metadata["aWSAccountId"], metadata["arn"], metadata["enabled"]) == ("111111111111", key["Arn"], True)
    assert re.fullmatch(r"[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d [AP]M", metadata["creationDate"])
    assert [entry["ARN"] for entry in shown["resources"]] == [key["Arn"]] and shown["readOnly"] is False

    alias = f"alias/{name}"
    shown = line(kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"]))
    assert shown["requestParameters"] == {"aliasName": alias, "targetKeyId": key["KeyId"]}
    assert [entry["ARN"] for entry in shown["resources"]] == [
        key["Arn"].replace(f"key/{key['KeyId']}", alias), key["Arn"]]

    shown = line(kms.disable_key(KeyId=key["KeyId"]))
    assert shown["responseElements"] == {"keyId": key["Arn"]}
    shown = line(kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7))
    assert shown["requestParameters"] == {"keyId": key["KeyId"], "pendingWindowInDays": 7}
    assert shown["responseElements"]["keyState"] == "PendingDeletion"
    assert re.match("[A-Z][a-z]{2} ", shown["responseElements"]["deletionDate"])


def test_grants_show_their_id_and_no_token(audited, kms, line):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    constraints = {"EncryptionContextSubset": {"TagKey": "stays as it is"}}
    grant = kms.create_grant(
        KeyId=key, GranteePrincipal=BARE.arn, Operations=["Decrypt"], Constraints=constraints)
    shown = line(grant)
    assert shown["responseElements"] == {"grantId": grant["GrantId"]}
    assert shown["requestParameters"]["constraints"] == {"encryptionContextSubset": {"TagKey": "stays as it is"}}
    shown = line(kms.retire_grant(GrantToken=grant["GrantToken"]))
    assert shown["requestParameters"] is None
    assert shown["additionalEventData"] == {"grantId": grant["GrantId"]}
    assert grant["GrantToken"] not in audit.text(audited)


def test_a_session_shows_whose_it_is(audited, region, line):
    session = assume(audited, ADMIN, WORKER)
    shown = line(audited.client(region, **session.keys).list_keys())
    identity = shown["userIdentity"]
    assert identity["type"] == "AssumedRole" and identity["arn"].startswith("arn:aws:sts::111111111111:assumed-role/")
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == WORKER.arn
    assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"
    assert identity["accessKeyId"] == session.access_key
    assumed = [entry for entry in audit.lines(audited) if entry["eventName"] == "AssumeRole"]
    assert assumed[-1]["eventSource"] == "sts.amazonaws.com"
    assert assumed[-1]["requestParameters"]["roleArn"] == WORKER.arn
    assert session.token not in audit.text(audited) and session.secret not in audit.text(audited)


def test_a_key_store_shows_its_name_and_no_password(audited, kms, line):
    password = "kmsPswd-audit-1"
    store = kms.create_custom_key_store(
        CustomKeyStoreName="audited", CloudHsmClusterId="cluster-strongroomdev", KeyStorePassword=password,
        TrustAnchorCertificate=custom_store.certificate())
    shown = line(store)
    assert shown["requestParameters"] == {"customKeyStoreName": "audited", "clusterId": "cluster-strongroomdev"}
    assert shown["responseElements"] == {"customKeyStoreId": store["CustomKeyStoreId"]}
    shown = line(kms.delete_custom_key_store(CustomKeyStoreId=store["CustomKeyStoreId"]))
    assert shown["requestParameters"] == {"customKeyStoreId": store["CustomKeyStoreId"]}
    assert shown["additionalEventData"] == {"customKeyStoreName": "audited", "clusterId": "cluster-strongroomdev"}
    assert "resources" not in shown
    assert password not in audit.text(audited)


# Calls that fail

def test_a_denied_call_has_a_line(audited, kms, region):
    key = kms.create_key()["KeyMetadata"]
    with refused("AccessDeniedException") as caught:
        audited.client(region, **BARE.keys).encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    shown = error_line(audited, caught)
    assert (shown["eventName"], shown["errorCode"]) == ("Encrypt", "AccessDeniedException")
    assert shown["errorMessage"] == caught.value.response["Error"]["Message"]
    assert shown["userIdentity"]["arn"] == BARE.arn and shown["requestParameters"]["keyId"] == key["KeyId"]
    assert [entry["ARN"] for entry in shown["resources"]] == [key["Arn"]]


def test_a_failed_call_names_the_key_it_was_about(audited, kms):
    keys = [kms.create_key()["KeyMetadata"] for _ in range(2)]
    blob = kms.encrypt(KeyId=keys[0]["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("IncorrectKeyException") as caught:
        kms.decrypt(KeyId=keys[1]["KeyId"], CiphertextBlob=blob)
    shown = error_line(audited, caught)
    assert [entry["ARN"] for entry in shown["resources"]] == [keys[1]["Arn"]]
    with refused("DryRunOperationException") as caught:
        kms.encrypt(KeyId=keys[0]["KeyId"], Plaintext=b"x", DryRun=True)
    assert error_line(audited, caught)["errorCode"] == "DryRunOperationException"


def test_a_call_that_nobody_signed_has_a_line_of_nobody(audited):
    raw = Wire(audited, access_key=ADMIN.access_key, secret="wrong")
    unsigned = [("Host", raw.host), ("Content-Type", "application/x-amz-json-1.1")]
    body = b'{"KeyId": "alias/secretly-named", "Plaintext": "c2VjcmV0IHRleHQ="}'
    answers = {
        "bad signature": (raw.call("Encrypt", body), "InvalidSignatureException", "Encrypt"),
        "unsigned": (
            raw.send([*unsigned, ("X-Amz-Target", "TrentService.Encrypt")], body),
            "MissingAuthenticationTokenException", "Encrypt"),
        "unknown": (raw.call("Nope", body), "UnknownOperationException", "Unknown"),
        "no target": (raw.send(unsigned, body), "UnknownOperationException", "Unknown"),
    }
    for what, (answer, code, name) in answers.items():
        found = audit.of_request(audited, answer.headers["x-amzn-RequestId"])
        assert len(found) == 1, what
        assert (found[0]["errorCode"], found[0]["eventName"]) == (code, name), what
        assert found[0]["requestParameters"] is None, what
        assert found[0]["userIdentity"]["type"] == "Unknown" and "arn" not in found[0]["userIdentity"], what
    shown = audit.of_request(audited, answers["bad signature"][0].headers["x-amzn-RequestId"])[0]
    assert shown["userIdentity"] == {"type": "Unknown", "accessKeyId": ADMIN.access_key}
    assert "secretly-named" not in audit.text(audited)


def test_a_body_that_cannot_be_read_has_a_line(audited):
    raw = Wire(audited, access_key=ADMIN.access_key, secret=ADMIN.secret)
    for body in [b"{", b"[]", b"\xff", b'{"KeyId": 1}', b'{"KeyId": "a", "KeyId": "b"}']:
        answer = raw.call("Encrypt", body)
        found = audit.of_request(audited, answer.headers["x-amzn-RequestId"])
        assert [entry["errorCode"] for entry in found] == ["SerializationException"], body
        assert found[0]["requestParameters"] is None and found[0]["userIdentity"]["arn"] == ADMIN.arn
    answer = raw.send(raw.signed("TrentService.Encrypt", b"x"), b"x" * (1 << 20 | 1))
    assert answer.status == 413
    assert len(audit.of_request(audited, answer.headers["x-amzn-RequestId"])) == 1


def test_a_line_stays_one_line(audited):
    raw = Wire(audited, access_key=ADMIN.access_key, secret=ADMIN.secret)
    before = len(audit.lines(audited))
    raw.call(
        "CreateKey", b'{\n"Description" : "a \\n b",\r\n "Tags": [\n {"TagKey":\t"k",\n"TagValue": "v"} ] , "Nope":{}\n}')
    after = audit.lines(audited)
    assert len(after) == before + 1
    assert after[-1]["requestParameters"]["description"] == "a \n b"
    assert after[-1]["requestParameters"]["tags"] == [{"tagKey": "k", "tagValue": "v"}]


# Two accounts

def test_a_call_across_accounts_has_a_line_for_each(audited, kms, region):
    key = kms.create_key(Policy=text(delegation(), allow("kms:Encrypt", principal=root(OTHER_ACCOUNT))))["KeyMetadata"]
    carol = audited.client(region, **CAROL.keys)
    answer = carol.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    callers, owners = audit.of_request(audited, answer["ResponseMetadata"]["RequestId"])
    assert (callers["recipientAccountId"], owners["recipientAccountId"]) == (OTHER_ACCOUNT, "111111111111")
    assert callers["sharedEventID"] == owners["sharedEventID"] and callers["eventID"] != owners["eventID"]
    assert callers["userIdentity"]["arn"] == CAROL.arn
    assert set(owners["userIdentity"]) == {"type", "principalId", "accountId"}
    with refused("AccessDeniedException") as caught:
        carol.describe_key(KeyId=key["Arn"])
    assert error_line(audited, caught)["recipientAccountId"] == OTHER_ACCOUNT


# Secrets

def test_nothing_secret_is_in_the_log(audited, kms):
    secrets = []

    def keep(data):
        secrets.append(data)
        return data

    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = keep(kms.encrypt(KeyId=key, Plaintext=keep(os.urandom(33)))["CiphertextBlob"])
    kms.decrypt(CiphertextBlob=blob)
    kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key)
    keep(kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"])
    keep(kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")["PrivateKeyPlaintext"])
    keep(kms.generate_random(NumberOfBytes=32)["Plaintext"])
    mac_key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    message = keep(os.urandom(40))
    mac = keep(kms.generate_mac(KeyId=mac_key, Message=message, MacAlgorithm="HMAC_SHA_256")["Mac"])
    kms.verify_mac(KeyId=mac_key, Message=message, MacAlgorithm="HMAC_SHA_256", Mac=mac)
    signer = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    keep(kms.sign(KeyId=signer, Message=message, SigningAlgorithm="ECDSA_SHA_256")["Signature"])
    with refused("InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=keep(os.urandom(200)))
    with refused("ValidationException"):
        kms.encrypt(KeyId=key, Plaintext=keep(os.urandom(4097)))
    log = audit.text(audited)
    for secret in secrets:
        assert base64.b64encode(secret[:48]).decode()[:60] not in log and secret.hex() not in log
    assert ADMIN.secret not in log and "AWS4-HMAC" not in log and "Signature=" not in log


def test_the_log_is_for_its_owner(audited):
    assert audit.directory(audited).stat().st_mode & 0o777 == 0o700
    for file in audit.files(audited):
        assert file.stat().st_mode & 0o777 == 0o600


# What the service does by itself

def test_service_events_have_lines(new_server):
    server = new_server(options=audit.OPTIONS)
    kms, raw = server.client(), Wire(server)
    key = kms.create_key()["KeyMetadata"]
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    raw.development("AdvanceClock", {"Seconds": 8 * 86400})
    events = {line["eventName"]: line for line in audit.lines(server) if line["eventType"] == "AwsServiceEvent"}
    assert set(events) == {"RotateKey", "DeleteKey"}
    for event in events.values():
        assert event["userIdentity"] == {"accountId": "000000000000", "invokedBy": "AWS Internal"}
        assert (event["sourceIPAddress"], event["userAgent"]) == ("AWS Internal", "AWS Internal")
        assert "requestID" not in event and re.fullmatch(UUID, event["eventID"])
        assert event["resources"] == [{"accountId": "000000000000", "type": "AWS::KMS::Key", "ARN": key["Arn"]}]
        assert event["serviceEventDetails"]["keyId"] == key["KeyId"]
    details = events["RotateKey"]["serviceEventDetails"]
    assert (details["rotationType"], details["keyOrigin"]) == ("ON_DEMAND", "AWS_KMS")
    assert details["previousKeyMaterialId"] != details["currentKeyMaterialId"]
    assert [line["eventName"] for line in audit.lines(server) if line["eventSource"] == "strongroom-dev"] == [
        "AdvanceClock"]


def test_imported_material_comes_and_goes(new_server):
    server = new_server(default_store="software", options=audit.OPTIONS)
    kms = server.client()
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]
    parameters = kms.get_parameters_for_import(
        KeyId=key["KeyId"], WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")
    material = os.urandom(32)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    wrapped = serialization.load_der_public_key(parameters["PublicKey"]).encrypt(material, oaep)
    expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    shown = audit.of_answer(server, kms.import_key_material(
        KeyId=key["KeyId"], ImportToken=parameters["ImportToken"], EncryptedKeyMaterial=wrapped, ValidTo=expiry))
    date = f"{expiry:%b} {expiry.day}, {expiry:%Y}, {expiry.hour % 12 or 12}:{expiry:%M:%S %p}"
    assert shown["requestParameters"] == {"keyId": key["KeyId"], "validTo": date}
    assert shown["responseElements"]["keyId"] == key["Arn"]
    Wire(server).development("AdvanceClock", {"Seconds": 2 * 86400})
    [event] = [line for line in audit.lines(server) if line["eventName"] == "DeleteExpiredKeyMaterial"]
    assert event["serviceEventDetails"] == {
        "keyId": key["KeyId"], "keyMaterialId": shown["responseElements"]["keyMaterialId"]}
    log = audit.text(server)
    for secret in [material, wrapped, parameters["ImportToken"]]:
        assert base64.b64encode(secret[:30]).decode() not in log


# The chain

@pytest.fixture
def stopped(new_server):
    """A server with some lines, which has ended."""
    server = new_server(options=audit.OPTIONS)
    for _ in range(20):
        server.client().list_keys()
    server.stop()
    return server


def test_the_chain_goes_on_over_restarts(stopped):
    code, said = audit.verify(stopped)
    assert code == 0, said
    noted = re.search("[0-9a-f]{64}", said)[0]
    stopped.start()
    stopped.client().list_keys()
    assert [line["strongroomChain"]["sequence"] for line in audit.lines(stopped)] == list(range(1, 22))
    assert audit.verify(stopped, "--noted", noted)[0] == 0
    assert audit.verify(stopped, "--noted", "0" * 64)[0] == 1


@pytest.mark.parametrize("change, bad", [
    (lambda lines: lines[:9] + [lines[9].replace(b"ListKeys", b"ListKexs")] + lines[10:], 11),
    (lambda lines: lines[:9] + lines[10:], 10),
    (lambda lines: lines[:9] + [lines[10], lines[9]] + lines[11:], 10),
    (lambda lines: lines[:9] + [lines[8]] + lines[9:], 10),
    (lambda lines: lines[:9] + [b"{}\n"] + lines[9:], 10),
    (lambda lines: lines[3:], 1),
    (lambda lines: lines[:-1] + [lines[-1][:-5]], 20),
])
def test_verify_names_the_first_bad_line(stopped, change, bad):
    [file] = audit.files(stopped)
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    code, said = audit.verify(stopped)
    assert code == 1 and f"{file.name}, line {bad}:" in said, said


def test_half_a_line_is_cut_off_at_the_start(stopped):
    [file] = audit.files(stopped)
    file.write_bytes(file.read_bytes() + b'{"eventVersion":"1.1')
    assert audit.verify(stopped)[0] == 1
    stopped.start()
    stopped.client().list_keys()
    assert "half a line" in stopped.log
    assert audit.verify(stopped)[0] == 0


def test_a_log_that_ends_in_something_else_is_not_continued(stopped):
    [file] = audit.files(stopped)
    file.write_bytes(file.read_bytes() + b"something else\n")
    assert "the last line of" in stopped.refuses_to_start()


@pytest.mark.parametrize("mode", ["on", "required"])
def test_what_was_answered_is_in_the_log_after_a_crash(new_server, mode):
    server = new_server(options=["--audit", mode])
    answered, stop = [], threading.Event()

    def work():
        kms = server.client()
        while not stop.is_set():
            try:
                answered.append(kms.generate_random(NumberOfBytes=8)["ResponseMetadata"]["RequestId"])
            except Exception:
                return

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    eventually(lambda: len(answered) >= 200, "200 answers")
    server.kill()
    stop.set()
    for worker in workers:
        worker.join()
    logged = {line.get("requestID") for line in audit.lines(server)}
    assert set(answered) <= logged
    server.start()
    server.client().list_keys()
    assert audit.verify(server)[0] == 0


# A full disk

class Limited:
    """A server whose files can be kept from growing: writes then fail as on a full disk, with part of the last one done."""

    def __init__(self, new_server, mode):
        self.server = new_server(options=["--audit", mode], start=False)
        plain = self.server.command
        # Without this the system would end the process instead of failing its write.
        self.server.command = lambda ready: ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh", *plain(ready)]
        self.server.start()
        self.kms = self.server.client()

    def fill(self):
        """Lets the log outgrow all other files by far, then has it end 100 bytes further."""
        raw, log = Wire(self.server), audit.directory(self.server)
        others = max(
            file.stat().st_size for file in self.server.data.rglob("*") if file.is_file() and log not in file.parents)
        body = {"KeyId": "alias/none", "Plaintext": "eA==", "EncryptionContext": {"long": "x" * 8000}}
        while not audit.files(self.server) or audit.files(self.server)[0].stat().st_size < others + (1 << 20):
            assert raw.call("Encrypt", body).code == "NotFoundException"
        limit = audit.files(self.server)[0].stat().st_size + 100
        resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def free(self):
        resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_a_full_disk_loses_no_line_silently(new_server):
    limited = Limited(new_server, "on")
    limited.fill()
    lost = [limited.kms.list_keys()["ResponseMetadata"]["RequestId"] for _ in range(3)]
    for request in lost:
        assert request in limited.server.log
    assert "an audit line was not written" in limited.server.log
    limited.free()
    limited.kms.list_keys()
    told, after = audit.lines(limited.server)[-2:]
    assert (told["eventName"], told["serviceEventDetails"]) == ("AuditLinesLost", {"lines": 3})
    assert after["eventName"] == "ListKeys"
    assert audit.verify(limited.server)[0] == 0


def test_where_lines_are_required_a_full_disk_stops_the_work(new_server):
    limited = Limited(new_server, "required")
    limited.fill()
    for _ in range(2):
        with refused("KMSInternalException", status=500):
            limited.kms.create_key()
    limited.free()
    # The first call was done: that its line would fail was not known. The second one was not.
    assert len(limited.kms.list_keys()["Keys"]) == 1
    assert "AuditLinesLost" in [line["eventName"] for line in audit.lines(limited.server)]
    assert audit.verify(limited.server)[0] == 0


# Settings

def test_no_audit_no_directory(new_server):
    server = new_server(options=["--audit", "off"])
    server.client().list_keys()
    assert not audit.directory(server).exists()


def test_serve_writes_lines_unless_it_is_told_not_to(tmp_path):
    subprocess.run([str(BINARY), "init", str(tmp_path / "i")], check=True, capture_output=True)
    file = tmp_path / "i" / "strongroom.yaml"
    file.write_text(file.read_text() + "audit: sometimes\n")
    result = subprocess.run(
        [str(BINARY), "serve", "--config", str(file)], capture_output=True, text=True, timeout=60)
    assert result.returncode != 0 and "off, on, required" in result.stderr
