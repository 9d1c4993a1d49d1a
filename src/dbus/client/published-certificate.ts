import type { PublishedCertificate, PublishedFindings } from '../../manager/certificate-client.ts';
import { readCertificate } from '../../x509/certificate.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { parsePem } from '../../x509/pem.ts';
import { certificateInterface } from '../certs/certs-interfaces.ts';
import { chainInterface, findingsInterface } from '../certs/extension-interfaces.ts';
import type { Interfaces } from '../server/object-tree.ts';

/** PEM of the certificate of an object and of what is served with it; nothing for another object. */
export function textsOf(interfaces: Interfaces): readonly string[] {
  const chain = interfaces[chainInterface.name]?.Certificates?.value;
  if (Array.isArray(chain)) return chain.map(String);
  const own = interfaces[certificateInterface.name]?.CertificateString?.value;
  return typeof own === 'string' ? [own] : [];
}

/**
 * Everything we say of a certificate is read from the certificate itself.
 * @returns `undefined` where nothing can be said of it
 */
export function readPublished(
  id: string,
  texts: readonly string[],
  findings: PublishedFindings | undefined,
  limits: ContentLimits,
): PublishedCertificate | undefined {
  try {
    const [certificate, ...chain] = texts
      .flatMap((text) => parsePem(text, limits))
      .map(({ der }) => readCertificate(der, limits));
    return certificate && { id, certificate, chain, ...(findings && { findings }) };
  } catch {
    return undefined;
  }
}

/** What is said of a certificate; nothing where the manager is not ours. */
export function findingsOf(interfaces: Interfaces): PublishedFindings | undefined {
  const said = interfaces[findingsInterface.name];
  return (
    said && {
      warnings: pairsOf(said.Warnings?.value).map(([code, text]) => ({ code, text })),
      leftOut: pairsOf(said.LeftOut?.value).map(([subject, reason]) => ({ subject, reason })),
      since: Number(said.Since?.value ?? 0),
    }
  );
}

function pairsOf(rows: unknown): readonly [string, string][] {
  return Array.isArray(rows) ? rows.map(([a, b]) => [String(a), String(b)]) : [];
}
