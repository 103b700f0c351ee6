"""``python -m plugin.openapi`` prints the OpenAPI document."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from plugin.app import create_app
from plugin.documentation import render
from settings.workspace import Settings, WorkspaceSettings


def document() -> bytes:
    """The document, which is the same for every configuration."""
    with tempfile.TemporaryDirectory() as folder:
        state_dir = Path(folder)
        shop = WorkspaceSettings(workspace="shop", file=state_dir / "shop.yaml", sources=())
        settings = Settings(
            file=state_dir / "rightsend.yaml", state_dir=state_dir, workspaces={"shop": shop}
        )
        return render(create_app(settings, redis_url="unix:///nowhere.sock"))


if __name__ == "__main__":
    sys.stdout.buffer.write(document())
