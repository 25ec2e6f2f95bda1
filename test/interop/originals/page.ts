// docs/reference/originals.md has the rows as tables. Run this file to write them there.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { FILE_ROWS } from "./file-rows.ts";
import { FUNCTION_ROWS } from "./function-rows.ts";
import { INSTANCE_ROWS } from "./instance-rows.ts";
import { type Row, standingOf } from "./row.ts";
import { S3_ROWS } from "./s3-rows.ts";
import { VAAS_ROWS } from "./vaas-rows.ts";

/** The page. */
export const PAGE: string = resolve(import.meta.dirname, "../../../docs/reference/originals.md");

/** The rows of each table. */
export const TABLES: Readonly<Record<string, readonly Row<never>[]>> = {
  vaas: VAAS_ROWS,
  ccfaas: [...FUNCTION_ROWS, ...FILE_ROWS, ...INSTANCE_ROWS],
  s3: S3_ROWS,
};

/** A text of the page with its tables as the rows have them now. */
export function withTables(text: string): string {
  return text.replace(
    /(<!-- rows of (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => `${begin}${tableOf(TABLES[name] ?? [])}${end}`,
  );
}

function tableOf(rows: readonly Row<never>[]): string {
  const lines = rows.map((row) => {
    const standing = standingOf(row);
    const ours = standing === "same" ? "same" : code(row.ours);
    const why = row.why === undefined ? standing : `${standing}: ${row.why}`;
    const about = row.about === "" ? row.call : `${row.call}, ${row.about}`;
    return `| ${about.replaceAll("|", "\\|")} | ${code(row.theirs)} | ${ours} | ${standing === "same" ? "" : why} |\n`;
  });
  return ["| request | original | ours | |\n", "| --- | --- | --- | --- |\n", ...lines].join("");
}

function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(PAGE, withTables(readFileSync(PAGE, "utf8")));
}
