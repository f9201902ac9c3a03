"""`strongroom keys`, and the socket that commands ask a running server by (docs/decisions/0012-admin-socket.md)."""

import json
import os
import socket
import stat

import pytest

from support import adoption
from support.installation import installation


@pytest.fixture
def server(new_server):
    server = new_server()
    adoption.make_aes(server, "payroll", "0a0b")
    adoption.make_aes(server, "backup", "0c", "--extractable")
    return server


def ask(server, request):
    """What the server answers to raw bytes."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(server.data / "admin.sock"))
        try:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        except ConnectionError:
            return b""
        return answer


def test_an_audit_sees_every_key_and_every_object(server):
    kms, store = server.client(), server.ready["customKeyStoreId"]
    adopted = adoption.adopt(server, "--key-store", store, "--label", "payroll", "--alias", "alias/payroll")["arn"]
    own = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["Arn"]
    plain = kms.create_key()["KeyMetadata"]["Arn"]
    waiting = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    listing = adoption.listing(server)
    rows = {row["arn"]: row for row in listing["rows"]}
    assert set(rows) == {adopted, own, plain, waiting} and listing["unreachable"] == {}
    assert rows[adopted]["aliases"] == ["alias/payroll"] and rows[adopted]["onDeletion"] == "leave"
    [entry] = rows[adopted]["objects"]
    assert (entry["id"], entry["label"], entry["objectClass"], entry["keyType"], entry["sizeInBits"]) == (
        "0a0b", "payroll", "CKO_SECRET_KEY", "CKK_AES", 256)
    assert entry["attributes"]["CKA_SENSITIVE"] and not entry["attributes"]["CKA_EXTRACTABLE"]
    [entry] = rows[own]["objects"]
    assert entry["label"] == own and len(entry["id"]) == 32 and "onDeletion" not in rows[own]
    assert rows[waiting]["keyState"] == "PendingImport" and rows[waiting]["objects"] == []
    assert (rows[plain]["objects"] == []) == (server.default_store == "software")
    others = {other["object"]["label"]: other for other in listing["others"]}
    assert set(others) == {"backup", "strongroom canary"}
    assert others["strongroom canary"]["isOurs"] and not others["backup"]["isOurs"]
    assert others["backup"]["object"]["attributes"]["CKA_EXTRACTABLE"]

    page = adoption.command(server, "keys").stdout
    assert all(text in page for text in [
        adopted, "alias/payroll", "adopted, stays when the key is deleted", "not ours", 'label "backup"',
        "not CKA_EXTRACTABLE", "key materials, 2 other objects"])
    assert server.pin not in page


def test_one_key_store_can_be_chosen(server):
    kms = server.client()
    own = kms.create_key(
        Origin="AWS_CLOUDHSM", CustomKeyStoreId=server.ready["customKeyStoreId"])["KeyMetadata"]["Arn"]
    for name in [adoption.STORE, server.ready["customKeyStoreId"], "cluster-strongroomdev"]:
        assert [row["arn"] for row in adoption.listing(server, "--key-store", name)["rows"]] == [own], name
    assert adoption.listing(server, "--key-store", "software") == {"others": [], "rows": [], "unreachable": {}}
    assert "nowhere was not found" in adoption.refusal(server, "keys", "--key-store", "nowhere")


def test_a_key_store_that_is_away_is_told(new_server):
    server = new_server(default_store="software")
    kms, store = server.client(), server.ready["customKeyStoreId"]
    kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)
    kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    listing = adoption.listing(server)
    assert listing["unreachable"] == {"cluster-strongroomdev": "it is not connected"}
    assert listing["rows"][0]["problem"] == "the device could not be looked at"
    assert "could not be looked at: it is not connected" in adoption.command(server, "keys").stdout


def test_without_a_server(server, tmp_path):
    server.stop()
    assert f"no server is running on {server.data}" in adoption.refusal(server, "keys")
    assert not (server.data / "admin.sock").exists()
    assert "no server is running on" in adoption.command(server, "keys", data=tmp_path / "nowhere").stderr
    server.start()
    server.kill()
    # What a killed server leaves behind is no server, and does not stop the next one.
    assert (server.data / "admin.sock").exists()
    assert "no server is running on" in adoption.refusal(server, "adopt", "--key-store", "default", "--label", "x")
    server.start()
    assert adoption.listing(server)["unreachable"] == {}


def test_only_the_owner_can_open_the_socket(server):
    mode = (server.data / "admin.sock").stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


@pytest.mark.parametrize("request_", [
    b"\n", b"{}\n", b"[" * 60_000 + b"\n", b"\xff\xfe\n", b'{"keys":{"keyStore":7}}\n', b'{"adopt":{"_0":{}}}\n',
    b'{"adopt":{"_0":{"keyStore":"default","id":"0","tags":{},"deletesObject":false}}}\n',
])
def test_junk_is_refused(server, request_):
    answer = json.loads(ask(server, request_))
    assert list(answer) == ["refused"]
    assert adoption.listing(server)["unreachable"] == {}


def test_too_long_a_request_has_no_answer(server):
    assert ask(server, b"x" * (1 << 20)) == b""
    assert adoption.listing(server)["unreachable"] == {}


def test_a_path_too_long_for_a_socket_costs_the_commands_only(new_server):
    server = new_server(start=False)
    server.data = server.directory / ("d" * 100) / "data"
    os.makedirs(server.data.parent)
    server.start()
    assert "cannot be used" in server.log and "a socket's may have 107" in server.log
    assert server.client().create_key()["KeyMetadata"]["KeyId"]
    assert "choose a shorter data directory" in adoption.refusal(server, "keys")


def test_a_configuration_file_names_the_data_directory(new_server):
    server = new_server(start=False)
    folder = installation(server)
    server.start()
    answer = adoption.command(server, "keys", "--json", data=folder / "strongroom.yaml")
    assert json.loads(answer.stdout) == {"others": [], "rows": [], "unreachable": {}}
