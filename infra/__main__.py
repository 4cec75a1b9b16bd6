"""Entry of the Pulumi program: config to settings to resources to outputs.

Owns nothing but the order of these steps and how faults reach the terminal. Run by
`pulumi up` through `__main__.py` of the root, and under Pulumi's mocks by `local/capture.py`.
"""

import sys
from pathlib import Path

import pulumi

# Settings that Workers read are declared once, in their package (docs/adr/0013-settings.md), of which Pulumi,
# which starts this folder, knows nothing.
sys.path.append(str(Path(__file__).resolve().parents[1] / "functions"))

from stack.bundle import BundleError
from stack.names import NameFault
from stack.program import build, read_settings
from stack.schema import SchemaFault
from stack.settings import SettingsError
from stack.wiring import MissingBinding


def main() -> None:
    """Make the stack and export its outputs."""
    try:
        outputs = build(read_settings())
    except (SettingsError, BundleError, MissingBinding, NameFault, SchemaFault) as fault:
        # Pulumi prints the text of a RunError alone, and a traceback for anything else.
        raise pulumi.RunError(str(fault)) from fault
    for name, value in outputs.items():
        pulumi.export(name, value)


main()
