"""One HTML file with everything in it: styles, scripts and data, nothing from a network.

The page forbids itself the network and every script but its own (a content security policy with their hashes), so that
a hostile name could not do harm even if it got past the escaping.
"""

import base64
import hashlib
import json
from importlib import resources
from typing import Any

__all__ = ["asset", "render"]

PACKAGE = "libra_ray.analysis"


def asset(folder: str, name: str) -> str:
    """Read the text of a file that is shipped in `templates` or `vendor`."""
    return resources.files(PACKAGE).joinpath(folder, name).read_text(encoding="utf-8")


def render(template: str, *, scripts: list[str], styles: list[str], data: Any, **context: Any) -> str:  # noqa: ANN401 - templates take anything
    """Render `template` with inline styles, scripts and `data` (as JSON that a script reads); text is escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(lambda name: asset("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    return environment.get_template(template).render(
        scripts=scripts,
        styles=styles,
        script_hashes=hashes,
        data_json=_inline_json(data),
        **context,
    )


def _inline_json(data: Any) -> str:  # noqa: ANN401 - JSON is any value
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    # Inside a script element only these could end it or start a comment.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
