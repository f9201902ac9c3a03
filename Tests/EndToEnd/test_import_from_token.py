"""`strongroom import-key-material --from-token`: keys that a token wraps, and how its PIN is asked for."""

import os
import pathlib
import pty
import select
import time

import pytest

from support import key_specs, outside, wrapping
from support.ceremony import PIN, NSSToken, Token, environment
from support.server import BINARY

NOT_BY_ITSELF = (
    "the token ours does not wrap private keys as RFC 5649 says: give --allow-host-memory to wrap the key in the memory "
    "of this machine")


@pytest.fixture
def external_key(create_external):
    """Makes keys that wait for material, and returns their ARNs."""
    return lambda spec="SYMMETRIC_DEFAULT": create_external(spec)["Arn"]


@pytest.fixture
def token(tmp_path):
    return Token(tmp_path)


def test_secret_keys_leave_softhsm_wrapped(kms, ceremony, external_key, token):
    token.make_key("aes", "AES:32", "--extractable")
    token.make_key("mac", "GENERIC:48", "--extractable")
    for label, spec in [("aes", "SYMMETRIC_DEFAULT"), ("mac", "HMAC_384")]:
        arn = external_key(spec)
        report = ceremony.json("--key-id", arn, *token.arguments(label), "--no-expiry", **token.settings)
        # SoftHSM has OAEP with SHA-1 alone.
        assert report["wrappingAlgorithm"] == "RSAES_OAEP_SHA_1"
        assert (report["materialSource"], report["materialInHostMemory"]) == ("token", False)
        assert wrapping.state(kms, {"KeyId": arn}) == "Enabled"
        # The very same key: another way to wrap it gives material that the KMS key knows.
        again = ceremony.json(
            "--key-id", arn, *token.arguments(label), "--no-expiry", "--wrapping-algorithm", "RSAES_OAEP_SHA_256",
            "--allow-host-memory", **token.settings)
        assert again["materialInHostMemory"] is True
        assert again.get("keyMaterialId") == report.get("keyMaterialId")


@pytest.mark.parametrize(("kind", "spec"), [("rsa:2048", "RSA_2048"), ("EC:prime256v1", "ECC_NIST_P256")])
def test_private_keys_leave_softhsm_through_memory(kms, ceremony, external_key, token, kind, spec):
    token.make_key("pair", kind, "--extractable")
    arn = external_key(spec)
    arguments = ["--key-id", arn, *token.arguments("pair"), "--no-expiry"]
    assert ceremony.refused(*arguments, **token.settings) == NOT_BY_ITSELF
    report = ceremony.json(*arguments, "--allow-host-memory", **token.settings)
    assert report["materialInHostMemory"] is True
    algorithm = key_specs.MATRIX[spec, "SIGN_VERIFY"][0]
    signature = kms.sign(KeyId=arn, Message=b"message", SigningAlgorithm=algorithm)["Signature"]
    assert outside.is_valid(token.public_key("pair"), algorithm, signature, b"message")


def test_nss_wraps_by_itself_with_sha_256(kms, ceremony, external_key, tmp_path):
    nss = NSSToken(tmp_path)
    nss.make_aes_key("aes")
    arn = external_key()
    report = ceremony.json("--key-id", arn, *nss.arguments("--token-key-label", "aes"), "--no-expiry")
    assert (report["wrappingAlgorithm"], report["materialInHostMemory"]) == ("RSAES_OAEP_SHA_256", False)
    identifier, public = nss.make_rsa_key()
    arn = external_key("RSA_2048")
    report = ceremony.json("--key-id", arn, *nss.arguments("--token-key-id", identifier), "--no-expiry")
    assert (report["wrappingAlgorithm"], report["materialInHostMemory"]) == ("RSA_AES_KEY_WRAP_SHA_256", False)
    signature = kms.sign(KeyId=arn, Message=b"message", SigningAlgorithm="RSASSA_PSS_SHA_256")["Signature"]
    spki = outside.der(outside.serialization.load_pem_public_key(public))
    assert outside.is_valid(spki, "RSASSA_PSS_SHA_256", signature, b"message")


