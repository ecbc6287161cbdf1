// What axe finds on a page, in both themes.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Fails with one line a finding: the theme, the rule, and where. axe itself needs the page to run JavaScript. */
export async function expectAccessible(page: Page): Promise<void> {
  const findings: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    // A colour on its way from one theme to the other would be measured half-way.
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
    for (const { id, help, nodes } of violations) {
      findings.push(`${colorScheme}: ${id} (${help}) at ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
    }
  }
  expect(findings).toEqual([]);
}
