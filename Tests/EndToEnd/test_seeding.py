"""Keys with fixed ids from a seed file (docs/seeding.md)."""

import base64
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from support.wire import Wire

PLAIN = "11111111-2222-4333-8444-555555555555"
CODING = "22222222-3333-4444-8555-666666666666"
SIGNING = "33333333-4444-4555-8666-777777777777"
DECRYPTING = "44444444-5555-4666-8777-888888888888"
REPLICABLE = "mrk-0123456789abcdef0123456789abcdef"
PRIVATE = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pkcs8(key):
    return base64.b64encode(key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())).decode()


def spki(key):
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


SEED = f"""
keys:
  - id: {PLAIN}
    description: orders
    aliases: [alias/orders, alias/more]
    tags: {{team: shop}}
    rotationPeriodInDays: 100
    grants:
      - {{name: g, granteePrincipal: "arn:aws:iam::000000000000:user/dev", operations: [Decrypt]}}
  - id: {CODING}
    keySpec: HMAC_256
    keyUsage: GENERATE_VERIFY_MAC
    origin: EXTERNAL
    material: {base64.b64encode(bytes(range(32))).decode()}
    enabled: false
  - id: {SIGNING}
    keySpec: ECC_NIST_P384
    keyUsage: SIGN_VERIFY
    origin: EXTERNAL
    material: {pkcs8(PRIVATE)}
  - id: {DECRYPTING}
    keySpec: RSA_2048
    keyUsage: ENCRYPT_DECRYPT
    origin: EXTERNAL
    material: {pkcs8(RSA)}
  - id: {REPLICABLE}
    region: eu-central-1
"""


@pytest.fixture
def seed(tmp_path):
    path = tmp_path / "seed.yaml"
    path.write_text(SEED)
    return path


def check(server):
    kms = server.client()
    metadata = kms.describe_key(KeyId="alias/orders")["KeyMetadata"]
    assert (metadata["KeyId"], metadata["Description"], metadata["KeyState"]) == (PLAIN, "orders", "Enabled")
    assert kms.list_resource_tags(KeyId=PLAIN)["Tags"] == [{"TagKey": "team", "TagValue": "shop"}]
    assert kms.get_key_rotation_status(KeyId=PLAIN)["RotationPeriodInDays"] == 100
    assert [grant["Name"] for grant in kms.list_grants(KeyId=PLAIN)["Grants"]] == ["g"]
    assert kms.describe_key(KeyId=CODING)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=CODING)
    mac = kms.generate_mac(KeyId=CODING, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert mac == hmac.new(bytes(range(32)), b"m", hashlib.sha256).digest()
    kms.disable_key(KeyId=CODING)
    assert kms.get_public_key(KeyId=SIGNING)["PublicKey"] == spki(PRIVATE)
    assert kms.get_public_key(KeyId=DECRYPTING)["PublicKey"] == spki(RSA)
    there = server.client(region="eu-central-1").describe_key(KeyId=REPLICABLE)["KeyMetadata"]
    assert there["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"


def test_a_seed_is_there_at_the_start_after_a_restart_and_after_a_reset(new_server, seed):
    server = new_server(options=["--seed", str(seed)])
    check(server)
    before = server.client().describe_key(KeyId=PLAIN)["KeyMetadata"]["CurrentKeyMaterialId"]
    check(server.restart())
    assert server.client().describe_key(KeyId=PLAIN)["KeyMetadata"]["CurrentKeyMaterialId"] == before
    Wire(server).development("Reset", {})
    check(server)


def test_what_callers_changed_stays_and_aliases_come_back(new_server, seed):
    server = new_server(options=["--seed", str(seed)])
    kms = server.client()
    kms.update_key_description(KeyId=PLAIN, Description="mine")
    kms.delete_alias(AliasName="alias/more")
    kms.delete_imported_key_material(KeyId=SIGNING)
    kms = server.restart().client()
    assert kms.describe_key(KeyId="alias/more")["KeyMetadata"]["Description"] == "mine"
    assert kms.get_public_key(KeyId=SIGNING)["PublicKey"] == spki(PRIVATE)


@pytest.mark.parametrize(("text", "finding"), [
    (f"keys: [{{id: {PLAIN}, keySpec: RSA_1024}}]", "RSA_1024 is none of"),
    (f"keys: [{{id: {PLAIN}, colour: red}}]", "unknown key colour"),
    ("keys: [{description: x}]", "id is missing"),
    (f"keys: [{{id: {PLAIN}}}, {{id: {PLAIN}}}]", "it comes twice"),
    (f"keys: [{{id: {PLAIN}, material: AAAA}}]", "material needs origin: EXTERNAL"),
    (f"keys: [{{id: {PLAIN}, origin: EXTERNAL, material: AAAA}}]", "IncorrectKeyMaterialException"),
    ("keys: [{id: my-key}]", "my-key is no key id"),
    (f"keys: [{{id: {PLAIN}, policy: {{Version: \"2012-10-17\"}}}}]", "MalformedPolicyDocumentException"),
])
def test_a_broken_seed_stops_the_server_and_says_where(new_server, tmp_path, text, finding):
    path = tmp_path / "seed.yaml"
    path.write_text(text)
    server = new_server(options=["--seed", str(path)], start=False)
    output = server.refuses_to_start()
    assert finding in output and "seed.yaml:1" in output, output
