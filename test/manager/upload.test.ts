import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileOfCaller, parseUpload, readUploadFile } from '../../src/manager/upload.ts';
import { formatPem } from '../../src/x509/pem.ts';
import { opensslAuthority } from '../fakes/openssl-authority.ts';
import { refusal } from '../fakes/refusal.ts';

const authority = opensslAuthority();
after(() => authority.remove());
const inside = (name: string) => join(authority.directory, name);

describe('the file of an upload', () => {
  it('is read as UTF-8', async () => {
    const path = authority.write('text', 'Zürich\n');
    assert.equal(await readUploadFile(path, 100), 'Zürich\n');
  });

  it('may be as large as the limit and no larger', async () => {
    const path = authority.write('limit', 'x'.repeat(100));
    assert.equal((await readUploadFile(path, 100)).length, 100);
    await assert.rejects(readUploadFile(path, 99), refusal('file-too-large', /99 bytes/));
  });

  it('may be behind a link', async () => {
    symlinkSync(authority.write('target', 'x'), inside('link'));
    assert.equal(await readUploadFile(inside('link'), 100), 'x');
  });

  it('is refused when it is empty', async () => {
    await assert.rejects(readUploadFile(authority.write('empty', ''), 100), refusal('file-empty'));
  });

  mkdirSync(inside('directory'));
  execFileSync('mkfifo', [inside('fifo')]);
  symlinkSync(inside('nothing'), inside('dangling'));
  for (const [what, path] of [
    ['absent', inside('absent')],
    ['below a file', join(authority.write('file', 'x'), 'below')],
    ['a directory', inside('directory')],
    ['a FIFO that nobody writes to', inside('fifo')],
    ['a device that never ends', '/dev/zero'],
    ['a device that is empty', '/dev/null'],
    ['a link to nothing', inside('dangling')],
    ['nothing at all', ''],
    ['a name that is too long', inside('x'.repeat(300))],
  ] as const) {
    it(`is refused when it is ${what}`, async () => {
      await assert.rejects(readUploadFile(path, 100), (error: Error) => {
        refusal('file-unreadable')(error);
        assert.ok(!error.message.includes(authority.directory), error.message);
        return true;
      });
    });
  }

  it('must belong to a caller who may not read all that the manager can', async () => {
    const path = authority.write('own', 'x');
    const user = process.getuid?.() ?? 0;
    assert.equal(await fileOfCaller(path, 100, 0)(), 'x');
    assert.equal(await fileOfCaller(path, 100, user)(), 'x');
    for (const other of [user + 1, undefined]) {
      const read = fileOfCaller(path, 100, other);
      await assert.rejects(read(), refusal('file-unreadable', /does not belong/));
    }
  });

  it('is refused when its path holds a NUL', async () => {
    await assert.rejects(readUploadFile('/etc/passwd\0.pem', 100), refusal('file-unreadable'));
  });
});

describe('the text of an upload', () => {
  const root = authority.issueCa();
  const leaf = authority.issue({ issuer: root });

  it('holds certificates and keys in their order, and whatever else', () => {
    const parameters = formatPem('EC PARAMETERS', Buffer.of(6, 1, 1));
    const upload = parseUpload(`${leaf.key}${parameters}${leaf.pem}text\n${root.pem}`, 10);
    assert.deepEqual(
      upload.certificates.map(({ pem }) => pem),
      [leaf.pem, root.pem],
    );
    assert.deepEqual(
      upload.keyBlocks.map(({ text }) => text),
      [leaf.key],
    );
  });

  it('may have the old label of certificates', () => {
    const old = leaf.pem.replaceAll('CERTIFICATE', 'X509 CERTIFICATE');
    assert.equal(parseUpload(old, 10).certificates[0]?.pem, leaf.pem);
  });

  it('may hold as many certificates as the limit', () => {
    const three = root.pem.repeat(3);
    assert.equal(parseUpload(three, 3).certificates.length, 3);
    assert.throws(() => parseUpload(three, 2), refusal('too-many-certificates', /3 .* limit is 2/));
  });

  it('may hold a key that cannot be read: an endpoint may not need it', () => {
    const broken = formatPem('PRIVATE KEY', Buffer.from('no key'));
    assert.equal(parseUpload(broken + leaf.pem, 1).keyBlocks.length, 1);
  });

  for (const [what, text, code] of [
    ['nothing', '', 'no-certificate'],
    ['text', 'not a certificate', 'no-certificate'],
    ['a key alone', leaf.key, 'no-certificate'],
    ['a request', formatPem('CERTIFICATE REQUEST', Buffer.of(0x30, 0)), 'no-certificate'],
    ['DER', leaf.certificate.der.toString('latin1'), 'no-certificate'],
    ['half a block', leaf.pem.slice(0, 200), 'pem-malformed'],
    [
      'bytes that are no certificate',
      formatPem('CERTIFICATE', Buffer.of(1)),
      'certificate-malformed',
    ],
    [
      'a bad one after a good one',
      leaf.pem + formatPem('CERTIFICATE', Buffer.of(1)),
      'certificate-malformed',
    ],
  ] as const) {
    it(`is refused as ${code} when it is ${what}`, () => {
      assert.throws(() => parseUpload(text, 10), refusal(code));
    });
  }
});
