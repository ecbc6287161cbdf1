// What axe finds on a page, in both themes.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * Fails with one line a finding: the theme, the rule, and where. axe itself needs the page to run JavaScript.
 * With a selector only that part is looked at: an open menu half covers what lies behind, which is then too small.
 */
export async function expectAccessible(page: Page, part = ":root"): Promise<void> {
  const findings: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    // A colour on its way from one theme to the other would be measured half-way.
    await page.evaluate(finishTransitions);
    // Frames of other origins would need the other mode, which opens a second page each time; there are none.
    const axe = new AxeBuilder({ page }).include(part).withTags(RULES).setLegacyMode();
    const { violations } = await axe.analyze();
    for (const { id, help, nodes } of violations) {
      findings.push(`${colorScheme}: ${id} (${help}) at ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
    }
  }
  expect(findings).toEqual([]);
}

function finishTransitions(): void {
  for (const animation of document.getAnimations()) if (animation instanceof CSSTransition) animation.finish();
}
