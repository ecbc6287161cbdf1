// Appends a line to a document and shows who else is there: `node client.mjs "A line"`.
// Needs IZANAGI_URL, IZANAGI_TOKEN and IZANAGI_DOCUMENT.
import process from "node:process";
import WebSocket from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const { IZANAGI_URL = "http://localhost:7999", IZANAGI_TOKEN, IZANAGI_DOCUMENT } = process.env;
if (!IZANAGI_TOKEN || !IZANAGI_DOCUMENT) throw new Error("Set IZANAGI_TOKEN and IZANAGI_DOCUMENT (see README.md).");
const line = process.argv[2] ?? "A line from Node.";

const doc = new Y.Doc();
const provider = new WebsocketProvider(`${IZANAGI_URL.replace(/^http/, "ws")}/ws/yjs`, IZANAGI_DOCUMENT, doc, {
  params: { token: IZANAGI_TOKEN },
  // Browsers and Node.js 22 have their own.
  WebSocketPolyfill: WebSocket,
  disableBc: true,
});
// The editor shows this name at our cursor.
provider.awareness.setLocalStateField("user", { name: "Node example", color: "#1f4e79" });
provider.on("connection-close", (event) => {
  // 4401, 4403 and 4404: trying again does not help. There is no event when the provider itself disconnects.
  if (event && event.code >= 4400 && event.code < 4405) {
    console.error(`The server closed the connection: ${event.code} ${event.reason}`);
    process.exit(1);
  }
});

await new Promise((resolve) => provider.on("sync", (isSynced) => isSynced && resolve()));
// The text of every document has this name.
const text = doc.getText("content");
const start = text.length === 0 || text.toString().endsWith("\n") ? "" : "\n";
text.insert(text.length, `${start}${line}\n`);

const others = () => [...provider.awareness.getStates().values()].map(({ user }) => user?.name).filter(Boolean);
console.log(`Here are: ${others().join(", ")}`);

// A plain Yjs client gets no acknowledgements. What the server answers over HTTP is on disk.
const address = `${IZANAGI_URL}/api/v1/documents/${IZANAGI_DOCUMENT}/content`;
const stored = async () => (await fetch(address, { headers: { authorization: `Bearer ${IZANAGI_TOKEN}` } })).text();
while (!(await stored()).includes(line)) await new Promise((resolve) => setTimeout(resolve, 100));
console.log(text.toString());
provider.destroy();
process.exit(0);
