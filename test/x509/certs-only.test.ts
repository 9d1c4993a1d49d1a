import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { certsOnly } from '../../src/x509/certs-only.ts';
import { openContent } from '../../src/x509/containers.ts';
import { openssl, opensslAuthority } from '../fakes/openssl-authority.ts';

const tools = opensslAuthority();
const [one, two, three] = ['one', 'two', 'three'].map((name) =>
  tools.issueCa({ subject: `/CN=${name}` }),
);
after(() => tools.remove());

const written = [[one], [one, two], [three, one, two]].map((list) =>
  list.flatMap((issued) => (issued ? issued.certificate : [])),
);

describe('certificates in CMS without signatures', () => {
  for (const certificates of written) {
    const cms = () => certsOnly(certificates.map(({ der }) => der));
    const sorted = (texts: readonly string[]) => [...texts].sort();
    const wanted = sorted(certificates.map(({ pem }) => pem));

    it(`are read by openssl and by ourselves: ${certificates.length}`, () => {
      const printed = openssl(['pkcs7', '-inform', 'DER', '-print_certs'], cms());
      const blocks = printed.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/g) ?? [];
      assert.deepEqual(sorted(blocks), wanted);
      const opened = openContent({ bytes: cms(), format: 'PKCS7', password: '' });
      assert.deepEqual(sorted(opened.map(({ text }) => text)), wanted);
    });

    it(`have the structure that openssl gives them: ${certificates.length}`, () => {
      const files = certificates.map(({ pem }, at) => tools.write(`${at}.pem`, pem));
      const args = ['crl2pkcs7', '-nocrl', '-outform', 'DER'];
      openssl([
        ...[...args, '-out', `${tools.directory}/made.p7`],
        ...files.flatMap((file) => ['-certfile', file]),
      ]);
      const dumped = (form: readonly string[], input?: Buffer) =>
        openssl(['asn1parse', '-inform', 'DER', ...form], input).split('\n').length;
      assert.equal(dumped(['-in', `${tools.directory}/made.p7`]), dumped([], cms()));
    });
  }

  it('are the same in whatever order they come', () => {
    const [, , all = []] = written;
    const backwards = [...all].reverse();
    assert.ok(
      certsOnly(all.map(({ der }) => der)).equals(certsOnly(backwards.map(({ der }) => der))),
    );
  });
});
