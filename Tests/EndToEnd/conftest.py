"""The fixtures of the end-to-end tests: one shared server, and servers of their own for tests that disturb."""

import contextlib
import itertools
import os
import shutil
import uuid
import zlib

import pytest

from support import ceremony as ceremony_module
from support import custom_store, disk, faulty, key_specs, p11_kit, softhsm, wire, wrapping
from support import server as server_module

_numbers = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption(
        "--default-store", choices=["software", "token"],
        default=os.environ.get("STRONGROOM_DEFAULT_STORE", "software"),
        help="where keys live that name no custom key store")
    parser.addoption(
        "--half", type=int, choices=[1, 2],
        help="of the tests that do not depend on the default key store, run this half only: they are the same in two runs")


def pytest_sessionstart(session):
    """A missing tool is a failure, never a skipped test."""
    tools = [
        "softhsm2-util", "pkcs11-tool", "certutil", "p11-kit", "aws", "openssl", "unshare", "nsenter", "faketime"]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    files = [server_module.BINARY, faulty.MODULE, softhsm.MODULE, p11_kit.MODULE]
    missing += [str(path) for path in files if not os.path.exists(path)]
    if missing:
        pytest.exit(f"missing: {', '.join(missing)} (scripts/test installs and builds them)", returncode=2)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


def pytest_collection_modifyitems(config, items):
    half = config.getoption("--half")
    if half is None:
        return
    others = [
        item for item in items
        if "default_store" not in item.fixturenames and zlib.crc32(item.path.name.encode()) % 2 != half - 1]
    config.hook.pytest_deselected(items=others)
    dropped = set(others)
    items[:] = [item for item in items if item not in dropped]


def pytest_report_header(config):
    return f"default key store: {config.getoption('--default-store')}; binary: {server_module.BINARY}"


@pytest.fixture(scope="session")
def default_store(request):
    return request.config.getoption("--default-store")


@pytest.fixture(scope="session")
def server(default_store):
    """The shared server. Tests that use it leave its custom key store connected and its clock alone."""
    with server_module.servers() as make:
        yield make(default_store)


@pytest.fixture
def new_server(default_store):
    """Makes servers that belong to one test: `new_server(options=[...], start=True)`."""
    with server_module.servers() as make:
        yield lambda **arguments: make(**{"default_store": default_store, **arguments})


@pytest.fixture
def on_disks(new_server):
    """Makes servers on small disks, and the disks: `on_disks(places=["softhsm"], start=False)`."""
    with contextlib.ExitStack() as stack:
        def make(places=tuple(disk.SIZES), start=True, prepare=None, **arguments):
            server = new_server(start=False, **arguments)
            if prepare:
                prepare(server)
            disks = stack.enter_context(contextlib.closing(disk.Disks(server, places)))
            if start:
                server.start()
                disks.show()
            return server, disks

        yield make


@pytest.fixture
def kms(server):
    return server.client()


@pytest.fixture
def region():
    """A Region that nobody else uses: its keys, aliases and custom key stores are this test's alone."""
    return f"eu-test-{next(_numbers)}"


@pytest.fixture
def own_kms(server, region):
    """A client in this test's own Region."""
    return server.client(region)


@pytest.fixture
def own_store(server, own_kms):
    """The id of a connected custom key store on the SoftHSM token, in this test's own Region."""
    return custom_store.connected(own_kms, server.pin)


@pytest.fixture(params=["default", "custom"])
def placement(request):
    """Where the keys of a test live: placed by the server, or asked for by CustomKeyStoreId."""
    return request.param


@pytest.fixture
def key_arguments(server, placement):
    """What CreateKey needs for a key in `placement`."""
    if placement == "default":
        return {}
    return {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": server.ready["customKeyStoreId"]}


@pytest.fixture
def create_key(kms, key_arguments):
    """Makes keys in `placement` and returns their metadata."""
    return lambda **arguments: kms.create_key(**key_arguments, **arguments)["KeyMetadata"]


@pytest.fixture
def key(create_key):
    return create_key()


@pytest.fixture
def create_external(server, kms, placement):
    """Makes keys for imported material in `placement`, beyond what AWS allows, and returns their metadata."""
    where = {"CustomKeyStoreId": server.ready["customKeyStoreId"]} if placement == "custom" else {}
    return lambda spec="SYMMETRIC_DEFAULT", usage=None: wrapping.create(kms, spec, usage, **where)


@pytest.fixture
def ceremony(server, tmp_path):
    """Runs `strongroom import-key-material` in a directory of its own."""
    directory = tmp_path / "ceremony"
    directory.mkdir()
    return ceremony_module.Ceremony(server, directory)


@pytest.fixture(scope="session")
def lender(server, default_store):
    """Keys of every kind that all tests share."""
    return key_specs.Lender(server, default_store)


@pytest.fixture
def lend(lender, placement):
    """Lends a key in `placement`: `lend(spec, usage="SIGN_VERIFY")`."""
    return lambda spec, usage="SIGN_VERIFY", number=0: lender(spec, usage, placement, number)


@pytest.fixture
def name():
    """A fresh name for an alias (without its prefix), a tag value, a key store."""
    return f"test-{uuid.uuid4()}"


@pytest.fixture
def raw(server):
    """Raw requests; afterwards the server must still serve the next one."""
    raw = wire.Wire(server)
    yield raw
    assert server.is_running()
    assert raw.call("ListKeys", {"Limit": 1}).status == 200
