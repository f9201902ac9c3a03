"""The AWS Encryption SDK for Python, as it is: keyrings of the Material Providers Library, the older master key
providers, and caching."""

import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl import models
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_encryption_sdk import (
    CachingCryptoMaterialsManager, CommitmentPolicy, EncryptionSDKClient, LocalCryptoMaterialsCache,
    StrictAwsKmsMasterKeyProvider)
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import AlgorithmSuite
from aws_encryption_sdk.key_providers import kms as providers
from cryptography.hazmat.primitives import serialization

from support import outside
from support.key_specs import NIST_CURVES

HOME, AWAY = "us-east-1", "eu-west-1"
ACCOUNT = "000000000000"
CONTEXT = {"tenant": "7", "purpose": "test \U0001f511"}
MESSAGE = bytes(range(256)) * 40  # More than one frame.
SDK = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
LIBRARY = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


@pytest.fixture(autouse=True)
def environment(server, monkeypatch):
    """Clients that the SDK makes by itself, for whatever Region."""
    for name, value in {
            "AWS_ENDPOINT_URL_KMS": server.endpoint, "AWS_ACCESS_KEY_ID": server.access_key,
            "AWS_SECRET_ACCESS_KEY": server.secret, "AWS_DEFAULT_REGION": HOME}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def clients(server):
    """Clients for keyrings, which want to see what they send."""
    return {region: server.client(region, parameter_validation=True) for region in [HOME, AWAY]}


@pytest.fixture
def strict(clients):
    return lambda key, **more: LIBRARY.create_aws_kms_keyring(models.CreateAwsKmsKeyringInput(
        kms_key_id=key["Arn"], kms_client=clients[HOME], **more))


@pytest.fixture
def related(kms):
    """A multi-Region primary and its replica."""
    primary = kms.create_key(MultiRegion=True)["KeyMetadata"]
    return primary, kms.replicate_key(KeyId=primary["KeyId"], ReplicaRegion=AWAY)["ReplicaKeyMetadata"]


def encrypt(context=CONTEXT, **how):
    return SDK.encrypt(source=MESSAGE, encryption_context=context, **how)[0]


def decrypts(message, **how):
    """Decrypts, and says whether it is the message; checks the context that the message is bound to."""
    plaintext, header = SDK.decrypt(source=message, **how)
    assert CONTEXT.items() <= header.encryption_context.items()
    return plaintext == MESSAGE


def fails():
    """The SDK says so in errors of its own, whatever KMS said."""
    return pytest.raises(AWSEncryptionSDKClientError)


# Keyrings: strict

def test_strict(strict, key):
    message = encrypt(keyring=strict(key))
    assert decrypts(message, keyring=strict(key), encryption_context=CONTEXT)
    assert MESSAGE[:64] not in message


@pytest.mark.parametrize("suite", [
    AlgorithmSuite.AES_128_GCM_IV12_TAG16_HKDF_SHA256, AlgorithmSuite.AES_192_GCM_IV12_TAG16_HKDF_SHA256,
    AlgorithmSuite.AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384], ids=lambda suite: suite.name)
