"""`strongroom doctor`: SoftHSM and NSS softoken, examined."""

import collections
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
import yaml

from support import faulty, softhsm
from support.server import BINARY, eventually, ram_directory

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


# --conformance

@pytest.fixture(scope="module")
def conformance(token):
    before = token.files()
    answer = token.run("--conformance", "--json", seconds=600)
    assert answer.returncode == 0, answer.stderr + answer.stdout[-4000:]
    assert token.files() == before
    return json.loads(answer.stdout)


def outcomes(report):
    return {entry["subject"]: entry for entry in report["conformance"]["entries"]}


def test_conformance(token, conformance):
    found = outcomes(conformance)
    assert len(found) == len(conformance["conformance"]["entries"]) > 150
    assert {entry["outcome"] for entry in found.values()} == {"passed", "skipped"}
    for subject in [
            "what is encrypted comes back, from 1 to 4096 bytes", "many requests at once are all answered rightly",
            "RSA_4096 for SIGN_VERIFY, RSASSA_PSS_SHA_512", "ECC_NIST_P384 for KEY_AGREEMENT, ECDH",
            "import of ECC_NIST_P256 for SIGN_VERIFY by RSA_AES_KEY_WRAP_SHA_256 under RSA_3072"]:
        assert found[subject]["outcome"] == "passed", subject
    pure = found["ML_DSA_44 for SIGN_VERIFY, ML_DSA_SHAKE_256"]
    assert pure["outcome"] == "skipped" and "the token does not have ML-DSA" in pure["reason"]
    curve = found["ECC_SECG_P256K1 for SIGN_VERIFY, ECDSA_SHA_256"]
    assert curve["outcome"] == ("passed" if token.label == "lab" else "skipped")
    assert conformance["conformance"]["leftBehind"] == conformance["conformance"]["changedByOthers"] == 0
    # What the probe refuses is what the suite skips.
    for ability in conformance["abilities"]:
        for algorithm in ability["algorithms"]:
            assert found[f"{ability['keySpec']} for {ability['keyUsage']}, {algorithm}"]["outcome"] == "passed"
        for algorithm, reason in ability["refusals"].items():
            entry = found[f"{ability['keySpec']} for {ability['keyUsage']}, {algorithm}"]
            assert (entry["outcome"], entry["reason"]) == ("skipped", reason)


def test_nothing_is_left_behind_by_conformance(token, conformance):
    count = json.loads(token.run("--json").stdout)["device"]["objectCount"]
    assert count == conformance["device"]["objectCount"] == 0


# A device without key pairs has no wrapping keys either, and is soon done with.
NO_PAIRS = "C_GenerateKeyPair return 70"


@pytest.fixture(scope="module")
def calls_until(faulty_token):
    """How often a function is called, on a device without key pairs, before this share of the suite is done. The probe of
    the connect comes first: no answer of it may be a lie, or the suite skips what it refuses."""
    def counts(*options):
        faulty_token.control.calls()
        assert faulty_token.run("--json", *options).returncode == 0
        return collections.Counter(faulty_token.control.calls())

    with faulty_token.control.failing(NO_PAIRS):
        examination, whole = counts(), counts("--conformance")
    return lambda function, share: examination[function] + int((whole[function] - examination[function]) * share)


# What a device may do wrong after a probe has believed it, and what is said of it.
LIES = {
    "a ciphertext with a wrong bit": ("C_Encrypt", "corrupt", 0.25, "invalidCiphertext|unavailable"),
    # The others of all C_Encrypt are those of the canary, which has no IV.
    "another IV than was used": ("C_Encrypt", "iv other", 0.25, "another IV"),
    "an IV of zeros": ("C_Encrypt", "iv zero", 0.25, "all-zero IV"),
    "keys that can be read": ("C_GenerateKey", "insensitive", 0.75, "CKA_VALUE can be read"),
    "keys that are not destroyed": ("C_DestroyObject", "return 30 times 1", 0.75, "CKR_DEVICE_ERROR"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_device_that_lies_does_not_conform(faulty_token, calls_until, lie):
    function, verb, share, reason = LIES[lie]
    with faulty_token.control.failing(f"{function} {verb} skip {calls_until(function, share)}", NO_PAIRS):
        answer = faulty_token.run("--conformance", "--json")
    found = outcomes(json.loads(answer.stdout))
    failed = [entry["reason"] for entry in found.values() if entry["outcome"] == "failed"]
    assert answer.returncode == 1 and failed
    assert any(re.search(reason, text) for text in failed), failed
    assert found["RSA_2048 for SIGN_VERIFY, RSASSA_PSS_SHA_256"]["outcome"] == "skipped"
    assert faulty_token.files() == []


def test_the_page_of_a_device_whose_signatures_are_wrong(faulty_token):
    faulty_token.control.calls()
    assert faulty_token.run("--json").returncode == 0
    # A connect probes no more than an examination does.
    skipped = 2 * faulty_token.control.calls().count("C_Sign")
    with faulty_token.control.failing(f"C_Sign corrupt skip {skipped}"):
        answer = faulty_token.run("--conformance", seconds=600)
    assert answer.returncode == 1
    page = answer.stdout.split("\nCONFORMANCE\n")[1]
    assert re.match("  FAILED a key of .* for SIGN_VERIFY .*: .*signature", page), page[:2000]
    assert re.search(r"^  \d+ passed, \d+ skipped, \d+ failed$", page, re.MULTILINE)
    assert "nothing was left on the token" in page and "FOR hsm-config/" in page
    assert faulty_token.files() == []


def test_an_interrupted_conformance_leaves_nothing(faulty_token):
    process = subprocess.Popen(
        faulty_token.command("--conformance"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=faulty_token.environment)
    try:
        eventually(lambda: faulty_token.files(), "a key on the token", 60)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "interrupted: the rest was not tried" in output
    assert faulty_token.files() == []


def test_the_objects_of_others_are_not_touched(faulty_token):
    def tool(*arguments):
        command = ["pkcs11-tool", "--module", softhsm.MODULE, "--token-label", "lab", "--login", "--pin", PIN, *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=faulty_token.environment, timeout=60).stdout

    tool("--keygen", "--key-type", "AES:32", "--label", "strongroom canary", "--id", b"strongroom canary".hex())
    tool("--keygen", "--key-type", "AES:32", "--label", "somebody's", "--id", "0102")
    before = faulty_token.files()
    with faulty_token.control.failing(NO_PAIRS):
        answer = faulty_token.run("--conformance")
    assert answer.returncode == 0, answer.stdout[-4000:]
    assert "came or went" not in answer.stdout
    assert faulty_token.files() == before


@pytest.mark.parametrize(("arguments", "reason"), [
    ([], "one of --token and --serial is needed"),
    (["--token", "x", "--serial", "y"], "one of --token and --serial is needed"),
    (["--token", "x", "--pin-file", "a", "--pin-environment", "B"], "exclude each other"),
    (["--token", "x", "--conformance", "--compare", "a"], "exclude each other")])
def test_wrong_flags(arguments, reason):
    answer = subprocess.run(
        [BINARY, "doctor", softhsm.MODULE, *arguments], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 64 and reason in answer.stderr
