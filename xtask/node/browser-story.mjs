// Sign-in and consent in a real browser: what the pages say, what they refuse, and that nobody can frame or forge them.

import { createHash, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { personWithRole, startDev } from "./dev-server.mjs";
import { atEnd, check, contains, equal, eventually, tell } from "./story.mjs";

/** Where Debian has it; CHROMIUM names another. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Where the screenshots for a person to look at go. */
const PICTURES = process.env.SCREENSHOTS ?? "screenshots";

const CLIENT_NAME = "Browser story <b>client</b>";

/** Chromium as root in a container, silent towards the network. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A loopback server that remembers the addresses it was asked for. */
async function listener(page) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(request.url));
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  atEnd(() => server.closeAllConnections());
  return { origin: `http://127.0.0.1:${server.address().port}`, asked };
}

/** One authorization request, with what is needed to redeem its answer. */
function authorizationRequest(metadata, client, resource) {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64url");
  const address = new URL(metadata.authorization_endpoint);
  const parameters = {
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: client.redirect_uris[0],
    scope: "didit:management didit:verification",
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    resource,
  };
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  return { address: address.href, verifier, state };
}

/** A page in a context of its own that notes every complaint of the browser. */
async function watchedPage(browser, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { context, page, complaints };
}

const PERSON = "button[name=person]";
const ALLOW = "button[name=decision][value=allow]";
const DENY = "button[name=decision][value=deny]";

/** From the sign-in page, if it is shown, to the consent page. */
async function signIn(page, person) {
  if ((await page.locator(PERSON).count()) === 0) return;
  await page.locator(`${PERSON}[value=${JSON.stringify(person.id)}]`).click();
  await page.locator(ALLOW).waitFor();
}

/** What the redirect to the client says. */
async function answered(client, page) {
  await page.waitForURL((url) => url.origin === client.origin);
  return new URL(page.url()).searchParams;
}

/** Presses Tab until the focus is on what `selector` names. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return true;
  }
  return false;
}

/** The headers that every page for people must have. */
function checkHeaders(response, what) {
  const headers = response.headers();
  const policy = headers["content-security-policy"] ?? "";
  check(/default-src 'none'/.test(policy), `${what}: nothing is loaded but what is named`, policy);
  check(/frame-ancestors 'none'/.test(policy), `${what}: the policy forbids framing`, policy);
  check(!/unsafe-inline|unsafe-eval|\*/.test(policy), `${what}: the policy has no hole`, policy);
  equal((headers["x-frame-options"] ?? "").toUpperCase(), "DENY", `${what}: older browsers are told too`);
  contains(headers["cache-control"] ?? "", "no-store", `${what}: it is not kept`);
  equal(headers["x-content-type-options"], "nosniff", `${what}: its type is not guessed`);
  // With `no-referrer` a form's post says `Origin: null`, so a server that compares origins uses the other.
  check(/^(no-referrer|same-origin)$/.test(headers["referrer-policy"] ?? ""), `${what}: its address is not passed on`);
}

