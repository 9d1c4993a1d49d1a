import type { Administration } from '../../manager/administration.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import { incompleteness } from '../../manager/checks/completeness.ts';
import { expiryOf } from '../../manager/expiry.ts';
import { nameOf } from '../targets.ts';
import { type Examination, type Found, fault, warning } from './finding.ts';

/** Where each certificate stands in its life, as the manager judges. */
export const expiryExamination: Examination = {
  check: 'expiry',
  good: 'no certificate has expired or expires soon',
  async examine({ manager: { client, administration }, now }) {
    const all = await certificatesWithExpiry(client, administration, now);
    return all.flatMap(({ where, state, daysLeft }): Found[] => {
      const next = `ask your CA for a new certificate: bmc-certs renew ${where}`;
      if (state === 'Expired') return [fault(where, `it expired ${-daysLeft} days ago`, next)];
      if (state === 'Expiring') return [warning(where, `it expires in ${daysLeft} days`, next)];
      return [];
    });
  },
};

/** What a wrong clock shows in: before the first day of this program, or before a certificate begins. */
export const clockExamination: Examination = {
  check: 'clock',
  good: 'the clock fits the certificates',
  async examine({ manager: { client, administration }, now }) {
    const next = 'set the clock of the device, such as with timedatectl set-ntp true';
    if (now < firstDay) {
      const text = `the clock stands at ${new Date(now).toISOString()}`;
      return [fault('device', text, next)];
    }
    const all = await certificatesWithExpiry(client, administration, now);
    return all
      .filter(({ state }) => state === 'NotYetValid')
      .map(({ where, notBefore }) =>
        fault(where, `it begins at ${notBefore.toISOString()}, after what the clock says`, next),
      );
  },
};

const firstDay = Date.UTC(2026, 0, 1);

/** What the manager says of certificates that are in service. */
export const findingsExamination: Examination = {
  check: 'warnings',
  good: 'the manager warns of no certificate',
  async examine({ manager: { client } }) {
    return client
      .endpoints()
      .flatMap((endpoint) =>
        client
          .list(endpoint)
          .flatMap(({ id, findings }) =>
            (findings?.warnings ?? []).map(({ code, text }) =>
              warning(
                nameOf(endpoint, id),
                `${code}: ${text}`,
                `let your CA issue another one, and put it there with bmc-certs replace ${nameOf(endpoint, id)}`,
              ),
            ),
          ),
      );
  },
};

/** Whether peers find the way from a certificate to a root. */
export const chainExamination: Examination = {
  check: 'chains',
  good: 'no server lacks an intermediate, and no authority its issuer',
  async examine({ manager: { client } }) {
    return client.endpoints().flatMap((endpoint) =>
      client.list(endpoint).flatMap((published) => {
        const advice = incompleteness(client, endpoint, published);
        return advice ? [warning(nameOf(endpoint, published.id), advice.text, advice.next)] : [];
      }),
    );
  },
};

async function certificatesWithExpiry(
  client: CertificateClient,
  administration: Administration,
  now: number,
) {
  const all = client.endpoints().map(async (endpoint) => {
    const expiry = await administration.expiry(endpoint);
    return client.list(endpoint).map(({ id, certificate }) => ({
      where: nameOf(endpoint, id),
      notBefore: new Date(certificate.notBefore * 1000),
      ...(expiry.get(id) ?? expiryOf(certificate, now, [])),
    }));
  });
  return (await Promise.all(all)).flat();
}
