"""The build hook that puts the dashboard into the wheel. Editable installs build it by ``make run``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DashboardHook(BuildHookInterface[Any]):
    """Builds ``src/amarktai/api/ui`` before the files of a wheel are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the dashboard. ``version`` is "editable" for an editable install, which needs none."""
        if version == "editable":
            return
        # The isolated build environment has the hook's folder, not the project's root, on its path.
        sys.path.insert(0, self.root)
        from tools.build_ui import build_ui

        build_ui(Path(self.root))
