"""What an operator makes with `strongroom init`, and `strongroom serve` on it."""

import subprocess

import yaml

from support.server import BINARY


def installation(server, *arguments, **settings):
    """Points the server, which has not been started, at a new installation on a free port; `settings` are more of
    strongroom.yaml. Returns the directory."""
    folder = server.directory / "installation"
    result = subprocess.run(
        [BINARY, "init", folder, *arguments], capture_output=True, text=True, timeout=60, cwd=server.directory)
    assert result.returncode == 0, result.stderr
    configuration = yaml.safe_load((folder / "strongroom.yaml").read_text()) | settings
    configuration["listen"]["port"] = 0
    configuration["readyFile"] = str(server.directory / "ready.json")
    (folder / "strongroom.yaml").write_text(yaml.safe_dump(configuration))
    server.arguments = ["serve", "--config", str(folder / "strongroom.yaml")]
    [account] = yaml.safe_load((folder / "principals.yaml").read_text())["accounts"].values()
    [access_key] = account["users"][0]["accessKeys"]
    server.access_key, server.secret = access_key["id"], access_key["secret"]
    return folder
