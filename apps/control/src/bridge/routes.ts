// The seed's route of the S3 bridge.
import { S3StreamBody } from "@holdfast/contract";
import { PARAGRAPH, sendParagraph } from "../http/answers.ts";
import { callerLeft } from "../http/caller-left.ts";
import type { ServiceApp } from "../http/service-app.ts";
import type { BridgeContext } from "./context.ts";
import { copyObject } from "./copy-object.ts";

/** Adds the route of the bridge. */
export function bridgeRoutes(app: ServiceApp, context: BridgeContext): void {
  app.post(
    "/s3_stream_veracruz",
    { config: { role: "user" }, schema: { body: S3StreamBody, ...PARAGRAPH } },
    async ({ body, log }, reply) => {
      const bytes = await copyObject(context, body, { signal: callerLeft(reply.raw) });
      log.info({ bucket: body.s3.bucket, file: body.veracruz.filename, bytes }, "object copied");
      return sendParagraph(reply, "OK video file copied");
    },
  );
}
