"""What the Pulumi command line starts: the program in `infra/`.

It stands at the root because Pulumi looks for the virtual environment that Pulumi.yaml names in two places,
the project's folder and the program's, and so the two must be one.
"""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).resolve().parent / "infra"), run_name="__main__")
