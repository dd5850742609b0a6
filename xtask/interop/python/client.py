"""The official Python SDK as a client of our server: one line for each case, by the names in xtask/src/interop/cases.rs."""

import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from contextlib import asynccontextmanager

import anyio
import httpx2
import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

# What the newest revision has deprecated is still used in the older ones.
warnings.simplefilter("ignore", MCPDeprecationWarning)

PATIENCE = 10
"""What takes longer than this does not come: seconds."""

WATCHED = "test://watched-resource"


def same(actual: object, expected: object, what: str) -> None:
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r}, received {actual!r}")


def seen(name: str) -> None:
    print(f"  ok  {name}", flush=True)


def text(result: types.CallToolResult) -> str:
    if result.is_error:
        raise AssertionError(f"the tool failed: {result!r}")
    return "\n".join(item.text for item in result.content if isinstance(item, types.TextContent))


async def failure(awaitable) -> int:
    """The code of the error that comes instead of a result."""
    try:
        value = await awaitable
    except MCPError as error:
        return error.code
    raise AssertionError(f"no failure, but {value!r}")


async def until(enough: Callable[[], bool]) -> None:
    with anyio.fail_after(PATIENCE):
        while not enough():
            await anyio.sleep(0.02)


class Person:
    """Who answers what the server asks, and hears what it says."""

    def __init__(self) -> None:
        self.logged: list[object] = []
        self.changed: list[object] = []

    async def elicit(self, _context, _params) -> types.ElicitResult:
        return types.ElicitResult(action="accept", content={"username": "ada", "email": "ada@example.com"})

    async def sample(self, _context, _params) -> types.CreateMessageResult:
        content = types.TextContent(type="text", text="said by the model")
        return types.CreateMessageResult(role="assistant", model="none", stop_reason="endTurn", content=content)

    async def roots(self, _context) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root(uri="file:///project", name="the project")])

    async def log(self, params: types.LoggingMessageNotificationParams) -> None:
        self.logged.append(params.data)

    async def hear(self, message) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.changed.append(ToolsListChanged())
        elif isinstance(message, types.ResourceUpdatedNotification):
            self.changed.append(ResourceUpdated(uri=str(message.params.uri)))


