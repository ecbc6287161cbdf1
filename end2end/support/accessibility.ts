// Runs axe on a page, in both themes.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * Fails on axe violations in `part`, listing theme, rule and element. Pass an open menu as `part`: it covers other
 * controls, which axe would report as too small.
 */
export async function expectAccessible(page: Page, part = ":root"): Promise<void> {
  const findings: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    // A colour transition between themes would be measured half-way.
    await page.evaluate(finishTransitions);
    // There are no cross-origin frames, which would need the other mode and an extra page per run.
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
