import type {
  ListedIdentity,
  NetconfStatus,
} from '../../../dbus/netconf-service/netconf-interface.ts';
import { type MapType, mapTypes } from '../../../identity/peer-certificates/map-types.ts';
import {
  formatTlsFingerprint,
  parseTlsFingerprint,
  tlsFingerprintOf,
} from '../../../identity/peer-certificates/tls-fingerprint.ts';
import { readCertificate } from '../../../x509/certificate.ts';
import { isCertificateBlock, parsePem } from '../../../x509/pem.ts';
import { operatorCommand } from '../../context.ts';
import { CommandError } from '../../framework/exit-status.ts';
import {
  choiceValue,
  integerValue,
  textValue,
  type ValueKind,
} from '../../framework/value-kind.ts';
import { readBytes } from '../../material.ts';
import { withService } from './program.ts';

const chosenMapTypes = Object.keys(mapTypes).filter(isChoice);

/** `Whole` looks into the accounts of the Redfish service, which this one does not see. */
function isChoice(name: string): name is Exclude<MapType, 'Whole'> {
  return name !== 'Whole';
}

const mapType = choiceValue('MAP-TYPE', chosenMapTypes);

const identityFields = {
  position: { type: 'text', title: 'Entry', about: 'from 1; `default` for the default' },
  fingerprint: {
    type: 'text',
    title: 'Fingerprint',
    about: 'with the number of its hash before it; empty for the default',
  },
  mapType: { type: 'text', title: 'Map type', about: 'how the name of the user is found' },
  name: { type: 'text', title: 'Name', about: 'of the user, with `specified`' },
  origin: { type: 'text', title: 'Origin', about: '`configuration` or `run time`' },
} as const;

export const netconfIdentities = operatorCommand({
  name: 'netconf identities',
  summary: 'show whose a client certificate is for the NETCONF service',
  about: [
    'The entries are searched in their order; the first that matches and gives a name counts. They are those of `clientIdentities` in the configuration, until the list is changed here.',
  ],
  answersList: true,
  fields: identityFields,
  examples: [{ command: 'netconf identities', about: 'The list, and the default' }],
  run: ({ context }) =>
    withService(context, 'netconf identities', async (service) => ({
      data: identityRows(await service.status()),
    })),
});

function identityRows({ identities, defaultIdentity, origin }: NetconfStatus) {
  const originOf = ({ isConfigured }: ListedIdentity) =>
    isConfigured ? 'configuration' : 'run time';
  const rows = identities.map((one, at) => {
    const { fingerprint, mapType, name } = one;
    return { position: String(at + 1), fingerprint, mapType, name, origin: originOf(one) };
  });
  if (!defaultIdentity) return rows;
  return [...rows, { position: 'default', fingerprint: '', ...defaultIdentity, origin }];
}

const fingerprintArgument = {
  kind: textValue('FINGERPRINT|FILE'),
  about:
    'octets in hexadecimal with colons between them, of which the first is the number of the hash (04 for SHA-256); or a file with the certificate in PEM, whose SHA-256 is taken',
} as const;

const nameOption = {
  kind: textValue('USER'),
  about: 'the user, with the map type `specified` and only there',
} as const;

export const netconfAddIdentity = operatorCommand({
  name: 'netconf add-identity',
  summary: 'say whose a client certificate is',
  about: [
    'The fingerprint may be that of a CA, too: then the entry is for all certificates of its clients. The list of the configuration does not count any more from then on; `netconf reset-identities` goes back to it.',
  ],
  arguments: {
    fingerprint: fingerprintArgument,
    mapType: { kind: mapType, about: 'how the name of the user is found' },
  },
  options: {
    name: nameOption,
    position: {
      kind: integerValue('POSITION', 1, 1024),
      about: 'where it stands, from 1 (default: at the end)',
    },
  },
  answersList: true,
  fields: identityFields,
  examples: [
    {
      command: 'netconf add-identity client.crt specified --name alice',
      about: 'Who has this certificate is alice',
    },
  ],
  run: ({ args, options, context }) =>
    withService(context, 'netconf add-identity', async (service) => {
      const fingerprint = fingerprintOf(args.fingerprint);
      const { name = '', position = 0 } = options;
      await service.addIdentity(fingerprint, args.mapType, name, position);
      return { data: identityRows(await service.status()) };
    }),
});

export const netconfRemoveIdentity = operatorCommand({
  name: 'netconf remove-identity',
  summary: 'take an entry from the list of client identities',
  about: ['Sessions that would not be let in any more end.'],
  arguments: {
    fingerprint: fingerprintArgument,
    mapType: { kind: mapType, about: 'of the entry, where several match', optional: true },
  },
  answersList: true,
  fields: identityFields,
  examples: [
    {
      command: 'netconf remove-identity client.crt',
      about: 'Its clients are refused, unless another entry or the default matches',
    },
  ],
  run: ({ args, context }) =>
    withService(context, 'netconf remove-identity', async (service) => {
      await service.removeIdentity(fingerprintOf(args.fingerprint), args.mapType ?? '');
      return { data: identityRows(await service.status()) };
    }),
});

const defaultKind: ValueKind<Exclude<MapType, 'Whole'> | 'none'> = choiceValue('MAP-TYPE|none', [
  ...chosenMapTypes,
  'none',
]);

export const netconfDefaultIdentity = operatorCommand({
  name: 'netconf default-identity',
  summary: 'say whose the certificates are that no entry of the list matches',
  arguments: {
    mapType: { kind: defaultKind, about: 'how the name is found; `none` refuses them' },
  },
  options: { name: nameOption },
  answersList: true,
  fields: identityFields,
  examples: [
    {
      command: 'netconf default-identity san-dirname-cn',
      about: 'The user is in the alternative names of the certificate',
    },
  ],
  run: ({ args, options, context }) =>
    withService(context, 'netconf default-identity', async (service) => {
      const { mapType } = args;
      await service.setDefaultIdentity(mapType === 'none' ? '' : mapType, options.name ?? '');
      return { data: identityRows(await service.status()) };
    }),
});

export const netconfResetIdentities = operatorCommand({
  name: 'netconf reset-identities',
  summary: 'have the client identities of the configuration count again',
  answersList: true,
  fields: identityFields,
  examples: [{ command: 'netconf reset-identities', about: 'Back to `clientIdentities`' }],
  run: ({ context }) =>
    withService(context, 'netconf reset-identities', async (service) => {
      await service.resetIdentities();
      return { data: identityRows(await service.status()) };
    }),
});

/** @throws CommandError `usage` that says what to add to a bare digest */
function fingerprintOf(text: string): string {
  const parsed = parseTlsFingerprint(text);
  if (typeof parsed !== 'string') return formatTlsFingerprint(parsed);
  // Nobody means a file by something with the octets of a digest
  if (/^[^/]*([0-9a-f]{2}:){4}/i.test(text))
    throw new CommandError('usage', `The fingerprint ${parsed}.`);
  const blocks = parsePem(readBytes(text).toString('latin1')).filter(isCertificateBlock);
  const [first] = blocks;
  if (!first) throw new CommandError('usage', `The file ${text} has no certificate in PEM.`);
  return formatTlsFingerprint(tlsFingerprintOf(readCertificate(first.der)));
}
