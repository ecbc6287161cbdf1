// Entry point of the editor bundle, which the page loads on demand.
export type { Change, DocumentKind, EditorHandle, MountOptions, Peer, PeersOptions, PendingUpdate } from "./contract";
export { mount } from "./mount";
export { pendingDrop, pendingLoad, pendingPut } from "./pending";
export { openSocket } from "./socket";
