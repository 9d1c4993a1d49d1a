import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { contentOpener } from '../../../src/bin/set-up/content-opener.ts';
import type { Content } from '../../../src/x509/containers.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { until } from '../../e2e/commands.ts';
import { openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';
import { slowKey } from '../../fakes/slow-key.ts';

const directory = mkdtempSync(join(tmpdir(), 'content-opener-'));
const tools = opensslAuthority();
after(() => {
  rmSync(directory, { recursive: true });
  tools.remove();
});
const { pem, key, path, keyPath } = tools.issue();
const realProgram = fileURLToPath(new URL('../../../src/bin/content-opener.ts', import.meta.url));
const password = 'geheim';
const limits = { openingSeconds: 300, queuedOpenings: 2 };

const contentOf = (bytes: Buffer): Content => ({ bytes, format: 'PEM', password });
const slow = contentOf(slowKey(1_000_000));

/** A program of these lines in place of the real one. */
function program(name: string, ...lines: string[]): string {
  const file = join(directory, `${name}.cjs`);
  writeFileSync(file, lines.join('\n'));
  return file;
}

/** A program that says which jobs it began, and does one when there is a file of its name. */
function waitingProgram(name: string) {
  const begun = join(directory, `${name}-begun`);
  writeFileSync(begun, '');
  const script = program(
    name,
    'const { appendFileSync, existsSync } = require("node:fs");',
    'process.once("message", ({ password }) => {',
    `  appendFileSync(${JSON.stringify(begun)}, password + "\\n");`,
    `  const look = () => existsSync(${JSON.stringify(directory)} + "/" + password)`,
    '    ? process.send({ code: "password-wrong", message: password })',
    '    : setTimeout(look, 20);',
    '  look();',
    '});',
    'process.once("disconnect", () => process.exit());',
  );
  return { script, begun: () => readFileSync(begun, 'utf8').split('\n').filter(Boolean) };
}

describe('what opens files with their passwords', () => {
  it('opens at once what takes few rounds, whatever the program', () => {
    const open = contentOpener(limits, join(directory, 'absent.cjs'));
    const sealed = openssl(['pkey', '-aes128', '-passout', `pass:${password}`], key);
    const opened = open(contentOf(Buffer.from(sealed + pem)), usualLimits, '');
    assert.ok(!(opened instanceof Promise));
    assert.deepEqual(
      opened.map(({ label }) => label),
      ['PRIVATE KEY', 'CERTIFICATE'],
    );
  });

  it('opens in a process of its own what takes more, and gives the same', async () => {
    const file = join(directory, 'more.p12');
    openssl([
      ...['pkcs12', '-export', '-in', path, '-inkey', keyPath, '-passout', `pass:${password}`],
      ...['-iter', '20000', '-out', file],
    ]);
    const content = contentOf(readFileSync(file));
    const opened = await contentOpener(limits, realProgram)(content, usualLimits, '');
    assert.deepEqual(
      opened.map(({ text }) => text),
      [openssl(['pkcs8', '-topk8', '-nocrypt'], key), pem],
    );
  });

  it('passes on why the file is not opened', async () => {
    const open = contentOpener(limits, realProgram);
    await assert.rejects(
      async () => open(slow, usualLimits, ''),
      refusal('password-wrong', /does not open the private key/),
    );
    const few = { ...usualLimits, derivationRounds: 999_999 };
    await assert.rejects(
      async () => open(slow, few, ''),
      refusal('key-derivation-limit', /more than 999999 rounds/),
    );
  });

  it('gives up, and ends the process, when its time is over', async () => {
    const pid = join(directory, 'pid');
    const script = program(
      'hanging',
      `require("node:fs").writeFileSync(${JSON.stringify(pid)}, String(process.pid));`,
      'for (;;);',
    );
    const open = contentOpener({ ...limits, openingSeconds: 2 }, script);
    const words = /within 2 s/;
    await assert.rejects(
      async () => open(slow, usualLimits, ''),
      refusal('key-derivation-limit', words),
    );
    // It need not have come so far
    const written = existsSync(pid) && Number(readFileSync(pid, 'utf8'));
    if (written) assert.throws(() => process.kill(written, 0), { code: 'ESRCH' });
  });

  const faults: readonly (readonly [string, string])[] = [
    ['cannot be loaded', 'this is no program'],
    ['ends without a word', 'process.exit(0)'],
    ['says something else', 'process.once("message", () => process.send({ pem: 7, code: "x" }))'],
  ];
  for (const [what, line] of faults) {
    it(`fails when the program ${what}, and says nothing of the file`, async () => {
      const open = contentOpener(limits, program(what.replaceAll(' ', '-'), line));
      const internal = refusal('internal', /^the file could not be opened/);
      await assert.rejects(async () => open(slow, usualLimits, ''), internal);
    });
  }

  it('has the compiler of V8 in the process, where its own has none', async () => {
    const line =
      'process.once("message", () => process.send({ code: "busy", message: process.execArgv.join(" ") }))';
    process.execArgv.push('--jitless');
    const open = contentOpener(limits, program('flags', line));
    process.execArgv.pop();
    await assert.rejects(
      async () => open(slow, usualLimits, ''),
      (error: Error) => {
        refusal('busy', /--inspect-port/)(error);
        assert.doesNotMatch(error.message, /jitless/);
        return true;
      },
    );
  });

  it('opens one at a time in fair turns, and refuses those of who has most of what waits', async () => {
    const { script, begun } = waitingProgram('fair');
    const open = contentOpener(limits, script);
    const ended: string[] = [];
    const ask = async (owner: string, name: string) => {
      try {
        await open({ ...slow, password: name }, usualLimits, owner);
      } catch (error) {
        ended.push(`${name} ${error instanceof Error && 'code' in error ? error.code : error}`);
      }
    };
    const flood = Array.from({ length: 50 }, (_, at) => ask('flood', `flood${at}`));
    const other = ask('other', 'other');
    await until('one has begun', () => begun().length === 1);
    // The 47 that had no place, and the one that gave its place up
    await until('the others are refused', () => ended.length === 48);
    assert.ok(ended.every((one) => one.endsWith(' busy')));
    for (const name of ['flood0', 'flood1', 'other']) writeFileSync(join(directory, name), '');
    await Promise.all([...flood, other]);
    assert.deepEqual(begun(), ['flood0', 'flood1', 'other']);
    assert.equal(ended.filter((one) => one.endsWith(' password-wrong')).length, 3);
  });

  it('refuses what waited until its time was over', async () => {
    const { script, begun } = waitingProgram('waiting');
    let time = 0;
    const open = contentOpener(limits, script, () => time);
    const first = assert.rejects(
      async () => open({ ...slow, password: 'first' }, usualLimits, ''),
      refusal('password-wrong'),
    );
    const second = assert.rejects(
      async () => open({ ...slow, password: 'second' }, usualLimits, ''),
      refusal('busy', /try again/),
    );
    await until('the first has begun', () => begun().length === 1);
    time = 300_001;
    writeFileSync(join(directory, 'first'), '');
    await Promise.all([first, second]);
    assert.deepEqual(begun(), ['first']);
  });
});
