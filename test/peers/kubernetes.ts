// As much of the Kubernetes API as the original VaaS asks of it: pods, config maps and endpoint slices of one namespace,
// in memory. Every pod is up at once.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** An API that listens. */
export interface Kubernetes {
  /** Writes what clients find it by. */
  writeConfig(path: string): void;
  /** Refuses requests of one kind, such as `POST pods`, from now on; none when absent. */
  refuse(request?: string): void;
  /** What is there, as `pods/NAME`. */
  names(): string[];
  /** What the clean-up script beside the original does sooner or later: drops what no pod belongs to any more. */
  cleanUp(): void;
  close(): Promise<void>;
}

interface Metadata {
  name: string;
  labels?: Record<string, string>;
  resourceVersion?: string;
}
type Resource = Record<string, unknown> & { metadata: Metadata };

const KINDS = ["pods", "configmaps", "endpointslices"];

/** Starts the API. */
export async function startKubernetes(): Promise<Kubernetes> {
  const objects = new Map<string, Resource>();
  let refused: string | undefined;
  const answer = async (request: IncomingMessage): Promise<[number, unknown]> => {
    const url = new URL(request.url ?? "", "http://kubernetes");
    const [kind = "", name] = url.pathname.split("/namespaces/default/")[1]?.split("/") ?? [];
    if (!KINDS.includes(kind)) return status(404, "NotFound");
    if (refused === `${request.method} ${kind}`) return status(500, "InternalError");
    const key = `${kind}/${name}`;
    if (request.method === "POST") {
      const made = (await bodyOf(request)) as Resource;
      const place = `${kind}/${made.metadata.name}`;
      if (objects.has(place)) return status(409, "AlreadyExists");
      made.metadata.resourceVersion = "1";
      if (kind === "pods") made["status"] = { phase: "Running", podIP: "127.0.0.1" };
      objects.set(place, made);
      return [201, made];
    }
    if (name === undefined) {
      const labels = (url.searchParams.get("labelSelector") ?? "").split(",");
      const items = [...objects]
        .filter(([place, { metadata }]) => place.startsWith(`${kind}/`) && has(metadata, labels))
        .map(([, each]) => each);
      return [200, { items, metadata: {} }];
    }
    const found = objects.get(key);
    if (found === undefined) return status(404, "NotFound");
    if (request.method === "DELETE") objects.delete(key);
    return [200, found];
  };
  const server = createServer((request, response) => {
    answer(request).then(
      ([code, body]) => {
        response.writeHead(code, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      },
      () => response.destroy(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    writeConfig: (path) =>
      writeFileSync(
        path,
        JSON.stringify({
          "current-context": "test",
          contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
          clusters: [{ name: "test", cluster: { server: `http://127.0.0.1:${port}` } }],
          users: [{ name: "test", user: {} }],
        }),
      ),
    refuse: (request) => {
      refused = request;
    },
    names: () => [...objects.keys()],
    cleanUp: () => {
      for (const place of objects.keys()) {
        if (!objects.has(`pods/${place.split("/")[1]}`)) objects.delete(place);
      }
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function has({ labels = {} }: Metadata, wanted: readonly string[]): boolean {
  return wanted.every((each) => {
    const [name = "", value] = each.split("=");
    return labels[name] === value;
  });
}

function status(code: number, reason: string): [number, unknown] {
  return [code, { kind: "Status", apiVersion: "v1", status: "Failure", reason, code }];
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  return JSON.parse(text);
}
