// Who is here: the clients of a document, grouped by person.
import { hueOf } from "./palette";

/** One person, who may be here in several tabs and on several devices. */
export interface Person {
  /** Distinguishes people. */
  key: string;
  /** Empty if none was announced. */
  name: string;
  hue: number;
  /** The clients, the one that was active last first. */
  clients: number[];
}

/** The longest name that is shown, in characters. */
const LONGEST_NAME = 64;

export class Roster {
  readonly #clients = new Map<number, Omit<Person, "clients">>();
  /** Clients in the order of their activity, the last one first. */
  #active: number[] = [];

  /** Takes the awareness state (JSON) that a client announced. A state that cannot be read has no name. */
  set(client: number, state: string): void {
    const { id, name, color } = readUser(state);
    // Without an id, the same name is the same person; without a name, every client is one of its own.
    const key = id || name ? `${id} ${name}` : `${client}`;
    this.#clients.set(client, { key, name, hue: hueOf(color, key) });
    this.#active = [client, ...this.#active.filter((other) => other !== client)];
  }

  delete(client: number): void {
    this.#clients.delete(client);
    this.#active = this.#active.filter((other) => other !== client);
  }

  of(client: number): Omit<Person, "clients"> | undefined {
    return this.#clients.get(client);
  }

  /** Returns the people in the order in which they came. */
  people(): Person[] {
    const people = new Map<string, Person>();
    for (const [client, person] of this.#clients) {
      const known = people.get(person.key);
      if (known) known.clients.push(client);
      else people.set(person.key, { ...person, clients: [client] });
    }
    for (const { clients } of people.values()) {
      clients.sort((one, other) => this.#active.indexOf(one) - this.#active.indexOf(other));
    }
    return [...people.values()];
  }
}

function readUser(state: string): { id: string; name: string; color: unknown } {
  let user: Record<string, unknown> = {};
  try {
    user = JSON.parse(state)?.user ?? {};
  } catch {
    // Announced by another client; its cursor is shown without a name.
  }
  const text = (value: unknown) => (typeof value === "string" ? value.trim() : "");
  const name = [...text(user["name"])].slice(0, LONGEST_NAME).join("");
  return { id: text(user["id"]), name, color: user["color"] };
}

/** Returns up to two initials of a name: of its first and its last word. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => word !== "");
  const first = words[0] ?? "?";
  const last = words.length > 1 ? words[words.length - 1]! : "";
  return (letter(first) + letter(last)).toLocaleUpperCase();
}

/** Returns the first character as a person counts them, with its marks and modifiers. */
function letter(word: string): string {
  for (const { segment } of new Intl.Segmenter().segment(word)) return segment;
  return "";
}
