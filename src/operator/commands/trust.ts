import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import { pemContent } from '../../x509/containers.ts';
import { formatName } from '../../x509/name.ts';
import {
  findingNotes,
  installedFields,
  installedRow,
  installedText,
  summaryFields,
  summaryOf,
} from '../certificate-view.ts';
import { operatorCommand } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { CommandError } from '../framework/exit-status.ts';
import { visible } from '../framework/fields.ts';
import { textValue } from '../framework/value-kind.ts';
import { fileArgument, passwordOptions, readBlocks, readMaterial } from '../material.ts';
import { endpointOfType, installedAt, mustHave, nameOf, readCertificate } from '../targets.ts';

const store = {
  endpoint: {
    kind: endpointOfType('authority'),
    short: 'e',
    about: 'another truststore',
    default: 'authority/truststore',
  },
} as const;

export const trustList = operatorCommand({
  name: 'trust list',
  summary: 'show the CAs that are trusted',
  options: store,
  answersList: true,
  fields: {
    certificate: { type: 'text', title: 'CA', about: 'such as `authority/truststore/1`' },
    ...summaryFields,
  },
  examples: [{ command: 'trust list', about: 'All CAs of authority/truststore' }],
  async run({ options: { endpoint }, context }) {
    const { client, administration } = await context.manager();
    mustHave(client, endpoint);
    const expiry = await administration.expiry(endpoint);
    const data = client.list(endpoint).map(({ id, certificate }) => ({
      certificate: nameOf(endpoint, id),
      ...summaryOf(certificate, expiry.get(id)),
    }));
    return { data };
  },
});

export const trustAdd = operatorCommand({
  name: 'trust add',
  summary: 'trust each CA of the files from now on',
  about: ['CAs that are there already are left as they are.'],
  arguments: { files: fileArgument },
  options: { ...store, ...passwordOptions },
  answersList: true,
  fields: installedFields,
  examples: [
    { command: 'trust add ca.pem', about: 'A CA or a bundle of several' },
    {
      command: 'trust add --endpoint authority/revoked compromised.pem',
      about: 'Into another truststore',
    },
  ],
  async run({ args: { files }, options, context }) {
    const found = await readBlocks(files, options);
    const blocks = found.filter(({ label }) => label.endsWith('CERTIFICATE'));
    if (blocks.length === 0) throw new CommandError('refused', 'The files hold no certificate.');
    const { client } = await context.manager();
    const { endpoint } = options;
    mustHave(client, endpoint);
    const known = new Set(client.list(endpoint).map(({ certificate }) => certificate.pem));
    const added: PublishedCertificate[] = [];
    try {
      for (const { text } of blocks.filter((block) => !known.has(block.text)))
        added.push(await client.install(endpoint, pemContent(text)));
    } catch (error) {
      if (added.length === 0) throw error;
      const { kind, message } = describeFailure(error);
      const names = added.map(({ id }) => nameOf(endpoint, id)).join(', ');
      throw new CommandError(kind, `${message} Added before it: ${names}.`, { cause: error });
    }
    const others = added.length === 0 ? 'All of these CAs' : 'The other CAs';
    const notes = added.length < blocks.length ? [`${others} are there already.`] : [];
    return trusted(client, endpoint, added, notes);
  },
});

export const trustReplace = operatorCommand({
  name: 'trust replace',
  summary: 'trust the CAs of the files and no other',
  about: ['Nothing changes unless all of them are good; services see all of the change at once.'],
  arguments: { files: fileArgument },
  options: { ...store, ...passwordOptions },
  answersList: true,
  fields: installedFields,
  examples: [{ command: 'trust replace bundle.pem', about: 'Exactly these' }],
  async run({ args: { files }, options, context }) {
    const content = await readMaterial(files, options);
    const { client, administration } = await context.manager();
    mustHave(client, options.endpoint);
    const installed = await administration.replaceAll(options.endpoint, content);
    return trusted(client, options.endpoint, installed, []);
  },
});

export const trustRemove = operatorCommand({
  name: 'trust remove',
  summary: 'trust a CA no more',
  arguments: {
    ca: {
      kind: {
        ...textValue('ID'),
        completion: { ask: 'list --quiet', keep: '/^authority\\/.*\\//p' },
      },
      about: 'its name in `trust list`, or its number',
    },
  },
  options: store,
  fields: {
    certificate: { type: 'text', title: 'Removed', about: 'such as `authority/truststore/1`' },
    subject: { type: 'text', title: 'Subject', about: 'the distinguished name' },
  },
  examples: [
    { command: 'trust remove 3', about: 'Clients of that CA cannot log in any more' },
    { command: 'trust remove authority/revoked/1', about: 'From another truststore' },
  ],
  async run({ args: { ca }, options: { endpoint }, context }) {
    const wanted = readCertificate(ca) ?? { endpoint, id: ca };
    if (wanted.endpoint.type !== 'authority') {
      const message = `A CA is named like authority/truststore/1, not ${JSON.stringify(ca)}.`;
      throw new CommandError('usage', message);
    }
    const { client } = await context.manager();
    const subject = formatName(installedAt(client, wanted).certificate.subject);
    await client.delete(wanted.endpoint, wanted.id);
    const certificate = nameOf(wanted.endpoint, wanted.id);
    return {
      data: { certificate, subject },
      text: `${visible(`${certificate}: removed (${subject})`)}\n`,
    };
  },
});

function trusted(
  client: CertificateClient,
  endpoint: EndpointRef,
  installed: readonly PublishedCertificate[],
  notes: readonly string[],
) {
  const data = installed.map((one) => installedRow(client, endpoint, one));
  return {
    data,
    text: data.map((row) => `${visible(installedText(row))}\n`).join(''),
    notes: [...data.flatMap(findingNotes), ...notes],
  };
}
