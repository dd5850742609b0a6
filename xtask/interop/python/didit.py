"""The official Python SDK as a client of Didit's tools: the steps of xtask/node/didit-steps.json, one line for each.

Called with the steps, then two addresses that sign in a person and a reader over HTTP; or the server's program and the
reader's credential, with the person's in the environment, for stdio.
"""

import json
import os
import re
import sys
import traceback
from contextlib import asynccontextmanager
from functools import reduce
from urllib.parse import parse_qs, urljoin, urlsplit

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

REDIRECT = "http://127.0.0.1:53682/callback"
"""Nobody listens here: the redirect is read instead of followed."""

MAX_HOPS = 12
"""More redirects than this is a loop."""

LOCAL = ["didit_account_register", "didit_org_reveal_application_api_key", "didit_org_top_up"]
"""Tools that are for one's own machine."""


def check(condition: bool, says: str, message: object = "") -> None:
    if not condition:
        raise AssertionError(f"not so: {says}\n  {message}")
    print(f"  ok  {says}", flush=True)


class Memory:
    """What the SDK asks its user to keep, and a person who consents."""

    def __init__(self) -> None:
        self.tokens = None
        self.client = None
        self.answer = ""

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client) -> None:
        self.client = client

    async def visit(self, address: str) -> None:
        """Follows the authorization request to the redirect, as a browser does."""
        async with httpx2.AsyncClient(follow_redirects=False) as browser:
            for _ in range(MAX_HOPS):
                if address.startswith(REDIRECT):
                    self.answer = address
                    return
                response = await browser.get(address)
                address = urljoin(address, response.headers["location"])
        raise AssertionError(f"more than {MAX_HOPS} redirects")

    async def read(self) -> AuthorizationCodeResult:
        fields = {name: values[0] for name, values in parse_qs(urlsplit(self.answer).query).items()}
        return AuthorizationCodeResult(code=fields["code"], state=fields.get("state"), iss=fields.get("iss"))


@asynccontextmanager
async def over_http(url: str):
    memory = Memory()
    metadata = OAuthClientMetadata(
        client_name="A story", redirect_uris=[REDIRECT], token_endpoint_auth_method="none"
    )
    auth = OAuthClientProvider(url, metadata, memory, memory.visit, memory.read)
    async with httpx2.AsyncClient(auth=auth, timeout=httpx2.Timeout(30, read=60)) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            yield client


@asynccontextmanager
async def over_stdio(program: str, credential: str):
    names = ["DIDIT_AUTH_BASE_URL", "DIDIT_API_BASE_URL", "MCP_DANGEROUS_ALLOW_LOOPBACK", "RUST_LOG"]
    env = {name: os.environ[name] for name in names} | {"DIDIT_ACCESS_TOKEN": credential}
    async with Client(StdioServerParameters(command=program, args=["stdio"], env=env)) as client:
        yield client


def at(value, pointer: str):
    """What is at a JSON pointer, if anything."""

    def inside(value, name: str):
        if isinstance(value, list):
            return value[int(name)] if int(name) < len(value) else None
        return value.get(name) if isinstance(value, dict) else None

    return reduce(inside, pointer.split("/")[1:], value)


def filled(value, known: dict):
    """The value with what is known in the place of the names in angle brackets."""
    if isinstance(value, str):
        return re.sub(r"<(\w+)>", lambda name: known[name[1]], value)
    if isinstance(value, list):
        return [filled(item, known) for item in value]
    if isinstance(value, dict):
        return {name: filled(member, known) for name, member in value.items()}
    return value


async def walk(name: str, is_http: bool, steps: list, person: Client, reader: Client) -> None:
    listed = [tool.name for tool in (await person.list_tools()).tools]
    missing = [step["tool"] for step in steps if step["tool"] not in listed]
    check(missing == [], f"{name}: the tools of the story are listed", missing)
    local = [tool for tool in LOCAL if tool in listed]
    says = f"{name}: what opens accounts, shows keys and spends money is listed over stdio only"
    check(local == ([] if is_http else LOCAL), says, local)
    known = {"name": name}
    for step in steps:
        says = f"{name}: {step['says']}"
        client = reader if step.get("as") == "reader" else person
        result = await client.call_tool(step["tool"], filled(step["arguments"], known))
        text = "\n".join(item.text for item in result.content)
        if "refused" in step:
            check(result.is_error is True, says, text)
            for part in step["refused"]:
                check(part in text, f"{says}: {part.strip()}", text)
            continue
        check(not result.is_error, says, text)
        answer = result.structured_content
        for pointer, value in step.get("expect", {}).items():
            check(at(answer, pointer) == filled(value, known), f"{says}: {pointer}", text)
        for pointer in step.get("absent", []):
            check(at(answer, pointer) is None, f"{says}: no {pointer}", text)
        for pointer, row in step.get("finds", {}).items():
            wanted = filled(row, known).items()
            found = any(all(one.get(member) == value for member, value in wanted) for one in at(answer, pointer))
            check(found, f"{says}: in {pointer}", text)
        for kept, pointer in step.get("keep", {}).items():
            known[kept] = at(answer, pointer)
            if known[kept] is None:
                raise AssertionError(f"{says}: nothing at {pointer} of {text}")


async def main() -> None:
    path, first, second = sys.argv[1:]
    with open(path) as file:
        steps = json.load(file)
    if first.startswith("http"):
        name, servers = "Python over HTTP", (over_http(first), over_http(second))
    else:
        own = os.environ["DIDIT_ACCESS_TOKEN"]
        name, servers = "Python over stdio", (over_stdio(first, own), over_stdio(first, second))
    async with servers[0] as person, servers[1] as reader:
        check(person.protocol_version == "2026-07-28", f"{name}: the newest revision is spoken")
        await walk(name, first.startswith("http"), steps, person, reader)


try:
    anyio.run(main)
except BaseException:
    traceback.print_exc(file=sys.stdout)
    print("  FAILED", flush=True)
    sys.exit(1)
