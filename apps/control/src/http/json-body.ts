// Bodies of JSON: UTF-8 and nothing else, so that what is kept is what was sent. One that is empty is none: what a route
// wants of it is for its schema to say.
import { EncodingError, toText } from "@holdfast/core";
import type { FastifyBodyParser } from "fastify";
import { ControlError } from "../errors.ts";
import type { ServiceApp } from "./service-app.ts";

/** Has a service read bodies of JSON, and of no other type. */
export function readJsonBodies(app: ServiceApp): void {
  // It refuses members that would change prototypes.
  const parse = app.getDefaultJsonParser("error", "error");
  const parser: FastifyBodyParser<Buffer> = (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    try {
      return parse(request, toText(body), done);
    } catch (thrown) {
      return done(thrown instanceof EncodingError ? notText(thrown) : (thrown as Error));
    }
  };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, parser);
}

function notText(cause: EncodingError): ControlError {
  return new ControlError(400, "REQUEST_INVALID", "the body is not valid UTF-8", { cause });
}
