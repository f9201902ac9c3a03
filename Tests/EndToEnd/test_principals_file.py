"""The principals file: what it may say, what it may not, and how the running server reads it again."""

import json
import signal
import uuid

import pytest
import yaml

from support.expect import NO_IDENTITY_POLICY, denied, refused
from support.principals import ACCOUNT, OTHER_ACCOUNT, Directory, Identity, allow, assume, document, trust
from support.server import eventually

START = f"""\
accounts:
  "{ACCOUNT}":
"""
ALLOW = '{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "kms:*", Resource: "*"}]}'
TRUST = (
    f'{{Version: "2012-10-17", Statement: [{{Effect: Allow, Principal: {{AWS: "{ACCOUNT}"}},'
    ' Action: "sts:AssumeRole"}]}')


def user(text):
    return START + "    users:\n      - name: alice\n" + "".join(f"        {line}\n" for line in text.splitlines())


def role(text):
    return START + "    roles:\n      - name: deploy\n" + "".join(f"        {line}\n" for line in text.splitlines())


# What the file may not say, and what of the sentence must be there.
WRONG = {
    "empty": ("", "is empty"),
    "no YAML": ("accounts: [", "this is not YAML"),
    "a list": ("- accounts", "expected keys and values"),
    "no accounts": ("{}", "accounts is missing"),
    "misspelt": ("acounts: {}", "unknown key acounts; known are accounts"),
    "eleven digits": ('accounts: {"11111111111": {}}', "an account is 12 digits, not \"11111111111\""),
    "letters": ('accounts: {"11111111111x": {}}', "an account is 12 digits"),
    "an account twice": (START + f'    root: {{}}\n  "{ACCOUNT}": {{}}\n', f"the key {ACCOUNT} comes twice"),
    "unknown in an account": (
        START + "    groups: []\n", f"account {ACCOUNT}: unknown key groups; known are organizationId"),
    "an organization": (START + "    organizationId: acme\n", "acme is not o- and 10 to 32"),
    "users are no list": (START + "    users: {}\n", "expected a list"),
    "a user without name": (START + "    users: [{accessKeys: []}]\n", "name is missing"),
    "a user twice": (START + "    users: [{name: alice}, {name: alice}]\n", "user alice"),
    "users that differ in case": (START + "    users: [{name: alice}, {name: Alice}]\n", "user Alice"),
    "a user's name": (
        START + '    users: [{name: "a b"}]\n', "the name of a user has 1 to 64 letters, digits and _+=,.@-"),
    "a long name": (START + f"    users: [{{name: {'x' * 65}}}]\n", "64"),
    "unknown in a user": (user("accessKey: []"), "user alice: unknown key accessKey; known are accessKeys"),
    "a static session token": (
        user("accessKeys: [{id: X, secret: y, sessionToken: z}]"), "unknown key sessionToken; known are id, secret"),
    "a path": (user("path: team"), "path"),
    "a tag key": (user('tags: {"": x}'), "a tag key has 1 to 128 characters"),
    "a reserved tag": (user('tags: {"aws:x": y}'), "begins with aws:"),
    "a tag value": (user(f"tags: {{a: {'x' * 257}}}"), "more than 256 characters"),
    "a policy that nobody has": (user("policies: [Nothing]"), "Nothing"),
    "a boundary that nobody has": (user("permissionsBoundary: Nothing"), "Nothing"),
    "a policy named as AWS's": (
        START + f"    policies: {{AdministratorAccess: {ALLOW}}}\n", "AdministratorAccess already"),
    "a malformed managed policy": (START + "    policies: {P: {Version: x}}\n", f"account {ACCOUNT}"),
    "a malformed inline policy": (
        user('inlinePolicies: {mine: {Version: "2012-10-17", Statement: [{Effect: Allow}]}}'), "user alice"),
    "an inline policy with a principal": (
        user('inlinePolicies: {mine: {Version: "2012-10-17", Statement: '
             '[{Effect: Allow, Principal: "*", Action: "*", Resource: "*"}]}}'), "Principal"),
    "an unknown condition key": (
        user('inlinePolicies: {mine: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", '
             'Resource: "*", Condition: {StringEquals: {"kms:Nonsense": x}}}]}}'), "kms:Nonsense"),
    "an inline policy that is no JSON": (user("inlinePolicies: {mine: nonsense}"), "user alice"),
    "an access key without secret": (user("accessKeys: [{id: X}]"), "secret is missing"),
    "an access key with an empty secret": (
        user('accessKeys: [{id: X, secret: ""}]'), "a secret access key is not empty"),
    "an access key without id": (user("accessKeys: [{secret: x}]"), "id is missing"),
    "an access key id": (user('accessKeys: [{id: "a/b", secret: x}]'), "an access key id has 1 to 128"),
    "an access key id of a session": (user("accessKeys: [{id: ASIA0000, secret: x}]"), "begins with ASIA"),
    "an access key twice": (
        user("accessKeys: [{id: SAME, secret: x}, {id: SAME, secret: y}]"),
        "the access key id SAME stands there twice"),
    "the access key of dev": (user("accessKeys: [{id: test, secret: x}]"), "choose another --access-key-id"),
    "the user of dev": ('accounts: {"000000000000": {users: [{name: dev}]}}', "whom `strongroom dev` makes itself"),
    "a service": (user("accessKeys: [{id: X, secret: y, viaService: s3.amazonaws.com}]"), "is no service name"),
    "a unique id twice": (
        START + "    users: [{name: a, uniqueId: AIDAAAAAAAAAAAAAAAAAA}, {name: b, uniqueId: AIDAAAAAAAAAAAAAAAAAA}]\n",
        "stands there twice"),
    "a unique id of a role for a user": (user("uniqueId: AROAAAAAAAAAAAAAAAAAA"), "uniqueId"),
    "a role without trust policy": (role("tags: {}"), "role deploy: trustPolicy is missing"),
    "a role with access keys": (role(f"trustPolicy: {TRUST}\naccessKeys: []"), "unknown key accessKeys"),
    "a session that is too short": (
        role(f"trustPolicy: {TRUST}\nmaxSessionDuration: 900"), "900 is not within 3600 to 43200"),
    "a session that is no number": (
        role(f"trustPolicy: {TRUST}\nmaxSessionDuration: long"), "expected a whole number"),
    "a trust policy with a resource": (
        role(f"trustPolicy: {TRUST.replace('Effect', 'Resource: x, Effect')}"), "role deploy"),
    "a trust policy for a group": (
        role(f"trustPolicy: {TRUST.replace(f'{ACCOUNT}', f'arn:aws:iam::{ACCOUNT}:group/x')}"), "role deploy"),
}


