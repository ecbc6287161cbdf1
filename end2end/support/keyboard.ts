// Keyboard navigation.
import { expect, type Locator, type Page } from "@playwright/test";

/** More steps than any page has controls. */
const FAR = 60;

/** Presses Tab until the target has the focus, and checks that the focus is visible. */
export async function tabTo(page: Page, target: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  await expect(target).toBeAttached();
  for (let step = 0; step < FAR; step++) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      await expect(target).toBeInViewport();
      expect(await target.evaluate(showsFocus), `the focus is seen at ${target}`).toBe(true);
      return;
    }
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${target}`);
}

/** Returns whether the element, or the pane around the editor's text, has an outline. */
function showsFocus(element: Element): boolean {
  const outlined = [element, element.closest("section")].filter((around) => around !== null);
  return outlined.some((around) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(around);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  });
}
