import assert from 'node:assert/strict';
import { makeProgram } from '../../src/bin/bmc-certs.ts';
import type { Field, Fields } from '../../src/operator/framework/fields.ts';
import { findRequest } from '../../src/operator/framework/parse.ts';

/** What the JSON of a command line is declared to be, and no more. @throws AssertionError */
export function assertDeclaredShape(words: readonly string[], answer: unknown): void {
  const request = findRequest(makeProgram(), words);
  assert.equal(request.kind, 'run');
  if (request.kind !== 'run') return;
  const { answersList = false, name } = request.command;
  assert.equal(Array.isArray(answer), answersList, name);
  for (const row of Array.isArray(answer) ? answer : [answer])
    assertFields(request.command.fields, row, request.command.name);
}

function assertFields(fields: Fields, row: unknown, place: string): void {
  assert.deepEqual(Object.keys(Object(row)).sort(), Object.keys(fields).sort(), place);
  for (const [name, field] of Object.entries(fields))
    assertField(field, Object(row)[name], `${place}: ${name}`);
}

function assertField(field: Field, value: unknown, place: string): void {
  if (value === null) {
    assert.ok(field.optional, place);
    return;
  }
  const isRight: Readonly<Record<Field['type'], () => boolean>> = {
    text: () => typeof value === 'string',
    number: () => typeof value === 'number',
    flag: () => typeof value === 'boolean',
    texts: () => Array.isArray(value) && value.every((one) => typeof one === 'string'),
    time: () => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(value)),
    rows: () => Array.isArray(value),
  };
  assert.ok(isRight[field.type](), `${place} is ${JSON.stringify(value)}`);
  if (field.type !== 'rows' || !Array.isArray(value)) return;
  for (const row of value) assertFields(field.fields ?? {}, row, place);
}
