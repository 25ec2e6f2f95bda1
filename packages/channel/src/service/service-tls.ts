// TLS of a service: 1.3 only, with a certificate that is replaced while the service runs. It comes from a local authority,
// and is issued anew long before its end; or from two files, which are read again when they change.
import { readFile } from "node:fs/promises";
import { createSecureContext, type Server, type TlsOptions } from "node:tls";
import { type Clock, messageOf } from "@holdfast/core";
import { PREFERRED_GROUPS } from "../serve-keep.ts";
import { ServiceTlsError } from "./errors.ts";
import { issueServer, type ServerCertificate } from "./issue-server.ts";
import { type LocalAuthority, openLocalAuthority } from "./local-authority.ts";
import { answerPlainHttp } from "./plain-http.ts";
import type { TlsSource } from "./tls-source.ts";

/** A certificate in use and its key, PEM. */
interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** How often files are looked at, and whether a certificate is to be renewed. */
const LOOK_MS = 60_000;
const SETTINGS = {
  minVersion: "TLSv1.3",
  ecdhCurve: PREFERRED_GROUPS,
} as const satisfies TlsOptions;

/** The TLS of one process's services. */
export class ServiceTls {
  readonly #source: Source;
  readonly #onFault: (fault: string) => void;
  readonly #servers = new Set<Server>();
  readonly #timer: NodeJS.Timeout;
  #pair: Pair;
  #last: Promise<void> = Promise.resolve();

  private constructor(source: Source, pair: Pair, onFault: (fault: string) => void) {
    this.#source = source;
    this.#pair = pair;
    this.#onFault = onFault;
    this.#timer = setInterval(() => void this.renew(), LOOK_MS).unref();
  }

  /**
   * Reads or makes what a service presents.
   * @param onFault is told why a certificate could not be replaced; the old one goes on
   * @throws ServiceTlsError TLS_AUTHORITY_UNUSABLE, TLS_FILES_UNUSABLE
   */
  static async open(
    source: TlsSource,
    options: { clock: Clock; onFault: (fault: string) => void },
  ): Promise<ServiceTls> {
    const from = source.kind === "auto" ? await autoSource(source, options.clock) : files(source);
    return new ServiceTls(from, await from.next(), options.onFault);
  }

  /** What clients are to trust, when it was made here. */
  get authorityFile(): string | undefined {
    return this.#source.authorityFile;
  }

  /** Options of a new server, which is then to be given to `follow`. */
  get options(): TlsOptions {
    return { ...SETTINGS, ...this.#pair, ALPNProtocols: ["http/1.1"], handshakeTimeout: 10_000 };
  }

  /** Keeps a server's certificate new from now on, and has it tell those who speak plain HTTP what it speaks. */
  follow(server: Server): void {
    this.#servers.add(server);
    server.setSecureContext({ ...SETTINGS, ...this.#pair });
    server.once("close", () => this.#servers.delete(server));
    answerPlainHttp(server, this.authorityFile);
  }

  /** Looks for a newer certificate now. Connections that stand go on with the one they began with. */
  renew(): Promise<void> {
    this.#last = this.#last.then(() => this.#renew());
    return this.#last;
  }

  /** Ends looking. */
  close(): void {
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    try {
      const pair = await this.#source.next();
      if (pair.cert === this.#pair.cert && pair.key === this.#pair.key) return;
      for (const server of this.#servers) server.setSecureContext({ ...SETTINGS, ...pair });
      this.#pair = pair;
    } catch (thrown) {
      this.#onFault(messageOf(thrown));
    }
  }
}

/** Where pairs come from; the same one again when there is no newer. */
interface Source {
  readonly authorityFile?: string;
  next(): Promise<Pair>;
}

async function autoSource(
  { directory, names }: Extract<TlsSource, { kind: "auto" }>,
  clock: Clock,
): Promise<Source> {
  const open = (): Promise<LocalAuthority> => openLocalAuthority(directory, names, clock);
  const { certificateFile: authorityFile } = await open();
  let current: ServerCertificate | undefined;
  return {
    authorityFile,
    async next() {
      if (current === undefined || clock.now() >= current.renewAt) {
        const { cert, key, renewAt } = await issueServer(await open(), clock);
        current = { cert, key, renewAt };
      }
      return { cert: current.cert, key: current.key };
    },
  };
}

function files({ certificateFile, keyFile }: Extract<TlsSource, { kind: "files" }>): Source {
  return {
    async next() {
      try {
        const pair = {
          cert: await readFile(certificateFile, "utf8"),
          key: await readFile(keyFile, "utf8"),
        };
        // Throws unless both can be read and belong together: a pair half replaced is not taken.
        createSecureContext(pair);
        return pair;
      } catch (cause) {
        const what = `${certificateFile} and ${keyFile}: ${messageOf(cause)}`;
        throw new ServiceTlsError("TLS_FILES_UNUSABLE", what, { cause });
      }
    },
  };
}
