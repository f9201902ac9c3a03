"""hsm-config/: each file is a device file as it stands, and says what is known of a device, and nothing else."""

import re
import shutil

import pytest

from support.installation import installation, vendor_file
from support.server import CHECKOUT

FOLDER = CHECKOUT / "hsm-config"
# Run by these tests, and by others.
OURS = {"nss", "p11-kit-remote", "softhsm"}
VENDORS = {"aws-cloudhsm", "kryoptic", "luna", "nshield", "utimaco", "yubihsm2"}
# What every file tells, in words, and the setting in which a known value stands.
TOPICS = {
    "PIN format": "userName", "GCM IV policy": "gcmIV", "Read-only sessions": None, "Busy codes": None,
    "Session copies": "sessionCopies", "Reserved init string": "initString"}


def topics(name):
    """What a file says of each topic: the lines of its comment, joined."""
    text = re.sub(r"\n *# (?!(?:%s):)(?=\S)" % "|".join(TOPICS), " ", (FOLDER / f"{name}.yaml").read_text())
    return {topic: re.findall(rf"^ *# {topic}: (.*)$", text, re.MULTILINE) for topic in TOPICS}


def test_which_files_there_are():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == OURS | VENDORS


@pytest.mark.parametrize("name", sorted(OURS | VENDORS))
def test_a_file_as_it_stands_is_one_that_the_server_reads(new_server, name):
    server = new_server(start=False)
    (server.directory / "devices").mkdir()
    shutil.copy(FOLDER / f"{name}.yaml", server.directory / "devices")
    installation(server, hsmConfigDirectory=str(server.directory / "devices"), defaultKeyStore="software")
    server.start()


@pytest.mark.parametrize("name", sorted(OURS | VENDORS))
def test_every_topic_is_told(name):
    device, told = vendor_file(name), topics(name)
    settings = {**device, **device.get("profile", {})}
    for topic, setting in TOPICS.items():
        [text] = told[topic]
        is_known = not text.startswith("unknown")
        assert is_known or name in VENDORS and setting not in settings, topic
        # What the authors have not seen themselves, they say who says it.
        assert name in OURS or not is_known or re.search(r"\([^()]+\)", text), f"{topic}: no source"


@pytest.mark.parametrize("name", sorted(VENDORS))
def test_nothing_is_guessed(name):
    """A device that the authors have not seen has no setting that is not one of the topics."""
    device = vendor_file(name)
    assert set(device) <= {"clusterId", "module", "token", "userName", "initString", "profile"}
    assert set(device.get("profile", {})) <= {"gcmIV", "sessionCopies"}
