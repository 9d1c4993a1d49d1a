import type { Administration } from '../../manager/administration.ts';
import type { PublishedCertificate } from '../../manager/certificate-client.ts';
import { withAbsent } from '../../manager/csr/parameters.ts';
import { expiryOf } from '../../manager/expiry.ts';
import { operatorCommand } from '../context.ts';
import { CommandError } from '../framework/exit-status.ts';
import { integerValue } from '../framework/value-kind.ts';
import { type CertificateRef, certificateValue, installedAt, nameOf } from '../targets.ts';
import { csrFields, csrRow } from './csr.ts';
import {
  challengeOption,
  challengePasswordOf,
  csrOptions,
  csrParametersOf,
} from './csr-options.ts';

const keyOptionNames = ['KeyPairAlgorithm', 'KeyCurveId', 'KeyBitLength'] as const;

const certificate = {
  kind: certificateValue,
  about: 'whose successor it will be, such as `server/https`',
} as const;

const dueOptions = {
  'if-due': {
    about:
      'make a CSR only for a certificate that is due: `Expiring` by the thresholds of the manager, or within `--days`; exit status 9 otherwise',
  },
  days: {
    kind: integerValue('DAYS', 0, 10_000),
    about: 'with `--if-due`: due with so many days left, or fewer',
  },
} as const;

export const renew = operatorCommand({
  name: 'renew',
  summary: 'print a CSR for the successor of a certificate, same key',
  about: ['It has the names, the usages and the key of the certificate.'],
  arguments: { certificate },
  options: { ...dueOptions, ...challengeOption },
  fields: csrFields,
  examples: [
    { command: 'renew server/https > bmc.csr', about: 'The next certificate for the same key' },
    {
      command: 'renew server/https --if-due --days 30 > bmc.csr',
      about: 'For a daily job: status 0 when there is a CSR to send, 9 when there is none',
    },
  ],
  async run({ args, options, context }) {
    const { client, administration } = await context.manager();
    const found = installedAt(client, args.certificate);
    await mustBeDue(administration, args.certificate, found, options);
    const { endpoint, id } = args.certificate;
    const pem = await client.renew(endpoint, id, await challengePasswordOf(options));
    return { data: csrRow(endpoint, pem), text: pem };
  },
});

export const rekey = operatorCommand({
  name: 'rekey',
  summary: 'print a CSR for the successor of a certificate, new key',
  about: [
    'It has the names and the usages of the certificate. The new key is of the kind of the old one unless options ask for another.',
  ],
  arguments: { certificate },
  options: { ...csrOptions(keyOptionNames), ...dueOptions },
  fields: csrFields,
  examples: [
    { command: 'rekey server/https > bmc.csr', about: 'The next certificate, for a new key' },
    { command: 'rekey server/https --curve P-256', about: 'A key on another curve' },
  ],
  async run({ args, options, context }) {
    const { client, administration } = await context.manager();
    const found = installedAt(client, args.certificate);
    await mustBeDue(administration, args.certificate, found, {
      'if-due': options['if-due'] === true,
      days: typeof options.days === 'number' ? options.days : undefined,
    });
    const { endpoint, id } = args.certificate;
    const given = withAbsent(await csrParametersOf(keyOptionNames, options));
    const pem = await client.rekey(endpoint, id, given);
    return { data: csrRow(endpoint, pem), text: pem };
  },
});

interface Due {
  readonly 'if-due': boolean;
  readonly days: number | undefined;
}

/** @throws CommandError `not-due` where that was asked, `usage` */
async function mustBeDue(
  administration: Administration,
  { endpoint, id }: CertificateRef,
  { certificate: installed }: PublishedCertificate,
  { 'if-due': isAsked, days }: Due,
): Promise<void> {
  if (!isAsked && days !== undefined)
    throw new CommandError('usage', '--days goes with --if-due: give both, or none.');
  if (!isAsked) return;
  const expiry = (await administration.expiry(endpoint)).get(id);
  const { state, daysLeft } = expiry ?? expiryOf(installed, Date.now(), []);
  const isDue = days === undefined ? /^Expir/.test(state) : daysLeft <= days;
  if (isDue) return;
  const message = `${nameOf(endpoint, id)} is not due: ${daysLeft} days are left.`;
  throw new CommandError('not-due', message);
}
