// Calls to a keep's door: answers checked against the contract, refusals turned into errors.
import {
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  readBody,
  toText,
} from "@holdfast/core";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { ServiceError, ServiceRefusal } from "./errors.ts";
import { parseProblem, problem } from "./problem.ts";

const MAXIMUM_ANSWER = 32 * 1024 * 1024;

/** Speaks HTTP with one keep. Every method throws ServiceRefusal when the keep refuses. */
export class KeepCalls {
  readonly #transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.#transport = transport;
  }

  /** An answer of a shape; @throws ServiceError SERVICE_ANSWER when it has another */
  async json<T extends TSchema>(schema: T, request: HttpRequest): Promise<Static<T>> {
    const text = toText(await this.bytes(request));
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new ServiceError("SERVICE_ANSWER", `the keep's answer to ${request.path} is not JSON`, {
        cause,
      });
    }
    if (!Value.Check(schema, value)) {
      throw new ServiceError(
        "SERVICE_ANSWER",
        `the keep's answer to ${request.path} has another shape than expected`,
      );
    }
    return value;
  }

  /** The whole body of an answer; @throws ServiceError SERVICE_ANSWER when it is too long */
  async bytes(request: HttpRequest): Promise<Uint8Array> {
    const { body } = await this.accepted(request);
    const bytes = await readBody(body, MAXIMUM_ANSWER);
    if (bytes !== undefined) return bytes;
    throw new ServiceError(
      "SERVICE_ANSWER",
      `the keep's answer to ${request.path} is over ${MAXIMUM_ANSWER} bytes`,
    );
  }

  /** An answer whose body is still to be read. */
  async accepted(request: HttpRequest): Promise<HttpResponse> {
    const response = await this.#transport.request(request);
    if (response.status >= 200 && response.status < 300) return response;
    const bytes = (await readBody(response.body, MAXIMUM_ANSWER)) ?? new Uint8Array();
    const text = new TextDecoder().decode(bytes);
    throw new ServiceRefusal(
      "keep",
      parseProblem(text) ??
        problem(
          response.status,
          "SERVICE_ANSWER",
          `the keep answered ${response.status} to ${request.method} ${request.path}`,
        ),
    );
  }
}