await tell("sign-in and consent in Chromium", async () => {
  const server = await startDev();
  const person = personWithRole(server.people, "DEVELOPER", "OWNER");
  const metadata = await (await fetch(`${server.issuer}/.well-known/oauth-authorization-server`)).json();
  const client = await listener(() => "<!doctype html><title>client</title><p>back at the client");
  const redirect = `${client.origin}/callback`;
  const registration = await fetch(metadata.registration_endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_name: CLIENT_NAME, redirect_uris: [redirect], token_endpoint_auth_method: "none" }),
  });
  equal(registration.status, 201, "the client is registered");
  const registered = await registration.json();
  const request = () => authorizationRequest(metadata, registered, server.mcp_url);

  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  atEnd(() => browser.close());

  console.log("  signing in and allowing");
  {
    const { page, context, complaints } = await watchedPage(browser);
    const flow = request();
    const signInPage = await page.goto(flow.address);
    equal(signInPage.status(), 200, "the sign-in page is shown");
    checkHeaders(signInPage, "sign-in");
    equal(await page.locator(PERSON).count(), server.people.length, "everybody of the sandbox can be picked");
    const words = await page.locator("body").innerText();
    for (const one of server.people) check(words.includes(one.name), `${one.name} is named`, words);

    const [consentPage] = await Promise.all([
      page.waitForResponse((response) => response.request().isNavigationRequest() && response.status() === 200),
      page.locator(`${PERSON}[value=${JSON.stringify(person.id)}]`).click(),
    ]);
    await page.locator(ALLOW).waitFor();
    checkHeaders(consentPage, "consent");
    const consent = await page.locator("body").innerText();
    check(consent.includes(CLIENT_NAME), "the client's name is shown as text, not as markup", consent);
    check(consent.includes(new URL(client.origin).host), "the client's host is shown", consent);
    check(consent.includes(redirect), "the redirect address is shown", consent);
    check(consent.includes(person.name), "it says who is signed in", consent);
    for (const [scope, words] of [
      ["didit:management", /manage|organi[sz]ation|application|workflow/i],
      ["didit:verification", /verif|session|identit/i],
    ]) {
      check(words.test(consent.replaceAll(/didit:\w+/g, "")), `${scope} is said in words`, consent);
    }

    console.log("  a forged consent");
    const form = await page.locator(`form:has(${ALLOW})`).evaluate((element) => ({
      action: element.action,
      method: element.method,
      fields: [...new FormData(element)],
    }));
    equal(form.method, "post", "the consent is a post");
    equal(new URL(form.action).origin, server.issuer, "to the authorization server");
    const cookies = (await context.cookies(server.issuer)).map(({ name, value }) => `${name}=${value}`).join("; ");
    check(cookies !== "", "the browser holds a cookie");
    const post = async (fields, headers) => {
      const body = new URLSearchParams([...fields, ["decision", "allow"]]);
      const response = await fetch(form.action, { method: "POST", redirect: "manual", headers, body });
      await response.text();
      return { status: response.status, location: response.headers.get("location") };
    };
    const refused = { status: 403, location: null };
    const elsewhere = "http://127.0.0.1:9";
    const own = { origin: server.issuer };
    equal(await post(form.fields, own), refused, "without the person's cookie: refused");
    equal(await post(form.fields, { cookie: cookies, origin: elsewhere }), refused, "from another origin: refused");
    const guessed = form.fields.map(([name, value]) => [name, name === "csrf" ? "A".repeat(value.length) : value]);
    equal(await post(guessed, { cookie: cookies, ...own }), refused, "with a guessed token: refused");

    // The same from a page that somebody else shows in the person's browser, cookies and all.
    const evil = await listener((path) =>
      path.startsWith("/forge")
        ? `<!doctype html><title>other</title><form method=post action="${form.action}">${form.fields
            .map(([name, value]) => `<input type=hidden name="${name}" value="${value}">`)
            .join("")}<button name=decision value=allow>go</button></form>`
        : "<!doctype html><title>other</title>",
    );
    const otherPage = await context.newPage();
    await otherPage.goto(`${evil.origin}/forge`);
    const [forged] = await Promise.all([
      otherPage.waitForResponse((response) => response.url().startsWith(form.action)),
      otherPage.locator("button").click(),
    ]);
    equal(forged.status(), 403, "from another page in the same browser: refused");
    equal(forged.headers().location, undefined, "without a redirect");
    // Closing a page that is still on its way somewhere can hang.
    await otherPage.waitForLoadState();
    await otherPage.close();
    equal(client.asked.filter((path) => path.startsWith("/callback")), [], "the client has heard nothing so far");

    await page.locator(ALLOW).click();
    const answer = await answered(client, page);
    check((answer.get("code") ?? "").length >= 22, "allowing brings a code to the client", String(answer));
    equal(answer.get("state"), flow.state, "with the state");
    equal(answer.get("iss"), server.issuer, "and the issuer");
    equal(complaints, [], "the browser had nothing to complain about");

    const token = await fetch(metadata.token_endpoint, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code: answer.get("code"),
        redirect_uri: redirect,
        client_id: registered.client_id,
        code_verifier: flow.verifier,
        resource: server.mcp_url,
      }),
    });
    equal(token.status, 200, "the code is redeemed");
    const granted = await token.json();
    const use = await fetch(server.mcp_url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${granted.access_token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: {
          protocolVersion: "2025-11-25",
          capabilities: {},
          clientInfo: { name: "browser-story", version: "1.0.0" },
        },
      }),
    });
    await use.text();
    equal(use.status, 200, "and its token opens the MCP endpoint");
    await context.close();
  }

  console.log("  denying");
  {
    const { page, context, complaints } = await watchedPage(browser);
    const flow = request();
    await page.goto(flow.address);
    await signIn(page, person);
    await page.locator(DENY).click();
    const answer = await answered(client, page);
    equal(answer.get("error"), "access_denied", "denying tells the client so");
    equal(answer.get("state"), flow.state, "with the state");
    equal(answer.get("iss"), server.issuer, "and the issuer");
    equal(answer.get("code"), null, "and no code");
    equal(complaints, [], "the browser had nothing to complain about");
    await context.close();
  }

  console.log("  framing");
  {
    const flow = request();
    const framer = await listener(() => `<!doctype html><title>frame</title><iframe src="${flow.address.replaceAll("&", "&amp;")}"></iframe>`);
    const { page, context } = await watchedPage(browser);
    await page.goto(framer.origin);
    const frame = await eventually("the frame has loaded or failed", async () => {
      const inner = page.frames().find((one) => one !== page.mainFrame());
      return inner !== undefined && inner.url() !== "" && inner.url() !== "about:blank" ? inner : undefined;
    });
    await frame.waitForLoadState().catch(() => undefined);
    contains(frame.url(), "chrome-error:", "another origin's frame shows an error instead of the page");
    equal(await frame.locator(PERSON).count(), 0, "and nothing to click on");
    await context.close();
  }

  console.log("  by keyboard alone");
  {
    const { page, context } = await watchedPage(browser);
    const flow = request();
    await page.goto(flow.address);
    check(await tabTo(page, PERSON), "a person can be reached with Tab");
    await page.keyboard.press("Enter");
    await page.locator(ALLOW).waitFor();
    check(await tabTo(page, ALLOW), "allowing can be reached with Tab");
    check(
      await page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        return style.outlineStyle !== "none" || style.boxShadow !== "none";
      }),
      "the focus can be seen",
    );
    await page.keyboard.press("Enter");
    equal((await answered(client, page)).get("state"), flow.state, "and Enter allows");
    await context.close();
  }

  console.log("  how it looks");
  await mkdir(PICTURES, { recursive: true });
  for (const [name, options] of [
    ["light", { colorScheme: "light", viewport: { width: 1024, height: 768 } }],
    ["dark", { colorScheme: "dark", viewport: { width: 1024, height: 768 } }],
    ["narrow", { colorScheme: "light", viewport: { width: 320, height: 640 } }],
  ]) {
    const { page, context, complaints } = await watchedPage(browser, options);
    await page.goto(request().address);
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
    check(await fits(), `sign-in fits its width, ${name}`);
    await page.screenshot({ path: join(PICTURES, `sign-in-${name}.png`), fullPage: true });
    await signIn(page, person);
    check(await fits(), `consent fits its width, ${name}`);
    await page.screenshot({ path: join(PICTURES, `consent-${name}.png`), fullPage: true });
    equal(complaints, [], `the browser had nothing to complain about, ${name}`);
    await context.close();
  }
});
