"""A PIN that the token refuses is tried once, whoever asks for it, how often, and over restarts.

Tokens lock themselves. FaultyToken counts every C_Login that reaches the token.
"""

import concurrent.futures

import pytest

from support import ceremony, custom_store, faulty
from support.expect import refused
from support.server import eventually
from support.workload import code_of

WRONG_PIN = "wrong-pin"
CLIENTS = 100


def hammer(server, calls):
    """Makes all the calls from `CLIENTS` clients at the same time and returns the error codes."""
    def work(number):
        kms = server.client(read_timeout=30)
        return {code_of(calls[(number + turn) % len(calls)], kms) for turn in range(2 * len(calls))}

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return set.union(*pool.map(work, range(CLIENTS)))


def test_a_hundred_clients_and_a_wrong_password():
    with faulty.prepared(on_token=False) as installation:
        kms = installation.client()
        store = installation.create_store(kms, WRONG_PIN)
        named = {"CustomKeyStoreId": store}
        calls = [
            lambda kms: kms.connect_custom_key_store(**named),
            lambda kms: kms.create_key(Origin="AWS_CLOUDHSM", **named),
            lambda kms: kms.generate_random(NumberOfBytes=8, **named),
            lambda kms: kms.disconnect_custom_key_store(**named),
            lambda kms: kms.describe_custom_key_stores(**named),
        ]
        codes = hammer(installation.server, calls)
        assert codes <= {None, "CustomKeyStoreInvalidStateException"}, codes
        if custom_store.settled(kms, store)["ConnectionState"] != "DISCONNECTED":
            custom_store.disconnect(kms, store)
        assert custom_store.connect(kms, store)["ConnectionErrorCode"] == "INVALID_CREDENTIALS"
        assert installation.token.calls().count("C_Login") == 1
        # Another PIN is another attempt, and the right one ends it.
        custom_store.disconnect(kms, store)
        kms.update_custom_key_store(KeyStorePassword=ceremony.PIN, **named)
        assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
        assert installation.token.calls().count("C_Login") == 1


def test_restarts_with_a_wrong_pin_of_the_default_key_store(tmp_path):
    wrong = ceremony.secret_file(tmp_path, WRONG_PIN.encode(), "wrong")
    with faulty.prepared(start=False, pin_file=wrong) as installation:
        for number in range(10):
            kms = installation.server.start() and installation.client()
            if number < 3:
                assert hammer(installation.server, [lambda kms: kms.create_key()]) == {"KeyUnavailableException"}
            with refused("KeyUnavailableException", status=500):
                kms.create_key()
            installation.server.kill() if number % 2 else installation.server.stop()
        assert installation.token.calls().count("C_Login") == 1


def test_kills_between_the_refusal_and_its_being_remembered(tmp_path):
    wrong = ceremony.secret_file(tmp_path, WRONG_PIN.encode(), "wrong")
    with faulty.prepared(start=False, pin_file=wrong) as installation:
        logins = 0
        for _ in range(5):
            # The session of the refused login is closed before the refusal is told to anybody.
            installation.token.command("C_CloseSession block")
            seen, called = len(installation.server.log), []
            process = installation.server.launch(tmp_path)

            def is_decided():
                called.extend(installation.token.calls())
                is_ready = "[strongroom] ready" in installation.server.log[seen:]
                return is_ready or "C_Login" in called and called[-1] == "C_CloseSession"

            eventually(is_decided, "the end of a login, or of the start without one")
            process.kill()
            process.wait()
            logins += called.count("C_Login")
        assert logins == 1
        # Nothing was refused as far as anybody knows: when somebody else has logged in, the token may be asked again.
        installation.token.command()
        wrong.write_text(ceremony.PIN)
        kms = installation.server.start() and installation.client()
        kms.create_key()


def test_restarts_with_a_connected_key_store_whose_pin_was_changed():
    """CONNECTED is resumed after a restart, with the password that was right then."""
    with faulty.prepared(on_token=False) as installation:
        kms = installation.client()
        store = installation.create_store(kms)
        assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
        key = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
        installation.server.stop()
        installation.token.command("C_Login return A0")
        installation.token.calls()
        for _ in range(10):
            kms = installation.server.start() and installation.client()
            hammered = hammer_once(installation.server, key)
            assert hammered <= {"KMSInvalidStateException"}, hammered
            entry = eventually(
                lambda: (entry := custom_store.describe(kms, store))["ConnectionState"] == "FAILED" and entry,
                "the end of CONNECTED")
            assert entry["ConnectionErrorCode"] == "INVALID_CREDENTIALS"
            installation.server.stop()
        assert installation.token.calls().count("C_Login") == 1


def hammer_once(server, key):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return set(pool.map(
            lambda _: code_of(lambda: server.client().encrypt(KeyId=key, Plaintext=b"x")), range(16)))


def test_a_pin_that_is_refused_during_recovery():
    """Somebody changed the PIN while the server was logged in: the token is lost at the next login, not locked."""
    with faulty.prepared() as installation:
        kms = installation.client()
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        installation.token.calls()
        with installation.token.failing("C_Login return A0", "C_DecryptInit return 30"):
            eventually(lambda: "gaveUp" in installation.events(), "the end of recovery")
            codes = hammer(installation.server, [lambda kms: kms.encrypt(KeyId=key, Plaintext=b"x")])
            assert codes == {"KeyUnavailableException"}
        with refused("KeyUnavailableException", status=500):
            kms.encrypt(KeyId=key, Plaintext=b"x")
        assert installation.token.calls().count("C_Login") == 1


@pytest.mark.parametrize(("answer", "code"), [("A0", "INVALID_CREDENTIALS"), ("A4", "USER_LOCKED_OUT")])
def test_what_a_refused_pin_is_called(answer, code):
    with faulty.prepared(on_token=False) as installation:
        kms = installation.client()
        store = installation.create_store(kms)
        with installation.token.failing(f"C_Login return {answer}"):
            assert custom_store.connect(kms, store)["ConnectionErrorCode"] == code
        for _ in range(2):
            custom_store.disconnect(kms, store)
            assert custom_store.connect(kms, store)["ConnectionErrorCode"] == "INVALID_CREDENTIALS"
        assert installation.token.calls().count("C_Login") == 1


def test_a_token_that_has_one_try_left_is_not_tried():
    with faulty.prepared(on_token=False) as installation:
        kms = installation.client()
        store = installation.create_store(kms)
        for flag in ["20000", "40000"]:  # CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED
            with installation.token.failing(f"C_GetTokenInfo flags {flag}"):
                assert custom_store.connect(kms, store)["ConnectionErrorCode"] == "USER_LOCKED_OUT"
            custom_store.disconnect(kms, store)
        assert installation.token.calls().count("C_Login") == 0
        assert custom_store.connect(kms, store)["ConnectionState"] == "CONNECTED"
