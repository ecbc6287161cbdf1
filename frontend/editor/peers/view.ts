// The people here, as elements of the page's head.
import { initials, type Person } from "./roster";

/** How many are shown beside the menu, which has all of them. */
const SHOWN = 3;

export interface PeopleTexts {
  /** Names the group. */
  here: string;
  /** With `{name}`. */
  follow: string;
  /** The name of a person who announced none. */
  unnamed: string;
  /** With `{name}`: the user in another tab. */
  you: string;
  /** With `{count}`: names the menu. */
  all: string;
  showCursors: string;
}

export interface PeopleActions {
  /** The user asks to follow a person, or to stop that. */
  follow(key: string): void;
  showCursors(on: boolean): void;
}

/** Fills in `{name}` or `{count}`. */
export function fill(template: string, value: string): string {
  return template.replace(/\{\w+\}/, () => value);
}

export class PeopleView {
  readonly #group = element("div", "people");
  readonly #avatars = element("div", "people-shown");
  readonly #menu = element("details", "menu");
  readonly #summary = element("summary", "people-more");
  readonly #list = element("ul", "menu-list");
  readonly #toggle: HTMLElement;
  #shown = "";

  constructor(
    host: HTMLElement,
    private readonly texts: PeopleTexts,
    private readonly actions: PeopleActions,
    cursorsShown: boolean,
  ) {
    this.#group.setAttribute("role", "group");
    this.#group.setAttribute("aria-label", texts.here);
    this.#group.hidden = true;
    this.#toggle = cursorToggle(texts.showCursors, cursorsShown, actions);
    this.#menu.append(this.#summary, this.#list);
    this.#group.append(this.#avatars, this.#menu);
    host.append(this.#group);
  }

  destroy(): void {
    this.#group.remove();
  }

  /** Shows these people; `self` is the user's own key, `followed` that of the person who is followed. */
  show(people: readonly Person[], self: string, followed: string | undefined): void {
    const seen = people.map(({ key, name, hue }) => [key, name, hue]);
    const shown = JSON.stringify([seen, followed]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = this.#group.contains(document.activeElement) ? document.activeElement : null;
    this.#group.hidden = people.length === 0;
    this.#avatars.replaceChildren(
      ...people.slice(0, SHOWN).map((person) => this.#button(person, self, followed, "person")),
    );
    this.#list.replaceChildren(
      ...people.map((person) => {
        const item = document.createElement("li");
        item.append(this.#button(person, self, followed, "menu-item"));
        return item;
      }),
      this.#toggle,
    );
    this.#summary.replaceChildren(
      ...countOf(people.length - SHOWN, "people-rest", people.length > SHOWN ? "+" : ""),
      ...countOf(people.length, "people-count", ""),
    );
    this.#summary.setAttribute("aria-label", fill(this.texts.all, `${people.length}`));
    this.#focusAgain(focused);
  }

  /** A button was replaced while it had the focus. */
  #focusAgain(focused: Element | null): void {
    if (!focused || focused.isConnected) return;
    const { person } = (focused as HTMLElement).dataset;
    const buttons = [...this.#group.querySelectorAll<HTMLElement>(`.${focused.className}`)];
    const again = buttons.find((button) => button.dataset["person"] === person);
    (again ?? (this.#group.hidden ? undefined : this.#summary))?.focus();
  }

  #button(person: Person, self: string, followed: string | undefined, className: string): HTMLElement {
    const { key, hue } = person;
    const name = person.name || this.texts.unnamed;
    const shown = key === self ? fill(this.texts.you, name) : name;
    const button = element("button", className);
    button.type = "button";
    button.dataset["person"] = key;
    button.setAttribute("aria-pressed", `${key === followed}`);
    button.setAttribute("aria-label", fill(this.texts.follow, shown));
    const avatar = element("span", `person-avatar peer-hue-${hue}`);
    avatar.textContent = initials(name);
    avatar.setAttribute("aria-hidden", "true");
    const words = element("span", "person-name");
    words.textContent = shown;
    words.dir = "auto";
    button.append(avatar, words);
    button.addEventListener("click", () => {
      // The button disappears with the list.
      if (this.#list.contains(button)) this.#summary.focus();
      this.#menu.open = false;
      this.actions.follow(key);
    });
    return button;
  }
}

/** Wide windows show how many are left, narrow ones how many there are. */
function countOf(count: number, className: string, sign: string): HTMLElement[] {
  const words = element("span", className);
  words.textContent = count > 0 ? `${sign}${count}` : "…";
  return [words];
}

function cursorToggle(words: string, on: boolean, actions: PeopleActions): HTMLElement {
  const item = document.createElement("li");
  item.dataset["divide"] = "";
  const label = element("label", "check");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = on;
  box.addEventListener("change", () => actions.showCursors(box.checked));
  label.append(box, ` ${words}`);
  item.append(label);
  return item;
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, className: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.className = className;
  return made;
}
