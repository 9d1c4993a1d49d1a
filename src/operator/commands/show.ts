import type { CertificateClient, EndpointRef } from '../../manager/certificate-client.ts';
import { type Certificate, readCertificate as certificateOf } from '../../x509/certificate.ts';
import { isKeyBlock, readPrivateKey } from '../../x509/keys.ts';
import { formatName } from '../../x509/name.ts';
import type { PemBlock } from '../../x509/pem.ts';
import { describeRequest } from '../../x509/request-description.ts';
import { keyText, noSummary, optionalSummaryFields, summaryOf } from '../certificate-view.ts';
import { operatorCommand } from '../context.ts';
import { CommandError } from '../framework/exit-status.ts';
import { type Fields, type Row, visible } from '../framework/fields.ts';
import { textValue } from '../framework/value-kind.ts';
import { passwordOptions, readBlocks } from '../material.ts';
import {
  installedAt,
  listedCertificates,
  mustHave,
  nameOf,
  originField,
  originOf,
  readCertificate,
  readEndpoint,
} from '../targets.ts';

const fields = {
  kind: { type: 'text', title: 'Kind', about: '`certificate`, `csr` or `key`' },
  where: { type: 'text', title: 'Where', about: 'name of the certificate, or the file' },
  ...optionalSummaryFields,
  notBefore: { ...optionalSummaryFields.notBefore, title: 'From' },
  notAfter: { ...optionalSummaryFields.notAfter, title: 'Until' },
  sha256: { ...optionalSummaryFields.sha256, title: 'SHA-256' },
  usage: { type: 'texts', title: 'Usage', about: 'key usages and extended key usages' },
  isCa: { type: 'flag', optional: true, title: 'CA', about: 'whether it is a CA' },
  key: { type: 'text', title: 'Key', about: 'such as `EC P-256`' },
  signature: {
    type: 'text',
    optional: true,
    title: 'Signature',
    about: 'algorithm of the signature',
  },
  serialNumber: { type: 'text', optional: true, title: 'Serial', about: 'in hexadecimal' },
  chain: {
    type: 'texts',
    title: 'Served with',
    about: 'subjects of the issuers that are served with it, in order',
  },
  warnings: { type: 'texts', title: 'Warnings', about: 'why some clients refuse it' },
  origin: { ...originField, optional: true },
  pem: { type: 'text', optional: true, about: 'its PEM and that of the chain; never a key' },
} as const satisfies Fields;

type Shown = Row<typeof fields>;

export const show = operatorCommand({
  name: 'show',
  summary: 'tell what an installed certificate or a file says',
  about: [
    '`TYPE/NAME/ID` is an installed certificate, and the name of an authority stands for all of its certificates; anything else is a file with certificates, CSRs or keys in any usual form. Write `./server/https/1` for a file that is called so. Of a private key nothing but its kind is shown.',
  ],
  arguments: {
    target: {
      kind: {
        ...textValue('CERTIFICATE|FILE'),
        completion: { ...listedCertificates, files: true },
      },
      about: 'such as `server/https/1`, `certificate.pem` or `-` for standard input',
    },
  },
  options: { ...passwordOptions, pem: { about: 'print PEM and nothing else' } },
  answersList: true,
  fields,
  layout: 'records',
  examples: [
    { command: 'show server/https', about: 'The certificate of the Redfish service' },
    { command: 'show server/https --pem > bmc.pem', about: 'Keep a copy of it with its issuers' },
    { command: 'show bundle.p12 --password-file secret', about: 'What a file holds' },
  ],
  async run({ args: { target }, options, context }) {
    const installed = readCertificate(target);
    const endpoint = installed?.endpoint ?? readEndpoint(target);
    if (!endpoint) {
      return answer(rowsOfFile(target, await readBlocks([target], options)), options.pem);
    }
    const { client, administration } = await context.manager();
    const found = installed ? [installedAt(client, installed)] : allAt(client, endpoint);
    const expiry = await administration.expiry(endpoint);
    const rows = found.map((one) => ({
      ...certificateRow(nameOf(endpoint, one.id), one.certificate, one.chain),
      ...summaryOf(one.certificate, expiry.get(one.id)),
      origin: originOf(client, endpoint),
      warnings: (one.findings?.warnings ?? []).map(({ code, text }) => `${code}: ${text}`),
    }));
    return answer(rows, options.pem);
  },
});

/** @throws CommandError `not-found` */
function allAt(client: CertificateClient, endpoint: EndpointRef) {
  mustHave(client, endpoint);
  const all = client.list(endpoint);
  if (all.length > 0) return all;
  throw new CommandError('not-found', `There is no certificate at ${nameOf(endpoint)}.`);
}

function answer(data: readonly Shown[], isPem: boolean) {
  return isPem ? { data, text: data.map(({ pem }) => pem ?? '').join('') } : { data };
}

/** @throws CertError, CommandError `refused` */
function rowsOfFile(file: string, blocks: readonly PemBlock[]): Shown[] {
  const rows = blocks.flatMap((block) => rowOfBlock(file, block) ?? []);
  if (rows.length > 0) return rows;
  throw new CommandError(
    'refused',
    `The file ${visible(file)} holds no certificate, CSR or key; an installed certificate is named like server/https/1.`,
  );
}

function rowOfBlock(where: string, block: PemBlock): Shown | undefined {
  if (block.label.endsWith('CERTIFICATE')) return certificateRow(where, certificateOf(block.der));
  if (block.label.endsWith('CERTIFICATE REQUEST')) return csrRow(where, block);
  if (!isKeyBlock(block)) return undefined;
  return { ...nothing, kind: 'key', where, key: keyText(readPrivateKey(block)) };
}

const nothing = {
  ...noSummary,
  origin: null,
  usage: [],
  isCa: null,
  signature: null,
  serialNumber: null,
  chain: [],
  warnings: [],
  pem: null,
};

function certificateRow(
  where: string,
  certificate: Certificate,
  chain: readonly Certificate[] = [],
): Shown {
  return {
    kind: 'certificate',
    where,
    origin: null,
    ...summaryOf(certificate),
    usage: certificate.keyUsage,
    isCa: certificate.isCa,
    key: keyText(certificate.publicKey),
    signature: certificate.signatureAlgorithm,
    serialNumber: certificate.serialNumber,
    chain: chain.map(({ subject }) => formatName(subject)),
    warnings: [],
    pem: [certificate, ...chain].map(({ pem }) => pem).join(''),
  };
}

function csrRow(where: string, { der, text }: PemBlock): Shown {
  const { subject, alternativeNames, keyUsage, publicKey } = describeRequest(der);
  return {
    ...nothing,
    kind: 'csr',
    where,
    subject: formatName(subject),
    names: alternativeNames.map(({ value }) => value),
    usage: keyUsage,
    key: keyText(publicKey),
    pem: text,
  };
}
