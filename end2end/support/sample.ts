// A user with documents in every state, and the paths of all pages that show them.
import { expect, type Page } from "@playwright/test";
import { callApi, commit, createDocument, replaceText, signUp } from "./accounts";
import { open } from "./awake";
import { editor } from "./documents";

const LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";

/** Every Markdown feature, with some content too wide for a phone. */
const TEXT = `# A week on the island

By **ferry**, *early*, ~~late~~; see <https://example.org/${"long/".repeat(20)}> and [the plan](https://example.org).

## Before the boat leaves

- [x] pack
- [ ] call Ren[^1]
  1. first
  2. second

> Quoted, with \`code\` in it.

| ${Array.from({ length: 12 }, (_, column) => `Column ${column}`).join(" | ")} |
|${" ---: |".repeat(12)}
| ${Array.from({ length: 12 }, (_, column) => column * 1000).join(" | ")} |

\`\`\`rust
fn leave(at: &str) -> Result<(), Late> { /* ${"a very long line ".repeat(12)}*/ Ok(()) }
\`\`\`

### ${LONG_WORD}

<marquee>raw HTML</marquee>

![A picture](/icons.svg)

---

[^1]: In the evening.
`;

export interface Sample {
  /** A document with two versions and later edits. */
  readonly id: string;
  /** Paths of the pages, by description. */
  readonly pages: Readonly<Record<SamplePage, string>>;
}

export type SamplePage = keyof ReturnType<typeof pagesOf>;

/** Signs up a user and creates the documents with the API. */
export async function makeSample(page: Page): Promise<Sample> {
  await signUp(page);
  const id = await createDocument(page, `A week on the island, ${LONG_WORD}`, TEXT);
  await callApi(page, "PATCH", `/documents/${id}`, { description: "What to take, and when. ".repeat(9) });
  await commit(page, id, `As Ren sent it: ${LONG_WORD}`);
  await callApi(page, "PATCH", `/documents/${id}/versions/1`, { name: "Sent to Ren" });
  await replaceText(page, id, `${TEXT.replace("**ferry**", "**train**").replace("early", "late")}\nThe end.\n`);
  await commit(page, id, "By train");
  await replaceText(page, id, TEXT);
  await createDocument(page, "Ferry times", '{"at": [9, 10], "pier": null}', "json");
  const trashed = await createDocument(page, `Old ${LONG_WORD}`, "text", "text");
  await callApi(page, "DELETE", `/documents/${trashed}`);
  return { id, pages: pagesOf(id, trashed) };
}

/** Opens one of the pages and waits for its editor, if any. */
export async function openSample(page: Page, { pages }: Sample, name: SamplePage): Promise<void> {
  await open(page, pages[name]);
  if (name === "timeline") await expect(page.locator(".timeline[data-phase=ready]")).toBeVisible();
  if (name === "editor" || name === "a document in the trash") await expect(editor(page)).toBeVisible();
}

function pagesOf(id: string, trashed: string) {
  const document = `/documents/${id}`;
  return {
    documents: "/documents",
    "a search without results": "/documents?query=nowhere&sort=title",
    "the details of a document": `${document}/details`,
    editor: document,
    "a document in the trash": `/documents/${trashed}`,
    reading: `${document}/read`,
    history: `${document}/history`,
    timeline: `${document}/timeline?at=1`,
    version: `${document}/versions/1`,
    "the source of a version": `${document}/versions/1?plain=1&name=1`,
    comparison: `${document}/compare?from=1&to=2`,
    "a comparison of equals": `${document}/compare?from=1&to=1`,
    trash: "/trash",
    devices: "/settings/sessions",
  };
}

/** Descriptions of the pages of `makeSample`, for test names. */
export const SAMPLE_PAGES = Object.keys(pagesOf("", "")) as readonly SamplePage[];

/** Pages of a user without documents. */
export const EMPTY_PAGES: Record<string, string> = { "no documents": "/documents", "an empty trash": "/trash" };

/** Pages of a signed-out visitor. */
export const OPEN_PAGES: Record<string, string> = { home: "/", "sign-in": "/login", "sign-up": "/signup" };
