"""Looks into the SoftHSM token of a server from outside, with pkcs11-tool and softhsm2-util."""

import os
import pathlib
import re
import subprocess

import yaml

MODULE = next(
    (path for path in [
        "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    ] if os.path.exists(path)),
    "/usr/lib/softhsm/libsofthsm2.so")
CLUSTER = "cluster-strongroomdev"
TOKEN = "strongroom"
SO_PIN = "12345678"


def configuration(data):
    """The softhsm2.conf that `strongroom dev` wrote below its data directory."""
    found = sorted(pathlib.Path(data).rglob("softhsm2.conf"))
    assert len(found) == 1, found
    return found[0]


def token_directory(data):
    """Where SoftHSM keeps its tokens, as the configuration file says."""
    line = re.search(r"^directories\.tokendir\s*=\s*(.+)$", configuration(data).read_text(), re.MULTILINE)
    return pathlib.Path(line.group(1).strip())


def run(data, *command):
    environment = dict(os.environ, SOFTHSM2_CONF=str(configuration(data)))
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, f"{command[0]}: {result.stdout}{result.stderr}"
    return result.stdout


def tool(data, pin, *arguments, label=TOKEN):
    return run(
        data, "pkcs11-tool", "--module", MODULE, "--token-label", label, "--login", "--pin", pin, *arguments)


def objects(data, pin, label=TOKEN, kinds="--type secrkey"):
    """Every secret key on the token: dictionaries with pkcs11-tool's field names (label, ID, Usage, Access)."""
    found, entry = [], {}
    for line in tool(data, pin, "--list-objects", *kinds.split(), label=label).splitlines():
        if not line.startswith(" "):
            # An object that the server destroys in the middle of the listing is shown as data without a label.
            entry = {"kind": line}
            if re.match(r"\w+ Key Object", line):
                found.append(entry)
        elif field := re.match(r"\s+(\w+):\s+(.*?)\s*$", line):
            entry[field.group(1)] = field.group(2)
    return found


def objects_of(data, pin, arn):
    return [entry for entry in objects(data, pin) if entry.get("label") == arn]


def all_objects(data, pin, label=TOKEN):
    """Keys of every kind."""
    return objects(data, pin, label=label, kinds="")


def wrapping_keys(data, pin, arn=""):
    """The objects of wrapping keys for imports into a KMS key, or into all of them."""
    return [entry for entry in all_objects(data, pin) if re.match(f"import .*{arn}", entry.get("label", ""))]


def make_token(data, label, pin):
    run(data, "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", pin)


def make_token_without_user(data, label):
    """A token whose security officer never set a user PIN (CKR_USER_PIN_NOT_INITIALIZED)."""
    listing = run(data, "pkcs11-tool", "--module", MODULE, "--list-slots")
    slots = re.findall(r"^Slot (\d+) .*\n(?:  .*\n)*?  token state:\s+uninitialized", listing, re.MULTILINE)
    assert slots, listing
    run(
        data, "pkcs11-tool", "--module", MODULE, "--slot-index", slots[0], "--init-token", "--label", label,
        "--so-pin", SO_PIN)


def make_foreign_key(data, pin, label, identifier):
    tool(data, pin, "--keygen", "--key-type", "AES:32", "--label", label, "--id", identifier, "--sensitive")


def delete_key(data, pin, identifier):
    tool(data, pin, "--delete-object", "--type", "secrkey", "--id", identifier)


def write_device(folder, name, cluster, *, module=MODULE, label=TOKEN, **more):
    """One file of a directory for `--hsm-config`."""
    folder.mkdir(exist_ok=True)
    settings = {"clusterId": cluster, "module": str(module), "token": {"label": label}, **more}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path