def written(server, text, mode=0o600):
    path = server.directory / "principals.yaml"
    path.touch(mode=0o600)
    path.write_text(text)
    path.chmod(mode)
    server.options = ["--principals", str(path)]
    return path


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_a_sentence(new_server, name):
    text, sentence = WRONG[name]
    server = new_server(start=False)
    written(server, text)
    said = server.refuses_to_start()
    assert sentence in said and ("principals.yaml:" in said or "`strongroom dev`" in said or not text), said
    assert "Fatal error" not in said
    assert len(said.strip().splitlines()) == 1, said


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_can_read_is_refused(new_server, mode):
    server = new_server(start=False)
    path = written(server, "accounts: {}", mode)
    assert f"chmod 600 {path}" in server.refuses_to_start()


def test_the_secret_is_in_no_message(new_server):
    for text in [
        user("accessKeys: [{id: X, secret: the-secret, extra: y}]"), user('accessKeys: [{id: X, secret: "the-secret}]'),
        user("accessKeys: [{id: X, secret: the-secret}, {id: X, secret: the-secret}]"),
        user("accessKeys: [{id: X, secret: the-secret}: x"), user("accessKeys: [{id: X, secret: [the-secret]}]"),
    ]:
        server = new_server(start=False)
        written(server, text)
        assert "the-secret" not in server.refuses_to_start()


# What the file may say

