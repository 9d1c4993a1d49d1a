import type { EndpointRef } from '../../manager/certificate-client.ts';
import { type CsrParameters, withAbsent } from '../../manager/csr/parameters.ts';
import { impliedAlgorithm } from '../../manager/csr/plan.ts';
import { requestedKeyInfo } from '../../x509/certification-request.ts';
import { parseHost } from '../../x509/general-names.ts';
import { publicKeyHash } from '../../x509/keys.ts';
import { formatName } from '../../x509/name.ts';
import { parsePem } from '../../x509/pem.ts';
import { describeRequest } from '../../x509/request-description.ts';
import { keyText } from '../certificate-view.ts';
import { operatorCommand } from '../context.ts';
import { CommandError } from '../framework/exit-status.ts';
import type { Fields, Row } from '../framework/fields.ts';
import { endpointValue, mustHave, nameOf } from '../targets.ts';
import { csrOptionNames, csrOptions, csrParametersOf } from './csr-options.ts';

/** Every command that makes or shows a CSR answers so. */
export const csrFields = {
  endpoint: { type: 'text', title: 'Endpoint', about: 'such as `server/https`' },
  id: {
    type: 'text',
    title: 'Id',
    about: 'SHA-256 of the public key in hexadecimal, by which its certificate finds the key',
  },
  subject: { type: 'text', title: 'Subject', about: 'the distinguished name' },
  names: { type: 'texts', title: 'Names', about: 'subject alternative names' },
  key: { type: 'text', title: 'Key', about: 'such as `EC P-384`' },
  pem: { type: 'text', about: 'the CSR (PKCS #10)' },
} as const satisfies Fields;

export function csrRow(endpoint: EndpointRef, pem: string): Row<typeof csrFields> {
  const [block] = parsePem(pem);
  const der = block?.der ?? Buffer.alloc(0);
  const { subject, alternativeNames, publicKey } = describeRequest(der);
  return {
    endpoint: nameOf(endpoint),
    id: publicKeyHash(requestedKeyInfo(der)),
    subject: formatName(subject),
    names: alternativeNames.map(({ value }) => value),
    key: keyText(publicKey),
    pem,
  };
}

const usages = { server: 'ServerAuthentication', client: 'ClientAuthentication' } as const;

export const csr = operatorCommand({
  name: 'csr',
  summary: 'make a key, and print a CSR for it',
  about: [
    'The key stays on the device and waits for its certificate, which finds it by the public key: any number of CSRs may be pending. A common name that is a host name or an address of a server is asked for as an alternative name, too, since clients look at nothing else.',
  ],
  arguments: {
    endpoint: { kind: endpointValue, about: 'for which it is, such as `server/https`' },
  },
  options: csrOptions(csrOptionNames),
  fields: csrFields,
  examples: [
    {
      command: 'csr server/https --common-name bmc.example.com --name 192.0.2.7 > bmc.csr',
      about: 'For the Redfish service',
    },
    {
      command: 'csr client/ldap --common-name bmc7 --algorithm RSA --bits 3072',
      about: 'An RSA key for the LDAP client',
    },
  ],
  async run({ args: { endpoint }, options, context }) {
    const { type } = endpoint;
    if (type === 'authority') {
      throw new CommandError(
        'usage',
        `${nameOf(endpoint)} keeps certificates of CAs and has no key; a CSR is for a server or a client.`,
      );
    }
    const given = await csrParametersOf(csrOptionNames, options);
    if (!given.CommonName && !given.AlternativeNames) {
      throw new CommandError(
        'usage',
        'A certificate without a name is of no use: give --common-name or --name.',
      );
    }
    const { client } = await context.manager();
    mustHave(client, endpoint);
    const wanted = withAbsent({
      KeyUsage: ['DigitalSignature', usages[type]],
      ...given,
      AlternativeNames: type === 'server' ? namesOf(given) : (given.AlternativeNames ?? []),
    });
    const isRsa = impliedAlgorithm(wanted) === 'RSA';
    const KeyPairAlgorithm = wanted.KeyPairAlgorithm || (isRsa ? 'RSA' : '');
    const pem = await client.makeRequest(endpoint, { ...wanted, KeyPairAlgorithm });
    const verb = client.list(endpoint).length === 0 ? 'install' : 'replace';
    const next = `bmc-certs ${verb} ${nameOf(endpoint)} FILE`;
    const note = `The key waits for its certificate; put that into service with: ${next}`;
    return { data: csrRow(endpoint, pem), text: pem, notes: [note] };
  },
});

/** A person who gives both means both; the manager takes the common name only where there are no others. */
function namesOf({ CommonName = '', AlternativeNames = [] }: Partial<CsrParameters>) {
  const { value } = parseHost(CommonName) ?? {};
  const isThere = AlternativeNames.some((name) => parseHost(name)?.value === value);
  return value === undefined || isThere ? AlternativeNames : [value, ...AlternativeNames];
}
