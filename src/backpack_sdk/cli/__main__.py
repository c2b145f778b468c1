"""`python -m backpack_sdk.cli`, for where the script is not on the path."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())
