import { colonHex } from '../../x509/colon-hex.ts';
import type { Connection } from './connection.ts';
import type { PeerTrust } from './peer-trust.ts';

/** What happens to the trust in a service whose own certificate this program changes. */
export interface Rotation {
  /** @param fingerprint of the certificate that is in service now, in hexadecimal */
  installed(fingerprint: string): Promise<void>;
  /** The same of a certificate that may give way to the one before it. */
  tried(fingerprint: string): Promise<void>;
}

/** Makes sure in a handshake of its own which certificate is shown, and has that one remembered. */
export function followRotation(connection: Connection, trust: PeerTrust): Rotation {
  const settle = async (fingerprint: string, isTrial: boolean) => {
    trust.expect(colonHex(fingerprint));
    const { certificate } = await connection.probe();
    await trust.settle(certificate.fingerprint256, isTrial);
  };
  return {
    installed: (fingerprint) => settle(fingerprint, false),
    tried: (fingerprint) => settle(fingerprint, true),
  };
}
