import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { EndpointType } from '../../src/manager/endpoint-definition.ts';
import type { InstalledCertificate } from '../../src/manager/installed-certificate.ts';
import { certificateSamples } from '../../src/metrics/certificate-samples.ts';
import { opensslAuthority } from '../fakes/openssl-authority.ts';

describe('the samples of certificates', () => {
  const authority = opensslAuthority();
  after(() => authority.remove());
  const endpointOf = (type: EndpointType, ...installed: readonly InstalledCertificate[]) => ({
    definition: { type, name: 'x', path: '/x', reload: [] },
    list: () => installed,
  });
  const issue = (id: string, subject: string, until = '20300101000000Z') => {
    const { certificate } = authority.issue({ subject, until });
    return { id, certificate, chain: [] };
  };

  const subjects: readonly (readonly [string, string, string])[] = [
    ['a common name', '/O=Site/CN=bmc.example.com', 'bmc.example.com'],
    ['the last of several common names', '/CN=first/CN=second', 'second'],
    ['nothing for a subject without one', '/O=Site', ''],
    ['quotes and backslashes as they are', '/CN=a"b\\\\c', 'a"b\\c'],
    ['no character that turns the text around', '/CN=bmc\u202emoc', 'bmc\ufffdmoc'],
    ['no second line', '/CN=bmc\nbmc_certificate_x 1', 'bmc\ufffdbmc_certificate_x 1'],
  ];
  for (const [what, subject, shown] of subjects) {
    it(`show ${what}`, () => {
      const { notAfter } = certificateSamples([endpointOf('server', issue('1', subject))], 10);
      assert.equal(notAfter[0]?.labels.subject_cn, shown);
    });
  }

  it('cut a long name off', () => {
    const { certificate } = issue('1', '/CN=x');
    const subject = [[{ type: 'CN', value: '💡'.repeat(200) }]];
    const installed = { id: '1', certificate: { ...certificate, subject }, chain: [] };
    const [first] = certificateSamples([endpointOf('server', installed)], 10).notAfter;
    assert.equal(first?.labels.subject_cn, `${'💡'.repeat(128)}…`);
  });

  it('have those that expire first where there are more than the configuration allows', () => {
    const store = endpointOf(
      'authority',
      issue('1', '/CN=late', '20350101000000Z'),
      issue('2', '/CN=early', '20310101000000Z'),
      issue('3', '/CN=middle', '20330101000000Z'),
    );
    const names = (max: number) =>
      certificateSamples([store], max).notAfter.map(({ labels }) => labels.subject_cn);
    assert.deepEqual(names(2), ['early', 'middle']);
    assert.deepEqual(names(3), ['late', 'early', 'middle']);
  });

  it('say of no authority that no CA has issued it, which is as it should be', () => {
    const one = issue('1', '/CN=x');
    const { selfSigned, warnings } = certificateSamples([endpointOf('authority', one)], 10);
    assert.deepEqual([selfSigned, warnings], [[], []]);
    const served = certificateSamples([endpointOf('client', one)], 10).selfSigned;
    assert.equal(served[0]?.value, 1);
  });

  it('count warnings', () => {
    const findings = {
      warnings: [{ code: 'key-type', text: 'x' } as const],
      leftOut: [],
      since: 0,
    };
    const installed = { ...issue('1', '/CN=x'), findings };
    const { warnings } = certificateSamples([endpointOf('server', installed)], 10);
    assert.equal(warnings[0]?.value, 1);
  });
});