def test_data_keys_of_every_size(strict, key, suite):
    """The SDK asks for NumberOfBytes, and insists on that many."""
    client = EncryptionSDKClient(commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
    message, _ = client.encrypt(source=MESSAGE, keyring=strict(key), encryption_context=CONTEXT, algorithm=suite)
    assert client.decrypt(source=message, keyring=strict(key))[0] == MESSAGE


def test_an_alias_encrypts_and_the_key_decrypts(kms, clients, strict, key, name):
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    alias = key["Arn"].rsplit(":", 1)[0] + f":alias/{name}"
    message = encrypt(keyring=strict({"Arn": alias}))
    assert decrypts(message, keyring=strict(key))


def test_what_is_not_to_be_decrypted(kms, strict, key):
    message, other = encrypt(keyring=strict(key)), kms.create_key()["KeyMetadata"]
    with fails():
        SDK.decrypt(source=message, keyring=strict(other))
    with fails():
        SDK.decrypt(source=message, keyring=strict(key), encryption_context={"tenant": "8"})
    # Beyond the name of its key is the encrypted data key.
    place = message.index(key["Arn"].encode()) + len(key["Arn"])
    for distance in [20, 60, 100]:
        changed = bytearray(message)
        changed[place + distance] ^= 1
        with fails():
            SDK.decrypt(source=bytes(changed), keyring=strict(key))
    kms.disable_key(KeyId=key["KeyId"])
    with fails():
        SDK.decrypt(source=message, keyring=strict(key))
    kms.enable_key(KeyId=key["KeyId"])
    assert decrypts(message, keyring=strict(key))


def test_every_key_of_a_multi_keyring_decrypts(kms, strict, create_key):
    keys = [create_key(), kms.create_key()["KeyMetadata"], create_key()]
    together = LIBRARY.create_aws_kms_multi_keyring(models.CreateAwsKmsMultiKeyringInput(
        generator=keys[0]["Arn"], kms_key_ids=[key["Arn"] for key in keys[1:]]))
    message = encrypt(keyring=together)
    for key in keys:
        assert decrypts(message, keyring=strict(key))
    kms.disable_key(KeyId=keys[0]["KeyId"])
    assert decrypts(message, keyring=together)


def test_messages_outlive_rotations(kms, strict):
    key = kms.create_key()["KeyMetadata"]
    messages = []
    for _ in range(3):
        messages.append(encrypt(keyring=strict(key)))
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    assert all(decrypts(message, keyring=strict(key)) for message in messages)


def test_grant_tokens_go_along(kms, strict, key):
    token = kms.create_grant(
        KeyId=key["KeyId"], GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:root",
        Operations=["Decrypt", "GenerateDataKey"])["GrantToken"]
    message = encrypt(keyring=strict(key, grant_tokens=[token]))
    assert decrypts(message, keyring=strict(key, grant_tokens=[token]))
    with fails():
        SDK.decrypt(source=message, keyring=strict(key, grant_tokens=["none"]))


# Keyrings: discovery

def only(account, partition="aws"):
    return models.DiscoveryFilter(account_ids=[account], partition=partition)


def discovery(client, **more):
    return LIBRARY.create_aws_kms_discovery_keyring(models.CreateAwsKmsDiscoveryKeyringInput(
        kms_client=client, **more))


def test_discovery(clients, strict, key):
    message = encrypt(keyring=strict(key))
    for more in [{}, {"discovery_filter": only(ACCOUNT)}]:
        assert decrypts(message, keyring=discovery(clients[HOME], **more))
    for wrong in [only("111111111111"), only(ACCOUNT, "aws-cn")]:
        with fails():
            SDK.decrypt(source=message, keyring=discovery(clients[HOME], discovery_filter=wrong))
    with fails():
        SDK.decrypt(source=message, keyring=discovery(clients[AWAY]))


def test_discovery_in_several_regions(strict, key):
    message = encrypt(keyring=strict(key))
    keyring = LIBRARY.create_aws_kms_discovery_multi_keyring(models.CreateAwsKmsDiscoveryMultiKeyringInput(
        regions=[AWAY, HOME]))
    assert decrypts(message, keyring=keyring)


# Keyrings: multi-Region keys

def related_keyring(client, key):
    return LIBRARY.create_aws_kms_mrk_keyring(models.CreateAwsKmsMrkKeyringInput(
        kms_key_id=key["Arn"], kms_client=client))


def test_a_replica_decrypts_what_its_primary_encrypted(clients, related):
    for (region, key), (other_region, other) in [
            ((HOME, related[0]), (AWAY, related[1])), ((AWAY, related[1]), (HOME, related[0]))]:
        message = encrypt(keyring=related_keyring(clients[region], key))
        for where, with_key in [(region, key), (other_region, other)]:
            assert decrypts(message, keyring=related_keyring(clients[where], with_key))
        # A keyring that knows nothing of multi-Region keys wants the very key.
        with fails():
            SDK.decrypt(source=message, keyring=LIBRARY.create_aws_kms_keyring(models.CreateAwsKmsKeyringInput(
                kms_key_id=other["Arn"], kms_client=clients[other_region])))
        seeking = LIBRARY.create_aws_kms_mrk_discovery_keyring(models.CreateAwsKmsMrkDiscoveryKeyringInput(
            kms_client=clients[other_region], region=other_region,
            discovery_filter=only(ACCOUNT)))
        assert decrypts(message, keyring=seeking)


def test_a_multi_region_message_outlives_a_rotation(kms, clients, related):
    old = encrypt(keyring=related_keyring(clients[HOME], related[0]))
    kms.rotate_key_on_demand(KeyId=related[0]["KeyId"])
    new = encrypt(keyring=related_keyring(clients[HOME], related[0]))
    assert all(decrypts(message, keyring=related_keyring(clients[AWAY], related[1])) for message in [old, new])


def test_keys_of_several_regions_in_one_message(kms, clients, related):
    single = kms.create_key()["KeyMetadata"]
    together = LIBRARY.create_aws_kms_mrk_multi_keyring(models.CreateAwsKmsMrkMultiKeyringInput(
        generator=single["Arn"], kms_key_ids=[related[0]["Arn"]]))
    message = encrypt(keyring=together)
    assert decrypts(message, keyring=related_keyring(clients[AWAY], related[1]))
    assert decrypts(message, keyring=together)


# Keyrings: asymmetric keys

@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_an_rsa_key_pair(clients, lend, algorithm):
    key = lend("RSA_2048", "ENCRYPT_DECRYPT")
    pem = outside.load(key.public).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    keyring = LIBRARY.create_aws_kms_rsa_keyring(models.CreateAwsKmsRsaKeyringInput(
        kms_key_id=key.arn, kms_client=clients[HOME], public_key=pem, encryption_algorithm=algorithm))
    how = {"keyring": keyring, "algorithm": AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY}
    assert decrypts(encrypt(**how), keyring=keyring)


@pytest.mark.parametrize("spec", NIST_CURVES)
def test_key_agreement(clients, lend, spec):
    sender, recipient = lend(spec, "KEY_AGREEMENT"), lend(spec, "KEY_AGREEMENT", number=1)

    def keyring(scheme):
        return LIBRARY.create_aws_kms_ecdh_keyring(models.CreateAwsKmsEcdhKeyringInput(
            key_agreement_scheme=scheme, curve_spec=spec, kms_client=clients[HOME]))

    sending = keyring(models.KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey(
        models.KmsPrivateKeyToStaticPublicKeyInput(
            sender_kms_identifier=sender.arn, sender_public_key=sender.public, recipient_public_key=recipient.public)))
    receiving = keyring(models.KmsEcdhStaticConfigurationsKmsPublicKeyDiscovery(
        models.KmsPublicKeyDiscoveryInput(recipient_kms_identifier=recipient.arn)))
    assert decrypts(encrypt(keyring=sending), keyring=receiving)


# Master key providers

def test_master_key_providers(strict, clients, key):
    """As the SDK was before keyrings; messages are the same."""
    provider = StrictAwsKmsMasterKeyProvider(key_ids=[key["Arn"]])
    message = encrypt(key_provider=provider)
    assert decrypts(message, key_provider=provider) and decrypts(message, keyring=strict(key))
    assert decrypts(encrypt(keyring=strict(key)), key_provider=provider)
    seeking = providers.DiscoveryAwsKmsMasterKeyProvider()
    assert decrypts(message, key_provider=seeking)
    for account, works in [(ACCOUNT, True), ("111111111111", False)]:
        filtered = providers.DiscoveryAwsKmsMasterKeyProvider(
            discovery_filter=providers.DiscoveryFilter(account_ids=[account], partition="aws"))
        if works:
            assert decrypts(message, key_provider=filtered)
        else:
            with fails():
                SDK.decrypt(source=message, key_provider=filtered)


def test_master_key_providers_for_multi_region_keys(related):
    primary, replica = (
        providers.MRKAwareStrictAwsKmsMasterKeyProvider(key_ids=[key["Arn"]]) for key in related)
    message = encrypt(key_provider=primary)
    assert decrypts(message, key_provider=replica)
    assert decrypts(message, key_provider=providers.MRKAwareDiscoveryAwsKmsMasterKeyProvider(discovery_region=AWAY))
    with fails():
        SDK.decrypt(source=message, key_provider=StrictAwsKmsMasterKeyProvider(key_ids=[related[1]["Arn"]]))


# Caching

class Counting:
    """A master key provider whose calls of KMS are counted."""

    def __init__(self, key):
        self.calls = []
        self.provider = StrictAwsKmsMasterKeyProvider(key_ids=[key["Arn"]])
        client = self.provider.master_key(key["Arn"]).config.client
        client.meta.events.register("before-call.kms", lambda model, **_: self.calls.append(model.name))

    def manager(self, **more):
        return CachingCryptoMaterialsManager(
            master_key_provider=self.provider, cache=LocalCryptoMaterialsCache(capacity=10), max_age=600.0, **more)


def test_caching(key):
    counting = Counting(key)
    manager = counting.manager(max_messages_encrypted=3)
    messages = [encrypt(materials_manager=manager) for _ in range(7)]
    assert counting.calls == ["GenerateDataKey"] * 3
    for message in messages:
        assert decrypts(message, materials_manager=manager)
    # One data key serves three messages; the cache has them for decryption under another entry.
    assert counting.calls == ["GenerateDataKey"] * 3 + ["Decrypt"] * 3
    encrypt({**CONTEXT, "another": "context"}, materials_manager=manager)
    assert counting.calls.count("GenerateDataKey") == 4
    assert all(decrypts(message, key_provider=counting.provider) for message in messages)


def test_a_cache_answers_while_the_key_is_disabled(kms, key):
    counting = Counting(key)
    manager = counting.manager()
    message = encrypt(materials_manager=manager)
    assert decrypts(message, materials_manager=manager)
    kms.disable_key(KeyId=key["KeyId"])
    assert decrypts(message, materials_manager=manager)
    with fails():
        SDK.decrypt(source=message, key_provider=counting.provider)
