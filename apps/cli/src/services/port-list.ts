// `--ports NAME=PORT,...`: other ports than the usual ones.
import type { PlatformPorts } from "../processes/platform-config.ts";
import { DEFAULT_PORTS } from "./addresses.ts";

/** Ports by name; what is absent keeps its default. */
export type NamedPorts = Partial<Record<keyof typeof DEFAULT_PORTS, number>>;

const KEEPS = 64;

/** Reads a list of ports; undefined when a name or a number is not one, or stands twice. */
export function parsePorts(text: string): NamedPorts | undefined {
  const ports: NamedPorts = {};
  for (const part of text.split(",")) {
    const [, name = "", digits] = /^([a-z0-9]+)=(\d{1,5})$/.exec(part) ?? [];
    const port = Number(digits);
    if (!isName(name) || ports[name] !== undefined || !(port >= 1 && port <= 65_535)) {
      return undefined;
    }
    ports[name] = port;
  }
  return ports;
}

/** All ports of a platform. */
export function portsFrom(named: NamedPorts): PlatformPorts {
  const ports = { ...DEFAULT_PORTS, ...named };
  return { ...ports, keepsLast: Math.min(65_535, ports.keeps + KEEPS - 1) };
}

function isName(name: string): name is keyof typeof DEFAULT_PORTS {
  return Object.hasOwn(DEFAULT_PORTS, name);
}
