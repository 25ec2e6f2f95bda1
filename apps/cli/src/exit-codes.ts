// What the command's exit code says. `wasm run` alone answers with its guest's own code.

/** Exit codes. The first three are veracruz-client's. */
export const EXIT = {
  ok: 0,
  /** It was tried and failed, or was refused. */
  failed: 1,
  /** The command line was wrong, or there was nothing to do; nothing was tried. */
  usage: 2,
  /** `evidence verify` alone: nothing failed, but the evidence could not be judged. */
  notJudged: 3,
  /** Ended by Ctrl-C or SIGTERM. */
  interrupted: 130,
} as const;

/** The paragraph of exit codes in every help text. */
export const EXIT_HELP = `Exit codes:
  0    done
  1    failed or refused; the message says why
  2    the command line is wrong, or there is nothing to do; nothing was tried
  3    evidence verify alone: not refused, but could not be judged
  130  interrupted`;
