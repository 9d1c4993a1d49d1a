import type { PublishedCertificate, PublishedFindings } from '../../manager/certificate-client.ts';
import { readCertificate } from '../../x509/certificate.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { parsePem } from '../../x509/pem.ts';
import { certificateInterface } from '../certs/certs-interfaces.ts';
import { chainInterface, findingsInterface } from '../certs/extension-interfaces.ts';
import type { Interfaces, Properties } from '../server/object-tree.ts';

/** PEM of the certificate of an object and of what is served with it; nothing for another object. */
export function textsOf(interfaces: Interfaces | undefined): readonly string[] {
  const chain = interfaces?.[chainInterface.name]?.Certificates?.value;
  if (Array.isArray(chain)) return chain.map(String);
  const own = interfaces?.[certificateInterface.name]?.CertificateString?.value;
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

/** What is said of a certificate, after a signal with some of the properties. */
export function findingsOf(
  interfaces: Interfaces | undefined,
  before?: PublishedFindings,
): PublishedFindings | undefined {
  const said = interfaces?.[findingsInterface.name];
  if (!said) return before;
  const { warnings = [], leftOut = [], since = 0 } = { ...before, ...partOf(said) };
  return { warnings, leftOut, since };
}

function partOf({ Warnings, LeftOut, Since }: Properties): Partial<PublishedFindings> {
  return {
    ...(Warnings && { warnings: pairsOf(Warnings.value).map(([code, text]) => ({ code, text })) }),
    ...(LeftOut && {
      leftOut: pairsOf(LeftOut.value).map(([subject, reason]) => ({ subject, reason })),
    }),
    ...(Since && { since: Number(Since.value) }),
  };
}

function pairsOf(rows: unknown): readonly [string, string][] {
  return Array.isArray(rows) ? rows.map(([a, b]) => [String(a), String(b)]) : [];
}
