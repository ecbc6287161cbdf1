// Damaged and restored documents in tests.
import type { Locator, Page } from "@playwright/test";
import type { Server } from "./server";

/** SQL that leaves nothing of a document but its stored text and the log. */
export function damageOf(id: string): string {
  const which = `WHERE document_id = x'${id.replaceAll("-", "")}'`;
  const history = `WHERE collection IN (SELECT id FROM collections WHERE name = 'documents/${id}/edits')`;
  return `UPDATE document_snapshots SET state = zeroblob(10) ${which}; DELETE FROM edit_segments ${which};
    DELETE FROM record_bodies ${history}; DELETE FROM records ${history};`;
}

/** Takes a document back to an earlier text, without the edits since. The server must not run. */
export function setBack(server: Server, id: string): void {
  const which = `WHERE document_id = x'${id.replaceAll("-", "")}'`;
  server.damage(`${damageOf(id)} DELETE FROM document_updates ${which};`);
  server.command("fsck", "--repair", "--restart");
}

/** What a page says of a document that was restored from an earlier state. */
export function panel(page: Page): Locator {
  return page.getByRole("alert").filter({ hasText: "restored from an earlier state" });
}

export async function copiedText(page: Page): Promise<string> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy the text" }).click();
  return page.evaluate(() => navigator.clipboard.readText());
}
