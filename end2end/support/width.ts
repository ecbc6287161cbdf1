// Checks that pages fit into a window.
import { expect, type Locator, type Page } from "@playwright/test";

/** Minimum supported window width (WCAG 1.4.10). */
const NARROWEST = 320;

/**
 * Checks at the current width and at 320 pixels that only scroll containers scroll sideways and every control is
 * reachable. Pass an open menu or dialog as `scope`, because it may cover other controls.
 */
export async function expectFits(page: Page, what: string, scope: Locator = page.locator("body")): Promise<void> {
  const size = page.viewportSize();
  if (!size) throw new Error("this page has no size");
  for (const width of [size.width, NARROWEST]) {
    await page.setViewportSize({ ...size, width });
    expect.soft(await misfits(scope, width), `${what} at ${width} px`).toEqual([]);
  }
  await page.setViewportSize(size);
}

function misfits(scope: Locator, width: number): Promise<string[]> {
  return scope.evaluate((scope, width) => {
    const found: string[] = [];
    const scrolled = document.documentElement.scrollWidth;
    if (scrolled > width) found.push(`the page is ${scrolled} wide`);
    const focused = document.activeElement;
    const controls = "a[href], button:enabled, input:enabled, select, textarea, summary, [contenteditable=true]";
    for (const control of scope.querySelectorAll<HTMLElement>(controls)) {
      if (!control.checkVisibility({ visibilityProperty: true })) continue;
      // The skip link is visible only while it has the focus.
      control.focus({ preventScroll: true });
      control.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
      // Use the first line of a link that wraps.
      const box = control.getClientRects()[0] ?? control.getBoundingClientRect();
      const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      const isReached = hit !== null && (control.contains(hit) || hit.contains(control));
      if (box.left < 0 || box.right > width || !isReached) {
        const name = control.textContent?.trim() || control.getAttribute("aria-label") || control.id;
        found.push(`${control.tagName} “${name}” from ${box.left} to ${box.right}${isReached ? "" : ", covered"}`);
      }
    }
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    scrollTo(0, 0);
    return found;
  }, width);
}
