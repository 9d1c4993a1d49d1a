import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import { formatName } from '../../x509/name.ts';
import { findingNotes, installedFields, installedRow, installedText } from '../certificate-view.ts';
import { operatorCommand } from '../context.ts';
import { CommandError } from '../framework/exit-status.ts';
import { visible } from '../framework/fields.ts';
import { fileArgument, passwordOptions, readMaterial } from '../material.ts';
import { certificateValue, endpointValue, installedAt, mustHave, nameOf } from '../targets.ts';

export const install = operatorCommand({
  name: 'install',
  summary: 'put a certificate into service where there is none',
  about: [
    'The key comes in one of the files, or waits for the certificate since `csr` made it. Issuers that the service has to send come in the same files.',
  ],
  arguments: {
    endpoint: { kind: endpointValue, about: 'where it goes, such as `client/ldap`' },
    files: fileArgument,
  },
  options: passwordOptions,
  fields: installedFields,
  examples: [
    { command: 'install client/ldap ldap.pem', about: 'The certificate for a CSR' },
    { command: 'install client/ldap ldap.pem ldap.key', about: 'With a key made elsewhere' },
  ],
  async run({ args: { endpoint, files }, options, context }) {
    const content = await readMaterial(files, options);
    const { client } = await context.manager();
    mustHave(client, endpoint);
    return installedAnswer(client, endpoint, await client.install(endpoint, content));
  },
});

export const replace = operatorCommand({
  name: 'replace',
  summary: 'put a certificate in the place of the certificate in service',
  about: [
    'Nothing changes unless all of it is good. The services of the endpoint are told before the command ends.',
  ],
  arguments: {
    certificate: { kind: certificateValue, about: 'which certificate, such as `server/https`' },
    files: fileArgument,
  },
  options: passwordOptions,
  fields: installedFields,
  examples: [
    { command: 'replace server/https bmc.pem intermediate.pem', about: 'With its intermediate' },
    {
      command: 'replace server/https bmc.p12 --password-file secret',
      about: 'From an encrypted PKCS #12',
    },
    {
      command: 'replace server/https --password-file secret -',
      about: 'From standard input, with a password in a file',
    },
  ],
  async run({ args: { certificate, files }, options, context }) {
    const content = await readMaterial(files, options);
    const { client } = await context.manager();
    const { endpoint, id } = certificate;
    mustHave(client, endpoint);
    if (client.list(endpoint).length === 0 && endpoint.type !== 'authority') {
      const next = `put one there with bmc-certs install ${nameOf(endpoint)}`;
      throw new CommandError(
        'not-found',
        `There is no certificate at ${nameOf(endpoint)}; ${next}.`,
      );
    }
    installedAt(client, certificate);
    return installedAnswer(client, endpoint, await client.replace(endpoint, id, content));
  },
});

export const remove = operatorCommand({
  name: 'delete',
  summary: 'remove a certificate',
  about: [
    'A server gets a self-signed certificate in its place; an endpoint that came at run time stays empty.',
  ],
  arguments: {
    certificate: { kind: certificateValue, about: 'which certificate, such as `client/ldap`' },
  },
  fields: {
    certificate: { type: 'text', title: 'Deleted', about: 'name of what was deleted' },
    subject: { type: 'text', title: 'Subject', about: 'the distinguished name' },
  },
  examples: [{ command: 'delete client/ldap', about: 'The LDAP client has none any more' }],
  async run({ args: { certificate }, context }) {
    const { client } = await context.manager();
    const subject = formatName(installedAt(client, certificate).certificate.subject);
    await client.delete(certificate.endpoint, certificate.id);
    const name = nameOf(certificate.endpoint, certificate.id);
    return {
      data: { certificate: name, subject },
      text: `${visible(`${name}: deleted (${subject})`)}\n`,
    };
  },
});

function installedAnswer(
  client: CertificateClient,
  endpoint: EndpointRef,
  published: PublishedCertificate,
) {
  const data = installedRow(client, endpoint, published);
  return { data, text: `${visible(installedText(data))}\n`, notes: findingNotes(data) };
}
