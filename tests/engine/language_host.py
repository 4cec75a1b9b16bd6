"""A language host for Pulumi's engine: runs the program by the Python that Pulumi.yaml names.

The real host is a Go program that no registry has. This one keeps its rules that matter here: `virtualenv` is
looked for from the folder of Pulumi.yaml, the program runs in its own folder, by Pulumi's own
`pulumi-language-python-exec`, with nothing on its path but what the virtual environment has.
"""

import json
import os
import subprocess
import sys
from concurrent import futures
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

TOLD = 32
"""Exit status of a program whose error has been told already (pulumi-language-python-exec)."""


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The calls that the engine makes for one project."""

    def __init__(self, engine: str) -> None:
        self.engine = engine

    def Handshake(self, request: Any, _context: Any) -> Any:
        self.engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="0.0.1")

    def GetRequiredPlugins(self, _request: Any, _context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        packages = []
        for path in (
            python_of(request.info, context).parents[1].glob("lib/*/site-packages/*/pulumi-plugin.json")
        ):
            told = json.loads(path.read_text(encoding="utf-8"))
            if told.get("resource"):
                version = f"v{told['version']}"
                packages.append(
                    plugin_pb2.PackageDependency(name=told["name"], kind="resource", version=version)
                )
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def InstallDependencies(self, _request: Any, _context: Any) -> Any:
        return iter(())

    def RuntimeOptionsPrompts(self, _request: Any, _context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def About(self, _request: Any, _context: Any) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetProgramDependencies(self, _request: Any, _context: Any) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def Cancel(self, _request: Any, _context: Any) -> Any:
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        python = python_of(request.info, context)
        words = [
            str(python), "-u", str(Path(sys.argv[0]).with_name("pulumi-language-python-exec")),
            "--project", request.project, "--stack", request.stack, "--organization", request.organization,
            "--root_directory", request.info.root_directory, "--pwd", request.pwd,
            "--monitor", request.monitor_address, "--engine", self.engine,
            "--parallel", str(request.parallel), "--dry_run", "true" if request.dryRun else "false",
            request.info.entry_point,
        ]  # fmt: skip
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        done = subprocess.run(words, cwd=request.pwd, env=environment, stdout=sys.stderr, check=False)
        if done.returncode == 0:
            return language_pb2.RunResponse()
        if done.returncode == TOLD:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with status {done.returncode}")


def python_of(info: Any, context: Any) -> Path:
    """The Python of the virtual environment that Pulumi.yaml names, from the folder of Pulumi.yaml."""
    options: dict[str, str] = json_format.MessageToDict(info.options)
    python = Path(info.root_directory) / options.get("virtualenv", ".venv") / "bin" / "python"
    if not python.is_file():
        context.abort(grpc.StatusCode.UNKNOWN, f"the virtual environment {python.parents[1]} does not exist")
    return python


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(sys.argv[-1]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    # The engine's end, and Ctrl-C in its terminal, come as an interrupt.
    with suppress(KeyboardInterrupt):
        server.wait_for_termination()
