"""`strongroom policy explain`: the verdict is the server's, and says which statement or grant it comes from."""

import json
import subprocess

import pytest
import yaml

from support.principals import (
    ACCOUNT, OTHER_ACCOUNT, Directory, allow, assume, delegation, deny, root, text, trust)
from support.rights import server
from support.server import BINARY
from support.wire import Wire

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
ROOT = PEOPLE.root_user()
ALICE = PEOPLE.user(
    "alice", allow(["kms:Encrypt", "kms:DescribeKey"], sid="Use", condition={
        "StringEquals": {"aws:ResourceTag/project": "${aws:PrincipalTag/project}"}}), tags={"project": "blue"})
BARE = PEOPLE.user("bare")
BOUNDED = PEOPLE.user("bounded", allow("kms:*"), boundary=[allow("kms:Encrypt")])
DENIED = PEOPLE.user("denied", allow("kms:*", sid="All"), deny("kms:Encrypt", sid="No"))
CAROL = PEOPLE.user("carol", allow("kms:*"), account=OTHER_ACCOUNT)
WORKER = PEOPLE.role("worker", trust(ADMIN), allow("kms:Encrypt"))
LATE = PEOPLE.user("late", allow("kms:Encrypt", condition={"DateGreaterThan": {
    "aws:CurrentTime": "2100-01-01T00:00:00Z"}}))


@pytest.fixture
def key(own_kms):
    return own_kms.create_key(Tags=[{"TagKey": "project", "TagValue": "blue"}])["KeyMetadata"]


def run(*arguments):
    return subprocess.run(
        [BINARY, "policy", "explain", *arguments], capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL)


@pytest.fixture
def explain(server, region):
    """Runs the command on the files of the running server: its JSON, after the verdict of the exit code is checked."""
    def explain(who, action, key=None, *more):
        arguments = [
            "--data-directory", str(server.data), "--principals", str(server.directory / "principals.yaml"),
            "--principal", who if isinstance(who, str) else who.arn, "--action", action, "--region", region]
        if key:
            arguments += ["--key", key]
        result = run(*arguments, "--json", *more)
        assert result.returncode in (0, 1), result.stderr
        found = json.loads(result.stdout)
        assert found["allowed"] == (result.returncode == 0)
        shown = run(*arguments, *more)
        assert shown.returncode == result.returncode
        assert shown.stdout.startswith("Allowed " if found["allowed"] else "Denied"), shown.stdout
        for finding in found["statements"]:
            assert finding["detail"] in shown.stdout
        return found

    return explain


def server_allows(server, region, who, key, **more):
    kms = server.client(region, **who.keys)
    try:
        kms.encrypt(KeyId=key, Plaintext=b"x", **more)
    except kms.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDeniedException"
        return False
    return True


def test_an_identity_policy_that_the_key_policy_lets(explain, key):
    found = explain(ALICE, "kms:Encrypt", key["KeyId"])
    assert found["allowed"] and found["reason"] == "identityPolicy"
    assert found["resource"] == key["Arn"]
    assert {entry["layer"] for entry in found["decidedBy"]} == {"identityPolicy", "keyPolicy"}
    assert "Use" in {entry.get("sid") for entry in found["decidedBy"]}
    assert [entry["outcome"] for entry in found["statements"]] == ["matched", "matched"]


def test_a_condition_that_does_not_match(explain, key, own_kms):
    own_kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "project", "TagValue": "red"}])
    found = explain(ALICE, "kms:Encrypt", key["KeyId"])
    assert not found["allowed"] and found["reason"] == "noIdentityPolicyAllows"
    [finding] = [entry for entry in found["statements"] if entry["statement"]["layer"] == "identityPolicy"]
    assert (finding["outcome"], finding["element"]) == ("doesNotMatch", "Condition")
    assert "aws:ResourceTag/project" in finding["detail"] and "red" in finding["detail"]


