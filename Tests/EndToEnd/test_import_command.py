"""`strongroom import-key-material` against the real server: what it brings in is what the key then works with."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import re

import pytest
from cryptography.hazmat.primitives import serialization

from support import key_specs, outside, wrapping
from support.ceremony import secret_file
from support.expect import refused

SIGNING = [spec for spec, usage in wrapping.IMPORTABLE.items() if usage == "SIGN_VERIFY"]
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8, TRADITIONAL = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL


@pytest.fixture
def external_key(kms):
    """Makes keys that wait for material where the server puts them, and returns their ARNs."""
    return lambda spec="SYMMETRIC_DEFAULT": wrapping.create(kms, spec)["Arn"]


def encoded(key, encoding=PEM, form=PKCS8):
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def state(kms, arn):
    return kms.describe_key(KeyId=arn)["KeyMetadata"]


# What is imported works

def test_a_symmetric_key_step_by_step(kms, ceremony, create_external, tmp_path):
    arn = create_external()["Arn"]
    material = os.urandom(32)
    result = ceremony.run(
        "--key-id", arn, "--material-file", secret_file(tmp_path, material), "--expires-in", "30d")
    assert (result.returncode, result.stderr) == (0, b"")
    lines = result.stdout.decode().splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "Key", "Material", "Parameters", "Public key", "Wrapped", "Imported", "Key"]
    metadata = state(kms, arn)
    assert (metadata["KeyState"], metadata["ExpirationModel"]) == ("Enabled", "KEY_MATERIAL_EXPIRES")
    assert metadata["CurrentKeyMaterialId"] in lines[5]
    assert metadata["ValidTo"].strftime("expires %Y-%m-%dT%H:%M:%SZ") in lines[6]
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    # Deleted and brought back by the same bytes, the key decrypts what it encrypted before.
    kms.delete_imported_key_material(KeyId=arn)
    report = ceremony.json(
        "--key-id", arn, "--material-file", secret_file(tmp_path, material), "--no-expiry", "--import-type",
        "EXISTING_KEY_MATERIAL", "--key-material-id", metadata["CurrentKeyMaterialId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert report.pop("parametersValidTo") > "2026" and len(report.pop("publicKeyFingerprint")) == 64
    assert report == {
        "keyArn": arn, "keySpec": "SYMMETRIC_DEFAULT", "keyCreated": False, "materialSource": "file",
        "materialInHostMemory": True, "wrappingAlgorithm": "RSAES_OAEP_SHA_256", "wrappingKeySpec": "RSA_4096",
        "encryptedByteCount": 512, "imported": True, "keyMaterialId": metadata["CurrentKeyMaterialId"],
        "keyState": "Enabled", "expirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


@pytest.mark.parametrize("spec", key_specs.HMAC)
def test_an_hmac_key_makes_the_codes_of_its_bytes(kms, ceremony, create_external, tmp_path, spec):
    material = wrapping.material(spec)
    arn = create_external(spec)["Arn"]
    report = ceremony.json("--key-id", arn, "--material-file", secret_file(tmp_path, material), "--no-expiry")
    assert "keyMaterialId" not in report
    algorithm = spec.replace("_", "_SHA_")
    code = kms.generate_mac(KeyId=arn, Message=b"message", MacAlgorithm=algorithm)["Mac"]
    assert code == hmac.digest(material, b"message", f"sha{spec[5:]}")


@pytest.mark.parametrize("spec", SIGNING)
@pytest.mark.parametrize(("encoding", "form"), [(PEM, PKCS8), (DER, PKCS8), (PEM, TRADITIONAL), (DER, TRADITIONAL)])
def test_a_private_key_in_any_form_signs_as_itself(kms, ceremony, create_external, tmp_path, spec, encoding, form):
    key = wrapping.private_key(spec)
    arn = create_external(spec)["Arn"]
    report = ceremony.json(
        "--key-id", arn, "--material-file", secret_file(tmp_path, encoded(key, encoding, form)), "--no-expiry")
    assert report["wrappingAlgorithm"] == "RSA_AES_KEY_WRAP_SHA_256"
    assert kms.get_public_key(KeyId=arn)["PublicKey"] == outside.der(key.public_key())
    algorithm = key_specs.MATRIX[spec, "SIGN_VERIFY"][0]
    signature = kms.sign(KeyId=arn, Message=b"message", SigningAlgorithm=algorithm)["Signature"]
    assert outside.is_valid(wrapping.public(spec), algorithm, signature, b"message")


@pytest.mark.parametrize("wrapping_key", wrapping.WRAPPING_KEYS)
@pytest.mark.parametrize("algorithm", wrapping.ALGORITHMS)
def test_every_way_of_wrapping(kms, ceremony, external_key, tmp_path, algorithm, wrapping_key):
    key = wrapping.private_key("ECC_NIST_P256")
    arn = external_key("ECC_NIST_P256")
    report = ceremony.json(
        "--key-id", arn, "--material-file", secret_file(tmp_path, encoded(key)), "--no-expiry",
        "--wrapping-algorithm", algorithm, "--wrapping-key-spec", wrapping_key)
    assert (report["wrappingAlgorithm"], report["wrappingKeySpec"]) == (algorithm, wrapping_key)
    assert kms.get_public_key(KeyId=arn)["PublicKey"] == outside.der(key.public_key())


@pytest.mark.parametrize(
    ("spec", "usage"), [("SYMMETRIC_DEFAULT", None), ("HMAC_384", None), ("RSA_2048", "ENCRYPT_DECRYPT"),
                        ("ECC_NIST_P384", "KEY_AGREEMENT"), ("ECC_SECG_P256K1", None)])
def test_a_new_key_with_new_material(kms, ceremony, spec, usage):
    usage_flag = ["--key-usage", usage] if usage else []
    end = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=200)
    elsewhere = end.astimezone(datetime.timezone(datetime.timedelta(hours=2)))
    report = ceremony.json(
        "--create-key", "--key-spec", spec, *usage_flag, "--description", "made by a ceremony", "--generate",
        "--valid-to", elsewhere.isoformat())
    metadata = state(kms, report["keyArn"])
    assert (metadata["Origin"], metadata["KeySpec"], metadata["KeyState"]) == ("EXTERNAL", spec, "Enabled")
    assert metadata["Description"] == "made by a ceremony"
    assert metadata["ValidTo"] == end
    assert report["validTo"] == end.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (report["keyCreated"], report["materialSource"]) == (True, "generated")


def test_material_from_a_pipe_and_from_standard_input(kms, ceremony, external_key, tmp_path):
    key = wrapping.private_key("ECC_NIST_P256")
    arn = external_key("ECC_NIST_P256")
    ceremony.json("--key-id", arn, "--material-file", "-", "--no-expiry", stdin=encoded(key))
    assert kms.get_public_key(KeyId=arn)["PublicKey"] == outside.der(key.public_key())
    kms.delete_imported_key_material(KeyId=arn)
    ceremony.json("--key-id", arn, "--material-file", "/dev/stdin", "--no-expiry", stdin=encoded(key))
    assert state(kms, arn)["KeyState"] == "Enabled"


def test_new_material_for_a_rotation(kms, ceremony, external_key, tmp_path):
    arn = external_key()
    first = ceremony.json("--key-id", arn, "--generate", "--no-expiry")["keyMaterialId"]
    second = ceremony.json(
        "--key-id", arn, "--generate", "--no-expiry", "--import-type", "NEW_KEY_MATERIAL",
        "--key-material-description", "the second")["keyMaterialId"]
    assert state(kms, arn)["CurrentKeyMaterialId"] == first != second
    kms.rotate_key_on_demand(KeyId=arn)
    assert state(kms, arn)["CurrentKeyMaterialId"] == second
    rotations = kms.list_key_rotations(KeyId=arn, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert "the second" in [rotation.get("KeyMaterialDescription") for rotation in rotations]


def test_a_dry_run_changes_nothing(kms, ceremony, external_key):
    arn = external_key()
    result = ceremony.run("--key-id", arn, "--generate", "--no-expiry", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert b"everything was done but ImportKeyMaterial" in result.stdout and b"Imported" not in result.stdout
    report = ceremony.json("--key-id", arn, "--generate", "--no-expiry", "--dry-run")
    assert (report["dryRun"], report["imported"], report["encryptedByteCount"]) == (True, False, 512)
    assert state(kms, arn)["KeyState"] == "PendingImport"


# Across an air gap

def test_across_an_air_gap(kms, ceremony, external_key, tmp_path):
    key = wrapping.private_key("RSA_2048")
    arn = external_key("RSA_2048")
    fetched = ceremony.json("parameters", "--key-id", arn, "--out", "parameters.json")
    assert (fetched["imported"], fetched["file"]) == (False, "parameters.json")
    wrapped = ceremony.json(
        "wrap", "--offline", "--parameters", "parameters.json", "--material-file",
        secret_file(tmp_path, encoded(key)), "--out", "wrapped.json",
        # A machine without a network, without credentials.
        prefix=["unshare", "--net", "--map-root-user"], settings={"PATH": os.environ["PATH"]})
    assert wrapped["publicKeyFingerprint"] == fetched["publicKeyFingerprint"]
    files = [(ceremony.directory / name).read_bytes() for name in ["parameters.json", "wrapped.json"]]
    assert fetched["publicKeyFingerprint"] == hashlib.sha256(
        base64.b64decode(json.loads(files[0])["publicKey"])).hexdigest()
    imported = ceremony.json(
        "import", "--parameters", "parameters.json", "--wrapped", "wrapped.json", "--expires-in", "12h")
    assert (imported["imported"], imported["keyState"]) == (True, "Enabled")
    assert kms.get_public_key(KeyId=arn)["PublicKey"] == outside.der(key.public_key())
    assert sorted(path.name for path in ceremony.directory.iterdir()) == ["parameters.json", "wrapped.json"]


def test_offline_means_offline(ceremony, external_key):
    ceremony.json("parameters", "--key-id", external_key(), "--out", "parameters.json")
    wrap = ["wrap", "--offline", "--parameters", "parameters.json", "--generate", "--out", "wrapped.json"]
    connect = "ip link add outside type veth peer name other && ip address add 10.0.0.1/8 dev outside && ip link set outside up"
    refusal = ceremony.refused(
        *wrap, prefix=["unshare", "--net", "--map-root-user", "sh", "-c", f'{connect} && exec "$@"', "sh"])
    assert refusal == "this machine is not offline: it reaches others over outside"
    assert not (ceremony.directory / "wrapped.json").exists()


def test_files_of_a_ceremony_do_not_replace_one_another_and_belong_together(ceremony, external_key):
    first, second = external_key(), external_key()
    for arn, name in [(first, "first.json"), (second, "second.json"), (first, "again.json")]:
        ceremony.json("parameters", "--key-id", arn, "--out", name)
    assert "is there already" in ceremony.refused("parameters", "--key-id", first, "--out", "first.json")
    ceremony.json("wrap", "--parameters", "first.json", "--generate", "--out", "wrapped.json")
    for parameters in ["second.json", "again.json"]:
        assert "was not wrapped with these import parameters" in ceremony.refused(
            "import", "--parameters", parameters, "--wrapped", "wrapped.json", "--no-expiry")
    assert "is not a file of this ceremony" in ceremony.refused(
        "import", "--parameters", "wrapped.json", "--wrapped", "wrapped.json", "--no-expiry")


def test_parameters_that_expired_wrap_nothing(ceremony, external_key):
    ceremony.json("parameters", "--key-id", external_key(), "--out", "parameters.json")
    file = ceremony.directory / "parameters.json"
    file.write_text(re.sub(r'"validTo" : "20..', '"validTo" : "2020', file.read_text()))
    for command in [["wrap", "--generate", "--out", "wrapped.json"],
                    ["import", "--wrapped", "wrapped.json", "--no-expiry"]]:
        assert "the import parameters were valid until 2020" in ceremony.refused(
            *command, "--parameters", "parameters.json")


# What is wrong is said in one sentence, before anything changes

def test_errors_of_the_service_are_shown_as_they_are(kms, ceremony, external_key, tmp_path):
    first = secret_file(tmp_path, os.urandom(32))
    arn = external_key()
    ceremony.json("--key-id", arn, "--material-file", first, "--no-expiry")
    other = secret_file(tmp_path, os.urandom(32), "other.bin")
    assert ceremony.refused("--key-id", arn, "--material-file", other, "--no-expiry").startswith(
        "IncorrectKeyMaterialException")
    missing = "11111111-2222-3333-4444-555555555555"
    assert re.fullmatch(
        rf"NotFoundException: Key 'arn:.*{missing}' does not exist",
        ceremony.refused("--key-id", missing, "--material-file", first, "--no-expiry"))
    assert ceremony.refused(
        "--key-id", arn, "--generate", "--no-expiry", AWS_SECRET_ACCESS_KEY="wrong"
    ).startswith("InvalidSignatureException: ")


def test_a_key_that_makes_its_own_material_takes_none(kms, ceremony):
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    assert "has the origin AWS_KMS: only a key that was created with the origin EXTERNAL" in ceremony.refused(
        "--key-id", arn, "--generate", "--no-expiry")


def test_a_new_key_that_is_left_without_material_is_named(kms, ceremony, tmp_path):
    # Nothing is created for material that does not fit ...
    before = len(kms.list_keys(Limit=1000)["Keys"])
    assert "holds 31 bytes" in ceremony.refused(
        "--create-key", "--material-file", secret_file(tmp_path, os.urandom(31)), "--no-expiry")
    assert len(kms.list_keys(Limit=1000)["Keys"]) == before
    # ... but what the service refuses later leaves a key behind.
    result = ceremony.run(
        "--create-key", "--generate", "--no-expiry", "--key-material-description", "not allowed: !")
    assert result.returncode == 1 and b"ValidationException" in result.stderr
    [arn] = re.findall(r"Warning: the new key (\S+) is there and has no key material", result.stderr.decode())
    assert state(kms, arn)["KeyState"] == "PendingImport"


@pytest.mark.parametrize(("content", "spec", "sentence"), [
    (os.urandom(33), "SYMMETRIC_DEFAULT", "holds 33 bytes, and the material of a SYMMETRIC_DEFAULT key is 32 raw bytes"),
    (os.urandom(32), "HMAC_384", "holds 32 bytes, and the material of a HMAC_384 key is 48 raw bytes"),
    (encoded(wrapping.private_key("ECC_NIST_P256")), "ECC_SECG_P256K1", "cannot be the material of a ECC_SECG_P256K1 key"),
    (encoded(wrapping.private_key("RSA_2048")), "RSA_3072", "cannot be the material of a RSA_3072 key"),
    (wrapping.private_key("ECC_NIST_P256").private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"secret")),
     "ECC_NIST_P256", "is encrypted; decrypt it into a pipe"),
    (wrapping.private_key("ECC_NIST_P256").public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
     "ECC_NIST_P256", "holds no private key but PUBLIC KEY"),
    (b"", "SYMMETRIC_DEFAULT", "holds nothing"),
    (bytes(70_000), "SYMMETRIC_DEFAULT", "holds more than 65536 bytes"),
])
def test_material_that_does_not_fit(kms, ceremony, external_key, tmp_path, content, spec, sentence):
    arn = external_key(spec)
    assert sentence in ceremony.refused(
        "--key-id", arn, "--material-file", secret_file(tmp_path, content), "--no-expiry")
    assert state(kms, arn)["KeyState"] == "PendingImport"


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--key-id", "x", "--generate"], "one of --expires-in, --valid-to and --no-expiry is needed"),
    (["--key-id", "x", "--generate", "--no-expiry", "--expires-in", "1d"], "one of --expires-in"),
    (["--key-id", "x", "--generate", "--expires-in", "366d"], "more than 365 days away"),
    (["--key-id", "x", "--generate", "--valid-to", "2020-01-01T00:00:00Z"], "is not in the future"),
    (["--key-id", "x", "--generate", "--valid-to", "tomorrow"], "is not a time such as"),
    (["--key-id", "x", "--no-expiry"], "one of --material-file, --generate and --from-token is needed"),
    (["--generate", "--no-expiry"], "either --key-id or --create-key is needed"),
    (["--key-id", "x", "--key-spec", "RSA_2048", "--generate", "--no-expiry"], "go with --create-key"),
    (["--create-key", "--key-spec", "RSA_2048", "--generate", "--no-expiry"],
     "RSA_2048 keys need --key-usage: SIGN_VERIFY or ENCRYPT_DECRYPT"),
    (["--create-key", "--generate", "--no-expiry", "--dry-run"], "--dry-run needs a key that is there already"),
    (["--key-id", "x", "--from-token", "m", "--no-expiry"], "--from-token needs --token"),
    (["--key-id", "x", "--generate", "--pin-file", "p", "--no-expiry"], "go with --from-token"),
])
def test_flags_that_do_not_go_together(ceremony, arguments, sentence):
    assert sentence in ceremony.refused(*arguments, code=64)


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--wrapping-algorithm", "RSAES_OAEP_SHA_256"], "does not fit into one block of RSAES_OAEP_SHA_256"),
    (["--wrapping-algorithm", "RSAES_PKCS1_V1_5"], "RSAES_PKCS1_V1_5 is not secure"),
    (["--wrapping-key-spec", "SM2"], "SM2 keys do not unwrap with RSA_AES_KEY_WRAP_SHA_256"),
])
def test_ways_of_wrapping_that_the_service_refuses(ceremony, external_key, arguments, sentence):
    assert sentence in ceremony.refused(
        "--key-id", external_key("RSA_2048"), "--generate", "--no-expiry", *arguments)


def test_a_file_that_others_may_read_is_taken_with_a_warning(ceremony, external_key, tmp_path):
    file = secret_file(tmp_path, os.urandom(32))
    file.chmod(0o644)
    result = ceremony.run("--key-id", external_key(), "--material-file", file, "--no-expiry")
    assert result.returncode == 0
    assert result.stderr.decode() == f"Warning: {file} can be read by others: chmod 600 {file}\n"


def test_a_missing_file_is_an_error(ceremony, external_key):
    assert ceremony.refused("--key-id", external_key(), "--material-file", "/nonexistent", "--no-expiry") == (
        "cannot open /nonexistent: No such file or directory")


def test_what_is_encrypted_under_another_key_is_not_imported(kms, external_key, ceremony):
    """The server's own look, past the client's: wrapped material is changed in its file."""
    arn = external_key()
    ceremony.json("parameters", "--key-id", arn, "--out", "parameters.json")
    ceremony.json("wrap", "--parameters", "parameters.json", "--generate", "--out", "wrapped.json")
    file = ceremony.directory / "wrapped.json"
    wrapped = json.loads(file.read_text())
    wrapped["encryptedKeyMaterial"] = "A" * len(wrapped["encryptedKeyMaterial"][:-2]) + "=="
    file.write_text(json.dumps(wrapped))
    assert ceremony.refused(
        "import", "--parameters", "parameters.json", "--wrapped", "wrapped.json", "--no-expiry"
    ).startswith("InvalidCiphertextException")
    with refused("KMSInvalidStateException", f"{arn} is pending import."):
        kms.encrypt(KeyId=arn, Plaintext=b"x")
