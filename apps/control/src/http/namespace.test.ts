// Which namespace a path belongs to, and that no spelling of a path changes it.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import Fastify from "fastify";
import { namespaceOf, rewriteUrl } from "./namespace.ts";
import { problemOf } from "./problems.ts";

describe("namespaces of requests", () => {
  const app = Fastify({ rewriteUrl });
  let port = 0;

  before(async () => {
    app.addHook("onRequest", async (each) => {
      namespaceOf(each);
    });
    app.setErrorHandler((error, _request, reply) => {
      const answer = problemOf(error, "id");
      return reply.code(answer.status).send(answer);
    });
    app.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: "ROUTE_NOT_FOUND" }));
    app.get(
      "/thing/:name",
      (each) => `${namespaceOf(each)} ${(each.params as { name: string }).name}`,
    );
    app.get("/wild/*", (each) => `${namespaceOf(each)} ${(each.params as { "*": string })["*"]}`);
    port = Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
  });
  after(() => app.close());

  /** As it stands, byte for byte: `fetch` would tidy the path. */
  const ask = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = request({ host: "127.0.0.1", port, path, agent: false }, (answer) => {
        let text = "";
        answer.on("data", (part: Buffer) => (text += part.toString()));
        answer.once("end", () => resolve(answer.statusCode === 200 ? text : codeOf(text)));
      });
      call.once("error", reject).end();
    });
  const codeOf = (text: string): string => (JSON.parse(text) as { code: string }).code;

  for (const [path, answer] of [
    ["/thing/a", "default a"],
    ["/namespaces/default/thing/a", "default a"],
    ["/namespaces/team/thing/a", "team a"],
    ["/namespaces/0/thing/a?b=c", "0 a"],
    [`/namespaces/${"n".repeat(40)}/thing/a`, `${"n".repeat(40)} a`],
    ["/namespaces/team/thing/a#/namespaces/other", "team a"],
    ["/namespaces/team/thing/%2e%2e%2f..%2fnamespaces%2fother", "team ../../namespaces/other"],
    ["/namespaces/team/wild/../../other/thing/a", "team ../../other/thing/a"],
    ["http://other/thing/a", "default a"],
  ] as const) {
    it(`${path} is ${answer}`, async () => assert.equal(await ask(path), answer));
  }

  for (const name of [
    "",
    "A",
    "Team",
    "-a",
    "a-",
    "a_b",
    "a.b",
    "..",
    ".",
    "%74eam",
    "team%2f..%2fother",
    "team%00",
    "team;other",
    "team@other",
    "te%61m",
    "n".repeat(41),
    "__proto__",
  ]) {
    it(`the name ${JSON.stringify(name)} is refused`, async () => {
      assert.equal(await ask(`/namespaces/${name}/thing/a`), "NAMESPACE_INVALID");
      assert.equal(await ask(`/namespaces/${name}`), "NAMESPACE_INVALID");
    });
  }

  for (const path of [
    "//namespaces/team/thing/a",
    "/%6eamespaces/team/thing/a",
    "/namespaces%2fteam/thing/a",
    "/Namespaces/team/thing/a",
    "/./namespaces/team/thing/a",
    "/x/../namespaces/team/thing/a",
    "/namespaces/team/namespaces/other/thing/a",
    "/namespaces/team/../other/thing/a",
    "/namespaces/team//thing/a",
    "http://other/namespaces/team/thing/a",
  ]) {
    it(`${path} leads nowhere`, async () => assert.equal(await ask(path), "ROUTE_NOT_FOUND"));
  }

  it("nothing after the name changes it", async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "..",
        ".",
        "",
        "%2e%2e",
        "%2f",
        "namespaces",
        "other",
        "thing",
        "wild",
        "?",
        "#",
        ";",
      ),
      fc.stringMatching(/^[!-~]{0,8}$/),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        const answer = await ask(`/namespaces/team/${pieces.join("/")}`);
        assert.match(answer, /^(team |[A-Z_]+$)/);
      }),
      { numRuns: 200 },
    );
  });
});
