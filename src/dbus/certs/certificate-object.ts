import type { Findings } from '../../manager/checks/findings.ts';
import { expiryOf } from '../../manager/expiry.ts';
import type { InstalledCertificate } from '../../manager/installed-certificate.ts';
import { formatName } from '../../x509/name.ts';
import { type ServedInterface, serve } from '../server/interface.ts';
import { certificateInterface, deleteInterface, replaceInterface } from './certs-interfaces.ts';
import { openFile, openInputs } from './content.ts';
import {
  chainInterface,
  enumName,
  expiryInterface,
  findingsInterface,
  replaceContentInterface,
  successorInterface,
} from './extension-interfaces.ts';
import type { PublishedEndpoint } from './published-endpoint.ts';

type Publication = Pick<
  PublishedEndpoint,
  'endpoint' | 'uploads' | 'openContent' | 'expiryThresholds' | 'now'
>;

/** The object of an installed certificate: `<root>/<id>`. */
export function certificateObject(
  options: Publication,
  installed: InstalledCertificate,
): readonly ServedInterface[] {
  return [...upstreamInterfaces(options, installed), ...ownInterfaces(options, installed)];
}

function upstreamInterfaces(
  publication: Publication,
  { id, certificate }: InstalledCertificate,
): readonly ServedInterface[] {
  const { endpoint } = publication;
  return [
    serve(certificateInterface, {
      properties: {
        CertificateString: () => certificate.pem,
        Subject: () => formatName(certificate.subject),
        Issuer: () => formatName(certificate.issuer),
        KeyUsage: () => [...certificate.keyUsage],
        ValidNotAfter: () => seconds(certificate.notAfter),
        ValidNotBefore: () => seconds(certificate.notBefore),
      },
    }),
    serve(replaceInterface, {
      methods: {
        Replace: ({ Path }, caller) =>
          endpoint.replace(id, openFile(Path, publication, caller, endpoint.definition)),
      },
    }),
    serve(deleteInterface, {
      methods: {
        Delete: () => endpoint.delete(id),
      },
    }),
  ];
}

function ownInterfaces(
  publication: Publication,
  { id, certificate, chain, findings }: InstalledCertificate,
): readonly ServedInterface[] {
  const { endpoint, expiryThresholds, now } = publication;
  const expiry = () => expiryOf(certificate, now(), expiryThresholds);
  // A truststore serves nothing
  const said = endpoint.definition.type === 'authority' ? [] : [servedFindings(findings)];
  return [
    serve(replaceContentInterface, {
      methods: {
        Replace: (inputs, caller) =>
          endpoint.replace(id, openInputs(inputs, publication, caller, endpoint.definition)),
      },
    }),
    // Before the chain, with whose signal a copy takes what was said to be new
    ...said,
    serve(chainInterface, {
      properties: { Certificates: () => [certificate, ...chain].map(({ pem }) => pem) },
    }),
    serve(successorInterface, {
      methods: {
        Rekey: (parameters) => endpoint.requests.rekey(parameters),
        Renew: ({ ChallengePassword }) => endpoint.requests.renew(ChallengePassword),
      },
    }),
    serve(expiryInterface, {
      properties: {
        State: () => enumName(expiryInterface, 'State', expiry().state),
        DaysLeft: () => BigInt(expiry().daysLeft),
      },
    }),
  ];
}

function servedFindings(findings: Findings | undefined): ServedInterface {
  const { warnings = [], leftOut = [], since = 0 } = findings ?? {};
  return serve(findingsInterface, {
    properties: {
      Warnings: () => warnings.map(({ code, text }) => [code, text]),
      LeftOut: () => leftOut.map(({ subject, reason }) => [subject, reason]),
      Since: () => BigInt(since),
    },
  });
}

/** The bus has no negative times; a stored certificate may be older than the rule against them. */
function seconds(time: number): bigint {
  return BigInt(Math.max(0, time));
}

/** The properties in which two certificates differ, in upstream's order. */
export function changedProperties(
  before: ServedInterface | undefined,
  after: ServedInterface,
): string[] {
  return Object.keys(after.spec.properties).filter(
    (name) => !sameValue(before?.read(name).value, after.read(name).value),
  );
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return JSON.stringify(a) === JSON.stringify(b);
  return a === b;
}
