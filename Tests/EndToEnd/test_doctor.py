"""`strongroom doctor`: SoftHSM and NSS softoken, examined."""

import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

from support import faulty, softhsm
from support.server import BINARY, ram_directory

PIN = "123456"
NSS = next(pathlib.Path("/usr/lib").rglob("libsoftokn3.so"), None)


class Token:
    def __init__(self, directory, module, label, options=(), environment=None):
        self.directory, self.module, self.label, self.options = directory, module, label, options
        self.environment = dict(os.environ, PIN=PIN, **(environment or {}))

    def command(self, *more):
        return [BINARY, "doctor", self.module, "--token", self.label, "--pin-environment", "PIN", *self.options, *more]

    def run(self, *more, seconds=120, **arguments):
        return subprocess.run(
            self.command(*more), capture_output=True, text=True, timeout=seconds, env=self.environment, **arguments)

    def files(self):
        """SoftHSM keeps each object in a file of its own, and what it knows of the token in another."""
        return sorted(path for path in self.directory.rglob("*.object") if path.name != "token.object")


def soft_hsm(directory):
    file = directory / "softhsm2.conf"
    file.write_text(f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    (directory / "tokens").mkdir()
    environment = {"SOFTHSM2_CONF": str(file)}
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "lab", "--pin", PIN, "--so-pin", PIN], check=True,
        capture_output=True, env=dict(os.environ, **environment))
    return Token(directory, softhsm.MODULE, "lab", environment=environment)


def nss(directory):
    password = directory / "password"
    password.write_text(PIN + "\n")
    subprocess.run(["certutil", "-N", "-d", f"sql:{directory}", "-f", password], check=True, capture_output=True)
    options = ["--init-string", f"configdir='sql:{directory}' certPrefix='' keyPrefix='' secmod='secmod.db' flags="]
    return Token(directory, NSS, "NSS Certificate DB", options)


@pytest.fixture(scope="module", params=[soft_hsm, nss], ids=["SoftHSM", "NSS"])
def token(request):
    return request.param(ram_directory())


