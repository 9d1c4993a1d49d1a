/** How a command ends, by kind. Scripts rely on the numbers: a kind never gets another one. */
export const exitStatuses = {
  done: { status: 0, about: 'The command did what it was asked to do.' },
  failed: { status: 1, about: 'A fault of the manager, the disk or the program.' },
  usage: { status: 2, about: 'The command line is not valid. Nothing was done.' },
  'not-found': {
    status: 3,
    about: 'There is no such endpoint, certificate, CSR, replacement, account or file.',
  },
  denied: { status: 4, about: 'This user may not do that. Most changes need root.' },
  refused: {
    status: 5,
    about: 'The manager refused the certificate, the key, the password or an argument.',
  },
  conflict: {
    status: 6,
    about:
      'The state of the endpoint is in the way: the same certificate, a limit, a staged replacement, too much at once.',
  },
  unavailable: {
    status: 7,
    about: 'The bus or the manager cannot be reached, or did not answer in time.',
  },
  unhealthy: { status: 8, about: '`doctor` found a fault.' },
  'not-due': { status: 9, about: '`--if-due`: the certificate is not due, so nothing was made.' },
  unsupported: {
    status: 10,
    about: 'The Redfish service of `--url`, or the certificate manager, does not offer that.',
  },
  untrusted: {
    status: 11,
    about:
      'The Redfish service of `--url` is not known to be the right one. Nothing was sent to it.',
  },
} as const;

export type ExitKind = keyof typeof exitStatuses;

/** Ends a command: what is wrong and what to do next, in a sentence for the operator. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly kind: ExitKind;

  constructor(kind: ExitKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