def test_from_a_token_across_an_air_gap(kms, ceremony, external_key, token):
    token.make_key("aes", "AES:32", "--extractable")
    arn = external_key()
    ceremony.json(
        "parameters", "--key-id", arn, "--out", "parameters.json", "--wrapping-algorithm", "RSAES_OAEP_SHA_1")
    ceremony.json(
        "wrap", "--offline", "--parameters", "parameters.json", *token.arguments("aes"), "--out", "wrapped.json",
        prefix=["unshare", "--net", "--map-root-user"], settings={"PATH": os.environ["PATH"], **token.settings})
    ceremony.json("import", "--parameters", "parameters.json", "--wrapped", "wrapped.json", "--no-expiry")
    assert wrapping.state(kms, {"KeyId": arn}) == "Enabled"


def test_what_is_wrong_with_a_token_is_said(kms, ceremony, external_key, token, tmp_path):
    token.make_key("stays", "AES:32")
    token.make_key("short", "AES:16", "--extractable")
    arn = external_key()

    def refusal(label, *more):
        arguments = ["--key-id", arn, *token.arguments(label), "--no-expiry", *more]
        return ceremony.refused(*arguments, **token.settings)

    assert refusal("stays") == "the key on the token ours is not extractable: it may not leave the token"
    assert refusal("short") == "the key on the token ours is 16 bytes, no material for a SYMMETRIC_DEFAULT key"
    assert refusal("nobody") == "the token ours has no secret or private key with the label nobody"
    token.pin_file.write_text("wrong")
    assert refusal("short") == 'the token labelled "ours" answers C_Login: CKR_PIN_INCORRECT: the PIN is wrong'
    token.pin_file.chmod(0o644)
    assert refusal("short") == (
        f"the PIN file {token.pin_file} is open to its group or to others; it must have mode 0600")
    assert wrapping.state(kms, {"KeyId": arn}) == "PendingImport"


def test_the_pin_from_the_environment(ceremony, external_key, token):
    token.make_key("aes", "AES:32", "--extractable")
    arguments = [
        "--key-id", external_key(), "--from-token", token.module, "--token", token.label, "--token-key-label", "aes",
        "--no-expiry", "--pin-environment", "TOKEN_PIN"]
    assert ceremony.json(*arguments, TOKEN_PIN=PIN, **token.settings)["imported"]
    assert ceremony.refused(*arguments, **token.settings) == "the environment variable TOKEN_PIN is not set"


def test_the_pin_from_the_terminal_is_not_shown_and_the_process_leaves_no_core(server, external_key, token):
    token.make_key("aes", "AES:32", "--extractable")
    command = [
        str(BINARY), "import-key-material", "--key-id", external_key(), "--from-token", token.module, "--token",
        token.label, "--token-key-label", "aes", "--no-expiry"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environment(server, **token.settings))
    seen = b""

    def read_until(text):
        nonlocal seen
        deadline = time.monotonic() + 60
        while text not in seen and time.monotonic() < deadline:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    seen += os.read(terminal, 4096)
                except OSError:  # The other side is closed.
                    break
        assert text in seen, seen

    read_until(b"PIN of the token ours: ")
    process = pathlib.Path(f"/proc/{pid}")
    assert "Max core file size        0                    0" in (process / "limits").read_text()
    os.write(terminal, PIN.encode() + b"\n")
    read_until(b"Imported")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    assert PIN.encode() not in seen


def test_without_a_terminal_nobody_is_asked(ceremony, external_key, token):
    token.make_key("aes", "AES:32", "--extractable")
    assert ceremony.refused(
        "--key-id", external_key(), "--from-token", token.module, "--token", token.label, "--token-key-label", "aes",
        "--no-expiry", prefix=["setsid", "--wait"], **token.settings
    ) == "there is no terminal to ask for the PIN"
