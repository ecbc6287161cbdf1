// Where clients call a server: itself, or what distributes connections to several.
import { Socket, YjsClient, until } from "./clients.mjs";

const PASSWORD = "horse staple 42";

/** The address of one or several servers. */
export class Endpoint {
  #accounts = 0;

  get url() {
    return "";
  }

  get ws() {
    return `${this.url.replace("http", "ws")}/ws`;
  }

  /**
   * Calls the API and returns the body.
   *
   * @param {string} method
   * @param {string} path
   * @param {{ token?: string, body?: unknown, headers?: Record<string, string> }} options
   */
  async call(method, path, { token, body, headers } = {}) {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Signs somebody up. */
  async account() {
    this.#accounts += 1;
    const username = `person${this.#accounts}`;
    const body = { email: `${username}@example.org`, username, password: PASSWORD, displayName: `Person ${this.#accounts}` };
    const { user, accessToken } = await this.call("POST", "/auth/signup", { body });
    return new Person(this, user.id, username, accessToken);
  }

  /** The text as the server has it now. @param {Person} person @param {string} document */
  async text(person, document) {
    const headers = { authorization: `Bearer ${person.token}` };
    const answer = await fetch(`${this.url}/api/v1/documents/${document}/content`, { headers });
    return answer.text();
  }
}

/** Somebody with an account. */
export class Person {
  /**
   * @param {Endpoint} server
   * @param {string} id
   * @param {string} username
   * @param {string} token
   */
  constructor(server, id, username, token) {
    Object.assign(this, { server, id, username, token });
    this.server = server;
    this.id = id;
    this.username = username;
    this.token = token;
  }

  /** @param {string} method @param {string} path @param {unknown} [body] @param {Record<string, string>} [headers] */
  call(method, path, body, headers) {
    return this.server.call(method, path, { token: this.token, body, ...(headers ? { headers } : {}) });
  }

  /** Creates a document and returns its id. @param {string} content */
  async document(content = "") {
    return (await this.call("POST", "/documents", { title: "Shared", content })).id;
  }

  /** Signs in once more, on another device. */
  async secondDevice() {
    const body = { login: this.username, password: PASSWORD };
    const { accessToken } = await this.server.call("POST", "/auth/login", { body });
    return new Person(this.server, this.id, this.username, accessToken);
  }

  /** @param {string} document */
  yjs(document) {
    return new YjsClient(this, document);
  }

  /** @param {string} document @param {string} query */
  json(document, query = "") {
    return Socket.open(`${this.server.ws}/documents/${document}?token=${this.token}${query}`);
  }
}

/** Waits until all have one text, which the server has too. @param {Person} person @param {string} document @param {YjsClient[]} clients */
export async function meet(person, document, clients) {
  let text = "";
  await until(async () => {
    text = await person.server.text(person, document);
    return clients.every((client) => client.toString() === text);
  }, "all have one text");
  return text;
}
