import type { EndpointRef, PublishedCertificate } from '../../manager/certificate-client.ts';
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
    'One line with performance data: days left of each certificate. `CRITICAL` is what expires within `--critical`, or is not valid at all; `WARNING` is what expires within `--warning`, what the manager warns of, a name of `--name` that is missing, and a service that could not be told.',
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
      about: 'warn when a certificate of a server lacks this name',
    },
  },
  fields: {
    verdict: { type: 'text', about: '`OK`, `WARNING`, `CRITICAL`' },
    certificate: { type: 'text', about: 'its name, or that of an endpoint' },
    daysLeft: { type: 'number', optional: true, about: 'whole days until it expires' },
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
    const { client, administration } = await context.manager();
    for (const endpoint of args.endpoints) mustHave(client, endpoint);
    const all = args.endpoints.length > 0 ? args.endpoints : client.endpoints();
    const data = await Promise.all(
      all.map(async (endpoint) => {
        const rows = client.list(endpoint).map((one) => judge(endpoint, one, options));
        const services = await administration.services(endpoint);
        const failed = services.filter(({ outcome }) => /^(Failed|Retrying)$/.test(outcome));
        const problems = failed.map(({ service, reason }) => `${service} was not told: ${reason}`);
        if (problems.length === 0) return rows;
        const verdict = 'WARNING' as const;
        return [...rows, { verdict, certificate: nameOf(endpoint), daysLeft: null, problems }];
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

interface Judged {
  readonly verdict: (typeof verdicts)[number];
  readonly certificate: string;
  readonly daysLeft: number | null;
  readonly problems: readonly string[];
}

const daySeconds = 86_400;

function judge(
  endpoint: EndpointRef,
  { id, certificate, findings }: PublishedCertificate,
  thresholds: Thresholds,
): Judged {
  const now = Date.now() / 1000;
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
  } else if (left < 0 || isBelow(thresholds.critical) || isBelow(thresholds.warning)) {
    verdict = left < 0 || isBelow(thresholds.critical) ? 'CRITICAL' : 'WARNING';
    problems.push(left < 0 ? `it expired ${-days} days ago` : `it expires in ${days} days`);
  }
  const names = new Set(certificate.alternativeNames.map(({ value }) => value.toLowerCase()));
  const missing =
    endpoint.type === 'server'
      ? thresholds.name.filter((name) => !names.has(name.toLowerCase()))
      : [];
  problems.push(
    ...missing.map((name) => `it lacks the name ${name}`),
    ...(findings?.warnings ?? []).map(({ text }) => text),
  );
  if (verdict === 'OK' && problems.length > 0) verdict = 'WARNING';
  return { verdict, certificate: nameOf(endpoint, id), daysLeft: days, problems };
}

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
  const range = ({ amount, unit }: Threshold) => (unit === 'days' ? `${amount}:` : '');
  const limits = `${range(thresholds.warning)};${range(thresholds.critical)}`;
  const data = certificates.map(
    ({ certificate, daysLeft }) => `'${certificate}'=${daysLeft};${limits}`,
  );
  const head = `CERTIFICATES ${verdicts[status]} - ${visible(text).replaceAll('|', '?')}`;
  return data.length === 0 ? head : `${head} | ${data.join(' ')}`;
}
