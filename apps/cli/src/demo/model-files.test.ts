import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { beforeEach, suite, test } from "node:test";
import { inEmptyDirectory } from "../testing/run.ts";
import { findModel } from "./model-files.ts";

suite("a model directory", () => {
  inEmptyDirectory();
  beforeEach(() => rmSync("m", { recursive: true, force: true }));

  function make(...names: string[]): void {
    for (const folder of ["m", "m/cfg", "m/weights"]) mkdirSync(folder, { recursive: true });
    for (const name of names) writeFileSync(`m/${name}`, "x");
  }

  test("with the seed's names", () => {
    make("coco.names", "yolov3.cfg", "yolov3.weights");
    assert.equal(findModel("m", undefined).config, "m/yolov3.cfg");
  });

  test("with one file of each kind, whatever they are called", () => {
    make("a.names", "b.cfg", "c.weights");
    const { names, config, weights } = findModel("m", undefined);
    assert.deepEqual([names, config, weights], ["m/a.names", "m/b.cfg", "m/c.weights"]);
  });

  test("with cfg and weights folders, as darknet has them", () => {
    make("cfg/coco.names", "cfg/one.cfg", "weights/one.weights", "cfg/other.cfg");
    const { config, weights } = findModel("m", undefined);
    assert.deepEqual([config, weights], ["m/cfg/one.cfg", "m/weights/one.weights"]);
  });

  test("with several models wants a name, and says which there are", () => {
    make("coco.names", "a.cfg", "a.weights", "b.cfg", "b.weights");
    assert.throws(() => findModel("m", undefined), {
      code: "CLI_INPUT",
      message: /a, b/,
      hint: /--model-name/,
    });
    assert.equal(findModel("m", "b").weights, "m/b.weights");
    assert.throws(() => findModel("m", "c"), { code: "CLI_INPUT", hint: /a, b/ });
  });

  for (const [fault, files, said] of [
    ["no weights", ["coco.names", "a.cfg"], /no \.cfg and \.weights/],
    ["no configuration", ["coco.names", "a.weights"], /no \.cfg and \.weights/],
    ["no labels", ["a.cfg", "a.weights"], /no \.names/],
    ["several labels", ["a.cfg", "a.weights", "x.names", "y.names"], /several \.names/],
  ] as const) {
    test(`is refused for ${fault}`, () => {
      make(...files);
      assert.throws(() => findModel("m", undefined), { code: "CLI_INPUT", message: said });
    });
  }

  test("that is not there is named", () => {
    assert.throws(() => findModel("nowhere", undefined), { code: "CLI_FILE" });
  });
});
