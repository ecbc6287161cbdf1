// Checks the files of deploy/ by the rules of deploy-rules.mjs: `node scripts/check-deploy.mjs [FOLDER]`.
import { readFile } from "node:fs/promises";
import { composeFindings, dockerfileFindings, environmentFindings, proxyFindings } from "./deploy-rules.mjs";

const folder = process.argv[2] ?? "deploy";
const read = (/** @type {string} */ name) => readFile(`${folder}/${name}`, "utf8");
const guide = await readFile("docs/operations.md", "utf8");
const compose = await read("compose.yaml");
const environment = await read(".env.example");
const dockerfile = await read("Dockerfile");
/** @type {Record<string, string>} */
const nginx = {};
for (const name of ["nginx.conf", "site.conf", "proxy.conf"]) nginx[name] = await read(`nginx/${name}`);

const findings = {
  "compose.yaml": composeFindings(compose, guide),
  ".env.example": environmentFindings(environment, compose, guide),
  Dockerfile: dockerfileFindings(dockerfile, guide),
  nginx: proxyFindings(nginx, compose),
};
for (const [file, found] of Object.entries(findings)) {
  for (const finding of found) console.error(`${folder}/${file}: ${finding}`);
}
process.exitCode = Object.values(findings).flat().length > 0 ? 1 : 0;
