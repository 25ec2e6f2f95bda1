// Functions and their files, over HTTP. "compatible" and "different" say how an answer stands to the original
// service's; what is different is so on purpose.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import type { FunctionBody, FunctionResource } from "@holdfast/contract";
import { call, isJson, isParagraph, isProblem, nameOf } from "../testing/call.ts";
import { bytesOf, DATA_FILES, FILES, PROGRAM, sha256, vodFunction } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

const [DATA = ""] = DATA_FILES;

describe("functions", { concurrency: false }, () => {
  let world: World;
  let url: string;

  before(async () => {
    world = await makeWorld({ limits: { program_bytes: 1000, data_file_bytes: 100_000 } });
    await world.start();
    url = world.ccfaasUrl;
  });
  after(() => world?.close());
  beforeEach(async () => {
    for (const name of await world.ccfaas.listFunctions()) await world.ccfaas.deleteFunction(name);
    assert.deepEqual(await world.store().blobs.list(), []);
  });

  const register = (body: unknown = vodFunction()): ReturnType<typeof call> =>
    call("POST", `${url}/function`, { json: body });
  const program = (path = PROGRAM, name = "vod_small"): string =>
    `${url}/function/${encodeURIComponent(name)}/program/${nameOf(path)}`;
  const data = (path = DATA, name = "vod_small"): string =>
    `${url}/function/${encodeURIComponent(name)}/data_file/${nameOf(path)}`;
  const stored = async (): Promise<string[]> => world.store().blobs.list();

  it("compatible: GET /function lists names", async () => {
    isJson(await call("GET", `${url}/function`), { functions: [] });
    await register();
    isJson(await call("GET", `${url}/function`), { functions: ["vod_small"] });
  });

  it("compatible: POST /function answers with what was sent, members sorted, as the seed prints it", async () => {
    const answer = await register();
    isJson(answer, vodFunction());
    assert.ok(
      answer.text.startsWith('{\n  "data_files": [\n    {\n      "data_file": "/program_data/'),
    );
    assert.deepEqual(Object.keys(JSON.parse(answer.text)), Object.keys(vodFunction()).sort());
  });

  it("compatible: GET /function/N answers with the definition", async () => {
    await register();
    isJson(await call("GET", `${url}/function/vod_small`), vodFunction());
  });

  it("compatible: data_files may be absent, priority may be given", async () => {
    const { data_files: files = [], ...rest } = vodFunction();
    isJson(await register({ ...rest, function: "without" }), { ...rest, function: "without" });
    const withPriority = {
      ...vodFunction(),
      data_files: files.map((f) => ({ ...f, priority: 3 })),
    };
    isJson(await register(withPriority), withPriority);
  });

  it("different: a function that exists is 409, not 400, and stays as it is", async () => {
    await register();
    const other = { ...vodFunction(), max_memory_mib: 1 };
    const problem = isProblem(await register(other), 409, "FUNCTION_EXISTS");
    assert.match(problem.detail, /^Could not create the function vod_small/);
    isJson(await call("GET", `${url}/function/vod_small`), vodFunction());
  });

  it("compatible: unknown functions are 404 on every route", async () => {
    for (const [method, path] of [
      ["GET", "/function/none"],
      ["DELETE", "/function/none"],
      ["GET", `/function/none/program/${nameOf(PROGRAM)}`],
      ["DELETE", `/function/none/program/${nameOf(PROGRAM)}`],
      ["GET", `/function/none/data_file/${nameOf(DATA)}`],
      ["DELETE", `/function/none/data_file/${nameOf(DATA)}`],
    ] as const) {
      isProblem(await call(method, url + path), 404, "FUNCTION_NOT_FOUND");
    }
    const body = bytesOf("x");
    isProblem(await call("POST", program(PROGRAM, "none"), { body }), 404, "FUNCTION_NOT_FOUND");
    isProblem(await call("POST", data(DATA, "none"), { body }), 404, "FUNCTION_NOT_FOUND");
  });

  it("different: listing the files of an unknown function is 404, not an empty list", async () => {
    for (const kind of ["program", "data_file"]) {
      isProblem(await call("GET", `${url}/function/none/${kind}`), 404, "FUNCTION_NOT_FOUND");
    }
  });

  it("compatible: DELETE /function/N removes it with its files", async () => {
    await register();
    await call("POST", program(), { body: FILES[PROGRAM] });
    assert.equal((await stored()).length, 1);
    isParagraph(await call("DELETE", `${url}/function/vod_small`), "Function vod_small deleted");
    isJson(await call("GET", `${url}/function`), { functions: [] });
    assert.deepEqual(await stored(), []);
  });

  it("compatible: a program is uploaded, listed and asked after, as the seed's log shows", async () => {
    await register();
    isJson(await call("GET", `${url}/function/vod_small/program`), { programs: [] });
    isParagraph(await call("POST", program(), { body: FILES[PROGRAM] }), "function loaded!");
    const base64 = Buffer.from(PROGRAM).toString("base64");
    isJson(await call("GET", `${url}/function/vod_small/program`), { programs: [base64] });
    isParagraph(
      await call("GET", program()),
      `programn ${PROGRAM} is loaded in function vod_small`,
    );
  });

  it("compatible: data files are uploaded and listed, as the seed's log shows", async () => {
    await register();
    for (const path of DATA_FILES) {
      const answer = await call("POST", data(path), { body: FILES[path] });
      isParagraph(answer, `data_file ${path} loaded!`);
    }
    const names = DATA_FILES.map((path) => Buffer.from(path).toString("base64"));
    isJson(await call("GET", `${url}/function/vod_small/data_file`), { data_files: names });
  });

  it("different: asking after a loaded data file is 200, where the original never finds it", async () => {
    await register();
    await call("POST", data(), { body: FILES[DATA] });
    isParagraph(await call("GET", data()), `data_file ${DATA} is loaded in function vod_small`);
  });

  it("compatible: a file that is not loaded is 404", async () => {
    await register();
    isProblem(await call("GET", program()), 404, "FILE_NOT_LOADED");
    isProblem(await call("GET", data()), 404, "FILE_NOT_LOADED");
    isProblem(await call("DELETE", program()), 404, "FILE_NOT_LOADED");
    isProblem(await call("DELETE", data()), 404, "FILE_NOT_LOADED");
  });

  it("different: a loaded file can be deleted, where the original answers 500", async () => {
    await register();
    for (const path of [program(), data()]) {
      const body = path === program() ? FILES[PROGRAM] : FILES[DATA];
      await call("POST", path, { body });
      assert.equal((await call("DELETE", path)).status, 200);
      isProblem(await call("GET", path), 404, "FILE_NOT_LOADED");
      assert.deepEqual(await stored(), []);
      assert.equal((await call("POST", path, { body })).status, 200);
      await call("DELETE", path);
    }
  });

  it("compatible: a file the definition does not name is 404", async () => {
    await register();
    isProblem(
      await call("POST", program("/program/other"), { body: "x" }),
      404,
      "FILE_NOT_IN_FUNCTION",
    );
    isProblem(
      await call("POST", data("/program_data/other"), { body: "x" }),
      404,
      "FILE_NOT_IN_FUNCTION",
    );
    // A program is no data file, nor the other way round.
    isProblem(
      await call("POST", data(PROGRAM), { body: FILES[PROGRAM] }),
      404,
      "FILE_NOT_IN_FUNCTION",
    );
    isProblem(
      await call("POST", program(DATA), { body: FILES[DATA] }),
      404,
      "FILE_NOT_IN_FUNCTION",
    );
    isProblem(
      await call("POST", program("/program/../x"), { body: "x" }),
      404,
      "FILE_NOT_IN_FUNCTION",
    );
    assert.deepEqual(await stored(), []);
  });

  it("different: a second upload is 409, not 400, and the first stays", async () => {
    await register();
    for (const [path, body] of [
      [program(), FILES[PROGRAM]],
      [data(), FILES[DATA]],
    ] as const) {
      await call("POST", path, { body });
      isProblem(await call("POST", path, { body: "something else" }), 409, "FILE_EXISTS");
      isProblem(await call("POST", path, { body }), 409, "FILE_EXISTS");
      assert.equal((await call("GET", path)).status, 200);
    }
  });

  it("different: wrong bytes are 422, not 400, leave nothing, and the right ones can follow", async () => {
    await register();
    for (const [path, body] of [
      [program(), FILES[PROGRAM]],
      [data(), FILES[DATA]],
    ] as const) {
      isProblem(await call("POST", path, { body: "wrong" }), 422, "FILE_HASH_MISMATCH");
      isProblem(await call("POST", path, { body: "" }), 422, "FILE_HASH_MISMATCH");
      isProblem(await call("GET", path), 404, "FILE_NOT_LOADED");
      assert.equal((await call("POST", path, { body })).status, 200);
    }
    assert.equal((await stored()).length, 2);
  });

  it("different: too large a file is 413, not 500, said before it is read when its length is known", async () => {
    await register();
    const large = new Uint8Array(100_001);
    isProblem(await call("POST", program(), { body: large }), 413, "FILE_TOO_LARGE");
    isProblem(await call("POST", data(), { body: large }), 413, "FILE_TOO_LARGE");
    const chunked = ReadableStream.from([large.subarray(0, 60_000), large.subarray(0, 60_000)]);
    isProblem(await call("POST", data(), { body: chunked }), 413, "FILE_TOO_LARGE");
    assert.deepEqual(await stored(), []);
    assert.equal((await call("POST", program(), { body: FILES[PROGRAM] })).status, 200);
  });

  it("different: a name that is not base64 is 400, not 500", async () => {
    await register();
    for (const method of ["GET", "POST", "DELETE"]) {
      const answer = await call(method, `${url}/function/vod_small/program/%25%25`);
      isProblem(answer, 400, "NAME_INVALID");
    }
  });

  it("different: names with a slash, or whose base64 has one, can be registered and addressed", async () => {
    const name = "a/b ÿÿ?";
    const path = "/program/???~~<";
    assert.match(Buffer.from(path).toString("base64"), /\//);
    const definition: FunctionBody = {
      ...vodFunction(name),
      data_files: [{ data_file: path, pi_hash: sha256(bytesOf("odd")) }],
    };
    isJson(await register(definition), definition);
    isJson(await call("GET", `${url}/function/${encodeURIComponent(name)}`), definition);
    const raw = `${url}/function/${encodeURIComponent(name)}/data_file/${Buffer.from(path).toString("base64")}`;
    isParagraph(
      await call("POST", raw, { body: "odd" }),
      `data_file ${path.replace("<", "&lt;")} loaded!`,
    );
    assert.equal((await call("GET", data(path, name))).status, 200);
    const urlSafe = Buffer.from(path).toString("base64url");
    const other = `${url}/function/${encodeURIComponent(name)}/data_file/${urlSafe}`;
    assert.equal((await call("GET", other)).status, 200);
  });

  it("takes an upload under any content type, or none", async () => {
    await register();
    for (const type of [
      "application/x-www-form-urlencoded",
      "application/json",
      "application/wasm",
    ]) {
      const answer = await call("POST", program(), {
        body: FILES[PROGRAM],
        headers: { "content-type": type },
      });
      isParagraph(answer, "function loaded!");
      await call("DELETE", program());
    }
  });

  it("names can't become markup", async () => {
    await register(vodFunction("<script>alert(1)</script>"));
    const answer = await call(
      "DELETE",
      `${url}/function/${encodeURIComponent("<script>alert(1)</script>")}`,
    );
    isParagraph(answer, "Function &lt;script&gt;alert(1)&lt;/script&gt; deleted");
  });

  it("leaves nothing of an upload that breaks off", async () => {
    await register();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST ${new URL(data()).pathname} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50000\r\n\r\n${"x".repeat(9000)}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    // The next upload of the same file works: nothing of the broken one blocks it.
    assert.equal((await call("POST", data(), { body: FILES[DATA] })).status, 200);
    assert.deepEqual(await stored(), [sha256(FILES[DATA] ?? new Uint8Array())]);
  });

  it("stores one of several uploads of a file at once", async () => {
    await register();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => call("POST", data(), { body: FILES[DATA] })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, ...Array(7).fill(409)]);
  });

  it("says what a function still misses", async () => {
    await register();
    const state = async (): Promise<[string, number]> => {
      const answer = await call("GET", `${url}/v1/functions/vod_small`);
      const { state, missing } = JSON.parse(answer.text) as FunctionResource;
      return [state, missing.length];
    };
    assert.deepEqual(await state(), ["defined", 4]);
    await call("POST", program(), { body: FILES[PROGRAM] });
    assert.deepEqual(await state(), ["incomplete", 3]);
    for (const path of DATA_FILES) await call("POST", data(path), { body: FILES[path] });
    assert.deepEqual(await state(), ["provisioned", 0]);
  });

  describe("refuses a definition", { concurrency: false }, () => {
    const cases: readonly (readonly [string, number, (body: FunctionBody) => unknown])[] = [
      ["that is an array", 400, () => []],
      ["that is null", 400, () => null],
      ["with an unknown member", 400, (body) => ({ ...body, extra: 1 })],
      ["with an unknown member in a program", 400, (body) => withProgram(body, { extra: 1 })],
      ["without file_rights", 400, ({ file_rights: _, ...body }) => body],
      ["without programs", 400, ({ programs: _, ...body }) => body],
      ["with a text for debug", 400, (body) => ({ ...body, debug: "true" })],
      ["with a boolean for memory", 400, (body) => ({ ...body, max_memory_mib: true })],
      ["with memory of a half", 400, (body) => ({ ...body, max_memory_mib: 0.5 })],
      ["with no memory", 422, (body) => ({ ...body, max_memory_mib: 0 })],
      ["with too much memory", 422, (body) => ({ ...body, max_memory_mib: 99_999 })],
      ["with an empty name", 422, (body) => ({ ...body, function: "" })],
      ["with an unknown strategy", 422, (body) => ({ ...body, execution_strategy: "AOT" })],
      ["with a hash of wrong length", 422, (body) => withProgram(body, { pi_hash: "ab" })],
      ["with .. in a path", 422, (body) => withProgram(body, { program_file_name: "/a/../b" })],
      ["with a relative path", 422, (body) => withProgram(body, { program_file_name: "a" })],
      [
        "with rights that do not exist",
        422,
        (body) => ({ ...body, file_rights: [{ file_name: "/a", rights: 2 ** 31 }] }),
      ],
      [
        "with one program twice",
        422,
        (body) => ({ ...body, programs: [...body.programs, ...body.programs] }),
      ],
    ];
    for (const [name, status, change] of cases) {
      it(name, async () => {
        const code = status === 400 ? "REQUEST_INVALID" : "POLICY_INVALID";
        const problem = isProblem(await register(change(vodFunction())), status, code);
        assert.ok((problem.faults ?? []).length > 0);
        isJson(await call("GET", `${url}/function`), { functions: [] });
      });
    }

    it("that is not JSON", async () => {
      const headers = { "content-type": "application/json" };
      for (const body of ["{", "", '{"function": vod}', "\u0000"]) {
        isProblem(await call("POST", `${url}/function`, { body, headers }), 400, "REQUEST_INVALID");
      }
    });

    it("of another type", async () => {
      const headers = { "content-type": "text/plain" };
      const answer = await call("POST", `${url}/function`, { body: "{}", headers });
      isProblem(answer, 415, "REQUEST_MEDIA_TYPE");
    });

    it("that is huge", async () => {
      const answer = await register({ ...vodFunction(), function: "x".repeat(9_000_000) });
      isProblem(answer, 413, "REQUEST_TOO_LARGE");
    });
  });

  it("different: unknown routes and methods are problem documents", async () => {
    isProblem(await call("GET", `${url}/nothing`), 404, "ROUTE_NOT_FOUND");
    const answer = await call("PUT", `${url}/function`);
    isProblem(answer, 405, "METHOD_NOT_ALLOWED");
    assert.equal(answer.headers.get("allow"), "GET, HEAD, POST");
  });

  it("answers with a request id, the caller's own when it is harmless", async () => {
    const own = await call("GET", `${url}/function`, { headers: { "x-request-id": "abc-1" } });
    assert.equal(own.headers.get("x-request-id"), "abc-1");
    const odd = await call("GET", `${url}/function`, { headers: { "x-request-id": "a b" } });
    assert.match(odd.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  });

  it("says that it is well", async () => {
    isJson(await call("GET", `${url}/healthz`), { status: "ok" });
  });
});

function withProgram(body: FunctionBody, change: Record<string, unknown>): unknown {
  return { ...body, programs: body.programs.map((program) => ({ ...program, ...change })) };
}
