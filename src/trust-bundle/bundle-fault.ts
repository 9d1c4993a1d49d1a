/** Why a bundle was not taken, or not loaded: one code for each check. */
export const bundleFaults = {
  'not-configured': 'The bundle has no URL, or no pinned root.',
  setting: 'A setting asks for what cannot be done; the message begins with its name.',
  'pinned-roots': 'The file or directory of pinned roots cannot be read, or holds no CA.',
  'routing-instance': 'The routing instance does not exist on this host.',
  unreachable: 'The server could not be reached: name, TCP or TLS.',
  timeout: 'The server did not answer in time, or sent too slowly.',
  'http-status': 'The server answered with another status than 200, or a redirect.',
  truncated: 'What the server sent ended before its announced end.',
  'too-large': 'What the server sends is larger than its limit.',
  'content-encoding': 'The server compressed what it sent although that was not asked for.',
  'manifest-malformed': 'The manifest has not the form that it must have.',
  'wrong-bundle': 'The manifest is for another bundle, or for newer clients.',
  'signature-malformed': 'A signature is no CMS SignedData of the form that is taken.',
  'signature-invalid': 'A signature does not fit what is signed.',
  'signer-untrusted': 'The certificate of the signer does not lead to a pinned root.',
  'signer-unfit': 'The certificate of the signer may not sign bundles.',
  rollback: 'The manifest is older than one that was seen before, or another one of its revision.',
  'hash-mismatch': 'The target is not the one that the manifest names.',
  'bundle-malformed': 'The target holds something else than CAs.',
  empty: 'No CA would be left, although none is blocked.',
  blocked: 'The file holds a CA that the configuration blocks.',
  stale: 'The bundle was not confirmed for too long.',
  superseded: 'The settings changed while the download ran.',
  storage: 'The copy could not be written; the one before it is in force.',
  unavailable: 'The manager cannot be reached; it is tried again.',
  refused: 'The manager refused the change of a group.',
  'not-found': 'There is no such bundle or group.',
  busy: 'As much work as may be waits already.',
  internal: 'A fault of the program; the details are in its log.',
} as const;

export type BundleFaultCode = keyof typeof bundleFaults;

/** The one error that leaves this room. Its message goes to operators, and never holds a secret. */
export class BundleFault extends Error {
  override readonly name = 'BundleFault';
  readonly code: BundleFaultCode;

  constructor(code: BundleFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
