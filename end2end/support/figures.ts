// Figures that `make bench` prints.

/** Prints a figure beside its target, in the form of the table of `bench/`. */
export function row(what: string, measured: string, value: number, unit: string, most: number): void {
  const shown = value >= 100 ? value.toFixed(0) : value.toFixed(2);
  const cells = [what, measured, `${shown} ${unit}`.trim(), `≤ ${most} ${unit}`.trim(), value <= most ? "ok" : "MISSED"];
  console.log(`| ${cells.join(" | ")} |`);
}
