"""A provider of Cloudflare resources for Pulumi's engine, over the real API's paths and bodies.

The real provider is a Go program that no registry has. The token and the address come from the environment,
as for the real one.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent import futures
from contextlib import suppress
from functools import wraps
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.engine.resources import KINDS, Gone, Kind, Props, changed

NOT_FOUND = 404


class ApiError(Exception):
    """What the API said, as a person reads it."""


def caller(account_id: str) -> Callable[..., Any]:
    """Calls of one account."""

    def call(method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the test's
            f"{os.environ['CLOUDFLARE_BASE_URL']}/accounts/{account_id}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {os.environ['CLOUDFLARE_API_TOKEN']}"},
        )
        try:
            with urllib.request.urlopen(request) as response:  # noqa: S310
                return json.load(response)["result"]
        except urllib.error.HTTPError as error:
            told = json.load(error)["errors"]
            if error.code == NOT_FOUND:
                raise Gone(str(told)) from error
            raise ApiError(f"{method} {path}: {error.code} {told}") from error

    return call


def answered(method: Callable[..., Any]) -> Callable[..., Any]:
    """An error's text goes to the engine."""

    @wraps(method)
    def run(self: Any, request: Any, context: Any) -> Any:
        try:
            return method(self, request, context)
        except (ApiError, Gone) as error:
            return context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return run


def plain(struct: Any) -> Props:
    """A wire struct as plain values; whole numbers are int."""

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: whole(one) for key, one in value.items()}
        if isinstance(value, list):
            return [whole(one) for one in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    values: Props = whole(json_format.MessageToDict(struct))
    return values


def wire(values: Props) -> Any:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


def kind_of(urn: str) -> Kind:
    return KINDS[urn.split("::")[2].rpartition(":")[2]]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The calls that the engine makes."""

    def CheckConfig(self, request: Any, _context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=False)

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="6.23.1")

    def Cancel(self, _request: Any, _context: Any) -> Any:
        return empty_pb2.Empty()

    def Check(self, request: Any, _context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, _context: Any) -> Any:
        kind, news = kind_of(request.urn), plain(request.news)
        differing = [
            key
            for key in changed(kind, plain(request.olds), news)
            if key not in set(request.ignoreChanges) and not key.startswith("__")
        ]
        replaces = differing if "*" in kind.replaces else [key for key in differing if key in kind.replaces]
        some = provider_pb2.DiffResponse.DIFF_SOME if differing else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some, replaces=replaces, diffs=differing)

    @answered
    def Create(self, request: Any, _context: Any) -> Any:
        props = plain(request.properties)
        resource_id, state = kind_of(request.urn).make(caller(props["accountId"]), props)
        return provider_pb2.CreateResponse(id=resource_id, properties=wire(state))

    @answered
    def Read(self, request: Any, _context: Any) -> Any:
        state, inputs = plain(request.properties), plain(request.inputs)
        try:
            told = kind_of(request.urn).read(caller(state["accountId"]), request.id, state)
        except Gone:
            return provider_pb2.ReadResponse()
        fresh = {key: told.get(key) for key in inputs}
        return provider_pb2.ReadResponse(id=request.id, properties=wire(told), inputs=wire(fresh))

    @answered
    def Update(self, request: Any, _context: Any) -> Any:
        kind, props = kind_of(request.urn), plain(request.news)
        if kind.change is None:
            raise ApiError(f"{request.urn} cannot be changed in place")
        state = kind.change(caller(props["accountId"]), request.id, {**plain(request.olds), **props})
        return provider_pb2.UpdateResponse(properties=wire(state))

    @answered
    def Delete(self, request: Any, _context: Any) -> Any:
        state = plain(request.properties)
        with suppress(Gone):
            kind_of(request.urn).remove(caller(state["accountId"]), request.id, state)
        return empty_pb2.Empty()


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    # The engine's end, and Ctrl-C in its terminal, come as an interrupt.
    with suppress(KeyboardInterrupt):
        server.wait_for_termination()
