"""Where `strongroom import-key-material` finds endpoint, Region and credentials, and what it leaves behind."""

import base64
import contextlib
import os
import pathlib
import socket
import ssl
import threading
import urllib.parse

import pytest

from support import wrapping
from support.ceremony import Ceremony, environment, secret_file
from support.openssl import openssl
from support.principals import Directory, allow, assume, trust

GENERATED = ["--create-key", "--generate", "--no-expiry"]


def plain(home, **more):
    """An environment without any settings of AWS."""
    return environment(HOME=str(home), **more)


def test_profiles_name_the_service_and_the_caller(server, ceremony, tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(
        "[profile work]\nregion = eu-central-1\nservices = ours\n"
        f"[services ours]\nkms =\n  endpoint_url = {server.endpoint}\n")
    (tmp_path / ".aws" / "credentials").write_text(
        f"[work]\naws_access_key_id = {server.access_key}\naws_secret_access_key = {server.secret}\n")
    for arguments, settings in [
        ([*GENERATED, "--profile", "work"], plain(tmp_path)),
        (GENERATED, plain(tmp_path, AWS_PROFILE="work")),
        (GENERATED, environment(
            AWS_PROFILE="work", AWS_CONFIG_FILE=str(tmp_path / ".aws" / "config"),
            AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / ".aws" / "credentials"))),
    ]:
        report = ceremony.json(*arguments, settings=settings)
        assert report["keyArn"].startswith("arn:aws:kms:eu-central-1:")
    report = ceremony.json(*GENERATED, "--region", "eu-west-3", settings=plain(tmp_path, AWS_PROFILE="work"))
    assert report["keyArn"].startswith("arn:aws:kms:eu-west-3:")


def test_flags_and_variables_do_without_files(server, ceremony, tmp_path):
    keys = {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret}
    flags = ["--endpoint-url", server.endpoint, "--region", "us-west-2"]
    assert ":us-west-2:" in ceremony.json(*GENERATED, *flags, settings=plain(tmp_path, **keys))["keyArn"]
    variables = {"AWS_ENDPOINT_URL_KMS": server.endpoint, "AWS_DEFAULT_REGION": "us-west-1"}
    assert ":us-west-1:" in ceremony.json(*GENERATED, settings=plain(tmp_path, **keys, **variables))["keyArn"]




def test_temporary_credentials_go_with_their_token(default_store, tmp_path):
    people = Directory()
    admin = people.user("admin", policies=["AdministratorAccess"])
    importer = people.role("importer", trust(admin), allow("kms:*"))
    with people.server(default_store, admin=admin) as server:
        session = assume(server, admin, importer)
        ceremony = Ceremony(server, tmp_path)
        keys = {"AWS_ACCESS_KEY_ID": session.access_key, "AWS_SECRET_ACCESS_KEY": session.secret}
        assert ceremony.json(*GENERATED, **keys, AWS_SESSION_TOKEN=session.token)["imported"]
        assert ceremony.refused(*GENERATED, **keys).startswith("UnrecognizedClientException: ")


@pytest.mark.parametrize(("settings", "sentence"), [
    ({}, "no Region is configured: give --region or set AWS_REGION"),
    ({"AWS_REGION": "us-east-1"}, "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name "
                                  "a profile that has them"),
    ({"AWS_PROFILE": "nobody"}, "the profile nobody is neither in the AWS config file nor in the credentials file"),
    ({"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
      "AWS_ENDPOINT_URL": "http://kms.example.com"}, "http://kms.example.com has no TLS"),
    ({"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
      "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "CreateKey: no answer from http://127.0.0.1:1: Connection refused"),
])
def test_what_cannot_be_found_is_said(ceremony, tmp_path, settings, sentence):
    assert ceremony.refused(*GENERATED, settings=plain(tmp_path, **settings)).startswith(sentence)


# TLS

@contextlib.contextmanager
def tls_in_front_of(server, directory):
    """An endpoint with TLS, and its certificate, which nobody's system trusts."""
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-keyout", str(directory / "tls.key"), "-out",
        str(directory / "tls.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "tls.pem", directory / "tls.key")
    target = urllib.parse.urlsplit(server.endpoint)

    def forward(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve(client):
        with contextlib.suppress(OSError), context.wrap_socket(client, server_side=True) as inside:
            with socket.create_connection((target.hostname, target.port)) as outside:
                back = threading.Thread(target=forward, args=(outside, inside))
                back.start()
                forward(inside, outside)
                back.join()

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],)).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"https://localhost:{listener.getsockname()[1]}", directory / "tls.pem"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_tls_is_verified(server, ceremony, tmp_path):
    with tls_in_front_of(server, tmp_path) as (endpoint, certificate):
        assert ceremony.refused(*GENERATED, AWS_ENDPOINT_URL=endpoint) == (
            f"CreateKey: no answer from {endpoint}: TLS fails: CERTIFICATE_VERIFY_FAILED")
        report = ceremony.json(*GENERATED, AWS_ENDPOINT_URL=endpoint, AWS_CA_BUNDLE=str(certificate))
        assert report["keyState"] == "Enabled"
        by_address = endpoint.replace("localhost", "127.0.0.1")
        assert "TLS fails" in ceremony.refused(
            *GENERATED, AWS_ENDPOINT_URL=by_address, AWS_CA_BUNDLE=str(certificate))


# Secrets

def test_nothing_of_the_material_is_left_anywhere(kms, ceremony, tmp_path):
    """Every system call is watched: what is opened for writing, and what is written where."""
    for spec in ["SYMMETRIC_DEFAULT", "ECC_NIST_P256"]:
        secret = wrapping.material(spec)
        file = secret_file(tmp_path, secret)
        arn = wrapping.create(kms, spec)["Arn"]
        trace = tmp_path / f"trace-{spec}"
        result = ceremony.run(
            "--key-id", arn, "--material-file", file, "--no-expiry",
            prefix=["strace", "-f", "-xx", "-s", "65536", "-e", "trace=write,writev,sendto,sendmsg,pwrite64,openat,"
                    "open,creat,memfd_create,execve", "-o", str(trace)])
        assert result.returncode == 0, result.stderr
        traced = trace.read_text()
        assert '"' + "".join(f"\\x{byte:02x}" for byte in os.fsencode(str(file))) in traced
        # The scalar of the key, or all of it: raw, in hexadecimal, in base64, at any of its three alignments.
        part = secret[36:68] if spec == "ECC_NIST_P256" else secret
        forms = [part, part.hex().encode(), part.hex().upper().encode()]
        forms += [base64.b64encode(part[start:start + 24]) for start in range(3)]
        for form in forms:
            assert "".join(f"\\x{byte:02x}" for byte in form) not in traced
        for line in traced.splitlines():
            if "open" in line and ("O_WRONLY" in line or "O_RDWR" in line or "O_CREAT" in line):
                path = bytes.fromhex(line.split('"')[1].replace("\\x", "")).decode()
                assert path.startswith(("/dev/", "/proc/")), line
        assert "memfd_create" not in traced
        assert part not in result.stdout + result.stderr and part.hex().encode() not in result.stdout + result.stderr
    assert list(pathlib.Path(ceremony.directory).iterdir()) == []


def test_secret_access_keys_are_not_shown(ceremony):
    secret = "a-secret-access-key-that-is-wrong"
    result = ceremony.run(*GENERATED, AWS_SECRET_ACCESS_KEY=secret)
    assert result.returncode == 1
    assert secret.encode() not in result.stdout + result.stderr
