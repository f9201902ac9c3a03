"""The AWS CLI, and the lines that the server prints for people to copy."""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import pytest
import yaml

from support import softhsm
from support.expect import refused
from support.installation import installation
from support.server import BINARY, CHECKOUT, STOP_SECONDS, client, eventually, ram_directory
from support.wire import Wire

ENVIRONMENT = {
    "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": "/nonexistent",
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": "",
}


def shell(text, directory, **more):
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text], cwd=directory, env={**ENVIRONMENT, **more}, capture_output=True,
        text=True, timeout=300, stdin=subprocess.DEVNULL)


@pytest.fixture
def aws(server, tmp_path):
    """Runs one `aws kms` command and returns its answer."""
    def run(*arguments):
        result = subprocess.run(
            ["aws", "--endpoint-url", server.endpoint, "--output", "json", "kms", *arguments], cwd=tmp_path,
            env=ENVIRONMENT, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout) if result.stdout.strip() else None

    return run


def test_the_cli_on_a_key_anywhere(server, aws, placement, tmp_path, name):
    arguments = []
    if placement == "custom":
        arguments = ["--origin", "AWS_CLOUDHSM", "--custom-key-store-id", server.ready["customKeyStoreId"]]
    key = aws("create-key", "--description", "from the CLI", "--tags", "TagKey=a,TagValue=b", *arguments)["KeyMetadata"]
    assert aws("create-alias", "--alias-name", f"alias/{name}", "--target-key-id", key["KeyId"]) is None
    (tmp_path / "plain").write_bytes(bytes(range(256)))
    encrypted = aws(
        "encrypt", "--key-id", f"alias/{name}", "--plaintext", "fileb://plain", "--encryption-context", "purpose=test")
    (tmp_path / "blob").write_bytes(base64.b64decode(encrypted["CiphertextBlob"]))
    decrypted = aws("decrypt", "--ciphertext-blob", "fileb://blob", "--encryption-context", "purpose=test")
    assert base64.b64decode(decrypted["Plaintext"]) == bytes(range(256))
    assert decrypted["KeyId"] == key["Arn"]
    assert aws("list-resource-tags", "--key-id", key["KeyId"])["Tags"] == [{"TagKey": "a", "TagValue": "b"}]
    assert key["KeyId"] in [entry["KeyId"] for entry in aws("list-keys")["Keys"]]
    assert aws("disable-key", "--key-id", key["KeyId"]) is None
    assert aws("describe-key", "--key-id", key["Arn"])["KeyMetadata"]["KeyState"] == "Disabled"
    assert aws("schedule-key-deletion", "--key-id", key["KeyId"], "--pending-window-in-days", "7")[
        "KeyState"] == "PendingDeletion"


def test_the_cli_shows_the_error(server, tmp_path):
    result = shell(f"aws --endpoint-url {server.endpoint} kms describe-key --key-id nonsense", tmp_path)
    assert result.returncode != 0
    assert "(NotFoundException)" in result.stderr and "Invalid keyId 'nonsense'" in result.stderr


def printed_lines(text):
    """The lines to copy: each begins with what a shell runs and calls the AWS CLI at our endpoint."""
    return [line.strip() for line in text.splitlines() if "aws --endpoint-url" in line]


def run_printed_lines(text, directory):
    lines = printed_lines(text)
    assert len(lines) == 3, text
    # People paste them one after the other into one shell.
    result = shell("\n".join(lines), directory, HOME=str(directory))
    assert result.returncode == 0, result.stderr + text
    assert "hello" in result.stdout, result.stdout


def test_the_three_lines_that_dev_prints(new_server, default_store, tmp_path):
    server = new_server()
    keys_before = len(server.client().list_keys()["Keys"])
    run_printed_lines(server.log, tmp_path)
    keys = server.client().list_keys()["Keys"]
    assert len(keys) == keys_before + 1
    [key] = keys
    assert len(softhsm.objects_of(server.data, server.pin, key["KeyArn"])) == 1


