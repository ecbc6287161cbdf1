/** What a socket tells: nothing when it opens, a message, or the code with which it closed. */
export type SocketEvent = undefined | Uint8Array | number;

/** Opens a WebSocket at a path of this site. Its events are told with its number. */
export function openSocket(path: string, number: number, tell: (number: number, event: SocketEvent) => void): WebSocket {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => tell(number, undefined);
  socket.onmessage = ({ data }) => {
    if (data instanceof ArrayBuffer) tell(number, new Uint8Array(data));
  };
  socket.onclose = ({ code }) => tell(number, code);
  return socket;
}
