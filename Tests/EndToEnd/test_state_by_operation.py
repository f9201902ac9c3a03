"""Every operation on a key, in every key state: tables/state_by_operation.toml, cell by cell."""

import pathlib
import tomllib

import boto3
import pytest

from support import custom_store, key_specs
from support.expect import refused
from support.key_states import KINDS, PARTS, SYMMETRIC, Stage, Subject

TABLE = tomllib.loads((pathlib.Path(__file__).parent / "tables" / "state_by_operation.toml").read_text())
COLUMNS, ROWS, ANSWERS, NOT_REACHABLE = (TABLE[name] for name in ["columns", "rows", "answers", "not-reachable"])
# Operations after which a key is another: where they succeed, they have a key to themselves.
CHANGES = {
    "EnableKey", "DisableKey", "ScheduleKeyDeletion", "CancelKeyDeletion", "ImportKeyMaterial",
    "DeleteImportedKeyMaterial", "RotateKeyOnDemand", "ReplicateKey", "UpdatePrimaryRegion from",
    "UpdatePrimaryRegion to"}


def origins(origin, state):
    """The origins of the keys of a cell."""
    if origin != "any":
        return [origin]
    return {
        "PendingReplicaDeletion": ["made"], "PendingImport": ["imported"], "Unavailable": ["custom"],
    }.get(state, ["made", "custom"])


CELLS = [
    (operation, state, each, cell) for operation, origin, *cells in ROWS for state, cell in zip(COLUMNS, cells)
    if cell not in NOT_REACHABLE for each in origins(origin, state)]


def name_of(operation):
    return operation.split(" ")[0]


# The table

def test_the_table_is_whole():
    cells = [cell for _, _, *cells in ROWS for cell in cells]
    assert all(len(row) == 2 + len(COLUMNS) for row in ROWS) and len({tuple(row[:2]) for row in ROWS}) == len(ROWS)
    unreached = {reason: cells.count(reason) for reason in NOT_REACHABLE}
    assert all(unreached.values())
    # Rows, cells, of these not reachable, and test cases: nothing vanishes unseen.
    assert (len(ROWS), len(cells), sum(unreached.values()), len(CELLS)) == (73, 584, 205, 481)
    assert {cell for cell in cells if not cell.startswith("ok") and cell not in NOT_REACHABLE} == set(ANSWERS)


def test_the_table_has_every_operation_of_the_service():
    model = boto3.Session().client(
        "kms", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x").meta.service_model
    on_keys = {name_of(operation) for operation, *_ in ROWS}
    assert not on_keys & set(TABLE["without-key"]["operations"])
    assert on_keys | set(TABLE["without-key"]["operations"]) == set(model.operation_names)


# The cells

@pytest.fixture(scope="module")
def stage(server):
    return Stage(server)


@pytest.fixture(scope="module")
def subjects(stage):
    """Lends the key of a cell. Keys in a disconnected key store are all made before it is disconnected."""
    made = {}

    def lend(operation, state, origin, cell):
        kind = KINDS.get(operation, SYMMETRIC)
        part = None if origin == "custom" or state == "Unavailable" else PARTS.get(operation)
        own = operation if cell.startswith("ok") and operation in CHANGES else None
        place = (kind, origin, state, part, own)
        if place not in made:
            made[place] = Subject(stage, kind, origin, state, part)
        return made[place]

    unavailable = []

    def lend_any(operation, state, origin, cell):
        if state == "Unavailable" and not unavailable:
            unavailable.extend(entry for entry in CELLS if entry[1] == "Unavailable")
            for entry in unavailable:
                lend(*entry)
            stage.disconnect()
        return lend(operation, state, origin, cell)

    return lend_any


@pytest.mark.parametrize(
    ("operation", "state", "origin", "cell"), CELLS, ids=["-".join(cell[:3]).replace(" ", "-") for cell in CELLS])
def test_a_cell(subjects, default_store, operation, state, origin, cell):
    spec = KINDS.get(operation, SYMMETRIC)[0]
    if reason := key_specs.refusal("token" if origin == "custom" else default_store, spec):
        pytest.skip(f"{spec}: {reason}")
    subject = subjects(operation, state, origin, cell)
    before = subject.look()
    assert before[0]["KeyState"] == state
    if cell.startswith("ok"):
        subject.perform(operation)
        assert subject.look()[0]["KeyState"] == (cell.partition(": ")[2] or state)
        return
    code, *text = ANSWERS[cell]
    with refused(code, *(each.format(arn=subject.arn, origin=subject.key["Origin"]) for each in text)):
        subject.perform(operation)
    assert subject.look() == before


def test_a_key_in_a_disconnected_key_store_is_scheduled_and_taken_back(own_kms, own_store):
    """The guide's answer 13: what waits for its deletion says so, wherever its key store is."""
    key_id = own_kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=own_store)["KeyMetadata"]["KeyId"]

    def state():
        return own_kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]

    custom_store.disconnect(own_kms, own_store)
    assert state() == "Unavailable"
    own_kms.schedule_key_deletion(KeyId=key_id)
    assert state() == "PendingDeletion"
    own_kms.cancel_key_deletion(KeyId=key_id)
    assert state() == "Unavailable"
    custom_store.connect(own_kms, own_store)
    assert state() == "Disabled"
    # What is asked for while it is away holds when it is back (answer 12).
    for call, expected in [(own_kms.enable_key, "Enabled"), (own_kms.disable_key, "Disabled")]:
        custom_store.disconnect(own_kms, own_store)
        call(KeyId=key_id)
        assert state() == "Unavailable"
        custom_store.connect(own_kms, own_store)
        assert state() == expected
