// A document whose editing state is damaged: it can be read, and after a repair an open page goes on.
import { createDocument, signUp } from "./support/accounts";
import { editor, expectText, openDocument, saveState, storedText } from "./support/documents";
import { expect, test } from "./support/fixtures";

/** Leaves nothing of a document but its stored text. */
function damageOf(id: string): string {
  const which = `WHERE document_id = x'${id.replaceAll("-", "")}'`;
  return `UPDATE document_snapshots SET state = zeroblob(10) ${which}; DELETE FROM edit_segments ${which};`;
}

test.beforeEach(({ problems }) => {
  problems.expect(/ERR_CONNECTION_REFUSED|Failed to load resource/);
});

test("a damaged document can be read, and says how it is repaired", async ({ page, server }) => {
  await signUp(page);
  const id = await createDocument(page, "Damaged", "still here");
  await server.stop();
  server.damage(damageOf(id));
  await server.start();
  await page.goto(`/documents/${id}`);
  await expect(page.getByText("izanagi fsck --repair")).toBeVisible();
  await expect(page.getByRole("region", { name: "Text" }).getByText("still here")).toBeVisible();
  await page.goto(`/documents/${id}/read`);
  await expect(page.getByText("still here")).toBeVisible();
  expect(server.takeComplaints().join()).toContain("corrupt_document");
});

test("an open page takes its unsent edits along to a restored document", async ({ page, server }) => {
  await signUp(page);
  const id = await createDocument(page, "Restored", "base");
  await openDocument(page, id);
  await editor(page).press("Control+End");
  await page.keyboard.type(" below");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  await server.stop();
  await editor(page).press("Control+Home");
  await page.keyboard.type("unsent ");
  await expect(saveState(page, /on this device/)).toBeVisible();
  server.damage(damageOf(id));
  expect(server.command("fsck", "--repair")).toContain("WARNING");
  await server.start();
  await expect(saveState(page, /^Saved$/)).toBeVisible({ timeout: 30_000 });
  await expectText(page, "unsent base below");
  expect(await storedText(page, id)).toBe("unsent base below");
  await page.reload();
  await expectText(page, "unsent base below");
  await editor(page).press("Control+End");
  await page.keyboard.type("!");
  await expect(saveState(page, /^Saved$/)).toBeVisible();
  expect(await storedText(page, id)).toBe("unsent base below!");
});
