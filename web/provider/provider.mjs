// A certified identity provider on loopback, as the test that started it wants it. It says on standard
// output which port it has, and hears on standard input, a line of JSON each, how it is to be.
import { generateKeyPairSync, randomUUID, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createInterface } from "node:readline";

// What the Node.js of Debian 12 does not have yet.
globalThis.crypto ??= webcrypto;
URL.parse ??= (text, base) => {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
};
const { Provider } = await import("oidc-provider");

// Groups of its people; everybody else is in none. Each logs in with any password.
const groups = { alice: ["staff", "boot-admins"], bob: ["muc-operators"], carol: ["staff"] };

let handle = (_, response) => response.writeHead(503).end();
const server = createServer(
  { cert: readFileSync(process.env.PROVIDER_CERT), key: readFileSync(process.env.PROVIDER_KEY) },
  (request, response) => handle(request, response),
);
server.listen(0, "127.0.0.1", () => say({ port: server.address().port }));

// Standard output is for what the test hears.
console.info = console.log = console.warn = console.error;

function say(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function key(kind, options, alg) {
  const jwk = generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" });
  return { ...jwk, alg, use: "sig", kid: randomUUID() };
}

// New keys each time.
function be({ redirect_uri, post_logout_redirect_uri, client_secret, alg }) {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "bootproof",
      ...(client_secret ? { client_secret } : {}),
      token_endpoint_auth_method: client_secret ? "client_secret_basic" : "none",
      redirect_uris: [redirect_uri],
      post_logout_redirect_uris: [post_logout_redirect_uri],
      id_token_signed_response_alg: alg,
    }],
    jwks: { keys: [
      key("ec", { namedCurve: "P-256" }, "ES256"),
      key("rsa", { modulusLength: 2048 }, alg === "PS256" ? "PS256" : "RS256"),
      key("ed25519", {}, "EdDSA"),
    ] },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"] },
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email", "email_verified"] },
    cookies: { keys: [randomUUID()] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id, preferred_username: id, groups: groups[id] ?? [], email: `${id}@example.org`, email_verified: true,
      }),
    }),
  });
  handle = provider.callback();
}

for await (const line of createInterface({ input: process.stdin })) {
  be(JSON.parse(line));
  say({ ready: true });
}
process.exit();
