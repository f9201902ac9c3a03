"""docs/api-coverage.md: what the server says it does."""

import re

from support.server import CHECKOUT

ROWS = dict(re.findall(
    r"^\| (\w+) \| (done|partial|refused) \|", (CHECKOUT / "docs" / "api-coverage.md").read_text(), re.MULTILINE))
REFUSED = sorted(operation for operation, status in ROWS.items() if status == "refused")