class Wire:
    """What can be seen of HTTP: the session, and whether the server's own stream is open."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session: str | None = None
        self.stream = False
        self.http = httpx2.AsyncClient(event_hooks={"response": [self.see]}, timeout=httpx2.Timeout(30, read=60))

    async def see(self, response: httpx2.Response) -> None:
        self.session = response.headers.get("mcp-session-id", self.session)
        self.stream = self.stream or (response.request.method == "GET" and response.status_code == 200)

    async def ended(self, revision: str) -> None:
        """The session is known to the server no more; since 2026-07-28 there was none."""
        same(self.session is None, revision >= "2026", "whether there was no session")
        if self.session is not None:
            headers = {
                "accept": "application/json, text/event-stream",
                "mcp-session-id": self.session,
                "mcp-protocol-version": revision,
            }
            ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
            answer = await self.http.post(self.url, json=ping, headers=headers)
            same(answer.status_code, 404, "the status of a session that has ended")
        await self.http.aclose()


class Child:
    """A server as a child process, started by a shell that writes down how it left."""

    def __init__(self, command: str, arguments: list[str]) -> None:
        file, self.report = tempfile.mkstemp()
        os.close(file)
        keep = ["-c", '"$@"; echo "$?" >"$0"', self.report]
        self.parameters = StdioServerParameters(command="/bin/sh", args=[*keep, command, *arguments])

    async def ended(self, _revision: str) -> None:
        """It left by itself when its standard input ended."""
        with open(self.report) as report:
            same(report.read(), "0\n", "how the server left")
        os.unlink(self.report)


async def walk(client: Client, person: Person, wire: Wire | None, wanted: str) -> None:
    modern = wanted >= "2026"

    same(client.protocol_version, wanted, "the revision")
    seen("revision")

    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    same(tools["add_numbers"].input_schema["required"], ["a", "b"], "the schema of add_numbers")
    same(tools["test_structured_content"].output_schema["required"], ["answer", "sure"], "the schema of an answer")
    seen("tools")

    same(text(await client.call_tool("add_numbers", {"a": 2, "b": 3})), "5", "the sum")
    seen("text")

    structured = await client.call_tool("test_structured_content")
    same(structured.structured_content, {"answer": 42, "sure": True}, "the structured content")
    seen("structured content")

    same((await client.call_tool("test_error_handling")).is_error, True, "isError")
    seen("failing tool")

    same(await failure(client.call_tool("no_such_tool")), -32602, "the code for an unknown tool")
    seen("unknown tool")

    reports: list[tuple[float, float | None]] = []

    async def report(progress: float, total: float | None, _message: str | None) -> None:
        reports.append((progress, total))

    await client.call_tool("test_tool_with_progress", progress_callback=report)
    same(reports, [(0, 100), (50, 100), (100, 100)], "the progress")
    seen("progress")

    if not modern:
        await client.set_logging_level("info")
    meta = {"io.modelcontextprotocol/logLevel": "info"} if modern else None
    await client.call_tool("test_tool_with_logging", meta=meta)
    await until(lambda: len(person.logged) >= 3)
    expected = ["Tool execution started", "Tool processing data", "Tool execution completed"]
    same(person.logged, expected, "the log")
    seen("log")

    # What comes after these belongs to an extension.
    resources = [str(one.uri) for one in (await client.list_resources()).resources][:3]
    same(resources, ["test://static-text", "test://static-binary", WATCHED], "the resources")
    seen("resources")

    [content] = (await client.read_resource("test://static-text")).contents
    same((content.mime_type, content.text), ("text/plain", "The content of the static text resource."), "the text")
    [picture] = (await client.read_resource("test://static-binary")).contents
    same((picture.mime_type, isinstance(picture, types.BlobResourceContents)), ("image/png", True), "the picture")
    seen("reading a resource")

    code = await failure(client.read_resource("test://nothing"))
    same(code, -32602 if modern else -32002, "the code for an unknown resource")
    seen("unknown resource")

    first = await client.list_resource_templates()
    second = await client.list_resource_templates(cursor=first.next_cursor)
    templates = [one.uri_template for page in (first, second) for one in page.resource_templates]
    same(templates, ["test://template/{id}/data", "test://archive/{year}"], "the templates of both pages")
    same(second.next_cursor, None, "the end of the list")
    seen("pages")

    prompts = (await client.list_prompts()).prompts
    same([one.name for one in prompts[1].arguments or []], ["arg1", "arg2"], "the arguments of a prompt")
    seen("prompts")

    prompt = await client.get_prompt("test_prompt_with_arguments", {"arg1": "x", "arg2": "y"})
    same(prompt.messages[0].content.text, "Prompt with arguments: arg1='x', arg2='y'", "the prompt")
    seen("getting a prompt")

    ref = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
    completion = (await client.complete(ref, {"name": "arg1", "value": "par"})).completion
    same(completion.values, ["paris", "park", "party"], "the proposals")
    seen("completion")

    elicited = text(await client.call_tool("test_elicitation", {"message": "Who are you?"}))
    same("ada@example.com" in elicited, True, "whether the form arrived")
    seen("elicitation")

    sampled = text(await client.call_tool("test_sampling", {"prompt": "Say it."}))
    same("said by the model" in sampled, True, "whether the model's words arrived")
    seen("sampling")

    roots = text(await client.call_tool("test_input_required_result_list_roots"))
    same(roots, "Roots: file:///project", "the roots")
    seen("roots")

    async def cancelled() -> int:
        return int(text(await client.call_tool("test_cancellations_seen")))

    before = await cancelled()
    # Nothing tells when the server has begun; before that there is nothing to cancel.
    with anyio.move_on_after(0.2):
        await client.call_tool("test_cancellation")
    with anyio.fail_after(PATIENCE):
        while await cancelled() == before:
            await anyio.sleep(0.02)
    seen("cancellation")

    async with listening(client, person, wire, modern) as changed:
        await client.call_tool("test_trigger_tool_change")
        same(await changed(), ToolsListChanged(), "what has changed")
        seen("changed list")
        await client.call_tool("test_trigger_resource_change")
        same(await changed(), ResourceUpdated(uri=WATCHED), "what has changed")
        seen("changed resource")


@asynccontextmanager
async def listening(client: Client, person: Person, wire: Wire | None, modern: bool):
    """Hears of changes, and gives a function that waits for the next one."""
    if modern:
        async with client.listen(tools_list_changed=True, resource_subscriptions=[WATCHED]) as subscription:

            async def changed() -> object:
                with anyio.fail_after(PATIENCE):
                    return await anext(subscription)

            yield changed
        return
    if wire is not None:
        await until(lambda: wire.stream)
    await client.subscribe_resource(WATCHED)

    async def changed() -> object:
        await until(lambda: person.changed != [])
        return person.changed.pop(0)

    yield changed
    await client.unsubscribe_resource(WATCHED)


async def main() -> None:
    wanted, target, *arguments = sys.argv[1:]
    person = Person()
    http = target.startswith(("http://", "https://"))
    wire = Wire(target) if http else None
    child = None if http else Child(target, arguments)
    server = streamable_http_client(target, http_client=wire.http) if wire else child.parameters
    client = Client(
        server,
        mode="auto" if wanted >= "2026" else "legacy",
        elicitation_callback=person.elicit,
        sampling_callback=person.sample,
        list_roots_callback=person.roots,
        logging_callback=person.log,
        message_handler=person.hear,
    )
    async with client:
        await walk(client, person, wire, wanted)
    await (wire or child).ended(wanted)
    seen("end")


try:
    anyio.run(main)
except BaseException:
    traceback.print_exc()
    print("  FAILED", flush=True)
    sys.exit(1)
