// Follows an authorization request the way a browser does, for servers that answer sign-in and consent by themselves.

/** More redirects than this is a loop. */
const MAX_HOPS = 12;

/**
 * Opens `address`, keeping cookies and following redirects.
 *
 * Stops in front of an address that starts with `until` and returns it unopened;
 * without `until`, returns the last address and its status.
 */
export async function visit(address, { until } = {}) {
  const cookies = new Map();
  let at = String(address);
  for (let hop = 0; hop < MAX_HOPS; hop += 1) {
    if (until !== undefined && at.startsWith(until)) return { address: new URL(at) };
    const response = await fetch(at, {
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "), accept: "text/html" },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const cut = pair.indexOf("=");
      cookies.set(pair.slice(0, cut), pair.slice(cut + 1));
    }
    const text = await response.text();
    const next = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || next === null) {
      if (until === undefined) return { address: new URL(at), status: response.status, text };
      throw new Error(`${at} answered ${response.status} instead of redirecting to ${until}:\n${text.slice(0, 2000)}`);
    }
    at = new URL(next, at).href;
  }
  throw new Error(`more than ${MAX_HOPS} redirects from ${address}`);
}
