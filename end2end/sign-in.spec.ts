// Signing in and up with JavaScript: errors, messages and kept input.
import { newAccount, signUp } from "./support/accounts";
import { open } from "./support/awake";
import { expect, test } from "./support/fixtures";

test.describe("signing in", () => {
  test("a wrong password shows an error, keeps the name and clears the password", async ({ page, problems }) => {
    problems.expect(/status of 401/);
    const account = await signUp(page);
    await page.context().clearCookies();
    await open(page, "/login?next=/trash");
    await page.getByLabel("Username or email").fill(account.username);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toHaveText("Wrong username or password.");
    await expect(page.getByRole("alert")).toBeFocused();
    await expect(page.getByLabel("Username or email")).toHaveValue(account.username);
    await expect(page.getByLabel("Password")).toHaveValue("");

    await page.getByLabel("Password").fill(account.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL("/trash");
    await expect(page.getByText(`Welcome back, ${account.username}.`)).toBeVisible();
  });

  test("an unknown name shows the same error as a wrong password", async ({ page, problems }) => {
    problems.expect(/status of 401/);
    await open(page, "/login");
    await page.getByLabel("Username or email").fill("nobody-has-this-name");
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toHaveText("Wrong username or password.");
  });

  test("the email works like the name, in any case", async ({ page }) => {
    const account = await signUp(page);
    await page.context().clearCookies();
    await open(page, "/login");
    await page.getByLabel("Username or email").fill(account.email.toUpperCase());
    await page.getByLabel("Password").fill(account.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL("/documents");
  });

  test("signing in never redirects to another site", async ({ page, server }) => {
    const account = await signUp(page);
    await page.context().clearCookies();
    await open(page, "/login?next=https://example.org/");
    await page.getByLabel("Username or email").fill(account.username);
    await page.getByLabel("Password").fill(account.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(`${server.url}/documents`);
  });
});

test.describe("signing up", () => {
  test("an invalid field shows its error once the user leaves it", async ({ page }) => {
    await open(page, "/signup");
    await page.getByLabel("Username").fill("Ü");
    await page.getByLabel("Email").fill("nowhere");
    await page.getByLabel("Password").fill("short");
    await page.getByLabel("Email").focus();
    const refusals = {
      Username: /cannot be part of a username/,
      Email: /name@example\.org/,
      Password: /at least 10 characters; this has 5/,
    };
    await page.getByLabel("Username").focus();
    for (const [label, words] of Object.entries(refusals)) {
      await expect(page.getByLabel(label)).toHaveAccessibleDescription(words);
      await expect(page.getByLabel(label)).toHaveAttribute("aria-invalid", "true");
    }
    await page.getByLabel("Email").fill("somebody@example.org");
    await expect(page.getByLabel("Email")).not.toHaveAttribute("aria-invalid");
  });

  test("an error summary links to the fields and keeps all input except the password", async ({ page, problems }) => {
    problems.expect(/status of 422/);
    await open(page, "/signup");
    await page.getByLabel("Username").fill("a b");
    await page.getByLabel("Email").fill("nowhere");
    await page.getByLabel("Password").fill("short");
    await page.getByRole("button", { name: "Create account" }).click();
    const summary = page.getByRole("alert", { name: "3 fields have errors" });
    await expect(summary).toBeFocused();
    await summary.getByRole("link", { name: /name@example\.org/ }).click();
    await expect(page.getByLabel("Email")).toBeFocused();
    await expect(page.getByLabel("Username")).toHaveValue("a b");
    await expect(page.getByLabel("Email")).toHaveValue("nowhere");
    await expect(page.getByLabel("Password")).toHaveValue("");
  });

  for (const field of ["username", "email"] as const) {
    test(`a taken ${field} is rejected at its field`, async ({ page, problems }) => {
      problems.expect(/status of 409/);
      const taken = await signUp(page);
      await page.context().clearCookies();
      const account = { ...newAccount(), [field]: taken[field] };
      await open(page, "/signup");
      await page.getByLabel("Username").fill(account.username);
      await page.getByLabel("Email").fill(account.email);
      await page.getByLabel("Password").fill(account.password);
      await page.getByRole("button", { name: "Create account" }).click();
      const refused = page.getByLabel(field === "username" ? "Username" : "Email");
      await expect(refused).toHaveAccessibleDescription(/That username is taken|An account with this email exists/);
      await expect(refused).toHaveValue(taken[field]);
    });
  }

  test("a common password is rejected", async ({ page, problems }) => {
    problems.expect(/status of 422/);
    const account = newAccount();
    await open(page, "/signup");
    await page.getByLabel("Username").fill(account.username);
    await page.getByLabel("Email").fill(account.email);
    await page.getByLabel("Password").fill("password123");
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page.getByLabel("Password")).toHaveAccessibleDescription(/Many people use this password/);
    await expect(page.getByLabel("Email")).toHaveValue(account.email);
  });
});
