'use strict';
// One client of the TypeScript SDK. Its only argument is JSON: `folder` (where the packages are installed), `sdk` ("v1"
// or "v2"), `transport` ("http" or "sse"), `url`, `token`, and for v2 the `era` as the SDK calls it. It prints a line of
// JSON when it has connected, then answers each line on its standard input, {"method", "params"}, with one: {"result"} or
// {"error"}. Whatever the SDK complains about without failing stands beside it as `complaints`.

const { createRequire } = require('node:module');
const { createInterface } = require('node:readline');

const asked = JSON.parse(process.argv[2]);
const load = createRequire(`${asked.folder}/`);
const PACKAGES = {
    v1: () => ({
        ...load('@modelcontextprotocol/sdk/client/index.js'),
        ...load('@modelcontextprotocol/sdk/client/streamableHttp.js'),
        ...load('@modelcontextprotocol/sdk/client/sse.js'),
    }),
    v2: () => load('@modelcontextprotocol/client'),
};
const sdk = PACKAGES[asked.sdk]();
const complaints = [];

function transport() {
    const options = { requestInit: { headers: { Authorization: `Bearer ${asked.token}` } } };
    const Transport = asked.transport === 'sse' ? sdk.SSEClientTransport : sdk.StreamableHTTPClientTransport;
    return new Transport(new URL(asked.url), options);
}

function say(line) {
    process.stdout.write(JSON.stringify({ ...line, complaints: complaints.splice(0) }) + '\n');
}

function told(error) {
    const status = error.status ?? error.data?.status;
    return { kind: error.constructor.name, code: error.code, status, message: error.message };
}

async function answer(client, { method, params }) {
    switch (method) {
        case 'tools/list':
            return await client.listTools(params);
        case 'tools/call':
            return await client.callTool(params);
        default:
            throw new RangeError(`this client is not asked for ${method}`);
    }
}

async function main() {
    const client = new sdk.Client(
        { name: 'clients', version: '1' },
        asked.era ? { versionNegotiation: { mode: asked.era } } : {},
    );
    client.onerror = (error) => complaints.push(String(error));
    try {
        await client.connect(transport());
    } catch (error) {
        say({ error: told(error) });
        return;
    }
    const version = client.getNegotiatedProtocolVersion?.() ?? client.transport?.protocolVersion;
    say({ result: { server: client.getServerVersion(), version } });
    for await (const line of createInterface({ input: process.stdin })) {
        try {
            say({ result: await answer(client, JSON.parse(line)) });
        } catch (error) {
            say({ error: told(error) });
        }
    }
    await client.close();
}

main();
