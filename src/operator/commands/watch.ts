import type { CertificateEvent } from '../../manager/certificate-client.ts';
import { colonHex } from '../../x509/colon-hex.ts';
import { formatName } from '../../x509/name.ts';
import { day } from '../certificate-view.ts';
import { operatorCommand } from '../context.ts';
import type { Fields, Row } from '../framework/fields.ts';
import { integerValue } from '../framework/value-kind.ts';
import { nameOf } from '../targets.ts';

const fields = {
  time: { type: 'time', about: 'when it was heard of' },
  event: { type: 'text', about: '`created`, `changed`, `removed` or `expiring`' },
  certificate: { type: 'text', about: 'its name, such as `server/https/1`' },
  subject: { type: 'text', optional: true, about: 'the distinguished name; null for `removed`' },
  notAfter: { type: 'time', optional: true, about: 'end of the validity; null for `removed`' },
  sha256: { type: 'text', optional: true, about: 'fingerprint; null for `removed`' },
  days: {
    type: 'number',
    optional: true,
    about: 'of `expiring`: the threshold that was passed, 0 for the end itself',
  },
} as const satisfies Fields;

/** Node ends a program that waits for nothing but a connection that comes back. */
const longInterval = 2 ** 30;

export const watch = operatorCommand({
  name: 'watch',
  summary: 'print each change of a certificate as it happens',
  about: [
    'Goes on until it is ended by a signal. With `--json` each line is a JSON object. A manager or a bus that goes away is waited for; what changed meanwhile is told when it is back.',
  ],
  options: {
    count: { kind: integerValue('N', 1, 1_000_000), short: 'n', about: 'end after so many lines' },
  },
  fields,
  examples: [
    { command: 'watch', about: 'Follow all endpoints' },
    { command: 'watch --count 1', about: 'Wait for the next change' },
  ],
  async run({ options: { count = Number.POSITIVE_INFINITY }, context, emit }) {
    const { client } = await context.manager();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => undefined, longInterval);
      let left = count;
      const unsubscribe = client.subscribe((event) => {
        const row = rowOf(event);
        emit(row, lineOf(row));
        left -= 1;
        if (left > 0) return;
        clearInterval(timer);
        unsubscribe();
        resolve();
      });
    });
    return {};
  },
});

function rowOf(event: CertificateEvent): Row<typeof fields> {
  const certificate = event.kind === 'removed' ? undefined : event.certificate;
  return {
    time: new Date(),
    event: event.kind,
    certificate: nameOf(event.endpoint, event.id),
    subject: certificate ? formatName(certificate.subject) : null,
    notAfter: certificate ? new Date(certificate.notAfter * 1000) : null,
    sha256: certificate ? colonHex(certificate.fingerprint) : null,
    days: event.kind === 'expiring' ? event.days : null,
  };
}

function lineOf({ time, event, certificate, subject, notAfter }: Row<typeof fields>): string {
  const what = `${time.toISOString()} ${event.padEnd(8)} ${certificate}`;
  return notAfter === null ? what : `${what} ${subject}, until ${day(notAfter)}`;
}
