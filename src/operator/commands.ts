import { SetupError } from '../core/setup-error.ts';
import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../manager/certificate-client.ts';
import { endpointTypes } from '../manager/endpoint-definition.ts';
import { cannotBeRead, readStream } from '../storage/regular-file.ts';
import { colonHex } from '../x509/colon-hex.ts';
import { pemContent } from '../x509/containers.ts';
import { formatName } from '../x509/name.ts';
import { csrUsage, parseCsrOptions } from './csr-options.ts';

/** One command of the operator: what it is called with, and what it prints. */
interface Command {
  readonly usage: string;
  readonly summary: string;
  run(client: CertificateClient, args: readonly string[]): Promise<string>;
}

/** The commands that act on a running manager. FILE may be `-` for standard input. */
export const commands: Readonly<Record<string, Command>> = {
  list: {
    usage: '',
    summary: 'every certificate',
    async run(client) {
      const rows = client
        .endpoints()
        .flatMap((endpoint) => client.list(endpoint).map((one) => summaryRow(endpoint, one)));
      return table([['OBJECT', 'UNTIL', 'SUBJECT'], ...rows]);
    },
  },
  show: {
    usage: 'TYPE/NAME/ID',
    summary: 'a certificate and what it says',
    async run(client, [target]) {
      const { endpoint, id } = parseCertificate(target);
      return describe(client.get(endpoint, id));
    },
  },
  install: {
    usage: 'TYPE/NAME FILE',
    summary: 'add a certificate, with its key if it was made elsewhere',
    async run(client, [target, file]) {
      const endpoint = parseEndpoint(target);
      const installed = await client.install(endpoint, pemContent(readText(file)));
      return `${endpoint.type}/${endpoint.name}/${installed.id}\n${findingsOf(installed)}`;
    },
  },
  replace: {
    usage: 'TYPE/NAME/ID FILE',
    summary: 'put another certificate in its place',
    async run(client, [target, file]) {
      const { endpoint, id } = parseCertificate(target);
      return findingsOf(await client.replace(endpoint, id, pemContent(readText(file))));
    },
  },
  delete: {
    usage: 'TYPE/NAME/ID',
    summary: 'remove a certificate; a server then gets a self-signed one',
    async run(client, [target]) {
      const { endpoint, id } = parseCertificate(target);
      client.get(endpoint, id);
      await client.delete(endpoint, id);
      return '';
    },
  },
  csr: {
    usage: `TYPE/NAME ${csrUsage}`,
    summary: 'make a key and print a certificate signing request (CSR) for it',
    async run(client, [target, ...options]) {
      return client.makeRequest(parseEndpoint(target), parseCsrOptions(options));
    },
  },
  trust: {
    usage: 'FILE',
    summary: 'add a CA to authority/truststore',
    async run(client, [file]) {
      const endpoint = { type: 'authority', name: 'truststore' } as const;
      const { id } = await client.install(endpoint, pemContent(readText(file)));
      return `authority/truststore/${id}\n`;
    },
  },
};

function parseEndpoint(target = ''): EndpointRef {
  const [type, name, ...rest] = target.split('/');
  const known = endpointTypes.find((one) => one === type);
  if (known && name && rest.length === 0) return { type: known, name };
  throw new SetupError(`An endpoint is named like server/https, not ${target || 'nothing'}.`);
}

function parseCertificate(target = ''): { readonly endpoint: EndpointRef; readonly id: string } {
  const slash = target.lastIndexOf('/');
  const id = target.slice(slash + 1);
  if (/^\d+$/.test(id)) return { endpoint: parseEndpoint(target.slice(0, slash)), id };
  throw new SetupError(`A certificate is named like server/https/1, not ${target || 'nothing'}.`);
}

function readText(file: string | undefined): string {
  if (file === undefined) throw new SetupError('Name the file with the certificate.');
  try {
    return readStream(file === '-' ? 0 : file);
  } catch (cause) {
    throw cannotBeRead(`The file ${file}`, cause);
  }
}

function summaryRow({ type, name }: EndpointRef, { id, certificate }: PublishedCertificate) {
  return [`${type}/${name}/${id}`, day(certificate.notAfter), formatName(certificate.subject)];
}

/** A line for each warning, and for each certificate of the file that is not served. */
function findingsOf({ findings }: PublishedCertificate): string {
  const { warnings = [], leftOut = [] } = findings ?? {};
  return [
    ...warnings.map(({ code, text }) => `Warning: ${code}: ${text}\n`),
    ...leftOut.map(({ subject, reason }) => `Left out: ${subject}: ${reason}\n`),
  ].join('');
}

function describe(published: PublishedCertificate): string {
  const { certificate } = published;
  const rows = [
    ['Subject', formatName(certificate.subject)],
    ['Issuer', formatName(certificate.issuer)],
    ['Names', certificate.alternativeNames.map(({ value }) => value).join(', ')],
    ['Usage', certificate.keyUsage.join(', ')],
    ['Valid', `${day(certificate.notBefore)} to ${day(certificate.notAfter)}`],
    ['SHA-256', colonHex(certificate.fingerprint)],
  ];
  return `${table(rows)}${findingsOf(published)}${certificate.pem}`;
}

function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function table(rows: readonly (readonly string[])[]): string {
  const width = (at: number) => Math.max(...rows.map((row) => row[at]?.length ?? 0));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(width(at)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
