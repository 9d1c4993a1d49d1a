import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { must, run } from '../e2e/commands.ts';
import { quotedSource, typescriptProgram } from '../fakes/typescript-program.ts';

/** What a program writes that logs these events, on standard error. */
async function logged(events: string, environment: readonly string[] = []): Promise<string> {
  const script = `import { makeLog } from ${quotedSource('core/log.ts')};
    const log = makeLog('trial'); ${events}`;
  const clean = ['-u', 'JOURNAL_STREAM', '-u', 'LOG_LEVEL'];
  const { status, stdout, stderr } = await run('env', [
    ...clean,
    ...environment,
    ...typescriptProgram(script),
  ]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, '', 'standard output is for programs');
  return stderr;
}

describe('the log', () => {
  it('has the time, the level, the program, the message and its fields', async () => {
    const text = await logged(`log.info('it began', { port: 8443, ok: true, name: 'a/b.pem' });`);
    assert.match(
      text,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info {2}trial: it began port=8443 ok=true name=a\/b\.pem\n$/,
    );
  });

  it('has one line for each event, whatever stands in its message and fields', async () => {
    const hostile = `const text = 'one\\ntwo\\r\\n<3>three \\u001b[31m\\u0000 four="five" \\u2028 six';
      log.warn('one\\ntwo\\r\\nthree', { field: text, other: text });
      log.info('done');`;
    for (const environment of [[], ['JOURNAL_STREAM=8:1']]) {
      const text = await logged(hostile, environment);
      assert.equal(text.split('\n').length, 3, text);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.doesNotMatch(text, /[\r\u0000\u001b]/);
    }
  });

  it('has characters that are not seen, or turn the others around, by their numbers', async () => {
    const hidden = [0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x200b, 0x202e, 0x2028, 0x2029, 0x2066, 0xfeff];
    const others = [0xd800, 0xe000, 0xe0041];
    const codes = [...hidden, ...others];
    const text = await logged(`for (const code of [${codes}]) {
      const text = 'a' + String.fromCodePoint(code) + 'b';
      log.warn(text, { field: text });
    }`);
    const lines = text.trimEnd().split('\n');
    assert.equal(lines.length, codes.length);
    for (const [at, code] of codes.entries()) {
      const units = String.fromCodePoint(code).split('');
      const shown = units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
      const escaped = `a${shown.join('')}b`;
      assert.ok(lines[at]?.endsWith(`: ${escaped} field="${escaped}"`), lines[at]);
    }
    const plain = await logged(`log.warn('x', { field: 'B\u00fcro \u65e5\u672c \u{1f600}' });`);
    assert.match(plain, /field="B\u00fcro \u65e5\u672c \u{1f600}"\n$/u);
  });

  it('quotes a field that could be taken for another', async () => {
    const text = await logged(`log.info('x', { name: 'a b=c', quote: '"', empty: '' });`);
    assert.match(text, /x name="a b=c" quote="\\"" empty=""\n$/);
  });

  it('bounds what a client can make it write', async () => {
    const text = await logged(
      `log.info('x', { name: ' y'.repeat(100000), word: 'z'.repeat(100000) });`,
    );
    assert.ok(text.length < 5000, `${text.length} characters`);
  });

  const priorities = [
    { level: 'error', priority: 3 },
    { level: 'warn', priority: 4 },
    { level: 'info', priority: 6 },
    { level: 'debug', priority: 7 },
  ];
  it('begins with the priority of the journal when that listens', async () => {
    const events = priorities.map(({ level }) => `log.${level}('it is', { a: 1 });`).join('');
    const text = await logged(events, ['JOURNAL_STREAM=8:12345', 'LOG_LEVEL=debug']);
    const expected = priorities.map(({ priority }) => `<${priority}>it is a=1\n`);
    assert.equal(text, expected.join(''));
  });

  it('leaves out what is below its level', async () => {
    assert.equal(await logged(`log.debug('x'); log.info('y');`, ['LOG_LEVEL=warn']), '');
    assert.equal(await logged(`log.debug('x');`), '');
  });

  it('has no colours where no terminal is', async () => {
    assert.ok(!(await logged(`log.error('x');`)).includes('\u001b'));
  });

  it('can be read by anybody who reads lines', async () => {
    const text = await logged(`for (let i = 0; i < 20; i += 1) log.info('line', { i });`);
    assert.equal((await must('grep', ['-c', 'line i='], text)).trim(), '20');
  });
});
