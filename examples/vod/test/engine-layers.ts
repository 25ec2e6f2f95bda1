// Every layer's raw output of the engine for one input, by the program's own options for tests.
import assert from "node:assert/strict";
import { runDetector } from "./guest.ts";
import type { GuestFiles } from "./host.ts";

/** The outputs in the order of layers. */
export async function layersOf(files: GuestFiles, input: Float32Array): Promise<Float32Array[]> {
  const tensor = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  const outcome = await runDetector({ ...files, "/user_input/tensor": tensor }, [
    ...["--tensor", "/user_input/tensor", "--dump-layers", "/output"],
  ]);
  assert.equal(outcome.exitCode, 0, outcome.stderr);
  return Array.from({ length: outcome.outputs.size }, (_, i) => {
    const dumped = outcome.outputs.get(`/output/layer.${i}.f32`);
    assert.ok(dumped, `layer ${i} is not dumped`);
    return new Float32Array(dumped.buffer);
  });
}
