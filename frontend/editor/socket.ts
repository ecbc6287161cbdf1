/** What a socket tells: nothing when it opens, a message, or the code with which it closed. */
export type SocketEvent = undefined | Uint8Array | number;

/** A socket as the page uses it. */
export interface Socket {
  /** Sends a message, unless the socket is closing: its end is told, and what was not acknowledged is sent again. */
  send(message: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Opens a WebSocket at a path of this site. Its events are told with its number. */
export function openSocket(path: string, number: number, tell: (number: number, event: SocketEvent) => void): Socket {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => tell(number, undefined);
  socket.onmessage = ({ data }) => {
    if (data instanceof ArrayBuffer) tell(number, new Uint8Array(data));
  };
  socket.onclose = ({ code }) => tell(number, code);
  return {
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(message);
    },
    close: () => socket.close(),
  };
}