def test_conditions_from_the_command_line(explain, key, own_kms):
    own_kms.put_key_policy(KeyId=key["KeyId"], Policy=text(delegation(), allow(
        "kms:Decrypt", principal=BARE, condition={
            "StringEquals": {"kms:EncryptionContext:purpose": "demo"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})))
    context = ["--context", "kms:EncryptionContext:purpose=demo", "aws:SourceIp=10.1.2.3"]
    assert explain(BARE, "kms:Decrypt", key["Arn"], *context)["reason"] == "keyPolicy"
    found = explain(BARE, "kms:Decrypt", key["Arn"], *context[:2])
    assert not found["allowed"]
    assert "aws:SourceIp" in json.dumps(found["statements"])


def test_an_explicit_deny(explain, server, region, key):
    found = explain(DENIED, "kms:Encrypt", key["KeyId"])
    assert found["reason"] == "explicitDeny"
    assert [(entry["layer"], entry["sid"]) for entry in found["decidedBy"]] == [("identityPolicy", "No")]
    assert not server_allows(server, region, DENIED, key["KeyId"])
    assert explain(DENIED, "kms:Decrypt", key["KeyId"])["allowed"]


def test_nobody_lets_a_user_without_policies(explain, key):
    found = explain(BARE, "kms:Encrypt", key["KeyId"])
    assert found["reason"] == "noIdentityPolicyAllows"
    assert ACCOUNT in found["summary"]


def test_a_boundary(explain, key):
    found = explain(BOUNDED, "kms:Decrypt", key["KeyId"])
    assert found["reason"] == "noPermissionsBoundaryAllows" and "boundedBoundary" in found["summary"]
    assert explain(BOUNDED, "kms:Encrypt", key["KeyId"])["allowed"]


def test_other_accounts(explain, key):
    found = explain(CAROL, "kms:Encrypt", key["Arn"])
    assert found["reason"] == "noKeyPolicyAllows"
    assert explain(CAROL, "kms:DisableKey", key["Arn"])["reason"] == "notAcrossAccounts"


def test_a_grant(explain, own_kms, server, region, key):
    grants = [
        own_kms.create_grant(
            KeyId=key["KeyId"], GranteePrincipal=BARE.arn, Operations=["Encrypt"],
            Constraints={"EncryptionContextEquals": {"a": value}})["GrantId"] for value in ["1", "2"]]
    found = explain(BARE, "kms:Encrypt", key["KeyId"], "--context", "kms:EncryptionContext:a=2")
    assert found["allowed"] and (found["reason"], found["grantId"]) == ("grant", grants[1])
    assert server_allows(server, region, BARE, key["KeyId"], EncryptionContext={"a": "2"})
    own_kms.revoke_grant(KeyId=key["KeyId"], GrantId=grants[1])
    assert not explain(BARE, "kms:Encrypt", key["KeyId"], "--context", "kms:EncryptionContext:a=2")["allowed"]


def test_an_alias_as_key(explain, own_kms, key):
    own_kms.create_alias(AliasName="alias/reports", TargetKeyId=key["KeyId"])
    own_kms.put_key_policy(KeyId=key["KeyId"], Policy=text(delegation(), allow(
        "kms:Encrypt", principal=BARE, condition={"StringEquals": {"kms:RequestAlias": "alias/reports"}})))
    arn = key["Arn"].rsplit(":", 1)[0] + ":alias/reports"
    for name, allowed in [("alias/reports", True), (arn, True), (key["KeyId"], False)]:
        found = explain(BARE, "kms:Encrypt", name)
        assert (found["allowed"], found["resource"]) == (allowed, key["Arn"])


@pytest.mark.parametrize("who", [WORKER.arn, WORKER.session_arn("anything"), ROOT.arn])
def test_other_kinds_of_principals(explain, key, who):
    assert explain(who, "kms:Encrypt", key["KeyId"])["allowed"]


def test_actions_on_no_key(explain):
    found = explain(BARE, "kms:CreateKey")
    assert (found["reason"], found["resource"]) == ("noIdentityPolicyAllows", "*")
    assert explain(ADMIN, "kms:ListKeys")["allowed"]


def test_a_session_that_really_exists_gets_the_same_answer(explain, server, region, own_kms, key):
    session = assume(server, ADMIN, WORKER, "real", region)
    own_kms.put_key_policy(KeyId=key["KeyId"], Policy=text(
        allow("kms:*", principal=ADMIN), allow("kms:Encrypt", principal=WORKER.session_arn("real"))))
    for name, allowed in [("real", True), ("other", False)]:
        assert explain(WORKER.session_arn(name), "kms:Encrypt", key["KeyId"])["allowed"] == allowed
    assert server_allows(server, region, session, key["KeyId"])


def test_the_test_clock_counts(default_store):
    with PEOPLE.server(default_store, admin=ADMIN) as server:
        key = server.client().create_key()["KeyMetadata"]["Arn"]
        arguments = [
            "--data-directory", str(server.data), "--principals", str(server.directory / "principals.yaml"),
            "--principal", LATE.arn, "--action", "kms:Encrypt", "--key", key]
        assert run(*arguments).returncode == 1
        Wire(server).development("AdvanceClock", {"Seconds": 80 * 366 * 86400})
        assert run(*arguments).returncode == 0
        server.stop()
        assert run(*arguments).returncode == 0  # The server need not run.


def test_the_user_of_dev(explain, server):
    result = run(
        "--data-directory", str(server.data), "--principal", "arn:aws:iam::000000000000:user/dev", "--action",
        "kms:CreateKey")
    assert result.returncode == 0, result.stderr


def test_an_installation_by_its_configuration_file(new_server):
    server = new_server(start=False)
    folder = server.directory / "installation"
    subprocess.run([BINARY, "init", folder, "--account", ACCOUNT], check=True, capture_output=True, timeout=60)
    configuration = folder / "strongroom.yaml"
    settings = yaml.safe_load(configuration.read_text())
    settings["listen"]["port"] = 0
    settings["readyFile"] = str(server.directory / "ready.json")
    configuration.write_text(yaml.safe_dump(settings))
    server.arguments = ["serve", "--config", str(configuration)]
    arguments = [
        "--config", str(configuration), "--principal", f"arn:aws:iam::{ACCOUNT}:user/admin", "--action",
        "kms:CreateKey"]
    assert run(*arguments).returncode == 2  # It never ran: there is nothing to decide on.
    server.start()
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    assert "AdministratorAccess" in result.stdout


@pytest.mark.parametrize(("change", "code", "said"), [
    ({"--principal": f"arn:aws:iam::{ACCOUNT}:user/nobody"}, 2, "user/nobody"),
    ({"--principal": "alice"}, 2, "alice"),
    ({"--action": "kms:Encrpyt"}, 2, "kms:Encrpyt"),
    ({"--key": "1234abcd-12ab-34cd-56ef-1234567890ab"}, 2, "does not exist"),
    ({"--key": "alias/nothing"}, 2, "alias/nothing is not found"),
    ({"--key": "nonsense"}, 2, "Invalid keyId 'nonsense'"),
    ({"--context": "kms:Nonsense=x"}, 2, "kms:Nonsense"),
    ({"--context": "no-equals-sign"}, 64, "name=value"),
    ({"--data-directory": "/nonexistent"}, 2, "/nonexistent"),
    ({"--principals": "/nonexistent"}, 2, "/nonexistent"),
    ({"--key": None}, 64, "needs --key"),
    ({"--data-directory": None, "--principals": None}, 64, "--data-directory"),
    ({"--nonsense": "x"}, 64, "--nonsense"),
], ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_what_cannot_be_told(server, key, region, change, code, said):
    arguments = {
        "--data-directory": str(server.data), "--principals": str(server.directory / "principals.yaml"),
        "--principal": ALICE.arn, "--action": "kms:Encrypt", "--key": key["KeyId"], "--region": region, **change}
    result = run(*[part for name, value in arguments.items() if value is not None for part in (name, value)])
    assert (result.returncode, result.stdout) == (code, ""), result
    assert said in result.stderr and "Fatal error" not in result.stderr


def test_root_is_the_account_here_too(explain, own_kms, key):
    own_kms.put_key_policy(KeyId=key["KeyId"], Policy=text(allow("kms:*", principal=ADMIN)))
    found = explain(root(), "kms:Encrypt", key["KeyId"])
    assert (found["allowed"], found["reason"]) == (False, "noKeyPolicyAllows")