EVERYTHING = f"""\
# JSON is YAML, and so is this.
accounts:
  "{ACCOUNT}":
    organizationId: o-a1b2c3d4e5
    policies:
      Encrypters:
        Version: 2012-10-17            # a date to YAML, if nobody takes care
        Statement:
          - Effect: Allow
            Action: kms:Encrypt
            Resource: "*"
      Decrypters: |
        {json.dumps(document(allow("kms:Decrypt")))}
    users:
      - name: alice
        path: /team/
        uniqueId: AIDAALICEALICEALICE22
        tags: {{project: blue, cost-center: 0123, open: yes, note: null-ish}}
        policies: [Encrypters, Decrypters]
        inlinePolicies:
          number:
            Version: "2012-10-17"
            Statement:
              Effect: Allow
              Action: kms:ScheduleKeyDeletion
              Resource: "*"
              Condition: {{NumericEquals: {{"kms:ScheduleKeyDeletionPendingWindowInDays": 7}}}}
          tags:
            Version: "2012-10-17"
            Statement:
              Effect: Allow
              Action: kms:DescribeKey
              Resource: "*"
              Condition:
                StringEquals:
                  aws:PrincipalTag/cost-center: 0123
                  aws:PrincipalTag/open: yes
                Bool: {{aws:SecureTransport: false}}
        accessKeys:
          - {{id: ALICE1, secret: "012345678901"}}
          - id: ALICE2
            secret: 1e3
  "012345678901":
    root:
      accessKeys: [{{id: ROOT, secret: root's secret}}]
"""


def test_everything_that_a_file_may_say(new_server):
    server = new_server(start=False)
    written(server, EVERYTHING)
    server.start()
    arn = f"arn:aws:iam::{ACCOUNT}:user/team/alice"
    first, second = Identity(arn, "ALICE1", "012345678901"), Identity(arn, "ALICE2", "1e3")
    for who in [first, second]:
        answer = server.client(service="sts", **who.keys).get_caller_identity()
        assert (answer["Arn"], answer["UserId"]) == (arn, "AIDAALICEALICEALICE22")
    owner = Identity("arn:aws:iam::012345678901:root", "ROOT", "root's secret")
    assert server.client(service="sts", **owner.keys).get_caller_identity()["Arn"] == owner.arn
    key = server.client(**owner.keys).create_key()["KeyMetadata"]
    assert key["AWSAccountId"] == "012345678901"

    kms = server.client(**owner.keys)
    kms.put_key_policy(KeyId=key["KeyId"], BypassPolicyLockoutSafetyCheck=True, Policy=json.dumps(document(
        allow("kms:*", principal={"AWS": ["012345678901", ACCOUNT]}))))
    alice = server.client(**first.keys)
    blob = alice.encrypt(KeyId=key["Arn"], Plaintext=b"x")["CiphertextBlob"]
    assert alice.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    alice.describe_key(KeyId=key["Arn"])
    with denied(first, "GenerateDataKey", key["Arn"], NO_IDENTITY_POLICY):
        alice.generate_data_key(KeyId=key["Arn"], KeySpec="AES_256")


def test_a_file_in_json(new_server):
    server = new_server(start=False)
    settings = user(f"inlinePolicies: {{mine: {ALLOW}}}\naccessKeys: [{{id: A, secret: b}}]")
    written(server, json.dumps(yaml.safe_load(settings)))
    server.start()
    server.client(access_key="A", secret="b").create_key()


def test_a_trust_policy_may_name_somebody_who_is_not_there_yet(new_server):
    server = new_server(start=False)
    missing = f"arn:aws:iam::{ACCOUNT}:user/later"
    written(server, role(f"trustPolicy: {TRUST.replace(ACCOUNT, missing, 1)}"))
    server.start()
    assert missing in server.log


# Reading it again

@pytest.fixture
def people():
    people = Directory()
    people.admin = people.user("admin", policies=["AdministratorAccess"])
    people.alice = people.user("alice", allow("kms:Encrypt"))
    people.worker = people.role("worker", trust(people.alice), allow("kms:Encrypt"))
    return people


@pytest.fixture
def hup(default_store, people):
    """A server with `people`, and a function that makes it read the file again and waits until it has."""
    with people.server(default_store, admin=people.admin) as server:
        def read_again(says):
            before = len(server.log)
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda: says in server.log[before:], f"the log says {says}")
            return server.log[before:]

        yield server, read_again


def encrypts(server, who, key):
    try:
        return server.client(**who.keys).encrypt(KeyId=key, Plaintext=b"x")["KeyId"]
    except server.client().exceptions.ClientError as error:
        return error.response["Error"]["Code"]


