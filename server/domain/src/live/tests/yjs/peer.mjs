// Peers of npm Yjs: each applies what a server has told, and says what it shows then. Reads a JSON array
// of arrays of updates (base64) and writes one of {text, waits}.
import { readFileSync } from 'node:fs';
import * as Y from 'yjs';

const peers = JSON.parse(readFileSync(0, 'utf8'));
const shown = peers.map((updates) => {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, Buffer.from(update, 'base64'));
  const { pendingStructs, pendingDs } = doc.store;
  return { text: doc.getText('content').toString(), waits: Boolean(pendingStructs || pendingDs) };
});
process.stdout.write(JSON.stringify(shown));
