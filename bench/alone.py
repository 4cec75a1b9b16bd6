"""A bench Worker alone on a host of its own, bundled as every Worker is."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.hosting import Host
from local.plan import plan_host
from stack.bundle import bundle, vendored_sdk, vendored_wheels
from tests.made_graph import graph_of, worker

ROOT: Final = Path(__file__).resolve().parents[1]
FUNCTION: Final = "bench_alone"


@contextmanager
def alone(source: str, folder: Path) -> Iterator[str]:
    """The address of a running host of `bench/workers/<source>`; its files lie in `folder`."""
    functions = folder / "functions"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "functions" / "edgeseries", functions / "edgeseries", ignore=ignored)
    (functions / FUNCTION).mkdir()
    shutil.copy(ROOT / "bench" / "workers" / source, functions / FUNCTION / "entry.py")
    built = bundle(FUNCTION, functions, vendored_sdk(), vendored_wheels())
    modules = {module.name: (module.content_type, module.content) for module in built.modules}
    plan = plan_host(graph_of(worker("front", modules, public=True)))
    with Host(plan, state=folder / "state") as host:
        yield host.url
