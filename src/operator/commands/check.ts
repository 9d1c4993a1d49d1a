import { hostname } from 'node:os';
import type { EndpointRef, PublishedCertificate } from '../../manager/certificate-client.ts';
import { missingNames } from '../../manager/checks/names.ts';
import { isGenerated } from '../../manager/credential/generated-certificate.ts';
import { hostAddresses } from '../../platform/host-addresses.ts';
import { operatorCommand } from '../context.ts';
import { CommandError } from '../framework/exit-status.ts';
import { visible } from '../framework/fields.ts';
import { textValue, type ValueKind } from '../framework/value-kind.ts';
import { endpointValue, mustHave, nameOf } from '../targets.ts';

/** What must be left of the life of a certificate: days, or percent of its whole life. */
interface Threshold {
  readonly amount: number;
  readonly unit: 'days' | 'percent';
}

const thresholdValue: ValueKind<Threshold> = {
  placeholder: 'DAYS|PERCENT%',
  parse(text) {
    const [, digits, percent] = /^(\d{1,5})(%)?$/.exec(text) ?? [];
    const amount = Number(digits);
    if (digits !== undefined && (percent === undefined || amount <= 100))
      return { amount, unit: percent === undefined ? 'days' : 'percent' };
    throw new CommandError(
      'usage',
      `A threshold is a number of days, or percent such as 20%, not ${JSON.stringify(text)}.`,
    );
  },
};

/** Nagios Plugin Development Guidelines, "Plugin Return Codes". */
const verdicts = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;
const [ok, warning, critical, unknown] = [0, 1, 2, 3] as const;

export const check = operatorCommand({
  name: 'check',
  summary: 'judge certificates for monitoring, as Nagios plugins do',
  about: [
    'One line with performance data: of each certificate the days that are left, and the percent of its whole life; of an endpoint with many, those ten that expire first. `CRITICAL` is what expires within `--critical`, or is not valid at all; `WARNING` is what expires within `--warning`, what the manager warns of, and a service that could not be told.',
    'A certificate of a server is also judged by its names: those of `certificateNames` of its endpoint in the configuration, of which the manager warns, and those of `--name`; one that the manager made itself also by the host name and the addresses of the device, unless it is asked with `--url`. The command `delete` lets the manager make one anew.',
  ],
  arguments: {
    endpoints: {
      kind: endpointValue,
      about: 'endpoints to judge; all of them unless given',
      multiple: true,
      optional: true,
    },
  },
  options: {
    warning: {
      kind: thresholdValue,
      short: 'w',
      default: '30',
      about: 'warn when less is left: days, or percent of the whole life such as `33%`',
    },
    critical: {
      kind: thresholdValue,
      short: 'c',
      default: '7',
      about: 'be critical when less is left',
    },
    name: {
      kind: textValue('NAME'),
      multiple: true,
      about: 'warn when a certificate of a server is not for this host name or address',
    },
  },
  answersList: true,
  fields: {
    verdict: { type: 'text', about: '`OK`, `WARNING`, `CRITICAL`' },
    certificate: { type: 'text', about: 'its name, or that of an endpoint' },
    daysLeft: { type: 'number', optional: true, about: 'whole days until it expires' },
    lifeLeft: { type: 'number', optional: true, about: 'the same in percent of its whole life' },
    problems: { type: 'texts', about: 'a sentence for each' },
  },
  statuses: {
    [ok]: 'OK: nothing is wrong.',
    [warning]: 'WARNING',
    [critical]: 'CRITICAL',
    [unknown]: 'UNKNOWN: the command line is not valid, or the manager cannot be asked.',
  },
  onError: { status: unknown, prefix: 'CERTIFICATES UNKNOWN - ' },
  examples: [
    { command: 'check', about: 'All certificates' },
    {
      command: 'check server/https --warning 33% --critical 10% --name bmc.example.com',
      about: 'By the share of its life, and its name',
    },
  ],
  async run({ args, options, context }) {
    const { client, administration, now } = await context.manager();
    for (const endpoint of args.endpoints) mustHave(client, endpoint);
    const device = context.isRemote ? [] : [hostname(), ...hostAddresses()];
    const standards = { ...options, device, now: now() / 1000 };
    const all = args.endpoints.length > 0 ? args.endpoints : client.endpoints();
    const data = await Promise.all(
      all.map(async (endpoint) => {
        const rows = client.list(endpoint).map((one) => judge(endpoint, one, standards));
        const services = await administration.services(endpoint);
        const failed = services.filter(({ outcome }) => /^(Failed|Retrying)$/.test(outcome));
        const problems = failed.map(({ service, reason }) => `${service} was not told: ${reason}`);
        if (problems.length === 0) return rows;
        const verdict = 'WARNING' as const;
        const certificate = nameOf(endpoint);
        return [...rows, { verdict, certificate, daysLeft: null, lifeLeft: null, problems }];
      }),
    );
    const rows = data.flat();
    const status = Math.max(ok, ...rows.map(({ verdict }) => verdicts.indexOf(verdict)));
    return { data: rows, text: `${lineOf(rows, status, options)}\n`, status };
  },
});

