import assert from 'node:assert/strict';

/** A line of a log, read by the grammar in docs/operations.md. */
export interface LogLine {
  /** Absent in the journal, which knows whose line it is. */
  readonly program: string | undefined;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

const visible = '[^\\p{C}\\p{Zl}\\p{Zp}]';
const start = String.raw`(?:<[3467]>|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?:error|warn |info |debug) (?<program>[\w-]+): )?`;
const message = `(?:(?!=)${visible})+?`;
const value = String.raw`(?:[\w./:@,+-]+|"(?:[^"\\\p{C}\p{Zl}\p{Zp}]|\\(?:["\\bfnrt]|u[\da-f]{4}))*")`;
const field = String.raw`[A-Za-z]\w*=${value}`;
const wholeLine = new RegExp(`^${start}(?<message>${message})(?<fields>(?: ${field})*)$`, 'u');

/** @throws when it is not of the grammar, or has a key twice */
export function readLogLine(line: string): LogLine {
  const { program, message: text, fields: rest = '' } = wholeLine.exec(line)?.groups ?? {};
  assert.ok(text !== undefined, `not of the grammar: ${line}`);
  const found = [...rest.matchAll(new RegExp(` (\\w+)=(${value})`, 'gu'))];
  const read = found.map(([, key = '', given = '']) => [
    key,
    given.startsWith('"') ? String(JSON.parse(given)) : given,
  ]);
  assert.equal(new Set(read.map(([key]) => key)).size, read.length, `a key twice: ${line}`);
  return { program, message: text, fields: Object.fromEntries(read) };
}