def test_scripts_start_does_everything_and_finds_its_keys_again(default_store, tmp_path):
    """The way of a newcomer: start, copy the three lines, Ctrl-C, start again."""
    folder = ram_directory()
    try:
        keys = []
        for run in range(2):
            ready_file, log = folder / f"ready{run}", folder / f"log{run}"
            with open(log, "wb") as output:
                process = subprocess.Popen(
                    [CHECKOUT / "scripts" / "start", "--port", "0", "--ready-file", ready_file, "--default-store",
                     default_store],
                    cwd=tmp_path, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                    env={**os.environ, "STRONGROOM_DATA_DIRECTORY": str(folder / "data")}, start_new_session=True)
            try:
                def ready():
                    assert process.poll() is None, log.read_text()
                    return ready_file.exists()

                eventually(ready, "scripts/start is ready", 1200)
                ready = json.loads(ready_file.read_text())
                assert ready["pid"] == process.pid
                kms = client(ready["endpoint"])
                if run == 0:
                    eventually(lambda: len(printed_lines(log.read_text())) == 3, "three lines to copy")
                    run_printed_lines(log.read_text(), tmp_path)
                keys.append([entry["KeyId"] for entry in kms.list_keys()["Keys"]])
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                code = process.wait(STOP_SECONDS)
            assert code == 0, log.read_text()
        assert len(keys[0]) == 1 and keys[0] == keys[1]
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(("found", "said"), [
    (None, "there is no swift on the PATH"), ("Swift version 5.10.1 (swift-5.10.1-RELEASE)", "this is Swift 5.10"),
])
def test_scripts_start_without_the_right_swift_says_how_to_get_it(tmp_path, found, said):
    for name in ["bash", "dirname", "env", "head", "sed", "sort"]:
        (tmp_path / name).symlink_to(shutil.which(name))
    if found:
        (tmp_path / "swift").write_text(f"#!{shutil.which('bash')}\necho '{found}'\n")
        (tmp_path / "swift").chmod(0o755)
    result = subprocess.run(
        [CHECKOUT / "scripts" / "start"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    assert result.returncode != 0
    assert said in result.stderr and "https://www.swift.org/install/" in result.stderr


def test_version_and_help(tmp_path):
    for arguments in [["version"], ["--help"], ["dev", "--help"], ["serve", "--help"], ["init", "--help"]]:
        result = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30, cwd=tmp_path)
        assert result.returncode == 0 and result.stdout.strip(), (arguments, result)


@pytest.mark.parametrize("arguments", [
    ["dev", "--port", "70000"], ["dev", "--default-store", "paper"], ["dev", "--compatibility", "azure"],
    ["dev", "--account", "12"], ["nonsense"],
    ["serve", "--config", "no-such-file.yaml"], ["dev", "--principals", "no-such-file.yaml"],
], ids=" ".join)
def test_a_wrong_argument_is_one_sentence_and_an_exit_code(arguments, tmp_path):
    result = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert result.returncode != 0
    assert result.stderr.strip()
    assert "Fatal error" not in result.stderr


def test_other_access_keys_and_another_account(new_server):
    server = new_server(options=[
        "--account", "123456789012", "--access-key-id", "AKIDEXAMPLE", "--secret-access-key", "a secret"])
    server.access_key, server.secret = "AKIDEXAMPLE", "a secret"
    key = server.client().create_key()["KeyMetadata"]
    assert key["AWSAccountId"] == "123456789012"
    assert key["Arn"].startswith("arn:aws:kms:us-east-1:123456789012:key/")


def open_files(process_id):
    folder = pathlib.Path(f"/proc/{process_id}/fd")
    files = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # It may have been closed since.
            files.append(os.readlink(path))
    return files


def test_a_throw_away_directory_is_thrown_away(new_server):
    server = new_server(start=False)
    server.arguments = ["dev", "--port", "0", "--ready-file", str(server.directory / "ready.json")]
    server.start()
    assert server.client().create_key()["KeyMetadata"]["KeyState"] == "Enabled"
    [directory] = {
        os.path.dirname(path) for path in open_files(server.pid) if os.path.basename(path) == "strongroom.sqlite"}
    assert os.path.exists(os.path.join(directory, "softhsm.pin"))
    server.stop()
    assert not os.path.exists(directory)


def test_init_and_serve(new_server):
    server = new_server(start=False)
    folder = installation(server, "--account", "111111111111")
    assert (folder / "principals.yaml").stat().st_mode & 0o777 == 0o600
    [user] = yaml.safe_load((folder / "principals.yaml").read_text())["accounts"]["111111111111"]["users"]
    assert [access_key["id"] for access_key in user["accessKeys"]] == [server.access_key]
    kms = server.start().client()
    key = kms.create_key()["KeyMetadata"]
    assert key["AWSAccountId"] == "111111111111"
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert "customKeyStoreId" not in server.ready
    assert (folder / "data" / "root.key").stat().st_mode & 0o777 == 0o600
    for operation in ["AdvanceClock", "Reset"]:  # They are for `dev` alone.
        assert Wire(server).call(f"StrongroomDev.{operation}", {"Seconds": 1}).code == "UnknownOperationException"
    server.restart()
    assert server.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_quotas_of_the_configuration_file(new_server):
    server = new_server(start=False)
    folder = installation(server)
    file = folder / "strongroom.yaml"
    file.write_text(file.read_text() + "quotas:\n  keys: 0\n")
    [account] = yaml.safe_load((folder / "principals.yaml").read_text())["accounts"].values()
    [access_key] = account["users"][0]["accessKeys"]
    kms = server.start().client(access_key=access_key["id"], secret=access_key["secret"])
    with refused("LimitExceededException", "An account can have at most 0 KMS keys in a Region."):
        kms.create_key()


def test_init_overwrites_nothing(new_server):
    server = new_server(start=False)
    folder = installation(server)
    before = (folder / "principals.yaml").read_bytes()
    result = subprocess.run([BINARY, "init", folder], capture_output=True, text=True, timeout=60, cwd=server.directory)
    assert result.returncode != 0 and "principals.yaml" in result.stderr
    assert (folder / "principals.yaml").read_bytes() == before


@pytest.mark.parametrize("line", ["dataDirektory: x", "listen: {hots: x}", "logLevel: loud", "defaultKeyStore: paper",
                                  "compatibility: azure", "quotas: {keyz: 1}", "quotas: {keys: -17}"])
def test_a_wrong_configuration_names_what_is_wrong(new_server, line):
    server = new_server(start=False)
    configuration = installation(server) / "strongroom.yaml"
    settings = yaml.safe_load(configuration.read_text()) | yaml.safe_load(line)
    configuration.write_text(yaml.safe_dump(settings))
    assert re.search(r"dataDirektory|hots|loud|paper|azure|keyz|-17", server.refuses_to_start())