@pytest.fixture(scope="module")
def examination(token):
    answer = token.run("--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def works(examination, spec, usage):
    [ability] = [
        entry for entry in examination["abilities"] if (entry["keySpec"], entry["keyUsage"]) == (spec, usage)]
    return bool(ability["algorithms"])


def test_what_the_token_can_do(token, examination):
    assert examination["device"]["label"] == token.label and examination["gcmIV"] == "caller"
    assert works(examination, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    assert works(examination, "RSA_2048", "SIGN_VERIFY") and works(examination, "HMAC_256", "GENERATE_VERIFY_MAC")
    assert works(examination, "ECC_SECG_P256K1", "SIGN_VERIFY") == (token.label == "lab")
    assert not works(examination, "ML_KEM_768", "ENCAPSULATE_DECAPSULATE")
    paths = {entry["keySpec"]: entry.get("path") for entry in examination["imports"]}
    ways = {"lab": "through wiped memory of the server", "NSS Certificate DB": "never outside of the token"}
    assert paths["SYMMETRIC_DEFAULT"].endswith(ways[token.label])
    # NSS softoken 3.87 wraps keys that are not extractable; SoftHSM does not.
    assert any("C_WrapKey" in finding for finding in examination["safetyFindings"]) == (token.label != "lab")
    assert {entry["operation"] for entry in examination["latencies"]} >= {
        "AES-256-GCM, encrypt 32 bytes", "ECDSA P-256, sign", "HMAC-SHA-256, 32 bytes"}
    assert examination["sessionCopyRefusal"] == "" and examination["device"]["opensReadOnlySessions"] is True
    assert examination["device"]["isPINToBeChanged"] is False
    assert all(entry["medianMicroseconds"] <= entry["p99Microseconds"] for entry in examination["latencies"])


def test_the_page(token, examination):
    answer = token.run()
    assert answer.returncode == 0, answer.stderr
    for heading in ["DEVICE", "ENCRYPTION", "KMS KEYS", "IMPORTED KEY MATERIAL", "SAFETY", "LATENCY"]:
        assert f"\n{heading}" in "\n" + answer.stdout
    assert "no   ML_DSA_44, SIGN_VERIFY: the token does not have ML-DSA" in answer.stdout
    assert PIN not in answer.stdout + answer.stderr
    device = yaml.safe_load(answer.stdout.split("FOR hsm-config/\n")[1])
    assert device["module"] == str(token.module) and device["token"] == {"label": token.label}
    assert device["profile"] == {"gcmIV": "caller", "sessionCopies": False}
    assert "can be made" in answer.stdout
    for topic in [
            "Reserved init string: ", "PIN format: as", "GCM IV policy: ours", "Session copies: allowed",
            "Read-only sessions: allowed", "Busy codes: unknown"]:
        assert re.search(f"^ *# {topic}", answer.stdout, re.MULTILINE), topic


def test_nothing_is_left_behind(token, examination):
    before = token.files()
    count = examination["device"]["objectCount"]
    assert json.loads(token.run("--json").stdout)["device"]["objectCount"] == count
    assert token.files() == before


def test_a_comparison(token, examination, tmp_path):
    file = tmp_path / "before.json"
    file.write_text(json.dumps(examination))
    answer = token.run("--compare", file)
    assert (answer.returncode, answer.stdout) == (0, "0 differences\n")
    examination = json.loads(json.dumps(examination))
    examination["device"]["firmwareVersion"] = "0.1"
    examination["gcmIV"] = "zeroBufferOut"
    file.write_text(json.dumps(examination))
    answer = token.run("--compare", file)
    assert answer.returncode == 1
    lines = answer.stdout.splitlines()
    assert lines[0] == "AES-256-GCM IV: zeroBufferOut → caller" and lines[1].startswith("firmware: 0.1 → ")
    assert lines[2:] == ["2 differences"]


def test_what_is_wrong_is_told(token, tmp_path):
    file = tmp_path / "not.json"
    file.write_text("{}")
    answer = token.run("--compare", file)
    assert answer.returncode == 1 and "is no examination" in answer.stderr
    token.environment["PIN"] = "654321"
    try:
        answer = token.run()
    finally:
        token.environment["PIN"] = PIN
    assert answer.returncode == 1 and "the PIN is wrong" in answer.stderr and "654321" not in answer.stderr
    assert token.run().returncode == 0


def test_an_examination_of_an_earlier_version(token, examination, tmp_path):
    """It lacks what was not asked then, which is no difference."""
    earlier = json.loads(json.dumps(examination))
    del earlier["sessionCopyRefusal"], earlier["device"]["opensReadOnlySessions"], earlier["device"]["isPINToBeChanged"]
    file = tmp_path / "before.json"
    file.write_text(json.dumps(earlier))
    assert token.run("--compare", file).stdout == "0 differences\n"


# What a token tells of itself

@pytest.fixture(scope="module")
def faulty_token():
    """SoftHSM behind a module that lies on command."""
    token = soft_hsm(ram_directory())
    token.control = faulty.Control(token.directory)
    token.environment |= token.control.environment
    token.module = faulty.MODULE
    return token


@pytest.mark.parametrize(("flag", "text"), [
    ("10000", "CKF_USER_PIN_COUNT_LOW"), ("80000", "CKF_USER_PIN_TO_BE_CHANGED")])
def test_flags_that_an_operator_should_know(faulty_token, flag, text):
    with faulty_token.control.failing(f"C_GetTokenInfo flags {flag}"):
        answer = faulty_token.run()
    assert answer.returncode == 0 and text in answer.stdout
    assert text not in faulty_token.run().stdout


@pytest.mark.parametrize(("flag", "text"), [
    ("20000", "CKF_USER_PIN_FINAL_TRY"), ("40000", "CKF_USER_PIN_LOCKED")])
def test_no_pin_is_tried_on_a_token_that_may_lock(faulty_token, flag, text):
    faulty_token.control.calls()
    with faulty_token.control.failing(f"C_GetTokenInfo flags {flag}"):
        answer = faulty_token.run()
    assert answer.returncode == 1 and text in answer.stderr
    assert "C_Login" not in faulty_token.control.calls()


def test_a_device_without_copies(faulty_token):
    with faulty_token.control.failing("C_CopyObject return 54"):
        answer = faulty_token.run()
    assert answer.returncode == 0
    assert "no: C_CopyObject: CKR_FUNCTION_NOT_SUPPORTED" in answer.stdout
    assert "# Session copies: no. C_CopyObject: CKR_FUNCTION_NOT_SUPPORTED" in answer.stdout


@pytest.mark.parametrize(("arguments", "reason"), [
    ([], "one of --token and --serial is needed"),
    (["--token", "x", "--serial", "y"], "one of --token and --serial is needed"),
    (["--token", "x", "--pin-file", "a", "--pin-environment", "B"], "exclude each other")])
def test_wrong_flags(arguments, reason):
    answer = subprocess.run(
        [BINARY, "doctor", softhsm.MODULE, *arguments], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 64 and reason in answer.stderr
