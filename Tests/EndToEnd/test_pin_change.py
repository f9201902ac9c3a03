"""Somebody changes the PIN of a token that a server is logged in to: no call fails for it, and nothing is locked."""

import pytest

from support import ceremony, custom_store, faulty, softhsm
from support.server import eventually

NEW_PIN = "a-new-pin"
SECOND = "cluster-secondtoken"


def change_pin(token, old, new, label=None):
    """As an operator does, with another program."""
    softhsm.tool(token.directory, old, "--change-pin", "--new-pin", new, label=label or token.label)


def tell(installation, kms, store, new):
    if store is None:
        installation.token.pin_file.write_text(new)
    else:
        kms.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword=new)


def lose_login(installation):
    """Returns how often the server has logged in for it."""
    since = len(installation.server.log)
    installation.token.calls()
    with installation.token.failing("C_EncryptInit,C_DecryptInit logout times 1"):
        eventually(lambda: "recovered" in installation.events(since), "recovery")
    assert "with a new login" in installation.server.log[since:]
    return installation.token.calls().count("C_Login")


@pytest.mark.parametrize("on_token", [True, False], ids=["file", "password"])
def test_the_next_login_takes_the_new_pin(on_token):
    with faulty.prepared(on_token=on_token) as installation:
        kms, store, more = installation.client(), None, {}
        if not on_token:
            store = installation.create_store(kms)
            assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
            more = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store}
        key = kms.create_key(**more)["KeyMetadata"]["KeyId"]
        blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]

        change_pin(installation.token, ceremony.PIN, NEW_PIN)
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        tell(installation, kms, store, NEW_PIN)
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        assert lose_login(installation) == 1
        assert installation.serves(lambda: kms.decrypt(CiphertextBlob=blob))["Plaintext"] == b"x"
        # It is the login's own now: the next one takes it at once, and so does the next start.
        assert lose_login(installation) == 1
        installation.server.stop()
        installation.token.calls()
        kms = installation.server.start() and installation.client()
        assert installation.serves(lambda: kms.decrypt(CiphertextBlob=blob))["Plaintext"] == b"x"
        assert installation.token.calls().count("C_Login") == 1


def test_a_key_store_that_was_disconnected_meanwhile():
    """As the KMS Developer Guide wants it: disconnect, change, update, connect."""
    with faulty.prepared(on_token=False) as installation:
        kms = installation.client()
        store = installation.create_store(kms)
        assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
        custom_store.disconnect(kms, store)
        change_pin(installation.token, ceremony.PIN, NEW_PIN)
        kms.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword=NEW_PIN)
        installation.token.calls()
        assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
        assert installation.token.calls().count("C_Login") == 1


def test_a_module_that_another_token_keeps_busy():
    """SoftHSM learns of the new PIN when it starts, and cannot start again under the other token: the old one does."""
    profile = {**faulty.IMPATIENT, "canaryIntervalMilliseconds": 60_000}
    with faulty.prepared(start=False, **profile) as installation:
        token = installation.token
        softhsm.make_token(token.directory, "second", ceremony.PIN)
        softhsm.write_device(
            installation.server.directory / "devices", "second", SECOND, module=token.module, label="second",
            profile=profile)
        kms = installation.server.start() and installation.client()
        store = custom_store.connected(kms, ceremony.PIN, cluster=SECOND)
        key = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
        change_pin(token, ceremony.PIN, NEW_PIN, label="second")
        kms.update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword=NEW_PIN)
        token.calls()
        for command in ["C_EncryptInit logout times 1", "C_EncryptInit logout times 1 # again"]:
            with token.failing(command):
                blob = installation.serves(lambda: kms.encrypt(KeyId=key, Plaintext=b"x"))["CiphertextBlob"]
            assert token.calls().count("C_Login") == 1
        installation.server.stop()
        kms = installation.server.start() and installation.client()
        assert installation.serves(lambda: kms.decrypt(CiphertextBlob=blob))["Plaintext"] == b"x"
        # One for each token.
        assert token.calls().count("C_Login") == 2
