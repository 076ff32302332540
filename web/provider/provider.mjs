// A certified identity provider on loopback, as the test that started it wants it. It says on standard
// output which port it has, and hears on standard input, a line of JSON each, how it is to be.
import { createPublicKey, generateKeyPairSync, randomUUID, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:https";
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

// How the client proves who it is.
function authentication({ client_secret, client_key, client_key_id, client_key_alg }) {
  if (client_key) {
    const jwk = createPublicKey(client_key).export({ format: "jwk" });
    const named = { ...jwk, use: "sig", alg: client_key_alg, ...(client_key_id ? { kid: client_key_id } : {}) };
    return {
      token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: client_key_alg, jwks: { keys: [named] },
    };
  }
  return client_secret
    ? { client_secret, token_endpoint_auth_method: "client_secret_basic" }
    : { token_endpoint_auth_method: "none" };
}

// Its requests to the client, whose authority is one of the test.
function fetchTrusting(ca) {
  return (url, { method, headers, body }) => new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, ca }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(new Response(null, { status: answer.statusCode })));
    });
    asked.on("error", reject);
    asked.end(body ? String(body) : undefined);
  });
}

// New keys each time.
function be({ redirect_uri, post_logout_redirect_uri, backchannel_logout_uri, ca, alg, ...client }) {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "bootproof",
      ...authentication(client),
      ...(backchannel_logout_uri ? { backchannel_logout_uri, backchannel_logout_session_required: true } : {}),
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
    features: { backchannelLogout: { enabled: true } },
    ...(ca ? { fetch: fetchTrusting(ca) } : {}),
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
