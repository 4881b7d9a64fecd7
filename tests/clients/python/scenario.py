"""A client of the admin API, generated from `proto/` by another language's generator.

    python scenario.py ADDRESS TOKEN RUN_ID

completes a scenario against a running server: who am I, a workspace, a key that is created, listed and revoked,
runs that are listed, explained and streamed, a command, and refusals with their details. It needs the packages
`grpcio-tools` and `grpcio-status`, and nothing of Stackwave but its contract.
"""

import pathlib
import sys
import tempfile

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[3] / "proto"


def generate(folder):
    """Messages and stubs of every file of the contract."""
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    import grpc_tools

    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = [
        "protoc",
        f"--proto_path={PROTO}",
        f"--proto_path={well_known}",
        f"--python_out={folder}",
        f"--grpc_python_out={folder}",
    ]
    if protoc.main(arguments + files) != 0:
        sys.exit("the contract could not be generated")
    sys.path.insert(0, folder)


def refused(call, code):
    """The reason of a call that has to be refused."""
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()} instead of {code}: {error.details()}"
        for detail in rpc_status.from_call(error).details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                assert info.domain == "stackwave", info
                return info.reason
        raise AssertionError(f"{code} without a reason")
    raise AssertionError(f"not refused with {code}")


def main(address, token, run_id):
    from google.protobuf import duration_pb2
    from stackwave.admin.v1 import commands_pb2, commands_pb2_grpc
    from stackwave.admin.v1 import credentials_pb2, credentials_pb2_grpc
    from stackwave.admin.v1 import events_pb2, events_pb2_grpc
    from stackwave.admin.v1 import inventory_pb2, inventory_pb2_grpc
    from stackwave.admin.v1 import runs_pb2, runs_pb2_grpc
    from stackwave.admin.v1 import system_pb2, system_pb2_grpc

    # Until the server has read its log and built its lists.
    retries = """{"methodConfig": [{"name": [{"service": "stackwave.admin.v1.Runs"}], "retryPolicy": {
        "maxAttempts": 5, "initialBackoff": "0.2s", "maxBackoff": "2s", "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]}}]}"""
    channel = grpc.insecure_channel(address, options=[("grpc.service_config", retries)])
    credentials = credentials_pb2_grpc.CredentialsStub(channel)
    inventory = inventory_pb2_grpc.InventoryStub(channel)
    runs = runs_pb2_grpc.RunsStub(channel)
    events = events_pb2_grpc.EventsStub(channel)
    commands = commands_pb2_grpc.CommandsStub(channel)
    system = system_pb2_grpc.SystemStub(channel)
    admin = {"metadata": [("authorization", f"Bearer {token}")], "timeout": 30}

    whoami = credentials_pb2.WhoAmIRequest()
    assert refused(lambda: credentials.WhoAmI(whoami), grpc.StatusCode.UNAUTHENTICATED) == "TOKEN_MISSING"
    me = credentials.WhoAmI(whoami, **admin).token
    assert (me.id, me.role) == ("bootstrap", credentials_pb2.ROLE_ADMIN), me

    inventory.CreateWorkspace(inventory_pb2.CreateWorkspaceRequest(name="payments"), **admin)
    names = [one.name for one in inventory.ListWorkspaces(inventory_pb2.ListWorkspacesRequest(), **admin).workspaces]
    assert names == ["default", "payments"], names

    day = duration_pb2.Duration(seconds=86400)
    request = credentials_pb2.CreateApiKeyRequest(name="from python", workspace="payments", valid_for=day)
    created = credentials.CreateApiKey(request, **admin)
    assert created.secret.startswith("swk_") and created.key.HasField("expires_at"), created
    valid = credentials_pb2.ListApiKeysRequest(workspace="payments", valid_only=True)
    assert [key.id for key in credentials.ListApiKeys(valid, **admin).keys] == [created.key.id]
    revoke = credentials_pb2.RevokeApiKeyRequest(key_id=created.key.id, reason="only a try")
    assert credentials.RevokeApiKey(revoke, **admin).key.revoked_by == "bootstrap"
    assert not credentials.ListApiKeys(valid, **admin).keys

    request = credentials_pb2.CreateTokenRequest(name="pat", role=credentials_pb2.ROLE_VIEWER)
    pat = credentials.CreateToken(request, **admin)
    viewer = {"metadata": [("authorization", f"Bearer {pat.secret}")], "timeout": 30}
    listed = runs.ListRuns(runs_pb2.ListRunsRequest(page_size=10), **viewer)
    assert run_id in [run.id for run in listed.runs], listed
    found = runs.GetRun(runs_pb2.GetRunRequest(run_id=run_id), **viewer)
    assert found.run.id == run_id and found.stacks, found
    explained = runs.Explain(runs_pb2.ExplainRequest(run_id=run_id), **viewer)
    assert explained.causes and explained.causes[0].HasField("record"), explained
    for cause in explained.causes:
        print(f"  {cause.text} ({cause.record.stream}:{cause.record.position})")

    stream = events.StreamEvents(events_pb2.StreamEventsRequest(run_id=run_id, follow=True), **viewer)
    first = next(stream).record
    print(f"  {first.position.stream}:{first.position.position} {first.events[0].name}: {first.events[0].summary}")
    cancel = commands_pb2.CancelRequest(run_id=run_id, reason="only a try", request_id="python-1")
    assert refused(lambda: commands.Cancel(cancel, **viewer), grpc.StatusCode.PERMISSION_DENIED) == "ROLE_TOO_WEAK"
    command = commands.Cancel(cancel, **admin).command
    assert commands.Cancel(cancel, **admin).command.id == command.id
    live = next(record.record for record in stream if record.record.events[0].name == "cancel_requested")
    assert live.position == command.record and live.actor == "bootstrap", live
    got = commands.GetCommand(commands_pb2.GetCommandRequest(command_id=command.id), **viewer).command
    assert (got.kind, got.actor, got.reason) == ("cancel", "bootstrap", "only a try"), got

    # A stream that is open ends when its token is revoked.
    credentials.RevokeToken(credentials_pb2.RevokeTokenRequest(token_id=pat.token.id), **admin)
    assert refused(lambda: list(stream), grpc.StatusCode.UNAUTHENTICATED) == "TOKEN_REVOKED"
    missing = runs_pb2.GetRunRequest(run_id="none")
    assert refused(lambda: runs.GetRun(missing, **admin), grpc.StatusCode.NOT_FOUND) == "RUN_NOT_FOUND"
    assert system.GetStatus(system_pb2.GetStatusRequest(), **admin).ready
    print("the scenario is complete")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        generate(folder)
        main(*sys.argv[1:])
