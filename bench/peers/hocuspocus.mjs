// Starts Hocuspocus as its guide does: the server, and its SQLite extension for persistence.
//
//   node hocuspocus.mjs PORT DATABASE

import { SQLite } from "@hocuspocus/extension-sqlite";
import { Server } from "@hocuspocus/server";

const [port, database] = process.argv.slice(2);
const extensions = [new SQLite({ database })];
await new Server({ address: "127.0.0.1", port: Number(port), quiet: true, extensions }).listen();