interface Thresholds {
  readonly warning: Threshold;
  readonly critical: Threshold;
  readonly name: readonly string[];
}

interface Standards extends Thresholds {
  /** Names and addresses of the device, by which its own certificates are judged. */
  readonly device: readonly string[];
  /** Seconds since 1970. */
  readonly now: number;
}

interface Judged {
  readonly verdict: (typeof verdicts)[number];
  readonly certificate: string;
  readonly daysLeft: number | null;
  readonly lifeLeft: number | null;
  readonly problems: readonly string[];
}

const daySeconds = 86_400;

function judge(
  endpoint: EndpointRef,
  { id, certificate, findings }: PublishedCertificate,
  { now, ...standards }: Standards,
): Judged {
  const left = certificate.notAfter - now;
  const life = certificate.notAfter - certificate.notBefore;
  const isBelow = ({ amount, unit }: Threshold) =>
    left < (unit === 'days' ? amount * daySeconds : (life * amount) / 100);
  const days = Math.floor(left / daySeconds);
  const problems: string[] = [];
  let verdict: Judged['verdict'] = 'OK';
  if (certificate.notBefore > now) {
    verdict = 'CRITICAL';
    problems.push('it is not valid yet');
  } else if (left < 0 || isBelow(standards.critical) || isBelow(standards.warning)) {
    verdict = left < 0 || isBelow(standards.critical) ? 'CRITICAL' : 'WARNING';
    problems.push(left < 0 ? `it expired ${-days} days ago` : `it expires in ${days} days`);
  }
  const wanted = [...standards.name, ...(isGenerated(certificate) ? standards.device : [])];
  const missing = endpoint.type === 'server' ? missingNames(certificate, wanted) : [];
  problems.push(
    ...missing.map((name) => `it lacks the name ${name}`),
    ...(findings?.warnings ?? []).map(({ text }) => text),
  );
  if (verdict === 'OK' && problems.length > 0) verdict = 'WARNING';
  const lifeLeft = Math.max(0, Math.floor((100 * left) / Math.max(1, life)));
  return { verdict, certificate: nameOf(endpoint, id), daysLeft: days, lifeLeft, problems };
}

/** Programs of monitoring cut a long line: of each endpoint those that expire first, in their order. */
function toldOf(certificates: readonly Judged[]): readonly Judged[] {
  const endpointOf = ({ certificate }: Judged) => certificate.split('/', 2).join('/');
  const byDays = [...certificates].sort((a, b) => (a.daysLeft ?? 0) - (b.daysLeft ?? 0));
  return certificates.filter((one) => {
    const sameEndpoint = byDays.filter((other) => endpointOf(other) === endpointOf(one));
    return sameEndpoint.indexOf(one) < maxTold;
  });
}

const maxTold = 10;

/** `SERVICE STATUS - text | performance data`, in which no other bar may stand. */
function lineOf(rows: readonly Judged[], status: number, thresholds: Thresholds): string {
  const bad = rows.filter(({ problems }) => problems.length > 0);
  const certificates = rows.filter(({ daysLeft }) => daysLeft !== null);
  const days = certificates.map(({ daysLeft }) => daysLeft ?? 0);
  const first = days.length === 0 ? '' : `, the first expires in ${Math.min(...days)} days`;
  const text =
    bad.length === 0
      ? `${certificates.length} certificates${first}`
      : bad.map(({ certificate, problems }) => `${certificate}: ${problems.join(', ')}`).join('; ');
  const limits = (unit: Threshold['unit']) =>
    [thresholds.warning, thresholds.critical]
      .map((one) => (one.unit === unit ? `${one.amount}:` : ''))
      .join(';');
  const data = toldOf(certificates).flatMap(({ certificate, daysLeft, lifeLeft }) => [
    `'${certificate}'=${daysLeft};${limits('days')}`,
    `'${certificate} life'=${lifeLeft}%;${limits('percent')};0;100`,
  ]);
  const head = `CERTIFICATES ${verdicts[status]} - ${visible(text).replaceAll('|', '?')}`;
  return data.length === 0 ? head : `${head} | ${data.join(' ')}`;
}
