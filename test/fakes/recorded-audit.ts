import { Audit } from '../../src/core/audit.ts';

/** An audit whose lines a test can read: the level, the message, and the fields as JSON. */
export function recordedAudit(): { readonly audit: Audit; readonly auditLines: string[] } {
  const auditLines: string[] = [];
  const note =
    (level: string) =>
    (message: string, fields: object = {}) => {
      auditLines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  return { audit: new Audit({ info: note('info'), warn: note('warn') }), auditLines };
}