def test_sighup_reads_the_file_again(hup, people):
    server, read_again = hup
    key = server.client().create_key()["KeyMetadata"]
    warm = server.client(**people.alice.keys)
    warm.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    session = assume(server, people.alice, people.worker)

    [_, alice] = people.account(ACCOUNT)["users"]
    alice["inlinePolicies"] = {"inline": document(allow("kms:Decrypt"))}
    bob = people.user("bob", allow("kms:Encrypt"), account=OTHER_ACCOUNT)
    carol = people.user("carol", allow("kms:Encrypt"))
    people.options(server)
    read_again("principals.yaml")
    with denied(people.alice, "Encrypt", key["Arn"], NO_IDENTITY_POLICY):
        warm.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    assert encrypts(server, carol, key["Arn"]) == key["Arn"]
    assert encrypts(server, bob, key["Arn"]) == "AccessDeniedException"
    assert encrypts(server, session, key["Arn"]) == key["Arn"]

    people.account(ACCOUNT)["users"].remove(alice)
    alice["accessKeys"][0]["secret"] = "another secret"
    people.account(ACCOUNT)["roles"][0]["inlinePolicies"] = {"inline": document(allow("kms:Decrypt"))}
    people.options(server)
    read_again("principals.yaml")
    assert encrypts(server, people.alice, key["Arn"]) == "UnrecognizedClientException"
    assert encrypts(server, session, key["Arn"]) == "AccessDeniedException"

    people.account(ACCOUNT)["users"].append(alice)
    people.options(server)
    read_again("principals.yaml")
    assert encrypts(server, people.alice, key["Arn"]) == "InvalidSignatureException"
    assert encrypts(server, Identity(people.alice.arn, people.alice.access_key, "another secret"), key["Arn"]) == (
        "AccessDeniedException")


def test_requests_go_on_while_the_file_is_read_again(hup, people):
    server, read_again = hup
    key = server.client().create_key()["KeyMetadata"]["KeyId"]
    kms = server.client(**people.alice.keys)
    for _ in range(50):
        server.process.send_signal(signal.SIGHUP)
        for _ in range(5):
            kms.encrypt(KeyId=key, Plaintext=b"x")
    read_again("was read again")


def test_sighup_without_a_file_changes_nothing(new_server):
    server = new_server()
    key = server.client().create_key()["KeyMetadata"]["KeyId"]
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "no principals file" in server.log, "the log says so")
    server.client().encrypt(KeyId=key, Plaintext=b"x")


def test_the_file_may_have_the_account_of_dev(new_server):
    people = Directory()
    guest = people.user("guest", allow("kms:Encrypt"), account="000000000000")
    server = new_server(start=False)
    server.options += people.options(server)
    key = server.start().client().create_key()["KeyMetadata"]["Arn"]
    server.client(**guest.keys).encrypt(KeyId=key, Plaintext=b"x")
    with denied(guest, "DisableKey", key, NO_IDENTITY_POLICY):
        server.client(**guest.keys).disable_key(KeyId=key)


BROKEN = {
    "not YAML": lambda path: path.write_text("accounts: ["),
    "one wrong user": lambda path: path.write_text(path.read_text().replace("name: admin", "name: ad min")),
    "one wrong policy": lambda path: path.write_text(path.read_text().replace("kms:Encrypt", "Encrypt", 1)),
    "readable by others": lambda path: path.chmod(0o644),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_whole(hup, people, name):
    server, read_again = hup
    key = server.client().create_key()["KeyMetadata"]["Arn"]
    secret = f"secret-{uuid.uuid4()}"
    dave = people.access_key(f"arn:aws:iam::{ACCOUNT}:user/dave")
    people.account(ACCOUNT)["users"].append({
        "name": "dave", "policies": ["AdministratorAccess"], "accessKeys": [{"id": dave.access_key, "secret": secret}]})
    path = people.write(server.directory / "principals.yaml")
    BROKEN[name](path)
    said = read_again("principals.yaml")
    assert secret not in said
    assert encrypts(server, people.alice, key) == key
    with refused("UnrecognizedClientException"):
        server.client(access_key=dave.access_key, secret=secret).list_keys()
    people.write(path)
    read_again("principals.yaml")
    server.client(access_key=dave.access_key, secret=secret).list_keys()


def test_a_key_policy_outlives_the_user_that_it_names(hup, people):
    server, read_again = hup
    kms = server.client()
    policy = json.dumps(document(
        allow("kms:*", principal={"AWS": ACCOUNT}), allow("kms:Encrypt", principal=people.alice)))
    key = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    people.account(ACCOUNT)["users"].pop()
    people.account(ACCOUNT)["roles"].pop()
    people.options(server)
    read_again("principals.yaml")
    assert json.loads(kms.get_key_policy(KeyId=key)["Policy"]) == json.loads(policy)
    kms.encrypt(KeyId=key, Plaintext=b"x")
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=key, Policy=policy)
